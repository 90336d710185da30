"""The Parquet files of usage, closed and live. One schema; equal content is equal bytes."""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge.durable import fsync_folder, sha256_file
from metering.counting.records import COUNTS, LATER_COUNTS

FEW = 16
"""Up to so many files are synced one by one; for more, one call syncs the whole file system."""
GROUP_ROWS = 100_000
SMALL_ROWS = 1_000
_TYPES: dict[str, pa.DataType] = {
    "bucket": pa.timestamp("us"),
    "domain": pa.string(),
    "region": pa.string(),
    "class": pa.string(),
    **dict.fromkeys(COUNTS, pa.int64()),
}
SCHEMA = pa.schema([pa.field(name, kind) for name, kind in _TYPES.items()])
"""Columns of a file of usage: the key, then the counts."""


class UsageFile:
    """A Parquet file of usage being written. Closing it makes it whole, not yet durable.

    Its bytes depend on its rows alone, not on how they were handed over: row groups have a fixed
    size, and a small file is left uncompressed. A file of one row group is made in memory, hashed
    and written at once, which takes half the time: a drain of a month writes a thousand of them.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.rows = 0
        self.requests = 0
        self.bytes_sent = 0
        self.sha256 = ""
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows that have the columns of SCHEMA."""
        if batch.num_rows == 0:
            return
        if batch.schema != SCHEMA:
            batch = batch.select(SCHEMA.names).cast(SCHEMA)
        self.rows += batch.num_rows
        self.requests += sum_exactly(batch.column("requests"))
        self.bytes_sent += sum_exactly(batch.column("bytes_sent"))
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows > GROUP_ROWS:
            self._write_groups()

    def _write_groups(self) -> None:
        """Write every whole row group that has come together."""
        table = pa.Table.from_batches(self._waiting, schema=SCHEMA)
        whole = table.num_rows // GROUP_ROWS * GROUP_ROWS
        if self._writer is None:
            self._writer = _writer(str(self.path), "zstd")
        self._writer.write_table(table.slice(0, whole), row_group_size=GROUP_ROWS)
        self._waiting = table.slice(whole).to_batches()
        self._waiting_rows = table.num_rows - whole

    def close(self) -> None:
        """Write what waits, and the end of the file; `sha256` is of the whole of it."""
        waiting = pa.Table.from_batches(self._waiting, schema=SCHEMA)
        if self._writer is None:
            self._write_at_once(waiting)
            return
        if len(waiting):
            self._writer.write_table(waiting)
        self._writer.close()
        self.sha256 = sha256_file(self.path)

    def _write_at_once(self, waiting: pa.Table) -> None:
        memory = pa.BufferOutputStream()
        writer = _writer(memory, "zstd" if self.rows >= SMALL_ROWS else "none")
        if len(waiting):
            writer.write_table(waiting)
        writer.close()
        content = memory.getvalue()
        self.sha256 = hashlib.sha256(content).hexdigest()
        with open(self.path, "wb") as file:
            file.write(content)


def _writer(place: str | pa.NativeFile, compression: Literal["zstd", "none"]) -> pq.ParquetWriter:
    """A Parquet writer into a path or a stream."""
    # The stubs of pyarrow know no list of columns here; pyarrow does.
    names: Any = ["domain", "region", "class"]
    return pq.ParquetWriter(place, SCHEMA, use_dictionary=names, compression=compression)


def with_later_counts(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of closed files with every column of SCHEMA: a count that older files lack is 0."""
    for name in LATER_COUNTS:
        if name not in rows.schema.names:
            rows = rows.append_column(name, pa.array(np.zeros(rows.num_rows, dtype=np.int64)))
        elif rows.column(name).null_count:
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, rows.column(name).fill_null(0))
    return rows


def sum_exactly(column: pa.Array[Any]) -> int:
    """The sum of an int64 column without nulls, as an integer of any size."""
    values = column.to_numpy(zero_copy_only=False)
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


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
