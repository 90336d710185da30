"""May the figures be trusted: red checks, held runs, old imports; and the clock grace runs by.

The flag `unverified` stops suspensions and stops the grace clock. Trust in imports ends by itself
when they grow older than their limit, so the clock counts only up to `verified_until`, even if
nobody looked in between. Missing usage makes debts look smaller, never larger: an hour that is
merely incomplete raises nothing (DESIGN §3.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

AHEAD_SECONDS = 36 * 3600
"""The most a clock that ran ahead can have counted: usage is trusted no longer (the default)."""

NOTHING_RATED = "no usage has been rated yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was found when looking: the inputs of the flag."""

    red_checks: Sequence[str] = ()
    held_runs: Sequence[str] = ()
    usage_through: datetime | None = None
    payments_through: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraceClock:
    """The grace clock as it was last recorded."""

    judged_at: datetime | None = None
    verified_seconds: int = 0
    verified_until: datetime | None = None
    """None while `unverified` stands, or before the first judgement."""
    unverified: str | None = None
    unverified_since: datetime | None = None
    usage_through: datetime | None = None
    payments_through: datetime | None = None

    def seconds_at(self, now: datetime) -> int:
        """Verified seconds on the clock at `now`.

        A time before the last judgement means that the host's clock, or somebody's --as-of, ran
        ahead: what was counted since is taken off again, so that no grace is shortened by it;
        never more than was ever counted.
        """
        if self.judged_at is None:
            return self.verified_seconds
        if now < self.judged_at:
            ahead = min(self.judged_at, self.verified_until or self.judged_at) - now
            taken_off = max(0, min(int(ahead.total_seconds()), AHEAD_SECONDS))
            return max(0, self.verified_seconds - taken_off)
        if self.unverified or self.verified_until is None:
            return self.verified_seconds
        counted = min(now, self.verified_until) - self.judged_at
        return self.verified_seconds + max(0, int(counted.total_seconds()))


def judge_trust(
    health: Health,
    clock: GraceClock,
    *,
    now: datetime,
    usage_limit_hours: int,
    payments_limit_hours: int | None,
) -> GraceClock:
    """The clock at `now`: seconds moved on, the flag raised or lowered with its reason."""
    until, stale = None, []
    if health.usage_through is None:
        stale.append(NOTHING_RATED)
    else:
        until = health.usage_through + timedelta(hours=usage_limit_hours)
        if until < now:
            stale.append(_old("usage", health.usage_through, usage_limit_hours))
    if payments_limit_hours is not None:
        if health.payments_through is None:
            stale.append("no payments have been imported yet")
        else:
            paid_until = health.payments_through + timedelta(hours=payments_limit_hours)
            until = min(until, paid_until) if until else paid_until
            if paid_until < now:
                stale.append(_old("payments", health.payments_through, payments_limit_hours))
    reasons = [f"check is red: {name}" for name in health.red_checks]
    reasons += [f"run {run} is held" for run in health.held_runs]
    reasons += stale
    unverified = "; ".join(reasons) or None
    raised_at = clock.unverified_since if clock.unverified else now
    return GraceClock(
        judged_at=now,
        verified_seconds=clock.seconds_at(now),
        verified_until=None if unverified else until,
        unverified=unverified,
        unverified_since=raised_at if unverified else None,
        usage_through=health.usage_through,
        payments_through=health.payments_through,
    )


def differs(old: GraceClock, new: GraceClock) -> bool:
    """Whether the new clock must be recorded; mere passing of time need not be."""
    return (
        old.judged_at is None
        or (new.judged_at is not None and new.judged_at < old.judged_at)
        or (old.verified_until, old.unverified) != (new.verified_until, new.unverified)
        or old.payments_through != new.payments_through
    )


def _old(what: str, through: datetime, hours: int) -> str:
    return f"{what} known only through {through:%Y-%m-%dT%H:%M}Z, older than {hours} h"
