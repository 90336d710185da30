"""Rows given to SQL: as JSON or as Arrow tables, they are the same rows of the same types."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta, timezone

import duckdb
import pyarrow as pa
import pytest

from billing.store.given import (
    BASIS_POINTS,
    COUNT,
    DAY,
    FLAG,
    HUGE,
    SMALL,
    TEXT,
    TIME,
    Rows,
    Schema,
    register,
)

COLUMNS: Schema = [
    ("name", TEXT), ("at", TIME), ("day", DAY), ("is_late", FLAG), ("count", COUNT),
    ("small", SMALL), ("amount", HUGE), ("tax", BASIS_POINTS),
]  # fmt: skip
AT = datetime(2026, 3, 29, 1, 59, 59, 999_999)  # noqa: DTZ001
ROWS: Rows = [
    ("a \"b\" \\ 日本 \0", AT, date(9999, 12, 31), True, 2**63 - 1, -(2**31), 10**38 - 1, 1900),
    ("", AT.replace(tzinfo=UTC), date(1, 1, 1), False, -(2**63), 0, -(10**38) + 1, -1),
    ("x", AT.replace(tzinfo=timezone(timedelta(hours=5, minutes=45))), None, None, 2**53 + 1,
     None, 2**64, None),
    (None, None, None, None, None, None, None, None),
]  # fmt: skip


def given(schema: Schema, rows: Rows) -> tuple[list[str], list[str], list[tuple[object, ...]]]:
    """Names, types and rows of the view that SQL gets."""
    with duckdb.connect() as connection:
        register(connection, "given", schema, rows)
        found = connection.table("given")
        return found.columns, list(map(str, found.types)), found.fetchall()


@pytest.mark.parametrize("rows", [ROWS, []], ids=["rows", "none"])
def test_few_rows_are_the_same_without_pyarrow(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    by_arrow = given(COLUMNS, rows)
    monkeypatch.delitem(sys.modules, "pyarrow")
    by_json = given(COLUMNS, rows)
    assert by_json == by_arrow
    assert len(by_json[2]) == len(rows)


@pytest.mark.parametrize("value", [10**38, "many", 1.5])
def test_what_is_no_such_number_is_refused_either_way(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((pa.ArrowException, TypeError)):
        given([("amount", HUGE)], [(value,)])
    monkeypatch.delitem(sys.modules, "pyarrow")
    with pytest.raises((duckdb.Error, TypeError)):
        given([("amount", HUGE)], [(value,)])
