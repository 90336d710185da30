"""The open usage of hours as it is handed on: sorted, random names folded, in bounded memory.

Closed files and live/ are made of the same rows, so both come from here. An hour of a million names
is more than DuckDB's memory limit bears at once: hours are taken a few at a time, a large one in
stretches of buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

import sql
from metering.hour import time_of
from metering.hours.data_file import SCHEMA
from metering.store.store import UsageStore

OWNED_NAMES = "lake/owned_domains.txt"
"""The names accounts own, as billing publishes them."""
PIECE_ROWS = 400_000
"""Rows of usage that are added up at once; a bucket is never cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSize:
    """How many rows of usage a bucket of a partition has, as they lie there."""

    partition: str
    bucket: datetime
    usage_rows: int


Rows = tuple[str, datetime, pa.RecordBatch]
"""Usage of one hour of one partition."""


def wanted_hours(hours: Iterable[tuple[str, int]]) -> pa.Table:
    """Hours of partitions (UTC ms), as `folded` takes them."""
    pairs = list(hours)
    begun = [time_of(hour).replace(tzinfo=None) for _, hour in pairs]
    return pa.table(
        {
            "partition": pa.array([partition for partition, _ in pairs], type=pa.string()),
            "hour": pa.array(begun, type=pa.timestamp("us")),
        }
    )


def folded(store: UsageStore, home: Path, wanted: pa.Table, names_kept: int) -> Iterator[Rows]:
    """The open usage of the wanted hours by partition and hour, sorted, random names folded.

    All partitions are added up together: what a statement costs is the statement, not its rows.
    """
    connection = store.connection
    connection.register("wanted_hours", wanted)
    connection.register("owned_names", owned_names(home))
    try:
        name = "statements/metering/closing/fold_sizes"
        for hours in pieces(store.read(name, BucketSize), _hour):
            connection.register("stretch", _stretch(hours))
            connection.execute(
                sql.text("statements/metering/closing/fold_names"), {"names_kept": names_kept}
            )
            for buckets in pieces(hours, _bucket):
                connection.register("stretch", _stretch(buckets))
                for rows in _rows(connection):
                    yield from _by_hour(rows)
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.folded_names")
        for registered in ("wanted_hours", "owned_names", "stretch"):
            connection.unregister(registered)


def pieces(
    sizes: Sequence[BucketSize], unit: Callable[[BucketSize], tuple[str, datetime]]
) -> Iterator[Sequence[BucketSize]]:
    """`sizes` in stretches of at most PIECE_ROWS rows, never cut inside a `unit` of buckets."""
    piece: list[BucketSize] = []
    rows = 0
    start = 0
    while start < len(sizes):
        stop = start
        while stop < len(sizes) and unit(sizes[stop]) == unit(sizes[start]):
            stop += 1
        more = sum(one.usage_rows for one in sizes[start:stop])
        if piece and rows + more > PIECE_ROWS:
            yield piece
            piece, rows = [], 0
        piece.extend(sizes[start:stop])
        rows += more
        start = stop
    if piece:
        yield piece


def _hour(size: BucketSize) -> tuple[str, datetime]:
    return size.partition, size.bucket.replace(minute=0)


def _bucket(size: BucketSize) -> tuple[str, datetime]:
    return size.partition, size.bucket


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    name = sql.text("statements/metering/closing/fold_hours")
    for batch in connection.execute(name).to_arrow_reader(100_000):
        names = ["domain" if name == "kept" else name for name in batch.schema.names]
        yield batch.rename_columns(names)


def _by_hour(batch: pa.RecordBatch) -> Iterator[Rows]:
    """Sorted rows cut where partition or hour changes; the columns of the key before are left."""
    partitions = batch.column("partition").dictionary_encode()
    hours = batch.column("hour")
    usage = batch.select(SCHEMA.names)
    turns = np.diff(partitions.indices.to_numpy()) != 0
    turns |= np.diff(hours.cast(pa.int64()).to_numpy()) != 0
    start = 0
    for end in [*(np.flatnonzero(turns) + 1).tolist(), batch.num_rows]:
        if end > start:
            yield partitions[start].as_py(), hours[start].as_py(), usage.slice(start, end - start)
        start = end


def _stretch(sizes: Sequence[BucketSize]) -> pa.Table:
    """The buckets of a stretch, as a table to join."""
    return pa.table(
        {
            "partition": pa.array([size.partition for size in sizes], type=pa.string()),
            "bucket": pa.array([size.bucket for size in sizes], type=pa.timestamp("us")),
        }
    )


def owned_names(home: Path) -> pa.Table:
    """The names accounts own, exact or `*.parent`, as billing published them; else none."""
    try:
        lines = (home / OWNED_NAMES).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        lines = []
    return pa.table({"name": pa.array(sorted(set(lines)), type=pa.string())})
