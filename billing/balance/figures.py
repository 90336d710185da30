"""Figures of all accounts at once: the adapter between the store's tables and the decision."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sql
from billing.balance.grace_clock import Clock, Health
from billing.balance.open_hours import add_open_value
from billing.balance.records import Figures, Moment, Policy, Standing
from billing.balance.rows import DAILY_METHOD, aware, case_of, clock_of, naive
from billing.balance.settings import BalanceSettings
from billing.checks import red

Case = tuple[Figures, Standing, Policy]
BEFORE_ALL = datetime(1970, 1, 1)  # noqa: DTZ001  (as the store keeps time: UTC without zone)


def read_clock(connection: Any) -> Clock:
    """The clock that grace is measured by, as last recorded."""
    return clock_of(connection.execute(sql.text("statements/balance/clock")).fetchone())


def read_health(connection: Any, home: Path, payments_through: datetime | None) -> Health:
    """Red checks, held runs and how far usage and payments are known."""
    through, held = connection.execute(sql.text("statements/balance/health")).fetchone()
    return Health(
        red_checks=red.read(home).names,
        held_runs=tuple(held or ()),
        usage_through=aware(through),
        payments_through=payments_through,
    )


def compute(
    connection: Any,
    home: Path,
    *,
    now: datetime,
    usage_through: datetime | None,
    accounts: Collection[str] | None = None,
) -> None:
    """Fill the session's table account_figures (of all accounts, or some) as of `usage_through`."""
    only = None if accounts is None else list(accounts)
    through = naive(usage_through) or BEFORE_ALL
    run(connection, "empty_figures")
    run(connection, "add_burn", through=through, accounts=only)
    add_open_value(connection, home, now=now, usage_through=usage_through)
    zones = connection.execute(
        sql.text("statements/balance/timezones"), {"daily_method": DAILY_METHOD}
    ).fetchall()
    for (zone,) in zones:
        start, end = last_whole_day(usage_through or now, zone)
        run(connection, "add_day_bounds", timezone=zone, day_start=naive(start), day_end=naive(end))
    if zones:
        not_before = through - timedelta(days=3)
        run(connection, "add_burn_day", daily_method=DAILY_METHOD, not_before=not_before)
    run(connection, "add_figures", through=through, accounts=only)


def known_through(connection: Any, moment: Moment) -> Moment:
    """`moment` with the end of the usage the figures hold, open hours included: forecasts begin
    there, since what was used up to then is in `projected` already.
    """
    row = connection.execute(sql.text("statements/balance/known_through")).fetchone()
    live = aware(row[0]) if row else None
    known = [at for at in (moment.usage_through, live) if at is not None]
    return replace(moment, known_through=max(known, default=None))


def cases(
    connection: Any,
    settings: BalanceSettings,
    moment: Moment,
    *,
    everyone: bool = False,
    accounts: Collection[str] | None = None,
) -> Iterator[Case]:
    """The accounts whose state would change (or everyone, or those named), with all the decision
    needs.
    """
    answer = connection.execute(
        sql.text("statements/balance/candidates"),
        {
            "margin": settings.hysteresis_percent,
            "unverified": moment.unverified is not None,
            "now": naive(moment.now),
            "release_seconds": settings.release_days * 86_400,
            "verified_seconds": moment.verified_seconds,
            "daily_method": DAILY_METHOD,
            "everyone": everyone,
            "accounts": None if accounts is None else list(accounts),
        },
    )
    names = [column[0] for column in answer.description]
    rows = answer.fetchall()
    for row in rows:
        yield case_of(dict(zip(names, row, strict=True)), settings)


def last_whole_day(at: datetime, zone: str) -> tuple[datetime, datetime]:
    """[start, end) of the last local day of `zone` that was over at `at`; 23 or 25 h at DST."""
    local = at.astimezone(ZoneInfo(zone))
    end = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    day_before = (end - timedelta(hours=12)).date()
    start = end.replace(year=day_before.year, month=day_before.month, day=day_before.day)
    return start, end


def run(connection: Any, name: str, **parameters: Any) -> None:
    """Run statement `name` of this package."""
    connection.execute(sql.text(f"statements/balance/{name}"), parameters or None)
