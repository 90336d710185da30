"""The nouns of the store: a partition between transactions, and the rows it is made of, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from metering.closed import HourState
from metering.counting.edge_progress import EdgeProgress, EpochProgress, Interval
from metering.counting.records import Tally
from metering.hour import ClosedHours, ClosedState
from metering.sources.source import Covered


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
    batches: Tally
    events: Tally
    duplicate_since: int
    quarantined_since: int
    checkpoint_flush_no: int
    positions: dict[str, Covered] = field(default_factory=dict)
    edges: dict[str, EdgeProgress] = field(default_factory=dict)
    closed: ClosedHours = field(default_factory=lambda: ClosedHours({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow:
    """A row of table partitions."""

    partition: str
    generation: int
    flush_no: int
    checkpoint_no: int
    certificate_no: int
    certificate_sha256: str | None
    complete_through_ms: int | None
    batches_read: int
    batches_accepted: int
    batches_duplicate: int
    batches_quarantined: int
    events_read: int
    events_accepted: int
    events_duplicate: int
    events_quarantined: int
    duplicate_since: int
    quarantined_since: int
    checkpoint_flush_no: int

    def state(self) -> PartitionState:
        """The partition as this row tells it, without its edges, positions and hours."""
        return PartitionState(
            partition=self.partition,
            generation=self.generation,
            flush_no=self.flush_no,
            checkpoint_no=self.checkpoint_no,
            certificate_no=self.certificate_no,
            certificate_sha256=self.certificate_sha256,
            complete_through_ms=self.complete_through_ms,
            batches=Tally(
                read=self.batches_read,
                accepted=self.batches_accepted,
                duplicate=self.batches_duplicate,
                quarantined=self.batches_quarantined,
            ),
            events=Tally(
                read=self.events_read,
                accepted=self.events_accepted,
                duplicate=self.events_duplicate,
                quarantined=self.events_quarantined,
            ),
            duplicate_since=self.duplicate_since,
            quarantined_since=self.quarantined_since,
            checkpoint_flush_no=self.checkpoint_flush_no,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """How far one source was read."""

    source: str
    position: str
    epoch: int
    sequence: int

    def covered(self) -> Covered:
        """The same as a checkpoint tells it to the source."""
        return Covered(position=self.position, epoch=self.epoch, sequence=self.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """A row of table epochs."""

    edge_id: str
    epoch: int
    ordinal: int
    previous_epoch: int | None
    previous_sequence: int | None
    batches: int
    requests: int

    def progress(self) -> EpochProgress:
        """The epoch without what is held of it."""
        named = self.previous_epoch is not None and self.previous_sequence is not None
        return EpochProgress(
            epoch=self.epoch,
            ordinal=self.ordinal,
            previous=(self.previous_epoch or 0, self.previous_sequence or 0) if named else None,
            batches=self.batches,
            requests=self.requests,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """A row of table intervals."""

    edge_id: str
    epoch: int
    low: int
    high: int
    reach_ms: int
    watermark_ms: int
    noticed_ms: int

    def interval(self) -> Interval:
        """The stretch itself."""
        return Interval(
            low=self.low,
            high=self.high,
            reach_ms=self.reach_ms,
            watermark_ms=self.watermark_ms,
            noticed_ms=self.noticed_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """A row of table hours."""

    hour_ms: int
    revision: int
    state: HourState
    closed_ms: int
    empty_since_ms: int | None
    requests: int
    late: int
    missing: list[str]

    def closed(self) -> ClosedState:
        """What is known of the hour."""
        return ClosedState(
            revision=self.revision,
            state=self.state,
            closed_ms=self.closed_ms,
            empty_since_ms=self.empty_since_ms,
            requests=self.requests,
            late=self.late,
            missing=tuple(self.missing),
        )


def edges_from(
    edges: Iterable[EdgeProgress], epochs: Iterable[EpochRow], intervals: Iterable[IntervalRow]
) -> dict[str, EdgeProgress]:
    """The edges by name, with their epochs and what is held of each."""
    found = {edge.edge_id: edge for edge in edges}
    for epoch in epochs:
        found[epoch.edge_id].epochs[epoch.epoch] = epoch.progress()
    for one in intervals:
        found[one.edge_id].epochs[one.epoch].intervals.append(one.interval())
    for edge in found.values():
        for held in edge.epochs.values():
            held.intervals.sort(key=lambda interval: interval.low)
    return found
