"""What a worker says of itself: the records of status.json, put together from what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.reasons import Reason
from metering.closed import hour_text
from metering.counting.edge_progress import EdgeProgress
from metering.counting.records import Tally
from metering.hour import HOUR_MS, ClosedHours, Policy, time_of, time_text
from metering.hours.when_to_close import Standing, View, judge
from metering.status import EdgeStatus, HourStatus, PartitionStatus, QuarantineStatus
from metering.store.records import PartitionState

STATUS_HOURS = 2_000
"""The newest hours in status.json, with every older one that is not closed; all of them stand in
live/hours.parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One partition as it stands now, for publishing."""

    state: PartitionState
    view: View
    open_requests: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineTotal:
    """What was refused for one reason of one source."""

    reason: str
    source: str
    records: int
    first_seen_ms: int
    last_seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """The document status.json. What was read and how it ended; `batches` the same in batches."""

    accepted: int
    duplicate: int
    quarantined: int
    read: int
    batches: Tally
    adds_up: bool
    fresh_at: str
    alarms: tuple[str, ...]
    edges: tuple[EdgeStatus, ...]
    hours: tuple[HourStatus, ...]
    quarantine: tuple[QuarantineStatus, ...]
    partitions: tuple[PartitionStatus, ...]


class ClosedRows:
    """The closed hours of a partition as status lists them: worked out once a closing round."""

    def __init__(self, partition: str, closed: ClosedHours) -> None:
        self.by_hour = {
            hour: _hour(hour, partition, known.state, known.requests, known.late, known.missing)
            for hour, known in sorted(closed.items())
        }
        hours = list(self.by_hour)
        older = [hour for hour in hours[:-STATUS_HOURS] if hour in closed.incomplete]
        self.listed = {hour: self.by_hour[hour] for hour in (*older, *hours[-STATUS_HOURS:])}


def unwritten_hours(
    moment: Moment, closed: ClosedRows, now_ms: int, policy: Policy
) -> dict[int, HourStatus]:
    """Hours with usage that no closed file holds: open ones, and late usage of closed ones."""
    partition = moment.state.partition
    found: dict[int, HourStatus] = {}
    for hour, requests in moment.open_requests.items():
        known = closed.by_hour.get(hour)
        if known is None:
            verdict = judge(moment.view, hour, hour + HOUR_MS, now_ms=now_ms, policy=policy)
            names = tuple(sorted((*verdict.missing, *verdict.waiting)))
            found[hour] = _hour(hour, partition, "open", requests, 0, names)
        else:
            found[hour] = _hour(
                hour,
                partition,
                known.state,
                known.accepted + requests,
                known.late + requests,
                known.missing_edges,
            )
    return found


def _hour(
    hour_ms: int,
    partition: str,
    state: str,
    accepted: int,
    late: int,
    missing: tuple[str, ...],
) -> HourStatus:
    return HourStatus(
        hour=hour_text(time_of(hour_ms)),
        partition=partition,
        state=state,
        accepted=accepted,
        late=late,
        missing_edges=missing,
    )


def document(
    moments: Sequence[Moment],
    hours: Iterable[HourStatus],
    quarantine: Sequence[QuarantineTotal],
    alarms: Iterable[str],
    now_ms: int,
) -> WorkerStatus:
    """The document of one worker."""
    events, batches = Tally(), Tally()
    for moment in moments:
        events.add(moment.state.events)
        batches.add(moment.state.batches)
    return WorkerStatus(
        accepted=events.accepted,
        duplicate=events.duplicate,
        quarantined=events.quarantined,
        read=events.read,
        batches=batches,
        adds_up=events.adds_up,
        fresh_at=time_text(now_ms),
        alarms=tuple(alarms),
        edges=tuple(row for moment in moments for row in _edges(moment, now_ms)),
        hours=tuple(hours),
        quarantine=tuple(
            QuarantineStatus(reason=one.reason, source=one.source, records=one.records)
            for one in quarantine
        ),
        partitions=tuple(_partition(moment.state) for moment in moments),
    )


def _partition(state: PartitionState) -> PartitionStatus:
    through = state.complete_through_ms
    return PartitionStatus(
        partition=state.partition,
        generation=state.generation,
        checkpoint=state.checkpoint_no,
        certificates=state.certificate_no,
        complete_through=None if through is None else hour_text(time_of(through)),
    )


def _edges(moment: Moment, now_ms: int) -> Iterator[EdgeStatus]:
    """Each edge that was heard of or is expected, by name."""
    standings = {one.expected.edge_id: one for one in moment.view.standings}
    for edge_id in sorted({*moment.state.edges, *standings}):
        edge = moment.state.edges.get(edge_id)
        yield _edge(edge_id, moment.state.partition, edge, standings.get(edge_id), now_ms)


def _edge(
    edge_id: str,
    partition: str,
    edge: EdgeProgress | None,
    stands: Standing | None,
    now_ms: int,
) -> EdgeStatus:
    watermark = stands.watermark_ms if stands is not None else 0
    until = stands.expected.until_ms if stands is not None else None
    foreseen = stands.expected.region if stands is not None else None
    epochs = edge.epochs.values() if edge is not None else ()
    return EdgeStatus(
        edge_id=edge_id,
        partition=partition,
        region=edge.region if edge is not None else foreseen,
        epoch=edge.last_epoch if edge is not None else None,
        sequence=edge.last_sequence if edge is not None else None,
        batches=sum(one.batches for one in epochs),
        requests=sum(one.requests for one in epochs),
        watermark=time_text(watermark) if watermark else None,
        lag_seconds=max(0, (now_ms - watermark) // 1000) if watermark else None,
        expected_until=time_text(until) if until is not None else None,
        gaps=tuple(gap.missing for gap in (edge.gaps() if edge is not None else ())),
    )


def quarantine_alarms(quarantine: Iterable[QuarantineTotal]) -> Iterator[str]:
    """What a person should look at in quarantine."""
    for one in quarantine:
        if one.reason == Reason.FORK:
            yield (
                f"fork: {one.source} sent {one.records} events under identities that stand for"
                " others"
            )
