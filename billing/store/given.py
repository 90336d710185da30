"""Rows of Python given to SQL: the columns' types, and what carries the rows there.

A type is DuckDB's own name for it, so that stating the columns loads nothing. Many rows travel as
Arrow tables. A command that gives few does not load pyarrow for it, a fifth of a second of CPU:
they travel as JSON, whole numbers above 64 bits as text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeGuard

import duckdb
import orjson

import sql
from billing.instants import naive

if TYPE_CHECKING:
    import pyarrow as pa

TEXT, TIME, DAY, FLAG = "VARCHAR", "TIMESTAMP", "DATE", "BOOLEAN"
COUNT, SMALL = "BIGINT", "INTEGER"
HUGE = "DECIMAL(38,0)"
"""The only type of Arrow that holds a HUGEINT exactly."""
BASIS_POINTS = "DECIMAL(9,2)"
FEW_ROWS = 2_000
Schema = Sequence[tuple[str, str]]
"""Names and types of columns."""
Rows = Sequence[tuple[object, ...]]


def is_arrow(value: object) -> TypeGuard[pa.Table]:
    """Whether it is an Arrow table: there is none where pyarrow was not loaded."""
    arrow = sys.modules.get("pyarrow")
    return arrow is not None and isinstance(value, arrow.Table)


def schema_of(schema: Schema) -> pa.Schema:
    """The columns as Arrow has them."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        TEXT: pa.string(),
        TIME: pa.timestamp("us"),
        DAY: pa.date32(),
        FLAG: pa.bool_(),
        COUNT: pa.int64(),
        SMALL: pa.int32(),
        HUGE: pa.decimal128(38, 0),
        BASIS_POINTS: pa.decimal128(9, 2),
    }
    return pa.schema([(name, types[kind]) for name, kind in schema])


def table_of(facts: Iterable[object], schema: Schema) -> pa.Table:
    """`facts`, each with an attribute for every column, as an Arrow table."""
    import pyarrow as pa

    rows = list(facts)
    columns = {name: [getattr(row, name) for row in rows] for name, _kind in schema}
    return pa.Table.from_pydict(columns, schema_of(schema))


def register(connection: duckdb.DuckDBPyConnection, name: str, schema: Schema, rows: Rows) -> None:
    """Make `rows` visible to SQL as the view `name`; aware times become UTC without a zone."""
    if len(rows) <= FEW_ROWS and "pyarrow" not in sys.modules:
        given: duckdb.DuckDBPyRelation | pa.Table = _as_json(connection, schema, rows)
    else:
        given = _as_arrow(schema, rows)
    connection.register(name, given)


def _as_arrow(schema: Schema, rows: Rows) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [() for _ in schema]
    kinds = schema_of(schema)
    arrays = [
        pa.array([_plain(value) for value in column], type=kind)
        for column, kind in zip(columns, kinds.types, strict=True)
    ]
    return pa.table(arrays, names=kinds.names)


def _as_json(
    connection: duckdb.DuckDBPyConnection, schema: Schema, rows: Rows
) -> duckdb.DuckDBPyRelation:
    documents = [
        {name: _exact(value) for (name, _), value in zip(schema, row, strict=True)} for row in rows
    ]
    return connection.sql(
        sql.text("statements/store/session/given_rows"),
        params={
            "rows": orjson.dumps(documents).decode(),
            "structure": orjson.dumps([dict(schema)]).decode(),
        },
    )


def _exact(value: object) -> object:
    """As JSON has it: what a reader of JSON might round is text. A float is refused, as by Arrow:
    DuckDB would round it to what the column holds.
    """
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return naive(value)
    return value
