"""JSON and CSV of very many documents: rendered set-based in DuckDB, written by worker processes.

The Python renderers define the bytes; the statements render_*.sql make the same ones a chunk at a
time for all cores, and a test holds the two equal over generated invoices. Documents of fewer than
`BULK` go the plain way.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import orjson

import sql
from billing.invoices.documents.csv_document import DETAIL_COLUMNS, LINE_COLUMNS
from billing.invoices.documents.files import DRAFTS, Written, folder_of, put, safe_name, write_bytes
from billing.invoices.documents.json_document import ROUNDING, SCHEMA
from billing.invoices.reading import ISSUED, Tables

BULK = 2_000
Writer = Callable[[str, bytes, Written], None]


def render_chunk(
    connection: duckdb.DuckDBPyConnection, chunk: int, tables: Tables = ISSUED
) -> duckdb.DuckDBPyRelation:
    """(invoice_no, account_id, json, csv, detail_csv, has_detail) of one chunk chosen."""
    names = {"heads": tables.heads, "chunk": chunk}
    connection.execute(
        sql.text("statements/invoices/render_lines"), {**names, "lines": tables.lines}
    )
    connection.execute(
        sql.text("statements/invoices/render_detail"), {**names, "detail": tables.detail}
    )
    return connection.sql(
        sql.text("statements/invoices/render_documents"),
        params={
            **names,
            "schema": SCHEMA,
            "rounding": ROUNDING,
            "line_columns": ",".join(LINE_COLUMNS),
            "detail_columns": ",".join(DETAIL_COLUMNS),
        },
    )


def prepare(connection: duckdb.DuckDBPyConnection, tables: Tables = ISSUED) -> None:
    """Make the macros and the sellers' texts that rendering the chosen documents needs."""
    connection.execute(sql.text("statements/invoices/text_macros"))
    found = connection.execute(
        sql.text("statements/invoices/sellers"), {"heads": tables.heads}
    ).fetchall()
    texts = [_seller(row[0]) for row in found]
    connection.execute(
        sql.text("statements/invoices/rendered_sellers"),
        {
            "sellers": [row[0] for row in found],
            "seller_json": [text[0] for text in texts],
            "notes_json": [text[1] for text in texts],
        },
    )


def write(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    *,
    workers: int,
    advance: Callable[[int], None] = lambda _count: None,
) -> Written:
    """Write JSON and CSV of the chosen documents of `month`; right files are left as they are.

    A month that has none yet is written beside its folder and takes its place at once.
    """
    folder = folder_of(home, month)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{month}.new")
    shutil.rmtree(aside, ignore_errors=True)
    if any(entry.name != DRAFTS for entry in os.scandir(folder)):
        return _write(home, connection, folder, put, workers=workers, advance=advance)
    aside.mkdir()
    try:
        written = _write(home, connection, aside, put_new, workers=workers, advance=advance)
        if (folder.joinpath(DRAFTS)).is_dir():
            (folder.joinpath(DRAFTS)).rename(aside.joinpath(DRAFTS))
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return written


def _write(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    writer: Writer,
    *,
    workers: int,
    advance: Callable[[int], None],
) -> Written:
    prepare(connection)
    ((chunks,),) = connection.execute(sql.text("statements/invoices/chunks_chosen")).fetchall()
    total = Written()
    pending: list[Future[tuple[int, int, int, int]]] = []
    with (
        TemporaryDirectory(dir=home) as place,
        ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool,
    ):
        for chunk in range(chunks):
            path = Path(place) / f"{chunk}.parquet"
            render_chunk(connection, chunk).write_parquet(
                str(path), compression="uncompressed", row_group_size=2_000
            )
            for part in range(workers):
                pending.append(pool.submit(write_part, path, folder, part, workers, writer))
        for future in pending:
            new, restored, same, count = future.result()
            total.new += new
            total.restored += restored
            total.same += same
            advance(count)
    return total


def put_new(path: str, data: bytes, written: Written) -> None:
    """Make a file that nobody looks at yet: it need not be whole at every moment."""
    write_bytes(path, data, os.O_EXCL)
    written.new += 1


def write_part(
    path: Path, folder: Path, part: int, parts: int, writer: Writer = put
) -> tuple[int, int, int, int]:
    """Write every `parts`-th group of rendered documents: (new, restored, same, documents)."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    written = Written()
    count = 0
    for group in range(part, file.num_row_groups, parts):
        rows: dict[str, list[Any]] = file.read_row_group(group).to_pydict()
        for number, document, lines, detail, has_detail in zip(
            rows["invoice_no"],
            rows["json"],
            rows["csv"],
            rows["detail_csv"],
            rows["has_detail"],
            strict=True,
        ):
            stem = f"{folder}/{safe_name(number)}"
            writer(f"{stem}.json", document, written)
            writer(f"{stem}.csv", lines, written)
            if has_detail:
                writer(f"{stem}.detail.csv", detail, written)
            count += 1
    return written.new, written.restored, written.same, count


def _seller(text: str) -> tuple[str, str]:
    """A seller's JSON object and the terms' JSON list, indented as they stand inside a document."""
    content = json.loads(text)
    party = {key: content[key] for key in ("name", "address", "tax_id", "email")}
    return _inside({**party, "account_id": ""}), _inside(content["notes"])


def _inside(value: Any) -> str:
    whole = orjson.dumps({"x": value}, option=orjson.OPT_INDENT_2).decode("utf-8")
    return whole.removeprefix('{\n  "x": ').removesuffix("\n}")
