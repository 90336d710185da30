"""Which hours close, when, and as what: the decision alone, without files."""

from __future__ import annotations

from metering.closed import SequenceGap, Waiver
from metering.counting.edge_progress import Gap
from metering.hour import HOUR_MS, ClosedHours, ClosedState, Expectation, Policy
from metering.hours.when_to_close import (
    Closing,
    Standing,
    View,
    plan,
)
from tests.metering.world import T0

POLICY = Policy(
    lateness_ms=120_000,
    deadline_ms=4 * HOUR_MS,
    revise_after_ms=600_000,
    unproven_wait_ms=600_000,
)
LATER = T0 + 2 * HOUR_MS


def edge(
    name: str = "edge-1",
    promise: int = 0,
    *,
    since: int = T0,
    until: int | None = None,
    advanced: int = T0,
    gaps: tuple[Gap, ...] = (),
) -> Standing:
    """An expected edge."""
    expected = Expectation(edge_id=name, region="de", from_ms=since, until_ms=until)
    return Standing(expected=expected, watermark_ms=promise, advanced_ms=advanced, gaps=gaps)


def closings(view: View, now: int = LATER, *, final: bool = False) -> list[Closing]:
    """What is written now."""
    return list(plan(view, now_ms=now, policy=POLICY, final=final).closings)


def closed(state: str = "closed", revision: int = 0, at: int = T0) -> ClosedState:
    """An hour that is closed."""
    return ClosedState(revision=revision, state=state, closed_ms=at)  # type: ignore[arg-type]


def test_an_hour_closes_when_every_expected_edge_promised_its_end() -> None:
    passed = edge("edge-1", T0 + HOUR_MS)
    waiting = edge("edge-2", T0 + HOUR_MS - 1, advanced=LATER)
    view = View(usage_hours={T0}, closed=ClosedHours({}), standings=[passed, waiting])
    assert closings(view) == []
    view = View(usage_hours={T0}, closed=ClosedHours({}), standings=[passed])
    assert closings(view) == [Closing(hour_ms=T0, revision=0, state="closed")]


def test_c30_lag_keeps_an_hour_open_however_late_it_gets() -> None:
    view = View(
        usage_hours={T0},
        closed=ClosedHours({}),
        standings=[edge(promise=T0 + 1, advanced=T0 + 9 * HOUR_MS)],
    )
    assert closings(view, T0 + 12 * HOUR_MS) == []


def test_an_hour_stays_open_for_the_allowed_lateness_by_the_clock() -> None:
    view = View(
        usage_hours={T0}, closed=ClosedHours({}), standings=[edge(promise=T0 + 5 * HOUR_MS)]
    )
    end = T0 + HOUR_MS
    assert closings(view, end + POLICY.lateness_ms - 1) == []
    assert [one.hour_ms for one in closings(view, end + POLICY.lateness_ms)] == [T0]


def test_a_promise_about_the_future_closes_no_hour_that_is_not_over() -> None:
    view = View(
        usage_hours={T0}, closed=ClosedHours({}), standings=[edge(promise=T0 + 999 * HOUR_MS)]
    )
    assert closings(view, T0 + HOUR_MS) == []


def test_e9_an_edge_silent_past_the_deadline_is_named_and_the_hour_is_incomplete() -> None:
    silent = edge("edge-2", T0, advanced=T0)
    view = View(
        usage_hours={T0}, closed=ClosedHours({}), standings=[edge(promise=T0 + HOUR_MS), silent]
    )
    assert closings(view, T0 + 5 * HOUR_MS - 1) == []
    (one,) = closings(view, T0 + 5 * HOUR_MS)
    assert (one.state, one.missing) == ("incomplete", ("edge-2",))


def test_silence_is_counted_from_the_last_move_of_the_promise_not_from_the_hour() -> None:
    imported = edge(promise=0, advanced=LATER)
    view = View(usage_hours={T0}, closed=ClosedHours({}), standings=[imported])
    assert closings(view, LATER + POLICY.deadline_ms - 1) == []
    assert closings(view, LATER + POLICY.deadline_ms)[0].state == "incomplete"


def test_a_waived_edge_lets_the_hour_close_as_complete_and_is_named() -> None:
    waiver = Waiver(edge_id="edge-2", by="kim", reason="disk lost", at="now")
    view = View(
        usage_hours={T0},
        closed=ClosedHours({}),
        standings=[edge(promise=T0 + HOUR_MS), edge("edge-2", 0)],
        waivers={("edge-2", T0): waiver},
    )
    (one,) = closings(view)
    assert (one.state, one.missing, one.waivers) == ("closed", (), (waiver,))


def test_a_retired_edge_is_not_waited_for_in_hours_from_that_date_on() -> None:
    gone = edge("edge-2", T0 + HOUR_MS, until=T0 + HOUR_MS)
    view = View(
        usage_hours={T0, T0 + HOUR_MS},
        closed=ClosedHours({}),
        standings=[edge(promise=T0 + 2 * HOUR_MS), gone],
    )
    assert [one.hour_ms for one in closings(view, T0 + 3 * HOUR_MS)] == [T0, T0 + HOUR_MS]


def test_a_named_gap_spoils_the_hours_it_can_touch_and_no_others() -> None:
    missing = SequenceGap(epoch=1, first_sequence=3, last_sequence=3)
    gap = Gap(missing=missing, from_ms=T0 + 10, until_ms=T0 + 20, noticed_ms=T0)
    view = View(
        usage_hours={T0, T0 + HOUR_MS},
        closed=ClosedHours({}),
        standings=[edge(promise=T0 + 2 * HOUR_MS, gaps=(gap,))],
    )
    first, second = closings(view, T0 + 3 * HOUR_MS)
    assert (first.state, first.missing) == ("incomplete", ("edge-1",))
    assert (second.state, second.missing) == ("closed", ())


def test_empty_hours_between_and_after_usage_close_once_promised() -> None:
    last = T0 + 3 * HOUR_MS
    view = View(
        usage_hours={T0, T0 + 2 * HOUR_MS},
        closed=ClosedHours({}),
        standings=[edge(promise=last + HOUR_MS)],
    )
    hours = [one.hour_ms for one in closings(view, T0 + 9 * HOUR_MS)]
    assert hours == [T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS, last]


def test_empty_hours_between_usage_close_as_incomplete_after_the_deadline() -> None:
    view = View(
        usage_hours={T0, T0 + 2 * HOUR_MS},
        closed=ClosedHours({}),
        standings=[edge(promise=0, advanced=T0)],
    )
    written = closings(view, T0 + 99 * HOUR_MS)
    assert [one.hour_ms for one in written] == [T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS]
    assert {one.state for one in written} == {"incomplete"}


def test_an_empty_hour_after_all_usage_of_which_nobody_speaks_stays_open() -> None:
    silent = edge("edge-2", T0 + HOUR_MS, advanced=T0)
    ahead = edge("edge-1", T0 + 3 * HOUR_MS, until=T0 + HOUR_MS)
    view = View(usage_hours={T0}, closed=ClosedHours({}), standings=[silent, ahead])
    assert [one.hour_ms for one in closings(view, T0 + 99 * HOUR_MS)] == [T0]


def test_hours_after_the_last_retirement_close_empty_so_that_the_month_becomes_whole() -> None:
    view = View(
        usage_hours={T0},
        closed=ClosedHours({}),
        standings=[edge(promise=T0 + HOUR_MS, until=T0 + HOUR_MS)],
    )
    decided = plan(view, now_ms=T0 + 9 * HOUR_MS, policy=POLICY, final=False)
    assert [one.state for one in decided.closings] == ["closed"] * 8
    assert decided.complete_through_ms == T0 + 8 * HOUR_MS


def test_a_run_of_thousands_of_empty_hours_is_one_certificate() -> None:
    years = 5 * 365 * 24
    end = T0 + years * HOUR_MS
    view = View(
        usage_hours={T0, end}, closed=ClosedHours({}), standings=[edge(promise=end + HOUR_MS)]
    )
    first, run, last = closings(view, end + 9 * HOUR_MS)
    assert (first.hour_ms, last.hour_ms) == (T0, end)
    assert (run.empty_since_ms, run.hour_ms) == (T0 + HOUR_MS, end - HOUR_MS)


def test_a_promise_years_ahead_does_not_keep_the_empty_hours_up_to_now_open() -> None:
    view = View(
        usage_hours={T0}, closed=ClosedHours({}), standings=[edge(promise=T0 + 50_000 * HOUR_MS)]
    )
    decided = plan(view, now_ms=T0 + 9 * HOUR_MS, policy=POLICY)
    assert [one.hour_ms for one in decided.closings] == [T0 + n * HOUR_MS for n in range(8)]
    assert decided.complete_through_ms == T0 + 8 * HOUR_MS


def test_an_event_of_tomorrow_after_an_idle_month_keeps_no_hour_before_now_open() -> None:
    now = T0 + 1000 * HOUR_MS + 120_000
    tomorrow = T0 + 1020 * HOUR_MS
    promised = edge(promise=T0 + 2000 * HOUR_MS)
    view = View(usage_hours={T0, tomorrow}, closed=ClosedHours({}), standings=[promised])
    decided = plan(view, now_ms=now, policy=POLICY)
    assert [one.hour_ms for one in decided.closings] == [T0, T0 + 999 * HOUR_MS]
    assert decided.complete_through_ms == T0 + 1000 * HOUR_MS


def test_usage_inside_a_run_of_empty_hours_gets_its_own_first_certificate() -> None:
    end = T0 + 1000 * HOUR_MS
    inside = T0 + 500 * HOUR_MS
    run = ClosedState(revision=0, state="closed", closed_ms=T0, empty_since_ms=T0 + HOUR_MS)
    view = View(
        usage_hours={inside},
        closed=ClosedHours({T0: closed(), end: run}),
        standings=[edge(promise=end + HOUR_MS)],
    )
    (one,) = closings(view, end + 9 * HOUR_MS)
    assert (one.hour_ms, one.revision, one.empty_since_ms) == (inside, 0, None)


def test_a_round_of_a_long_backlog_says_how_far_it_came_not_where_the_backlog_began() -> None:
    hours = {T0 + n * HOUR_MS for n in range(10) if n not in (5, 6)}
    decided = plan(
        View(
            usage_hours=hours, closed=ClosedHours({}), standings=[edge(promise=T0 + 10 * HOUR_MS)]
        ),
        now_ms=T0 + 20 * HOUR_MS,
        policy=POLICY,
    )
    reached = [decided.through_after(count) for count in range(len(decided.closings) + 1)]
    closed_hours = [[one.hour_ms for one in decided.closings[:n]] for n in range(len(reached))]
    for through, written in zip(reached, closed_hours, strict=True):
        open_ones = {one.hour_ms for one in decided.closings} - set(written)
        firsts = [
            one.hour_ms if one.empty_since_ms is None else one.empty_since_ms
            for one in decided.closings
            if one.hour_ms in open_ones
        ]
        assert through == min(firsts, default=T0 + 10 * HOUR_MS)
    assert reached[-1] == decided.complete_through_ms


def test_late_usage_is_collected_before_it_becomes_a_revision() -> None:
    view = View(
        usage_hours={T0},
        closed=ClosedHours({T0: closed(at=LATER)}),
        standings=[edge(promise=T0 + HOUR_MS)],
    )
    assert closings(view, LATER + POLICY.revise_after_ms - 1) == []
    (one,) = closings(view, LATER + POLICY.revise_after_ms)
    assert (one.revision, one.state) == (1, "closed")
    assert closings(view, LATER, final=True) == [one]


def test_an_incomplete_hour_is_healed_by_a_revision_once_its_edge_is_back() -> None:
    view = View(
        usage_hours=set(),
        closed=ClosedHours({T0: closed("incomplete", at=LATER)}),
        standings=[edge(promise=T0 + HOUR_MS)],
    )
    assert closings(view, LATER) == [Closing(hour_ms=T0, revision=1, state="closed")]


def test_an_hour_once_proved_complete_is_not_made_incomplete_by_an_edge_found_later() -> None:
    view = View(
        usage_hours={T0},
        closed=ClosedHours({T0: closed(at=T0)}),
        standings=[edge(promise=T0 + HOUR_MS), edge("edge-9", promise=0)],
    )
    (one,) = closings(view, T0 + 99 * HOUR_MS)
    assert (one.revision, one.state, one.missing) == (1, "closed", ())


def test_everything_before_the_first_open_hour_is_complete() -> None:
    view = View(
        usage_hours={T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS},
        closed=ClosedHours({}),
        standings=[edge(promise=T0 + HOUR_MS, advanced=T0 + 9 * HOUR_MS)],
    )
    decided = plan(view, now_ms=T0 + 9 * HOUR_MS, policy=POLICY)
    assert decided.complete_through_ms == T0 + HOUR_MS
    assert (
        plan(
            View(usage_hours=(), closed=ClosedHours({}), standings=[]), now_ms=T0, policy=POLICY
        ).complete_through_ms
        is None
    )


def test_usage_without_any_expected_edge_waits_its_own_time_and_closes() -> None:
    view = View(usage_hours={T0}, closed=ClosedHours({}), standings=[])
    end = T0 + HOUR_MS
    assert closings(view, end + POLICY.unproven_wait_ms - 1) == []
    assert closings(view, end + POLICY.unproven_wait_ms)[0].state == "closed"
