"""Lines of values between separators, read in columns without quoting; and lines as one column.

polars gives one row per physical line here, blank ones included. Text that is no UTF-8 is read
again with U+FFFD in its place, so that such a line still counts (FAULTS D2).
"""

from __future__ import annotations

import io

import polars as pl

OVERFLOW = "overflow"
"""The column that has a value when a line holds more values than columns are named."""

_UNUSED_BYTE = "\x01"


def read_values(block: bytes, names: list[str], wanted: list[str]) -> pl.DataFrame:
    """Columns `wanted` (and OVERFLOW) of tab-separated lines whose values are `names`, as text.

    What a line does not have, and what is empty, is None.
    """
    columns = [*names, OVERFLOW]
    places = sorted({columns.index(name) for name in (*wanted, OVERFLOW)})
    return _read(block, "\t", columns, places)


def read_lines(block: bytes) -> pl.Series:
    """The lines of `block` as text; None for a blank one."""
    # Damaged lines may hold the very byte that no line should: it must not cut them.
    block = block.replace(_UNUSED_BYTE.encode(), b"?")
    return _read(block, _UNUSED_BYTE, ["line", OVERFLOW], [0])["line"]


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
