"""Rows of one partition as they leave the store: a whole table, or what flushes have added."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa


def rows_of(
    connection: duckdb.DuckDBPyConnection, table: str, partition: str, after_flush: int = -1
) -> Iterator[pa.RecordBatch]:
    """The rows of one partition, of flushes after `after_flush` where that is asked for."""
    wanted = duckdb.ColumnExpression("partition") == duckdb.ConstantExpression(partition)
    relation = connection.table(table).filter(wanted)
    if after_flush >= 0:
        number = duckdb.ColumnExpression("flush_no")
        relation = relation.filter(number > duckdb.ConstantExpression(after_flush))
    reader = relation.to_arrow_reader(100_000)
    yield pa.RecordBatch.from_pylist([], schema=reader.schema)
    yield from reader
