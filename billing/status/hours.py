"""Hours that closed without an edge: they are charged for what they hold (CASES M6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb

import sql
from billing.instants import aware, instant_text
from billing.status.facts import IncompleteHour
from edge.terminal import many

LOOK_BACK = timedelta(days=40)
"""Older ones are of months that were issued long ago."""


def incomplete_hours(
    connection: duckdb.DuckDBPyConnection, *, now: datetime
) -> tuple[IncompleteHour, ...]:
    """Those lately imported, by hour."""
    return incomplete_between(connection, now - LOOK_BACK, now + timedelta(days=2))


def incomplete_between(
    connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime
) -> tuple[IncompleteHour, ...]:
    """Those from `since` until `until`, by hour."""
    result = connection.execute(
        sql.text("statements/status/status/incomplete_hours"),
        {"since": instant_text(since), "until": instant_text(until)},
    )
    return tuple(sql.rows(result, IncompleteHour))


def incomplete_lines(found: Sequence[IncompleteHour], *, most: int = 5) -> list[str]:
    """What to tell a person of them; none: nothing."""
    if not found:
        return []
    count = f"{many(len(found), 'hour')} {'is' if len(found) == 1 else 'are'}"
    said = [f"{count} incomplete: charged for what is there, what comes later is a revision."]
    said += [f"  {aware(one.hour):%Y-%m-%dT%H:%MZ} without {one.missing}" for one in found[:most]]
    if len(found) > most:
        said.append(f"  … and {len(found) - most:,} more")
    return said
