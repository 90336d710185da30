"""The open usage of hours as it is handed on: sorted, random names folded, in bounded memory.

Closed files and live/ are made of the same rows, so both come from here. An hour of a million names
is more than DuckDB's memory limit bears at once: hours are taken a few at a time, a large one in
stretches of buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

import sql
from metering.hours import checkpoint_sidecars
from metering.hours.data_file import by_hour
from metering.store.store import Store

PIECE_ROWS = 400_000
"""Rows of usage that are added up at once; a bucket is never cut."""

_Sizes = Sequence[tuple[datetime, int]]


def folded(
    store: Store, home: Path, partition: str, wanted: pa.Table, names_kept: int
) -> Iterator[tuple[datetime, pa.RecordBatch]]:
    """The open usage of the wanted hours, sorted, random names folded, cut by hour."""
    connection = store.connection
    connection.register("wanted_hours", wanted)
    connection.register("owned_names", checkpoint_sidecars.owned_names(home))
    try:
        sizes = store.read("fold_sizes", partition=partition)
        for hours in pieces(sizes, lambda bucket: bucket.replace(minute=0)):
            stretch = {"first_bucket": hours[0][0], "last_bucket": hours[-1][0]}
            store.read("fold_names", partition=partition, names_kept=names_kept, **stretch)
            for buckets in pieces(hours, lambda bucket: bucket):
                yield from by_hour(_rows(connection, partition, buckets))
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.folded_names")
        connection.unregister("wanted_hours")
        connection.unregister("owned_names")


def pieces(sizes: _Sizes, unit: Callable[[datetime], datetime]) -> Iterator[_Sizes]:
    """`sizes` in stretches of at most PIECE_ROWS rows, never cut inside a `unit` of buckets."""
    piece: list[tuple[datetime, int]] = []
    rows = 0
    start = 0
    while start < len(sizes):
        stop = start
        while stop < len(sizes) and unit(sizes[stop][0]) == unit(sizes[start][0]):
            stop += 1
        more = sum(count for _, count in sizes[start:stop])
        if piece and rows + more > PIECE_ROWS:
            yield piece
            piece, rows = [], 0
        piece.extend(sizes[start:stop])
        rows += more
        start = stop
    if piece:
        yield piece


def _rows(connection: Any, partition: str, buckets: _Sizes) -> Iterator[pa.RecordBatch]:
    reader = connection.execute(
        sql.text("statements/metering/fold_hours"),
        {
            "partition": partition,
            "first_bucket": buckets[0][0],
            "last_bucket": buckets[-1][0],
        },
    ).to_arrow_reader(100_000)
    for batch in reader:
        names = ["domain" if name == "kept" else name for name in batch.schema.names]
        yield batch.rename_columns(names)
