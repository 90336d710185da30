"""The Parquet files of usage, closed and live. One schema; equal content is equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from metering.flush import COUNTS

_FIELDS: list[Any] = [
    pa.field("bucket", pa.timestamp("us")),
    pa.field("domain", pa.string()),
    pa.field("region", pa.string()),
    pa.field("class", pa.string()),
    *(pa.field(name, pa.int64()) for name in COUNTS),
]
SCHEMA: pa.Schema = pa.schema(_FIELDS)


class UsageFile:
    """A Parquet file of usage being written. Closing it makes it whole, not yet durable."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.rows = 0
        self.requests = 0
        self.bytes_sent = 0
        options: dict[str, Any] = {"use_dictionary": ["domain", "region", "class"]}
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd", **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def add(self, rows: Any) -> None:
        """Append rows that have the columns of SCHEMA."""
        if rows.num_rows == 0:
            return
        table = pa.table({name: rows.column(name) for name in SCHEMA.names}).cast(SCHEMA)
        self._writer.write_table(table)
        self.rows += table.num_rows
        self.requests += pc.sum(table.column("requests")).as_py()
        self.bytes_sent += sum_exactly(table.column("bytes_sent"))


def sum_exactly(column: Any) -> int:
    """The sum of an int64 column as an integer of any size."""
    low = pc.sum(pc.bit_wise_and(column, (1 << 32) - 1)).as_py() or 0
    high = pc.sum(pc.shift_right(column, 32)).as_py() or 0
    return int((high << 32) + low)


def by_hour(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[datetime, pa.RecordBatch]]:
    """Cut batches sorted by a column `hour` where the hour changes."""
    for batch in batches:
        start = 0
        hours = batch.column("hour")
        while start < batch.num_rows:
            hour = hours[start]
            same = pc.equal(hours.slice(start), hour)
            length = pc.sum(same.cast(pa.int64())).as_py()
            yield hour.as_py(), batch.slice(start, length)
            start += length
