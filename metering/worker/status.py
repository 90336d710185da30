"""What a worker says of itself: the records of status.json, put together from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from edge.reasons import Reason
from metering.closed import hour_text
from metering.counting.edge_progress import EdgeProgress
from metering.counting.records import Tally
from metering.hour import HOUR_MS, ClosedHours, Policy, time_of, time_text
from metering.hours.unread import UnreadSource, edge_alarms
from metering.hours.when_to_close import Standing, View, judge
from metering.status import (
    EdgeStatus,
    HourStatus,
    LiveFile,
    PartitionStatus,
    QuarantineStatus,
    UnreadStatus,
)
from metering.store.records import PartitionState

ALL_REFUSED_MS = 600_000
"""An edge whose batches are refused so long after the last that moved its promise sends nothing
else; one whose promise never moved does so at once."""
MESSAGE_REASONS = frozenset((Reason.CONFLICT, Reason.KEY, Reason.UNCHECKABLE, Reason.CLOCK))
"""Reasons against single events: the batch or message they came in may be counted all the same."""
STATUS_HOURS = 2_000
"""The newest hours in status.json, with every older one that is not closed; all of them stand in
live/hours.parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One partition as it stands now, for publishing."""

    state: PartitionState
    view: View
    open_requests: Mapping[int, int]
    unread: tuple[UnreadSource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What a drain met that is not counted: records refused, and sources that cannot be read."""

    refused: int = 0
    unread: tuple[UnreadSource, ...] = ()

    @property
    def told(self) -> bool:
        """Whether a person has to know."""
        return bool(self.refused or self.unread)

    @property
    def text(self) -> str:
        """The same in words."""
        parts = [f"the batches of {one.edge_id} ({one.what})" for one in self.unread]
        if self.refused:
            parts.append(f"{self.refused:,} refused, now in quarantine")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineTotal:
    """What was refused for one reason of one source of a partition."""

    partition: str
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
    unread: tuple[UnreadStatus, ...]
    files: tuple[LiveFile, ...]


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
    files: Iterable[LiveFile],
    now_ms: int,
) -> WorkerStatus:
    """The document of one worker, and of the files it left beside it."""
    events, batches = Tally(), Tally()
    refused: Counter[str] = Counter()
    for one in quarantine:
        refused[one.source] += one.records
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
        edges=tuple(row for moment in moments for row in _edges(moment, refused, now_ms)),
        hours=tuple(hours),
        quarantine=tuple(
            QuarantineStatus(reason=one.reason, source=one.source, records=one.records)
            for one in quarantine
        ),
        partitions=tuple(_partition(moment.state) for moment in moments),
        unread=tuple(
            UnreadStatus(edge_id=one.edge_id, what=one.what, since=time_text(one.since_ms))
            for moment in moments
            for one in moment.unread
        ),
        files=tuple(files),
    )


def _partition(state: PartitionState) -> PartitionStatus:
    through = state.complete_through_ms
    return PartitionStatus(
        partition=state.partition,
        generation=state.generation,
        checkpoint=state.checkpoint_no,
        certificates=state.certificate_no,
        complete_through=None if through is None else hour_text(time_of(through)),
        flush=state.flush_no,
    )


def _edges(moment: Moment, refused: Mapping[str, int], now_ms: int) -> Iterator[EdgeStatus]:
    """Each edge that was heard of or is expected, by name."""
    standings = {one.expected.edge_id: one for one in moment.view.standings}
    for edge_id in sorted({*moment.state.edges, *standings}):
        edge = moment.state.edges.get(edge_id)
        row = _edge(edge_id, moment.state.partition, edge, standings.get(edge_id), now_ms)
        yield replace(row, refused=refused.get(edge_id, 0))


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
        held=edge.held if edge is not None else "",
    )


def alarms(
    moments: Sequence[Moment], quarantine: Sequence[QuarantineTotal], now_ms: int
) -> Iterator[str]:
    """What a person should look at, a line each."""
    for moment in moments:
        view = moment.view
        yield from edge_alarms(view.standings, moment.unread, view.waivers, now_ms)
    edges = {edge_id: edge for moment in moments for edge_id, edge in moment.state.edges.items()}
    for edge_id, known in sorted(edges.items()):
        if known.held:
            yield f"held: {edge_id} promises nothing: {known.held}"
    refused: dict[str, list[QuarantineTotal]] = {}
    for one in quarantine:
        refused.setdefault(one.source, []).append(one)
        if one.reason == Reason.FORK:
            yield (
                f"fork: {one.source} sent {one.records} events under identities that stand for"
                " others"
            )
    places = {source for moment in moments for source in moment.state.positions} - edges.keys()
    for source, totals in sorted(refused.items()):
        if source in places:  # a transport's own name: no edge is known by it
            continue
        batches = [one for one in totals if one.reason not in MESSAGE_REASONS]
        last_ms = max((one.last_seen_ms for one in batches), default=0)
        edge = edges.get(source)
        if batches and last_ms - (edge.advanced_ms if edge is not None else 0) >= ALL_REFUSED_MS:
            reasons = ", ".join(sorted({one.reason for one in batches}))
            yield (
                f"refused: every batch of {source} goes to quarantine ({reasons}):"
                " nothing of it is counted"
            )
