"""Which hours can close now, and as what. Pure decisions: time and state come in, closings go out.

An hour closes when the promise of every expected edge reaches its end and the wall clock has passed
its end plus the allowed lateness. An edge that promised nothing for longer than the deadline is
named, and the hour closes as incomplete; a person may waive an edge. Decisions 0303 and 0304.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from metering.closed import HourState, Waiver
from metering.counting.edge_progress import EdgeProgress, Gap
from metering.hour import HOUR_MS, ClosedHours, Expectation, Policy, hour_of

LONGEST_EMPTY_RUN = 744
"""Hours: a longer run of empty hours gets one range certificate instead of one file each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an expected edge stands at one moment."""

    expected: Expectation
    watermark_ms: int = 0
    advanced_ms: int = 0
    gaps: tuple[Gap, ...] = ()

    def expected_in(self, start_ms: int, end_ms: int) -> bool:
        """Whether the edge is to be waited for in some hour of [start_ms, end_ms)."""
        until = self.expected.until_ms
        begins = hour_of(self.expected.from_ms)
        return begins < end_ms and (until is None or start_ms < until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The edges expected in an hour, by where they stand. `due`: the wall clock allows closing."""

    due: bool
    passed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def complete(self) -> bool:
        """Every expected edge passed or is waived."""
        return self.due and not self.missing and not self.waiting

    @property
    def unwatched(self) -> bool:
        """No edge is expected in the hour (any more)."""
        return not (self.passed or self.missing or self.waiting or self.waivers)

    @property
    def spoken_for(self) -> bool:
        """Somebody vouches for the hour: without that, an empty hour says nothing."""
        return bool(self.passed or self.waivers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One certificate to write."""

    hour_ms: int
    revision: int
    state: HourState
    missing: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    empty_since_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A partition at one moment: hours with usage not yet written, closed hours, edges, waivers."""

    usage_hours: Collection[int]
    closed: ClosedHours
    standings: Sequence[Standing]
    waivers: Mapping[tuple[str, int], Waiver] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to write now. `complete_through_ms` holds once it is written; None: no hour yet."""

    closings: tuple[Closing, ...]
    complete_through_ms: int | None

    def through_after(self, count: int) -> int | None:
        """Up to when every hour is closed once the first `count` closings are written."""
        first_left = next((one for one in self.closings[count:] if one.revision == 0), None)
        if first_left is None or self.complete_through_ms is None:
            return self.complete_through_ms
        begins = first_left.empty_since_ms
        return min(self.complete_through_ms, first_left.hour_ms if begins is None else begins)


def standings(
    edges: Mapping[str, EdgeProgress],
    asked: Sequence[Expectation],
    retired: Mapping[str, int],
    *,
    now_ms: int,
    deadline_ms: int,
    unread: Mapping[str, int] | None = None,
) -> list[Standing]:
    """Every edge to wait for, with its promise: those asked for, and those seen, until retired.

    `unread` are edges with something that cannot be read, by the time since when: one that nobody
    knows else is waited for in every hour, as a known edge that has fallen silent would be.
    """
    found: dict[str, Standing] = {}
    for edge_id, unread_since in (unread or {}).items():
        expected = Expectation(edge_id=edge_id, region="unknown", from_ms=0)
        if edge_id not in edges:
            found[edge_id] = Standing(expected=expected, advanced_ms=unread_since)
    for expectation in asked:
        found[expectation.edge_id] = Standing(expected=expectation)
    for edge_id, edge in edges.items():
        if edge.expected_from_ms is None and edge_id not in found:
            continue
        watermark, gaps = edge.standing(now_ms, deadline_ms)
        known = found.get(edge_id)
        since = edge.expected_from_ms
        if known is None:
            expected = Expectation(edge_id=edge_id, region=edge.region, from_ms=since or 0)
        else:
            starts = known.expected.from_ms
            expected = Expectation(
                edge_id=edge_id,
                region=known.expected.region,
                from_ms=starts if since is None else min(starts, since),
                until_ms=known.expected.until_ms,
            )
        found[edge_id] = Standing(
            expected=expected, watermark_ms=watermark, advanced_ms=edge.advanced_ms, gaps=gaps
        )
    return [_until(found[edge_id], retired.get(edge_id)) for edge_id in sorted(found)]


def _until(standing: Standing, retired_ms: int | None) -> Standing:
    """`standing`, expected no longer than until its retirement."""
    until = standing.expected.until_ms
    if retired_ms is None or (until is not None and until <= retired_ms):
        return standing
    expected = standing.expected
    return Standing(
        expected=Expectation(
            edge_id=expected.edge_id,
            region=expected.region,
            from_ms=expected.from_ms,
            until_ms=retired_ms,
        ),
        watermark_ms=standing.watermark_ms,
        advanced_ms=standing.advanced_ms,
        gaps=standing.gaps,
    )


def judge(view: View, start_ms: int, end_ms: int, *, now_ms: int, policy: Policy) -> Verdict:
    """Where each edge expected in [start_ms, end_ms) stands towards its end."""
    passed: list[str] = []
    missing: list[str] = []
    waiting: list[str] = []
    waivers: list[Waiver] = []
    expected = [edge for edge in view.standings if edge.expected_in(start_ms, end_ms)]
    for edge in expected:
        name = edge.expected.edge_id
        waiver = view.waivers.get((name, start_ms))
        if waiver is not None:
            waivers.append(waiver)
        elif edge.watermark_ms >= end_ms:
            spoilt = any(gap.touches(start_ms, end_ms) for gap in edge.gaps)
            (missing if spoilt else passed).append(name)
        elif now_ms >= max(end_ms, edge.advanced_ms) + policy.deadline_ms:
            missing.append(name)
        else:
            waiting.append(name)
    wait = policy.lateness_ms if expected else policy.unproven_wait_ms
    return Verdict(
        due=now_ms >= end_ms + wait,
        passed=tuple(passed),
        missing=tuple(missing),
        waiting=tuple(waiting),
        waivers=tuple(waivers),
    )


def plan(view: View, *, now_ms: int, policy: Policy, final: bool = False) -> Plan:
    """The certificates to write now, in order of hours: first closings, then revisions.

    `final` (a drain) writes late usage at once instead of collecting it for `revise_after`.
    """
    if not view.usage_hours and not view.closed:
        return Plan(closings=(), complete_through_ms=None)
    closings: list[Closing] = []
    open_from: int | None = None
    newest = view.closed.last_ms
    last_end = 0 if newest is None else newest + HOUR_MS
    last_known = max((*view.usage_hours, *(() if newest is None else (newest,))))
    for start, end in _candidates(view, now_ms):
        verdict = judge(view, start, end, now_ms=now_ms, policy=policy)
        # An empty hour after all usage, of which no edge says a word, is no news: it stays open.
        silent = start > last_known and not (verdict.spoken_for or verdict.unwatched)
        if not verdict.due or verdict.waiting or silent:
            open_from = start if open_from is None else open_from
            continue
        closings.append(_first(start, end, verdict))
        last_end = max(last_end, end)
    closings.extend(_revisions(view, now_ms=now_ms, policy=policy, final=final))
    through = last_end if open_from is None else open_from
    return Plan(closings=tuple(closings), complete_through_ms=through or None)


def _first(start_ms: int, end_ms: int, verdict: Verdict) -> Closing:
    """Revision 0 of an hour, or of a run of empty hours under the name of its last."""
    last = end_ms - HOUR_MS
    return Closing(
        hour_ms=last,
        revision=0,
        state="incomplete" if verdict.missing else "closed",
        missing=verdict.missing,
        waivers=verdict.waivers,
        empty_since_ms=start_ms if last != start_ms else None,
    )


def _candidates(view: View, now_ms: int) -> list[tuple[int, int]]:
    """Hours not closed yet, as (start, end), in order; long runs of empty ones as one stretch.

    They reach to the furthest promise but no further than now; when every edge is retired, to now.
    Stretches are cut at now, since one that ends in the future could not close at all until then.
    """
    present = hour_of(now_ms)
    blocks = [(hour, hour + HOUR_MS, True) for hour in view.usage_hours if hour not in view.closed]
    blocks += [(start, end, False) for start, end in view.closed.runs]
    blocks.sort()
    marks = [edge.watermark_ms for edge in view.standings]
    ends = [edge.expected.until_ms for edge in view.standings]
    if ends and all(end is not None and end <= now_ms for end in ends):
        marks.append(now_ms)
    horizon = min(hour_of(max(marks, default=0)), present)
    found: list[tuple[int, int]] = []
    expected_next = blocks[0][0]
    for start, end, is_open in blocks:
        cut = max(expected_next, min(start, present))
        _empty_run(found, expected_next, cut, view)
        _empty_run(found, cut, start, view)
        if is_open:
            found.append((start, end))
        expected_next = max(expected_next, end)
    _empty_run(found, expected_next, horizon, view)
    return found


def _empty_run(found: list[tuple[int, int]], start_ms: int, end_ms: int, view: View) -> None:
    """Add the empty hours of [start_ms, end_ms): each one, or the whole run when it is long."""
    count = (end_ms - start_ms) // HOUR_MS
    if count <= 0:
        return
    if count > LONGEST_EMPTY_RUN:
        marks = [s.watermark_ms for s in view.standings if s.expected_in(start_ms, end_ms)]
        reached = hour_of(min(marks, default=end_ms))
        cut = min(end_ms, reached) if reached > start_ms else end_ms
        found.append((start_ms, cut))
        _empty_run(found, cut, end_ms, view)
        return
    found.extend((hour, hour + HOUR_MS) for hour in range(start_ms, end_ms, HOUR_MS))


def _revisions(view: View, *, now_ms: int, policy: Policy, final: bool) -> list[Closing]:
    """Later revisions: late usage, and incomplete hours that became complete."""
    found = []
    for hour in sorted(view.closed.incomplete.union(view.closed.keys() & set(view.usage_hours))):
        known = view.closed[hour]
        late = hour in view.usage_hours
        start = known.begins_ms(hour)
        verdict = judge(view, start, hour + HOUR_MS, now_ms=now_ms, policy=policy)
        healed = known.state == "incomplete" and verdict.complete and verdict.spoken_for
        aged = now_ms >= known.closed_ms + policy.revise_after_ms
        if not (healed or (late and (final or aged))):
            continue
        # An hour once proved complete stays so: an edge first heard of later was not expected then.
        closed = known.state == "closed" or healed
        found.append(
            Closing(
                hour_ms=hour,
                revision=known.revision + 1,
                state="closed" if closed else "incomplete",
                missing=() if closed else verdict.missing + verdict.waiting,
                waivers=verdict.waivers,
            )
        )
    return found
