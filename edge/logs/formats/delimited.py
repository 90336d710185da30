"""Lines of values between separators, read in columns without quoting; and lines as one column.

polars gives one row per physical line here, blank ones included. Text that is no UTF-8 is read
again with U+FFFD in its place, so that such a line still counts (FAULTS D2).
"""

from __future__ import annotations

import io
from typing import Final

import polars as pl

from edge.logs.formats.block import physical_lines

OVERFLOW = "overflow"
"""The column that has a value when a line holds more values than columns are named."""

_UNUSED_BYTE = "\x01"
_PACKED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"x\x01", b"x^", b"x\x9c", b"x\xda")
"""What gzip, zstd and zlib begin with."""


def looks_packed(block: bytes) -> bool:
    """Whether polars would take a block for packed data and unpack it, to whatever size.

    A damaged line may begin with anything.
    """
    return block.startswith(_PACKED)


def read_values(block: bytes, names: list[str], wanted: list[str]) -> pl.DataFrame:
    """Columns `wanted` (and OVERFLOW) of tab-separated lines whose values are `names`, as text.

    What a line does not have, and what is empty, is None. Any bytes have an answer: where polars
    refuses a block (a first line with many values too many, say), its lines are cut one by one.
    """
    columns = [*names, OVERFLOW]
    places = sorted({columns.index(name) for name in (*wanted, OVERFLOW)})
    if looks_packed(block):
        return _cut_one_by_one(block, columns, places)
    try:
        found = _read(block, "\t", columns, places)
        if found.height == len(physical_lines(block)):
            return found
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass  # read below, line by line
    return _cut_one_by_one(block, columns, places)


def _cut_one_by_one(block: bytes, columns: list[str], places: list[int]) -> pl.DataFrame:
    """The same, slowly and for any bytes."""
    cut: list[list[str | None]] = [[] for _ in places]
    for line in physical_lines(block):
        values = line.decode("utf-8", "replace").removesuffix("\r").split("\t", len(columns) - 1)
        for column, place in zip(cut, places, strict=True):
            column.append((values[place] or None) if place < len(values) else None)
    made = {columns[place]: column for place, column in zip(places, cut, strict=True)}
    return pl.DataFrame(made, schema=dict.fromkeys(made, pl.String))


def read_lines(block: bytes) -> pl.Series:
    """The lines of `block` as text; None for a blank one."""
    # Damaged lines may hold the very byte that no line should: it must not cut them.
    block = block.replace(_UNUSED_BYTE.encode(), b"?")
    try:
        if looks_packed(block):
            raise pl.exceptions.ComputeError("polars would unpack it")
        found = _read(block, _UNUSED_BYTE, ["line", OVERFLOW], [0])["line"]
        if len(found) == len(physical_lines(block)):
            return found
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass  # read below, line by line
    lines = [line.decode("utf-8", "replace") or None for line in physical_lines(block)]
    return pl.Series("line", lines, dtype=pl.String)


def is_blank(values: tuple[str | None, ...]) -> bool:
    """Whether a row comes from a line that holds nothing but white space."""
    return all(value is None or not value.strip() for value in values)


def _read(block: bytes, separator: str, columns: list[str], places: list[int]) -> pl.DataFrame:
    try:
        return _read_csv(block, separator, columns, places)
    except pl.exceptions.PolarsError:
        clean = block.decode("utf-8", "replace").encode()
        return _read_csv(clean, separator, columns, places)


def _read_csv(block: bytes, separator: str, columns: list[str], places: list[int]) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(block),
        has_header=False,
        separator=separator,
        quote_char=None,
        schema=dict.fromkeys(columns, pl.String),
        columns=places,
        truncate_ragged_lines=True,
        missing_columns="insert",
    )
