"""When the balance will be zero: the times of a forecast, from the seconds that the figures hold.

Problem: an hour's burn reacts at once but jumps with the time of day; a week's is calm but late.
So the forecast starts from the projected amount (open hours already taken off), takes the mean of
the day's and the week's burn as its middle, and gives a band: the fastest and the slowest of hour,
day and week. The arithmetic stands once, in sql/statements/balance/figures.sql, since the lake has
a forecast of every account in every hour.
Example: 24.00 left, 1.00 an hour over the day, 2.00 in the last hour, 0.50 over the week:
zero in 32 hours, between 12 and 48.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from billing.balance.records import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Projected time of zero with its band; None: not within a year at that burn."""

    zero_at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    burn_per_hour: int


def forecast(figures: Figures, *, start: datetime) -> Forecast:
    """When the projected amount reaches zero, counted from `start` (end of the known usage)."""
    return Forecast(
        zero_at=_after(start, figures.zero_in),
        earliest=_after(start, figures.zero_in_earliest),
        latest=_after(start, figures.zero_in_latest),
        burn_per_hour=figures.burn_per_hour,
    )


def burns_per_hour(figures: Figures) -> dict[str, int]:
    """The burn of the last hour, day and week, over no more hours than the account has lived; cut
    down: for people only, never compared with.
    """
    lived = max(1, figures.hours_known)
    return {
        "last_hour": figures.payable_hour,
        "last_day": figures.payable_24_hours // min(24, lived),
        "last_week": figures.payable_168_hours // min(168, lived),
    }


def _after(start: datetime, seconds: int | None) -> datetime | None:
    if seconds is None:
        return None
    return (start.astimezone(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
