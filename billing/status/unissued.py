"""Months that cost an account something and stand on no invoice, though others' do (CASES G8, G9):
who came to a month after it was issued, and nobody issued it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import duckdb

import sql
from billing.status.facts import UnissuedMonth

SETTLES = timedelta(days=3)
"""So long after its end a month may still be on its way, in whatever time zone."""


def unissued_months(
    connection: duckdb.DuckDBPyConnection, *, now: datetime
) -> tuple[UnissuedMonth, ...]:
    """All of them, by month and account."""
    result = connection.execute(
        sql.text("statements/status/status/unissued_months"),
        {"month_before": (now - SETTLES).astimezone(UTC).strftime("%Y-%m")},
    )
    return tuple(sql.rows(result, UnissuedMonth))


def unissued_lines(found: Sequence[UnissuedMonth], *, most: int = 3) -> list[str]:
    """What to tell a person of them, a line for each month; none: nothing."""
    said = []
    for month in dict.fromkeys(one.month for one in found):
        names = [one.account_id for one in found if one.month == month]
        more = f" and {len(names) - most:,} more" if len(names) > most else ""
        said.append(
            f"{month} stands on no invoice for {', '.join(names[:most])}{more}:"
            f" edgetoll billing invoice --month {month}"
        )
    return said
