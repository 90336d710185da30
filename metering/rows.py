"""Progress and positions as records and as Arrow rows, columns in the order of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from metering.closing import ClosedState
from metering.flush import Flush
from metering.progress import EdgeProgress, EpochProgress, Interval
from metering.source import Covered

TABLES = (
    "partitions",
    "positions",
    "edges",
    "epochs",
    "intervals",
    "usage",
    "hour_batches",
    "hours",
    "quarantine",
    "unproven",
)
"""Tables whose rows a checkpoint holds whole."""


def _schema(**columns: str) -> pa.Schema:
    kinds: dict[str, Any] = {"text": pa.string(), "int": pa.int64(), "bytes": pa.binary()}
    return pa.schema([pa.field(name, kinds[kind]) for name, kind in columns.items()])


_POSITIONS = _schema(partition="text", source="text", position="text", epoch="int", sequence="int")
_EDGES = _schema(
    partition="text",
    edge_id="text",
    region="text",
    expected_from_ms="int",
    advanced_ms="int",
    last_epoch="int",
    last_sequence="int",
)
_EPOCHS = _schema(
    partition="text",
    edge_id="text",
    epoch="int",
    ordinal="int",
    previous_epoch="int",
    previous_sequence="int",
    batches="int",
    requests="int",
)
_INTERVALS = _schema(
    partition="text",
    edge_id="text",
    epoch="int",
    low="int",
    high="int",
    reach_ms="int",
    watermark_ms="int",
    noticed_ms="int",
)
_DIGESTS = _schema(
    partition="text",
    edge_id="text",
    epoch="int",
    sequence="int",
    digest="bytes",
    seen_ms="int",
    flush_no="int",
)
_TOUCHED = _schema(
    partition="text",
    hour_ms="int",
    edge_id="text",
    epoch="int",
    first_sequence="int",
    last_sequence="int",
    batches="int",
    events="int",
)
_REJECTED = _schema(
    partition="text",
    reason="text",
    source="text",
    records="int",
    first_seen_ms="int",
    last_seen_ms="int",
)
_UNPROVEN = _schema(partition="text", hour_ms="int", source="text")


def _table(rows: Iterable[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table; empty ones keep their types."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array(column, type=item.type) for column, item in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def positions(partition: str, covered: Mapping[str, Covered]) -> pa.Table:
    """Rows of table positions."""
    return _table(
        (
            (partition, source, place.position, place.epoch, place.sequence)
            for source, place in covered.items()
        ),
        _POSITIONS,
    )


def progress(partition: str, edges: Mapping[str, EdgeProgress]) -> dict[str, pa.Table]:
    """Rows of tables edges, epochs and intervals for these edges."""
    edge_rows: list[tuple[Any, ...]] = []
    epoch_rows: list[tuple[Any, ...]] = []
    interval_rows: list[tuple[Any, ...]] = []
    for edge in edges.values():
        edge_rows.append(
            (
                partition,
                edge.edge_id,
                edge.region,
                edge.expected_from_ms,
                edge.advanced_ms,
                edge.last_epoch,
                edge.last_sequence,
            )
        )
        for epoch in edge.epochs.values():
            before, last = epoch.previous or (None, None)
            epoch_rows.append(
                (
                    partition,
                    edge.edge_id,
                    epoch.epoch,
                    epoch.ordinal,
                    before,
                    last,
                    epoch.batches,
                    epoch.requests,
                )
            )
            interval_rows.extend(
                (
                    partition,
                    edge.edge_id,
                    epoch.epoch,
                    one.low,
                    one.high,
                    one.reach_ms,
                    one.watermark_ms,
                    one.noticed_ms,
                )
                for one in epoch.intervals
            )
    return {
        "edges": _table(edge_rows, _EDGES),
        "epochs": _table(epoch_rows, _EPOCHS),
        "intervals": _table(interval_rows, _INTERVALS),
    }


def digests(flush: Flush, flush_no: int) -> pa.Table:
    """Rows of table accepted_batches."""
    return _table(
        (
            (
                flush.partition,
                one.edge_id,
                one.epoch,
                one.sequence,
                one.digest,
                one.seen_ms,
                flush_no,
            )
            for one in flush.digests
        ),
        _DIGESTS,
    )


def touched(flush: Flush) -> pa.Table:
    """Rows of table hour_batches."""
    return _table(((flush.partition, *key, *sums) for key, sums in flush.touched.items()), _TOUCHED)


def rejected(flush: Flush) -> pa.Table:
    """Rows of table quarantine."""
    return _table(
        ((flush.partition, *key, *sums) for key, sums in flush.rejects.items()), _REJECTED
    )


def unproven(flush: Flush) -> pa.Table:
    """Rows of table unproven."""
    return _table(((flush.partition, *seen) for seen in sorted(flush.unproven)), _UNPROVEN)


def tallies(flush: Flush) -> dict[str, int]:
    """The sums that a flush adds to its partition's row."""
    return {
        f"{kind}_{end}": getattr(tally, end)
        for kind, tally in (("batches", flush.batches), ("events", flush.events))
        for end in ("read", "accepted", "duplicate", "quarantined")
    }


@dataclass(slots=True, kw_only=True)
class PartitionState:
    """What a worker knows of one partition between transactions; always loaded from the store."""

    partition: str
    generation: int
    flush_no: int
    checkpoint_no: int
    certificate_no: int
    certificate_sha256: str | None
    complete_through_ms: int | None
    batches: tuple[int, int, int, int]
    events: tuple[int, int, int, int]
    duplicate_since: int
    quarantined_since: int
    checkpoint_flush_no: int
    positions: dict[str, Covered] = field(default_factory=dict)
    edges: dict[str, EdgeProgress] = field(default_factory=dict)
    closed: dict[int, ClosedState] = field(default_factory=dict)


def partition_state(row: tuple[Any, ...]) -> PartitionState:
    """The state in a row of table partitions."""
    return PartitionState(
        partition=row[0],
        generation=row[1],
        flush_no=row[2],
        checkpoint_no=row[3],
        certificate_no=row[4],
        certificate_sha256=row[5],
        complete_through_ms=row[6],
        batches=row[7:11],
        events=row[11:15],
        duplicate_since=row[15],
        quarantined_since=row[16],
        checkpoint_flush_no=row[17],
    )


def edges_from(
    edge_rows: Iterable[tuple[Any, ...]],
    epoch_rows: Iterable[tuple[Any, ...]],
    interval_rows: Iterable[tuple[Any, ...]],
) -> dict[str, EdgeProgress]:
    """The edges in rows of tables edges, epochs and intervals (without their partition)."""
    edges = {}
    for edge_id, region, expected_from, advanced, last_epoch, last_sequence in edge_rows:
        edges[edge_id] = EdgeProgress(
            edge_id=edge_id,
            region=region,
            expected_from_ms=expected_from,
            advanced_ms=advanced,
            last_epoch=last_epoch,
            last_sequence=last_sequence,
        )
    for edge_id, epoch, ordinal, before, last, batches, requests in epoch_rows:
        edges[edge_id].epochs[epoch] = EpochProgress(
            epoch=epoch,
            ordinal=ordinal,
            previous=None if before is None else (before, last),
            batches=batches,
            requests=requests,
        )
    for edge_id, epoch, low, high, reach, watermark, noticed in interval_rows:
        edges[edge_id].epochs[epoch].intervals.append(
            Interval(low=low, high=high, reach_ms=reach, watermark_ms=watermark, noticed_ms=noticed)
        )
    for edge in edges.values():
        for held in edge.epochs.values():
            held.intervals.sort(key=lambda one: one.low)
    return edges
