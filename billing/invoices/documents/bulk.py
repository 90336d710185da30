"""JSON and CSV of very many documents, written by worker processes.

The statements of the chapter rendering make them a chunk at a time on all cores; the workers only
write. Fewer than `BULK` documents are written by the process itself.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import duckdb

from billing.invoices.documents.files import (
    DRAFTS,
    FilesWritten,
    Put,
    folder_of,
    put,
    put_new,
    safe_name,
)
from billing.invoices.documents.rendering import Rendered, prepare, render_chunk
from billing.invoices.documents.sums import read_sums
from billing.invoices.reading import chunks

BULK = 2_000


def write(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    *,
    workers: int,
    advance: Callable[[int], None] = lambda _count: None,
) -> FilesWritten:
    """Write JSON and CSV of the chosen documents of `month`; right files are left as they are.

    A month that has none yet is written beside its folder and takes its place at once.
    """
    folder = folder_of(home, month)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    if _has_documents(folder):
        return _write(home, connection, folder, put, workers=workers, advance=advance)
    with _folder_aside(folder) as aside:
        written = _write(home, connection, aside, put_new, workers=workers, advance=advance)
        if (folder.joinpath(DRAFTS)).is_dir():
            (folder.joinpath(DRAFTS)).rename(aside.joinpath(DRAFTS))
        try:
            aside.rename(folder)
        except OSError:
            if not _has_documents(folder):
                raise
            # Another process was faster: each of its documents is compared with ours.
            return _write(home, connection, folder, put, workers=workers, advance=advance)
    return written


def _has_documents(folder: Path) -> bool:
    return any(entry.name != DRAFTS for entry in os.scandir(folder))


@contextmanager
def _folder_aside(folder: Path) -> Iterator[Path]:
    """A folder of this process alone beside `folder`, locked so that others see it is in use."""
    aside = Path(mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    aside.chmod(folder.stat().st_mode)
    descriptor = os.open(aside, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        os.close(descriptor)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left beside `folder`; a lock shows which are still in use."""
    for left in folder.parent.glob(f".{folder.name}.new*"):
        descriptor = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(descriptor)


def _write(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    putting: Put,
    *,
    workers: int,
    advance: Callable[[int], None],
) -> FilesWritten:
    prepare(connection)
    total = FilesWritten()
    pending: list[Future[tuple[FilesWritten, int]]] = []
    with (
        TemporaryDirectory(dir=home) as place,
        ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool,
    ):
        for chunk in chunks(connection):
            path = Path(place) / f"{chunk}.parquet"
            render_chunk(connection, chunk).write_parquet(
                str(path), compression="uncompressed", row_group_size=2_000
            )
            for part in range(workers):
                pending.append(pool.submit(write_part, path, folder, part, workers, putting))
        for future in pending:
            written, count = future.result()
            total.add(written)
            advance(count)
    return total


def write_part(
    path: Path, folder: Path, part: int, parts: int, putting: Put = put
) -> tuple[FilesWritten, int]:
    """Write every `parts`-th group of rendered documents: what became of the files, and how many
    documents there were.
    """
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    written = FilesWritten(before=read_sums(folder))
    count = 0
    for group in range(part, file.num_row_groups, parts):
        for row in file.read_row_group(group).to_pylist():
            put_tables(
                f"{folder}/{safe_name(row['invoice_no'])}", Rendered(**row), putting, written
            )
            count += 1
    return written, count


def put_tables(stem: str, one: Rendered, putting: Put, written: FilesWritten) -> None:
    """Write a document's JSON and CSV; the JSON first, since it says whose issue the others are."""
    putting(f"{stem}.json", one.json, written)
    putting(f"{stem}.csv", one.csv, written)
    if one.detail_csv is not None and one.has_detail:
        putting(f"{stem}.detail.csv", one.detail_csv, written)
