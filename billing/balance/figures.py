"""Figures of all accounts at once: the adapter between the store's tables and the decision.

What the hours still open will cost belongs to them: live usage of owned domains, priced by rating
itself on top of the month so far, plans and quotas included. Nothing of it is posted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

import sql
from billing.balance.grace_clock import GraceClock, Health
from billing.balance.records import AccountState, Conditions, Figures, SuspensionTerms
from billing.balance.rows import DAILY_METHOD, CaseRow, ClockRow
from billing.balance.settings import BalanceSettings
from billing.checks import red
from billing.instants import aware_or_none, naive, naive_or_none
from metering.status import HeldFiles

Case = tuple[Figures, AccountState, SuspensionTerms]
APART_MAX = 1000
"""More accounts than this are not measured apart: all are."""
BEFORE_ALL = datetime(1970, 1, 1)  # noqa: DTZ001  (as the store keeps time: UTC without zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunHealth:
    """Row of `health`."""

    usage_through: datetime | None
    held_runs: list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenHours:
    """Row of `made_from`."""

    live_files: str
    known_through: datetime | None


def read_clock(connection: duckdb.DuckDBPyConnection) -> GraceClock:
    """The clock that grace is measured by, as last recorded."""
    result = connection.execute(sql.text("statements/balance/grace_clock/clock"))
    found = sql.row(result, ClockRow)
    return GraceClock() if found is None else found.clock()


def read_health(
    connection: duckdb.DuckDBPyConnection, home: Path, payments_through: datetime | None
) -> Health:
    """Red checks, held runs and how far usage and payments are known."""
    result = connection.execute(sql.text("statements/balance/grace_clock/health"))
    (found,) = sql.rows(result, _RunHealth)
    return Health(
        red_checks=red.read(home).names,
        held_runs=tuple(found.held_runs or ()),
        usage_through=aware_or_none(found.usage_through),
        payments_through=payments_through,
    )


def compute(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    *,
    now: datetime,
    usage_through: datetime | None,
    accounts: Collection[str] | None = None,
    moved: Mapping[str, int] | None = None,
) -> None:
    """Fill the session's table account_figures (of all accounts, or some) as of `usage_through`.

    `moved`: by how much the funds of each account are about to grow; only these are measured, if
    they are few.
    """
    moved = moved or {}
    only = list(moved) if len(moved) <= APART_MAX else None
    if not moved:
        only = None if accounts is None else list(accounts)
    through = naive_or_none(usage_through) or BEFORE_ALL
    connection.execute(sql.text("statements/balance/figures/make_working_tables"))
    add_open_value(connection, home, now=now, usage_through=usage_through, accounts=only)
    _add_days(connection, usage_through or now, through, only)
    if only is None:
        connection.execute(sql.text("statements/balance/figures/everybody"))
    else:
        connection.execute(sql.text("statements/balance/figures/chosen"), {"accounts": only})
        connection.execute(sql.text("statements/balance/figures/only_chosen"))
    connection.execute(
        sql.text("statements/balance/figures/measure"),
        {
            "through": through,
            "moved_accounts": " ".join(moved) or None,
            "moved": " ".join(map(str, moved.values())) or None,
        },
    )
    connection.execute(sql.text("statements/balance/figures/forecast"))


def _add_days(
    connection: duckdb.DuckDBPyConnection, at: datetime, through: datetime, only: list[str] | None
) -> None:
    """The most recent whole local day of the accounts that are settled by the day."""
    by_day = {"daily_method": DAILY_METHOD, "accounts": only}
    zones = connection.execute(sql.text("statements/balance/figures/daily_zones"), by_day)
    found = zones.fetchall()
    for (zone,) in found:
        start, end = last_whole_day(at, zone)
        connection.execute(
            sql.text("statements/balance/figures/add_day_bounds"),
            {"timezone": zone, "day_start": naive(start), "day_end": naive(end)},
        )
    if found:
        connection.execute(
            sql.text("statements/balance/figures/add_burn_day"),
            {**by_day, "not_before": through - timedelta(days=3)},
        )


def last_whole_day(at: datetime, zone: str) -> tuple[datetime, datetime]:
    """[start, end) of the last local day of `zone` that was over at `at`; 23 or 25 h at DST."""
    local = at.astimezone(ZoneInfo(zone))
    end = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    day_before = (end - timedelta(hours=12)).date()
    start = end.replace(year=day_before.year, month=day_before.month, day=day_before.day)
    return start, end


def with_open_hours(connection: duckdb.DuckDBPyConnection, conditions: Conditions) -> Conditions:
    """`conditions` with the end of the usage the figures hold, open hours included: forecasts begin
    there, since what was used up to then is in `projected` already.
    """
    found = _open_hours(connection)
    live = aware_or_none(found.known_through) if found else None
    known = [at for at in (conditions.usage_through, live) if at is not None]
    return replace(conditions, known_through=max(known, default=None))


def cases(
    connection: duckdb.DuckDBPyConnection,
    settings: BalanceSettings,
    *,
    everyone: bool = False,
) -> Iterator[Case]:
    """The measured accounts whose state may change (or everyone measured), with all that the
    decision needs.
    """
    result = connection.execute(
        sql.text("statements/balance/states/whom_to_judge"), {"everyone": everyone}
    )
    for row in sql.rows(result, CaseRow):
        yield row.figures(), row.state_before(), row.terms(settings)


def add_open_value(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    *,
    now: datetime,
    usage_through: datetime | None,
    accounts: list[str] | None,
) -> None:
    """Fill the session's tables open_value and open_names from HOME/live/ (DESIGN §3.6).

    Live usage of an hour that has not begun at `now` (an edge's clock runs fast) is left out.
    Within a session the same live files are priced once.
    """
    files = sorted((home / "live").glob("partition=*.parquet"))
    hour = now.replace(minute=0, second=0, microsecond=0)
    everyone = _fingerprint(files, (hour, usage_through, None))
    wanted = _fingerprint(files, (hour, usage_through, accounts))
    known = _open_hours(connection)
    if known is not None and known.live_files in (everyone, wanted):
        return
    connection.execute(sql.text("statements/balance/open_hours/forget"))
    with HeldFiles(home, "partition=") as held:
        owned = bool(held.places) and _add_live_usage(connection, held.places, accounts)
    if owned or (held.places and accounts is not None):
        from billing.prices import load_books
        from billing.rating.engine import project

        books = load_books(home / "prices")
        through = hour + timedelta(hours=1)
        project(connection, books=books, through=through, accounts=accounts)
        connection.execute(sql.text("statements/balance/open_hours/add_value"))
    connection.execute(
        sql.text("statements/balance/open_hours/note"),
        {"live_files": wanted, "now": naive(now)},
    )


def _open_hours(connection: duckdb.DuckDBPyConnection) -> _OpenHours | None:
    result = connection.execute(sql.text("statements/balance/open_hours/made_from"))
    return sql.row(result, _OpenHours)


def _add_live_usage(
    connection: duckdb.DuckDBPyConnection, places: Mapping[Path, str], accounts: list[str] | None
) -> bool:
    """Take the live rows of hours not imported yet in; False when none is of an owned domain."""
    paths = [str(place) for place in places]
    live = connection.read_parquet(paths, filename=True, union_by_name=True)
    connection.register("live_files", live)
    try:
        connection.execute(
            sql.text("statements/balance/open_hours/add_live_usage"),
            {"accounts": accounts, "places": paths, "names": list(places.values())},
        )
    finally:
        connection.unregister("live_files")
    connection.execute(sql.text("statements/balance/open_hours/sum_open_usage"))
    found = connection.execute(sql.text("statements/balance/open_hours/has_usage")).fetchall()
    return bool(found[0][0])


def _fingerprint(files: Iterable[Path], others: Iterable[object]) -> str:
    """What the open hours depend on within one session, as text."""
    seen = [f"{path.name}:{path.stat().st_mtime_ns}" for path in files]
    return "|".join([*seen, *(str(other) for other in others)])
