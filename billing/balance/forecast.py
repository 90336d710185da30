"""When will the balance be zero: whole-number arithmetic over the burn of hour, day and week.

Problem: an hour's burn reacts at once but jumps with the time of day; a week's is calm but late.
So the forecast starts from the projected amount (open hours already taken off), takes the mean of
the day's and the week's burn as its middle (better than either alone: bench/forecast_backtest.py),
and gives a band: the fastest and the slowest of hour, day and week.
Example: 24.00 left, 1.00 an hour over the day, 2.00 in the last hour, 0.50 over the week:
zero in 32 hours, between 12 and 48.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from billing.balance.records import Figures

HOUR_SECONDS = 3600
HORIZON_SECONDS = 366 * 24 * HOUR_SECONDS
"""Farther than a year is no forecast: it is reported as never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """An amount spent over some hours; kept as two whole numbers so that nothing is rounded."""

    amount: int
    hours: int

    @property
    def per_hour(self) -> int:
        """The mean per hour, cut down: for people only, never compared with."""
        return self.amount // self.hours

    def seconds_to_spend(self, left: int) -> int | None:
        """Whole seconds until `left` is spent at this burn; None: not within the horizon.

        Nothing left and nothing burning is no end in sight: most accounts that never paid in.
        """
        if left < 0:
            return 0
        if self.amount <= 0:
            return None
        seconds = left * self.hours * HOUR_SECONDS // self.amount
        return seconds if seconds <= HORIZON_SECONDS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Projected time of zero with its band; None: not within a year at that burn."""

    zero_at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    burn_per_hour: int


def burns(figures: Figures) -> tuple[Burn, Burn, Burn]:
    """The burn of the last hour, day and week, over no more hours than the account has lived."""
    lived = max(1, figures.hours_known)
    return (
        Burn(amount=figures.payable_hour, hours=1),
        Burn(amount=figures.payable_24_hours, hours=min(24, lived)),
        Burn(amount=figures.payable_168_hours, hours=min(168, lived)),
    )


def blend(one: Burn, other: Burn) -> Burn:
    """The mean of two burns per hour, over a common denominator so that nothing is rounded."""
    return Burn(
        amount=one.amount * other.hours + other.amount * one.hours,
        hours=2 * one.hours * other.hours,
    )


def forecast(figures: Figures, *, start: datetime) -> Forecast:
    """When the projected amount reaches zero, counted from `start` (end of the known usage)."""
    hour, day, week = burns(figures)
    middle = blend(day, week)
    spans = [burn.seconds_to_spend(figures.projected) for burn in (hour, day, week)]
    known = [span for span in spans if span is not None]
    centre = middle.seconds_to_spend(figures.projected)
    return Forecast(
        zero_at=_after(start, centre),
        earliest=_after(start, min(known, default=None)),
        latest=_after(start, max(known) if len(known) == len(spans) else None),
        burn_per_hour=middle.per_hour,
    )


def _after(start: datetime, seconds: int | None) -> datetime | None:
    if seconds is None:
        return None
    return (start.astimezone(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
