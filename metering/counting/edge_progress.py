"""How far each edge has come: sequences held, holes, and the promise that follows. Pure decisions.

An edge numbers its batches by (epoch, sequence), from FIRST_SEQUENCE, without leaving one out. What
arrived is kept as intervals, in practice one per epoch. The watermark of an edge moves only over
sequences without a hole (DESIGN 3.6). A hole that stays longer than the deadline becomes a named
gap: it spoils the hours its events can belong to and no others (decision 0303).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge.batch.records import BatchHeader
from edge.event import absurd_time
from metering.closed import SequenceGap

FIRST_SEQUENCE = 0
BEGINNING_MS = -(1 << 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Sequences `low` to `high` of one epoch, all held.

    `reach_ms` is the latest time the first of them speaks of (what was lost before it is not
    later), `watermark_ms` the promise of the last, `noticed_ms` the wall clock when the hole before
    the interval was first seen. All UTC ms.
    """

    low: int
    high: int
    reach_ms: int
    watermark_ms: int
    noticed_ms: int


@dataclass(slots=True, kw_only=True)
class EpochProgress:
    """What is held of one epoch. `previous` is (epoch, last sequence), as its first batch says."""

    epoch: int
    ordinal: int
    previous: tuple[int, int] | None = None
    intervals: list[Interval] = field(default_factory=list)
    batches: int = 0
    requests: int = 0

    def holds(self, sequence: int) -> bool:
        """Whether this sequence was accepted before."""
        place = bisect_right(self.intervals, sequence, key=lambda interval: interval.low) - 1
        return place >= 0 and sequence <= self.intervals[place].high

    def add(self, one: Interval) -> None:
        """Hold one more sequence (`low` == `high`), joined with its neighbours."""
        place = bisect_right(self.intervals, one.low, key=lambda interval: interval.low)
        start = stop = place
        if place and self.intervals[place - 1].high == one.low - 1:
            start -= 1
            one = _joined(self.intervals[start], one)
        if place < len(self.intervals) and self.intervals[place].low == one.high + 1:
            stop += 1
            one = _joined(one, self.intervals[place])
        self.intervals[start:stop] = [one]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A hole: sequences that did not arrive, and the stretch of time their events can lie in."""

    missing: SequenceGap
    from_ms: int
    until_ms: int
    noticed_ms: int

    def touches(self, start_ms: int, end_ms: int) -> bool:
        """Whether an event of [start_ms, end_ms) may be among the missing."""
        return self.from_ms < end_ms and start_ms < max(self.until_ms, self.from_ms + 1)


@dataclass(slots=True, kw_only=True)
class EdgeProgress:
    """All that metering knows of one edge in one partition.

    `expected_from_ms` is the earliest time it spoke of (None: it promised and sent nothing yet),
    `advanced_ms` the wall clock when its promise last moved.
    """

    edge_id: str
    region: str
    expected_from_ms: int | None = None
    advanced_ms: int = 0
    epochs: dict[int, EpochProgress] = field(default_factory=dict)
    last_sequence: int = -1
    last_epoch: int = -1
    held: str = ""
    """Why its promise stands still, as its latest batch says; blank while it promises."""

    def holds(self, epoch: int, sequence: int) -> bool:
        """Whether (epoch, sequence) of this edge was accepted before."""
        known = self.epochs.get(epoch)
        return known is not None and known.holds(sequence)

    def accept(self, header: BatchHeader, now_ms: int) -> None:
        """Hold the batch of `header`. The caller has made sure that it is not held already."""
        epoch = self.epochs.get(header.epoch)
        if epoch is None:
            epoch = EpochProgress(epoch=header.epoch, ordinal=len(self.epochs))
            self.epochs[header.epoch] = epoch
        if header.previous_epoch is not None:
            epoch.previous = header.previous_epoch
        start = header.first_time_ms if header.events else header.watermark_ms
        reach = header.last_time_ms if header.events else header.watermark_ms
        before = self.watermark_ms()
        epoch.add(
            Interval(
                low=header.sequence,
                high=header.sequence,
                reach_ms=reach,
                watermark_ms=header.watermark_ms,
                noticed_ms=now_ms,
            )
        )
        epoch.batches += 1
        epoch.requests += header.requests
        if not absurd_time(start, now_ms):
            known = self.expected_from_ms
            self.expected_from_ms = start if known is None else min(known, start)
        if self.advanced_ms == 0 or self.watermark_ms() > before:
            self.advanced_ms = now_ms
        self.last_epoch, self.last_sequence = header.epoch, header.sequence
        self.held = header.held

    def watermark_ms(self) -> int:
        """The promise over sequences without any hole, UTC ms; 0 when there is none."""
        return self._walk(None)[0]

    def standing(self, now_ms: int, deadline_ms: int) -> tuple[int, tuple[Gap, ...]]:
        """(watermark, named gaps): holes older than the deadline no longer stop the watermark."""
        return self._walk((now_ms, deadline_ms))

    def gaps(self) -> tuple[Gap, ...]:
        """Every hole, in order of epochs and sequences."""
        return tuple(gap for _, gap in self._stretches() if gap is not None)

    def _walk(self, patience: tuple[int, int] | None) -> tuple[int, tuple[Gap, ...]]:
        watermark, named = 0, []
        for interval, gap in self._stretches():
            if gap is not None:
                if patience is None or patience[0] < gap.noticed_ms + patience[1]:
                    break
                named.append(gap)
            watermark = max(watermark, interval.watermark_ms)
        return watermark, tuple(named)

    def _stretches(self) -> Iterator[tuple[Interval, Gap | None]]:
        """Each held interval in order, with the hole before it, if there is one."""
        before: tuple[EpochProgress, Interval] | None = None
        for epoch in self._chain():
            for interval in epoch.intervals:
                yield interval, _hole(before, epoch, interval)
                before = (epoch, interval)

    def _chain(self) -> list[EpochProgress]:
        """The epochs in the order in which they name each other, else in that of arrival."""
        rank: dict[int, int] = {}
        known = sorted(self.epochs.values(), key=lambda epoch: epoch.ordinal)
        for epoch in known:
            # Followed back at most once round: names that go in a circle are a liar's, not a hang.
            steps, at = 0, epoch
            while at.previous is not None and at.previous[0] in self.epochs and steps < len(known):
                at = self.epochs[at.previous[0]]
                steps += 1
            rank[epoch.epoch] = steps
        return sorted(known, key=lambda epoch: (rank[epoch.epoch], epoch.ordinal))


def _joined(left: Interval, right: Interval) -> Interval:
    """Two intervals that touch, as one."""
    return Interval(
        low=left.low,
        high=right.high,
        reach_ms=left.reach_ms,
        watermark_ms=max(left.watermark_ms, right.watermark_ms),
        noticed_ms=min(left.noticed_ms, right.noticed_ms),
    )


def _hole(
    before: tuple[EpochProgress, Interval] | None, epoch: EpochProgress, interval: Interval
) -> Gap | None:
    """The hole between the interval held before and this one; None when nothing is missing."""
    same = before is not None and before[0].epoch == epoch.epoch
    missing = None
    if before is not None and same:
        missing = SequenceGap(
            epoch=epoch.epoch,
            first_sequence=before[1].high + 1,
            last_sequence=interval.low - 1,
        )
    elif interval.low > FIRST_SEQUENCE:
        missing = SequenceGap(
            epoch=epoch.epoch, first_sequence=FIRST_SEQUENCE, last_sequence=interval.low - 1
        )
    else:
        missing = _lost_tail(before, epoch.previous)
    if missing is None:
        return None
    return Gap(
        missing=missing,
        from_ms=BEGINNING_MS if before is None else before[1].watermark_ms,
        until_ms=interval.reach_ms,
        noticed_ms=interval.noticed_ms,
    )


def _lost_tail(
    before: tuple[EpochProgress, Interval] | None, previous: tuple[int, int] | None
) -> SequenceGap | None:
    """What the epoch before lacks at its end, as the next epoch names it.

    An epoch that does not name the one that is known says nothing of its end: what it held beyond
    what came is unknown, and may be lost (CASES E13).
    """
    if before is not None and previous is None:
        first = before[1].high + 1
        return SequenceGap(epoch=before[0].epoch, first_sequence=first, last_sequence=None)
    if previous is None:
        return None
    named, last = previous
    held = before[1].high if before is not None and before[0].epoch == named else FIRST_SEQUENCE - 1
    if last <= held:
        return None
    return SequenceGap(epoch=named, first_sequence=held + 1, last_sequence=last)
