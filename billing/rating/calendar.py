"""Local months and days as UTC intervals, from zoneinfo: the only place where time zones are read.

Months, days, quotas and tiers roll at local midnight (DESIGN §3.7); a day of a DST change has 23
or 25 hours, and a zone such as +5:45 cuts a UTC hour at a 5-minute edge (FAULTS E2 to E4).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.store.given import COUNT, DAY, TEXT, TIME, Schema
from edge.errors import InputError

# The columns of month_rows and day_rows.
MONTH_SCHEMA: Schema = [
    ("timezone", TEXT), ("number", COUNT), ("month", TEXT),
    ("starts_at", TIME), ("ends_at", TIME), ("days", COUNT),
]  # fmt: skip
DAY_SCHEMA: Schema = [
    ("timezone", TEXT), ("day", DAY), ("number", COUNT),
    ("starts_at", TIME), ("ends_at", TIME),
]  # fmt: skip


def month_number(day: date) -> int:
    """Months since year 0, so that months can be compared and counted."""
    return day.year * 12 + day.month - 1


def first_of(number: int) -> date:
    """The first day of the month of that number."""
    return date(number // 12, number % 12 + 1, 1)


def month_name(number: int) -> str:
    """`YYYY-MM`."""
    return f"{first_of(number):%Y-%m}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the local day begins, in UTC; where 00:00 does not exist, the moment the clock jumps."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return local.astimezone(UTC).replace(tzinfo=None)


def month_rows(
    timezones: Iterable[str], since: datetime, until: datetime
) -> list[tuple[str, int, str, datetime, datetime, int]]:
    """(time zone, number, name, start, end, days) of every month that touches [since, until)."""
    rows = []
    first = month_number((since - timedelta(days=1)).date())
    last = month_number((until + timedelta(days=1)).date())
    for name in timezones:
        zone = zone_of(name)
        for number in range(first, last + 1):
            start, end = first_of(number), first_of(number + 1)
            rows.append((
                name, number, month_name(number), midnight(start, zone), midnight(end, zone),
                (end - start).days,
            ))  # fmt: skip
    return rows


def day_rows(
    timezones: Iterable[str], since: datetime, until: datetime
) -> list[tuple[str, date, int, datetime, datetime]]:
    """(time zone, day, month number, start, end) of every day of the months in the range."""
    rows = []
    first = first_of(month_number((since - timedelta(days=1)).date()))
    last = first_of(month_number((until + timedelta(days=1)).date()) + 1)
    for name in timezones:
        zone = zone_of(name)
        start = midnight(first, zone)
        for offset in range((last - first).days):
            day = first + timedelta(days=offset)
            end = midnight(day + timedelta(days=1), zone)
            rows.append((name, day, month_number(day), start, end))
            start = end
    return rows


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; InputError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"there is no time zone {name!r}", "use a name as Asia/Shanghai"
        ) from error
