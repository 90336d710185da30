"""Progress and positions as records and as Arrow rows, columns in the order of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from metering.counting.edge_progress import EdgeProgress, EpochProgress, Interval
from metering.counting.flush import Flush
from metering.hours.when_to_close import ClosedState
from metering.sources.source import Covered

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


ENDS = ("read", "accepted", "duplicate", "quarantined")
"""How batches and events are told apart, in the order of the columns."""

_MOVED = _schema(
    partition="text",
    generation="int",
    flush_no="int",
    **{f"{kind}_{end}": "int" for kind in ("batches", "events") for end in ENDS},
)
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


Written = Sequence[tuple[Flush, "PartitionState"]]
"""The flushes of one transaction, each with the state of its partition before it."""


def moved(flushes: Written) -> pa.Table:
    """What each partition's own row gains: its owner, the flush it knows, the sums."""
    return _table(
        (
            (
                flush.partition,
                state.generation,
                state.flush_no,
                *(getattr(tally, end) for tally in (flush.batches, flush.events) for end in ENDS),
            )
            for flush, state in flushes
        ),
        _MOVED,
    )


def noted(flushes: Written) -> dict[str, pa.Table]:
    """Rows that are only added, by the statement that adds them."""
    return {
        "add_quarantine": _table(
            (
                (flush.partition, *key, *sums)
                for flush, _ in flushes
                for key, sums in flush.rejects.items()
            ),
            _REJECTED,
        ),
        "add_hour_batches": _table(
            (
                (flush.partition, *key, *sums)
                for flush, _ in flushes
                for key, sums in flush.touched.items()
            ),
            _TOUCHED,
        ),
        "add_unproven": _table(
            ((flush.partition, *seen) for flush, _ in flushes for seen in sorted(flush.unproven)),
            _UNPROVEN,
        ),
        "add_accepted_batches": _table(
            (
                (
                    flush.partition,
                    one.edge_id,
                    one.epoch,
                    one.sequence,
                    one.digest,
                    one.seen_ms,
                    state.flush_no + 1,
                )
                for flush, state in flushes
                for one in flush.digests
            ),
            _DIGESTS,
        ),
    }


def changed(flushes: Written) -> dict[str, pa.Table]:
    """Rows of tables edges, epochs, intervals and positions that take the place of older ones."""
    edges = [
        (flush.partition, state.edges[edge_id])
        for flush, state in flushes
        for edge_id in flush.changed_edges
    ]
    epochs = [
        (partition, edge.edge_id, epoch)
        for partition, edge in edges
        for epoch in edge.epochs.values()
    ]
    return {
        "edges": _table((_edge(*of) for of in edges), _EDGES),
        "epochs": _table((_epoch(*of) for of in epochs), _EPOCHS),
        "intervals": _table(
            (
                (partition, edge_id, epoch.epoch, *_interval(one))
                for partition, edge_id, epoch in epochs
                for one in epoch.intervals
            ),
            _INTERVALS,
        ),
        "positions": _table(
            (
                (flush.partition, source, place.position, place.epoch, place.sequence)
                for flush, _ in flushes
                for source, place in flush.positions.items()
            ),
            _POSITIONS,
        ),
    }


def _edge(partition: str, edge: EdgeProgress) -> tuple[Any, ...]:
    return (
        partition,
        edge.edge_id,
        edge.region,
        edge.expected_from_ms,
        edge.advanced_ms,
        edge.last_epoch,
        edge.last_sequence,
    )


def _epoch(partition: str, edge_id: str, epoch: EpochProgress) -> tuple[Any, ...]:
    before, last = epoch.previous or (None, None)
    return (
        partition,
        edge_id,
        epoch.epoch,
        epoch.ordinal,
        before,
        last,
        epoch.batches,
        epoch.requests,
    )


def _interval(one: Interval) -> tuple[int, ...]:
    return one.low, one.high, one.reach_ms, one.watermark_ms, one.noticed_ms


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
