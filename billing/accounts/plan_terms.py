"""When a plan that is sold begins and ends: validity from the purchase, and its next periods.

A plan bought within an hour is valid from that hour's beginning, of an account that is settled by
the day from its local midnight; it lasts whole months or days of the account's time zone, to the
same time of day (DOMAIN §6 #18). Where a month has no such day, the last it has.
Example: a month from 31 January ends on 28 February, the second one on 31 March.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_LASTS = re.compile(r"([1-9]\d{0,2}) (day|month|year)s?", re.ASCII)


def check_lasts(text: str) -> str:
    """How long a plan lasts, in the one form it is stored in; ValueError for anything else."""
    found = _LASTS.fullmatch(text)
    if found is None:
        raise ValueError(f'{text!r} is no time that a plan lasts: write "30 days" or "12 months"')
    count, unit = int(found[1]), found[2]
    return f"{12 * count} months" if unit == "year" else f"{count} {unit}s"


def begins(bought: datetime, zone: str, *, daily: bool) -> datetime:
    """From when a plan bought at that moment is valid; times are naive UTC."""
    if not daily:
        return bought.replace(minute=0, second=0, microsecond=0)
    local = bought.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return _utc(local.replace(hour=0, minute=0, second=0, microsecond=0))


def after(start: datetime, lasts: str, zone: str, *, times: int = 1) -> datetime:
    """When a plan that began at `start` has lasted so many times its time; naive UTC."""
    count, unit = lasts.split()
    local = start.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    if unit == "days":
        return _utc(local + timedelta(days=int(count) * times))
    months = local.year * 12 + local.month - 1 + int(count) * times
    first = local.replace(year=months // 12, month=months % 12 + 1, day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return _utc(first.replace(day=min(local.day, last.day)))


def _utc(local: datetime) -> datetime:
    return local.astimezone(UTC).replace(tzinfo=None)
