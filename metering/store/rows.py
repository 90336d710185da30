"""What a flush changes, as Arrow rows with the columns of the store's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from metering.counting.edge_progress import EdgeProgress, EpochProgress, Interval
from metering.counting.flush import Flush
from metering.counting.records import ENDS
from metering.store.records import PartitionState

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

_TYPES: dict[str, pa.DataType] = {"text": pa.string(), "int": pa.int64(), "bytes": pa.binary()}


def _schema(**columns: str) -> pa.Schema:
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in columns.items()])


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
    held="text",
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
_HOURS_SEEN = _schema(
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
_SOURCES_SEEN = _schema(partition="text", hour_ms="int", source="text")


def _table(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table; empty ones keep their types."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array(column, type=item.type) for column, item in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


FlushOf = tuple[Flush, PartitionState]
"""A flush of one transaction, with the state of its partition before it."""


def moved(flushes: Sequence[FlushOf]) -> pa.Table:
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


def noted(flushes: Sequence[FlushOf]) -> dict[str, pa.Table]:
    """Rows that are only added, under the names by which statement note_batches reads them."""
    return {
        "rejected": _table(
            (
                (flush.partition, *key, *sums)
                for flush, _ in flushes
                for key, sums in flush.rejects.items()
            ),
            _REJECTED,
        ),
        "hours_seen": _table(
            (
                (flush.partition, *key, *sums)
                for flush, _ in flushes
                for key, sums in flush.touched.items()
            ),
            _HOURS_SEEN,
        ),
        "sources_seen": _table(
            ((flush.partition, *seen) for flush, _ in flushes for seen in sorted(flush.unproven)),
            _SOURCES_SEEN,
        ),
        "digests": _table(
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


def changed(flushes: Sequence[FlushOf]) -> dict[str, pa.Table]:
    """Rows that take the place of older ones, under the names replace_progress reads them by."""
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
        "changed_edges": _table((_edge(*of) for of in edges), _EDGES),
        "changed_epochs": _table((_epoch(*of) for of in epochs), _EPOCHS),
        "changed_intervals": _table(
            (
                (partition, edge_id, epoch.epoch, *_interval(one))
                for partition, edge_id, epoch in epochs
                for one in epoch.intervals
            ),
            _INTERVALS,
        ),
        "changed_positions": _table(
            (
                (flush.partition, source, at.position, at.epoch, at.sequence)
                for flush, _ in flushes
                for source, at in flush.positions.items()
            ),
            _POSITIONS,
        ),
    }


def _edge(partition: str, edge: EdgeProgress) -> tuple[object, ...]:
    return (
        partition,
        edge.edge_id,
        edge.region,
        edge.expected_from_ms,
        edge.advanced_ms,
        edge.last_epoch,
        edge.last_sequence,
        edge.held,
    )


def _epoch(partition: str, edge_id: str, epoch: EpochProgress) -> tuple[object, ...]:
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
