"""The Parquet files of usage, closed and live. One schema; equal content is equal bytes."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from edge.durable import fsync_folder
from metering.flush import COUNTS

_FIELDS: list[Any] = [
    pa.field("bucket", pa.timestamp("us")),
    pa.field("domain", pa.string()),
    pa.field("region", pa.string()),
    pa.field("class", pa.string()),
    *(pa.field(name, pa.int64()) for name in COUNTS),
]
FEW = 16
"""Up to so many files are synced one by one; for more, one call syncs the whole file system."""
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


def make_durable(files: Sequence[Path], *, folders: Collection[Path] = ()) -> None:
    """Make the content of `files` durable, and the names in their folders and in `folders`.

    A drain of a month closes hundreds of hours at once: a call of fsync for each file and folder
    would cost seconds, so beyond a few the file system is synced as a whole (syncfs(2)).
    """
    places = {*folders, *(path.parent for path in files)}
    if not places:
        return
    if len(files) + len(places) > FEW:
        _sync_whole(next(iter(places)))
        return
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for place in places:
        fsync_folder(place)
        fsync_folder(place.parent)


def _sync_whole(place: Path) -> None:
    """syncfs(2) on the file system that holds `place`; raises OSError when it reports an error."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(place))
    finally:
        os.close(descriptor)
