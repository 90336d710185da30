"""A session of billing.duckdb: its settings, and how its whole numbers leave it unharmed."""

from __future__ import annotations

from pathlib import Path

import duckdb

import sql
from edge.errors import Corrupt

SMALL_STORE_BYTES = 32 << 20
SMALL_CHANGE_ROWS = 200_000
"""A smaller store, and a smaller change to one, are for one thread: waking others costs more than
they do."""


def connect(path: Path, home: Path) -> duckdb.DuckDBPyConnection:
    """The session of the store at `path`; Corrupt when it cannot be opened."""
    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise Corrupt(
            f"billing.duckdb cannot be opened: {str(error).splitlines()[0]}",
            "if no other program holds it, move it away: it is rebuilt from the journal",
        ) from error
    if path.stat().st_size < SMALL_STORE_BYTES:
        connection.execute("SET threads = 1")
    connection.execute(sql.text("statements/store/session/set_zone"))
    connection.execute(sql.text("statements/store/session/set_order"))
    connection.execute(sql.text("statements/store/session/set_home"), {"home": str(home)})
    return connection


def exact(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """`relation` with HUGEINT columns as DECIMAL(38,0): Parquet would store a HUGEINT as DOUBLE."""
    columns = [
        duckdb.ColumnExpression(name).cast(duckdb.decimal_type(38, 0)).alias(name)
        if str(kind) == "HUGEINT"
        else duckdb.ColumnExpression(name)
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    return relation.select(*columns)
