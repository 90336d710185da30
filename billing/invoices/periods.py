"""Months and days in an account's time zone, as stretches of UTC, by Python's zone data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

from edge.errors import InputError

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPeriod:
    """A half-open stretch of aware UTC time, [start, end); `day` is the local day it is."""

    start: datetime
    end: datetime
    day: date | None = None


def check_month(text: str) -> str:
    """`text` itself if it is a month as YYYY-MM; else InputError."""
    if not _MONTH.fullmatch(text) or not "2000" <= text < "9999":
        raise InputError(f"«{text}» is not a month", "write it as YYYY-MM, for example 2026-10")
    return text


def month_span(month: str, timezone: str) -> LocalPeriod:
    """The month in `timezone`, from its first midnight to the next month's."""
    year, number = int(month[:4]), int(month[5:])
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    return LocalPeriod(start=_midnight(first, timezone), end=_midnight(following, timezone))


def last_day(month: str) -> date:
    """The last day of the month, by the calendar alone."""
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def month_days(month: str, timezone: str) -> list[LocalPeriod]:
    """The local days of the month; 23 or 25 hours where the clock changes (FAULTS E2, E3)."""
    span = month_span(month, timezone)
    day = date(int(month[:4]), int(month[5:]), 1)
    days = []
    start = span.start
    while start < span.end:
        day_after = day + timedelta(days=1)
        end = _midnight(day_after, timezone)
        days.append(LocalPeriod(start=start, end=end, day=day))
        day, start = day_after, end
    return days


def local_days(start: datetime, end: datetime, timezone: str) -> list[LocalPeriod]:
    """The local days that [start, end) touches, cut to it."""
    zone = ZoneInfo(timezone)
    day, found = start.astimezone(zone).date(), []
    while (begins := _midnight(day, timezone)) < end:
        following = _midnight(day + timedelta(days=1), timezone)
        period = LocalPeriod(start=max(begins, start), end=min(following, end), day=day)
        day += timedelta(days=1)
        found.append(period)
    return found


def zone_rules() -> str:
    """The edition of the time zone rules that cut out a period; it is kept with the document."""
    return str(import_module("tzdata").IANA_VERSION)


def _midnight(day: date, timezone: str) -> datetime:
    """The instant local `day` begins: its first 00:00, or the change that skips it."""
    zone = ZoneInfo(timezone)
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return local.astimezone(UTC)
