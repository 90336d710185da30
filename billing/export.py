"""Rows out of a query, as a table, JSON, CSV, Parquet or XLSX. Exact: no number becomes a float.

Money and other decimals are text in JSON and CSV. Text that a spreadsheet would run as a formula
gets an apostrophe in CSV and is typed as text in XLSX (FAULTS D17).
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from edge.console import table
from edge.errors import InputError

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
EXACT_IN_SPREADSHEETS = 10**15
Rows = Sequence[Sequence[object]]


def write_rows(columns: Sequence[str], rows: Rows, format_: str, output: Path | None) -> None:
    """Write `rows` in `format_` to `output`, or to standard output for the text formats."""
    if format_ in ("parquet", "xlsx"):
        if output is None:
            raise InputError(f"{format_} is not text", "say where to write it: -o FILE")
        (_write_parquet if format_ == "parquet" else _write_xlsx)(columns, rows, output)
        print(f"{len(rows)} rows in {output}", file=sys.stderr)
        return
    if format_ == "table" and output is None:
        numbers = [c for i, c in enumerate(columns) if _is_number_column(rows, i)]
        table("", columns, ([as_text(cell) for cell in row] for row in rows), right=numbers)
        print(f"{len(rows)} row{'' if len(rows) == 1 else 's'}", file=sys.stderr)
        return
    text = to_json(columns, rows) if format_ == "json" else to_csv(columns, rows)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8", newline="")


def to_json(columns: Sequence[str], rows: Rows) -> str:
    """A JSON list with one object per row."""
    documents = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
    return json.dumps(documents, ensure_ascii=False, indent=2) + "\n"


def to_csv(columns: Sequence[str], rows: Rows) -> str:
    """RFC 4180 CSV with a header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([formula_safe(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def formula_safe(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_text(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "minutes")
    return str(value)


def _cell(value: object) -> str:
    """CSV: text is made safe, numbers keep their minus sign."""
    if isinstance(value, str):
        return formula_safe(value)
    if isinstance(value, (list, dict)):
        return formula_safe(json.dumps(_plain(value), ensure_ascii=False))
    if isinstance(value, datetime):
        return value.isoformat()
    return as_text(value)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def _is_number_column(rows: Rows, index: int) -> bool:
    first = next((row[index] for row in rows if row[index] is not None), None)
    return isinstance(first, (int, Decimal)) and not isinstance(first, bool)


def _write_parquet(columns: Sequence[str], rows: Rows, output: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays: list[Any] = [pa.array([row[i] for row in rows]) for i in range(len(columns))]
    pq.write_table(pa.table(arrays, names=list(columns)), output)


def _write_xlsx(columns: Sequence[str], rows: Rows, output: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(output), {"strings_to_formulas": False, "in_memory": True})
    sheet = book.add_worksheet("query")
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column)
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            # A spreadsheet's numbers are floats: beyond 15 digits, and for money, text stays exact.
            if isinstance(value, int) and abs(value) < EXACT_IN_SPREADSHEETS:
                sheet.write_number(number, place, value)
            else:
                sheet.write_string(number, place, as_text(value))
    book.close()
