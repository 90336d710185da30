"""Instants: how billing turns a time into what tables, documents and people hold, and back.

The tables hold UTC without a zone; Python reckons with aware times; text for programs ends in Z. A
time without a zone always comes from a table, so it is UTC: never the zone of this host.
"""

from __future__ import annotations

from datetime import UTC, datetime


def aware(moment: datetime) -> datetime:
    """A table's TIMESTAMP as an aware time; an aware one in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def aware_or_none(moment: datetime | None) -> datetime | None:
    """The same of a column that may be NULL."""
    return None if moment is None else aware(moment)


def naive(moment: datetime) -> datetime:
    """`moment` as the tables hold it: UTC without a zone."""
    return aware(moment).replace(tzinfo=None)


def naive_or_none(moment: datetime | None) -> datetime | None:
    """The same for a column that may be NULL."""
    return None if moment is None else naive(moment)


def instant_text(moment: datetime) -> str:
    """`moment` to the second as text that casts to TIMESTAMP: the journal's form, no zone."""
    return naive(moment).isoformat(timespec="seconds")


def exact_text(moment: datetime) -> str:
    """The same to the microsecond: casts to TIMESTAMP without loss."""
    return naive(moment).isoformat(timespec="microseconds")


def stamp(moment: datetime) -> str:
    """`moment` to the second for programs: `2026-10-31T05:00:00Z`."""
    return f"{instant_text(moment)}Z"


def minute_text(moment: datetime) -> str:
    """`moment` to the minute for people: `2026-10-31T05:00Z`."""
    return f"{aware(moment):%Y-%m-%dT%H:%MZ}"
