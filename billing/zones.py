"""Time zones by one set of rules: those of the pinned package tzdata, in Python and in SQL alike.

Python takes the system's rules before the package's, DuckDB has a third set of its own; they differ
where a government decided late, and a month's first hour then falls on two bills. So the system's
are left out, and the lake gets the package's as a table of offsets that the views read.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]

RULES = str(tzdata.IANA_VERSION)
"""Which rules, as their publisher names them: 2025b."""
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Usage from before is refused by metering."""
YEARS_AHEAD = 3
# No zone has changed twice within a week since FIRST; a test holds every zone to it.
_STEP = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOffset:
    """A stretch of time in which a zone's clocks differ from UTC by one offset; half open."""

    zone: str
    from_utc: datetime
    until_utc: datetime
    offset_seconds: int


def pin() -> None:
    """Let every ZoneInfo of this process follow the package tzdata, never the system's files."""
    zoneinfo.reset_tzpath(to=())
    ZoneInfo.clear_cache()


def offsets(zones: Iterable[str], now: datetime) -> Iterator[ZoneOffset]:
    """The stretches of each zone from 2000 to some years after `now`."""
    last = datetime(now.year + YEARS_AHEAD, 1, 1, tzinfo=UTC)
    for name in sorted(set(zones)):
        zone = ZoneInfo(name)
        begin, offset, at = FIRST, _offset(FIRST, zone), FIRST
        while at < last:
            after = min(at + _STEP, last)
            if _offset(after, zone) != offset:
                change = _change(at, after, zone)
                yield _stretch(name, begin, change, offset)
                begin, offset = change, _offset(change, zone)
            at = after
        yield _stretch(name, begin, last, offset)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second in (before, after] with another offset than `before` has."""
    offset = _offset(before, zone)
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(before + timedelta(seconds=middle), zone) == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _stretch(name: str, begin: datetime, end: datetime, offset: timedelta | None) -> ZoneOffset:
    seconds = 0 if offset is None else offset.days * 86_400 + offset.seconds
    return ZoneOffset(
        zone=name,
        from_utc=begin.replace(tzinfo=None),
        until_utc=end.replace(tzinfo=None),
        offset_seconds=seconds,
    )
