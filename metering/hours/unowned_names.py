"""The open usage of hours as it is handed on: sorted, random names folded, in bounded memory.

Closed files and live/ are made of the same rows, so both come from here. An hour of a million names
is more than DuckDB's memory limit bears at once: hours are taken a few at a time, a large one in
stretches of buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

import sql
from metering.hours.data_file import by_hour
from metering.store.store import UsageStore

OWNED_NAMES = "lake/owned_domains.txt"
"""The names accounts own, as billing publishes them."""
PIECE_ROWS = 400_000
"""Rows of usage that are added up at once; a bucket is never cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSize:
    """How many rows of usage a bucket has, as they lie there."""

    bucket: datetime
    usage_rows: int


def folded(
    store: UsageStore, home: Path, partition: str, wanted: pa.Table, names_kept: int
) -> Iterator[tuple[datetime, pa.RecordBatch]]:
    """The open usage of the wanted hours, sorted, random names folded, cut by hour."""
    connection = store.connection
    connection.register("wanted_hours", wanted)
    connection.register("owned_names", owned_names(home))
    try:
        name = "statements/metering/closing/fold_sizes"
        sizes = store.read(name, BucketSize, partition=partition)
        for hours in pieces(sizes, lambda bucket: bucket.replace(minute=0)):
            connection.execute(
                sql.text("statements/metering/closing/fold_names"),
                {"names_kept": names_kept, **_stretch(partition, hours)},
            )
            for buckets in pieces(hours, lambda bucket: bucket):
                yield from by_hour(_rows(connection, partition, buckets))
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.folded_names")
        connection.unregister("wanted_hours")
        connection.unregister("owned_names")


def pieces(
    sizes: Sequence[BucketSize], unit: Callable[[datetime], datetime]
) -> Iterator[Sequence[BucketSize]]:
    """`sizes` in stretches of at most PIECE_ROWS rows, never cut inside a `unit` of buckets."""
    piece: list[BucketSize] = []
    rows = 0
    start = 0
    while start < len(sizes):
        stop = start
        while stop < len(sizes) and unit(sizes[stop].bucket) == unit(sizes[start].bucket):
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


def _rows(
    connection: duckdb.DuckDBPyConnection, partition: str, buckets: Sequence[BucketSize]
) -> Iterator[pa.RecordBatch]:
    name = sql.text("statements/metering/closing/fold_hours")
    reader = connection.execute(name, _stretch(partition, buckets)).to_arrow_reader(100_000)
    for batch in reader:
        names = ["domain" if name == "kept" else name for name in batch.schema.names]
        yield batch.rename_columns(names)


def _stretch(partition: str, sizes: Sequence[BucketSize]) -> dict[str, object]:
    """The parameters that name a stretch of buckets."""
    return {
        "partition": partition,
        "first_bucket": sizes[0].bucket,
        "last_bucket": sizes[-1].bucket,
    }


def owned_names(home: Path) -> pa.Table:
    """The names accounts own, exact or `*.parent`, as billing published them; else none."""
    try:
        lines = (home / OWNED_NAMES).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        lines = []
    return pa.table({"name": pa.array(sorted(set(lines)), type=pa.string())})
