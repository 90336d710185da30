"""Rows out of a query, as a table or in a file's format. Exact: no number becomes a float.

Money and other decimals are text in JSON and CSV. Text that a spreadsheet would run as a formula
gets an apostrophe in CSV and is typed as text in XLSX (FAULTS D17). A file appears whole or not
at all.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from io import IOBase
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from billing.lake.result import QueryResult, Rows
from edge.errors import InputError
from edge.terminal import say, table
from edge.trouble import remedy

if TYPE_CHECKING:
    from pyarrow import RecordBatchStreamWriter, Schema
    from pyarrow.parquet import ParquetWriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

FORMATS = (
    "table", "vertical", "json", "jsonl", "csv", "markdown", "parquet", "arrow", "xlsx",
)  # fmt: skip
NOT_TEXT = ("parquet", "arrow", "xlsx")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
DIGITS_IN_SPREADSHEETS = 15
MONEY_FORMAT = "#,##0.00########"
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
# A table is for eyes; what is longer goes to a file.
TABLE_ROWS = 10_000
_MONEY = re.compile(r"DECIMAL\(\d+,([1-9]\d*)\)")


def write_result(
    result: QueryResult, format_: str, output: Path | None, *, sheet_rows: int = SHEET_ROWS
) -> None:
    """Write all rows in `format_` to `output`, or to standard output for the text formats."""
    if format_ in ("table", "vertical") and output is None:
        _print_table(result, expanded=format_ == "vertical")
        return
    if format_ == "vertical":
        raise InputError("vertical is for eyes", "take csv, json, jsonl or markdown for a file")
    if output is None:
        if format_ in NOT_TEXT:
            raise InputError(f"{format_} is not text", "say where to write it: -o FILE")
        _TEXT_WRITERS.get(format_, _write_csv)(result, sys.stdout)
        return
    count = write_file(result, format_, output, sheet_rows=sheet_rows)
    print(f"{rows_of(count)} in {output}", file=sys.stderr)


def write_file(
    result: QueryResult, format_: str, output: Path, *, sheet_rows: int = SHEET_ROWS
) -> int:
    """Write all rows in `format_` to a file, whole or not at all; how many they were."""
    with whole(output) as path:
        if format_ == "parquet":
            return _write_parquet(result, path)
        if format_ == "arrow":
            return _write_arrow(result, path)
        if format_ == "xlsx":
            return _write_xlsx(result, path, sheet_rows)
        text = _TEXT_WRITERS.get(format_, _write_csv)
        with open(path, "w", encoding="utf-8", newline="") as file:
            return text(result, file)


def write_stream(result: QueryResult, format_: str, file: IOBase) -> int:
    """Write all rows to an open file, as Arrow's stream or as text; how many they are."""
    if format_ == "arrow":
        return _write_arrow(result, file)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)  # type: ignore[type-var]
    count = _TEXT_WRITERS.get(format_, _write_csv)(result, text)
    text.flush()
    text.detach()
    return count


def hidden_output(output: Path, process: int) -> Path:
    """What `output` is called while a process writes it."""
    return output.with_name(f".{output.name}.{process}.tmp")


def rows_of(count: int) -> str:
    """«1 row», «2 rows»."""
    return f"{count} row{'' if count == 1 else 's'}"


@contextmanager
def whole(output: Path) -> Iterator[Path]:
    """A path to write to, which becomes `output` when all went well. A pipe is written as it is."""
    special = output.exists() and not output.is_file()
    path = output if special else hidden_output(output, os.getpid())
    try:
        yield path
        if not special:
            os.replace(path, output)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{output} cannot be written: {reason}", remedy(reason) or "name another file"
        ) from error
    finally:
        if not special:
            path.unlink(missing_ok=True)


def _print_table(result: QueryResult, *, expanded: bool) -> None:
    rows: Rows = []
    more = False
    for chunk in result.chunks():
        rows += chunk
        if more := len(rows) > TABLE_ROWS:
            break
    columns = list(result.columns)
    numbers = {column for place, column in enumerate(columns) if result.is_number(place)}
    shown = ([as_text(cell) for cell in row] for row in rows[:TABLE_ROWS])
    table("", columns, shown, right=numbers, expanded=expanded)
    if more:
        print(f"the first {TABLE_ROWS} rows; all of them: --format csv", file=sys.stderr)
    else:
        print(rows_of(len(rows)), file=sys.stderr)


def _write_json(result: QueryResult, file: TextIO) -> int:
    """A JSON list with one object per row."""
    names = result.names
    count = 0
    for chunk in result.chunks():
        for row in chunk:
            document = dict(zip(names, map(_plain, row), strict=True))
            text = json.dumps(document, ensure_ascii=False, indent=2).replace("\n", "\n  ")
            file.write(f"{',' if count else '['}\n  {text}")
            count += 1
    file.write("\n]\n" if count else "[]\n")
    return count


def _write_jsonl(result: QueryResult, file: TextIO) -> int:
    """One JSON object a line."""
    names = result.names
    count = 0
    for chunk in result.chunks():
        for row in chunk:
            document = dict(zip(names, map(_plain, row), strict=True))
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_markdown(result: QueryResult, file: TextIO) -> int:
    """A table for a document: a pipe in a value is escaped, a line end becomes a space."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cells) + " |\n"

    def cell(value: object) -> str:
        return " ".join(as_text(value).split("\n")).replace("\\", "\\\\").replace("|", "\\|")

    file.write(line(map(cell, result.names)))
    places = range(len(result.columns))
    file.write(line("---:" if result.is_number(place) else "---" for place in places))
    count = 0
    for chunk in result.chunks():
        file.writelines(line(map(cell, row)) for row in chunk)
        count += len(chunk)
    return count


def _write_csv(result: QueryResult, file: TextIO) -> int:
    """RFC 4180 CSV with a header line. The table, written to a file, is CSV too."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([formula_safe(column) for column in result.names])
    count = 0
    for chunk in result.chunks():
        writer.writerows([_cell(value) for value in row] for row in chunk)
        count += len(chunk)
        file.write(buffer.getvalue())
        buffer.seek(0)
        buffer.truncate()
    file.write(buffer.getvalue())
    return count


_TEXT_WRITERS = {"json": _write_json, "jsonl": _write_jsonl, "markdown": _write_markdown}


def formula_safe(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_text(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        seconds = "auto" if value.second or value.microsecond else "minutes"
        return value.isoformat(sep=" ", timespec=seconds)
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value)


def _cell(value: object) -> str:
    """CSV: text is made safe, numbers keep their minus sign."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (int, float, Decimal)):
        return as_text(value)
    return formula_safe(as_text(value))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {as_text(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def _write_parquet(result: QueryResult, output: Path) -> int:
    import pyarrow.parquet as pq

    return _write_batches(result, lambda schema: pq.ParquetWriter(output, schema))


def _write_arrow(result: QueryResult, output: Path | IOBase) -> int:
    """The stream form of Arrow IPC, which pandas, polars and R read."""
    import pyarrow as pa

    sink = str(output) if isinstance(output, Path) else output
    return _write_batches(result, lambda schema: pa.ipc.new_stream(sink, schema))


def _write_batches(
    result: QueryResult, opened: Callable[[Schema], ParquetWriter | RecordBatchStreamWriter]
) -> int:
    reader = result.arrow()
    schema = reader.schema
    for place, name in enumerate(result.names):
        schema = schema.set(place, schema.field(place).with_name(name))
    count = 0
    with opened(schema) as writer:
        batches = iter(reader)
        while (batch := result.budget.spend(lambda: next(batches, None))) is not None:
            writer.write_batch(batch.rename_columns(schema.names))
            count += batch.num_rows
    return count


def _write_xlsx(result: QueryResult, output: Path, sheet_rows: int) -> int:
    """An xlsx sheet. A column of decimals is there twice: as numbers, which a spreadsheet adds up,
    and beside them as text, which is exact whatever the spreadsheet does.
    """
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    book = xlsxwriter.Workbook(str(output), options)
    sheet = book.add_worksheet("query")
    money = book.add_format({"num_format": MONEY_FORMAT})
    decimals = [_MONEY.fullmatch(kind) is not None for kind in result.types]
    heads = [
        head
        for name, twice in zip(result.names, decimals, strict=True)
        for head in ((name, f"{name} (exact)") if twice else (name,))
    ]
    for place, head in enumerate(heads):
        sheet.write_string(0, place, head)
    number = as_text_only = 0
    for chunk in result.chunks():
        if number + len(chunk) >= sheet_rows:
            raise InputError(
                f"an xlsx sheet holds {sheet_rows - 1} rows", "narrow it, or take csv or parquet"
            )
        for row in chunk:
            number += 1
            place = 0
            for value, twice in zip(row, decimals, strict=True):
                as_text_only += not _write_cell(sheet, number, place, value, money)
                place += 1
                if twice:
                    sheet.write_string(number, place, as_text(value))
                    place += 1
    book.close()
    if as_text_only:
        cells = "1 number" if as_text_only == 1 else f"{as_text_only} numbers"
        say(
            f"of more than {DIGITS_IN_SPREADSHEETS} digits, and so text that a spreadsheet does not"
            f" add up: {cells}; sum them in the query"
        )
    return number


def _write_cell(sheet: Worksheet, number: int, place: int, value: object, money: Format) -> bool:
    """Write one cell; False when a number had to be written as text, to stay what it is.

    A spreadsheet's numbers are floats of which 15 digits are shown and can be relied on.
    """
    if isinstance(value, bool):
        sheet.write_boolean(number, place, value)
    elif isinstance(value, (int, Decimal)) and _digits(value) <= DIGITS_IN_SPREADSHEETS:
        sheet.write_number(number, place, value, money if isinstance(value, Decimal) else None)
    elif isinstance(value, float) and math.isfinite(value):
        sheet.write_number(number, place, value)
    else:
        text = as_text(value)
        if len(text) > CELL_CHARACTERS:
            raise InputError(
                f"row {number} has {len(text)} characters in one cell;"
                f" an xlsx cell holds {CELL_CHARACTERS}",
                "take csv or parquet",
            )
        sheet.write_string(number, place, text)
        return not isinstance(value, (int, Decimal))
    return True


def _digits(value: int | Decimal) -> int:
    """How many digits a number needs, the zeros at its end left out for a decimal."""
    if isinstance(value, int):
        return len(str(abs(value)))
    _sign, digits, exponent = value.normalize().as_tuple()
    return max(len(digits), len(digits) + int(exponent))
