"""The clock grace is measured by: trusted time counts once, whatever the host's clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.balance.grace_clock import GraceClock, Health, judge_trust

START = datetime(2026, 10, 1, tzinfo=UTC)


def judged(clock: GraceClock, at: datetime, *, fresh: bool = True) -> GraceClock:
    through = at if fresh else at - timedelta(hours=48)
    return judge_trust(
        Health(usage_through=through),
        clock,
        now=at,
        usage_limit_hours=36,
        payments_limit_hours=None,
    )


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=12))
def test_the_clock_counts_no_more_than_the_time_that_began_with_a_trusted_look(
    looks: list[tuple[int, bool]],
) -> None:
    at, clock, most = START, judged(GraceClock(), START), 0
    trusted = True
    for hours, fresh in looks:
        at += timedelta(hours=hours)
        most += min(hours, 36) * 3600 if trusted else 0
        clock = judged(clock, at, fresh=fresh)
        assert clock.verified_seconds == most
        trusted = fresh


@given(ahead=st.integers(1, 10_000), counted=st.integers(0, 30))
def test_a_clock_set_back_takes_off_what_it_counted_ahead_and_never_more_than_was_counted(
    ahead: int, counted: int
) -> None:
    clock = judged(judged(GraceClock(), START), START + timedelta(hours=counted))
    honest = clock.verified_seconds
    then = START + timedelta(hours=counted)
    ran_ahead = judged(clock, then + timedelta(hours=ahead))
    back = judged(ran_ahead, then)
    assert 0 <= back.verified_seconds <= honest
    assert judged(back, then + timedelta(hours=1)).verified_seconds <= honest + 3600


def test_a_first_look_far_ahead_of_the_next_leaves_the_clock_at_nothing() -> None:
    clock = judged(judged(GraceClock(), START + timedelta(days=19)), START)
    assert clock.verified_seconds == 0
