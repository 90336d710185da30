"""Measuring customers' own rules: between the store's tables and customer_alerts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

import sql
from billing.balance.budgets import BudgetRow, crossings
from billing.balance.customer_alerts import Kind, Measured, Raised, Rule, raise_alert, read_rules
from billing.balance.grace_clock import GraceClock
from billing.instants import aware, naive


@dataclass(frozen=True, slots=True, kw_only=True)
class _ZoneRow:
    """Row of `zones`."""

    timezone: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeasuredRow:
    """Row of the three measuring statements."""

    rule_id: str
    account_id: str
    kind: str
    subject: str
    domain: str | None
    measured: int
    limit: int
    release_hours: int
    currency: str
    unit: str

    def measured_rule(self) -> Measured:
        """The row as a noun."""
        return Measured(
            rule_id=self.rule_id,
            account_id=self.account_id,
            kind=Kind(self.kind),
            subject=self.subject,
            domain=self.domain,
            measured=self.measured,
            limit=self.limit,
            release_hours=self.release_hours,
            currency=self.currency,
            unit=self.unit,
        )


def raised_alerts(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    *,
    now: datetime,
    clock: GraceClock,
    known_through: datetime | None,
    margin_percent: int,
    accounts: Collection[str] | None = None,
) -> tuple[Raised, ...]:
    """The rules that are over their limit and have not been told for this period or plan, and the
    budgets that fell back. Reads the session's account_figures, of usage to `known_through`.
    """
    rules = [rule for rule in read_rules(home) if accounts is None or rule.account in set(accounts)]
    if not rules:
        return ()
    _bind_rules(connection, rules, at=now)
    found = sql.rows(
        connection.execute(sql.text("statements/balance/customer_alerts/measure_requests")),
        _MeasuredRow,
    )
    budgets: list[Measured] = []
    if clock.usage_through is not None:
        # A bill is of the day that was rated last, which just after midnight is not today.
        _bind_rules(connection, rules, at=clock.usage_through - timedelta(microseconds=1))
        bills = connection.execute(sql.text("statements/balance/customer_alerts/measure_bills"))
        found += sql.rows(bills, _MeasuredRow)
    if clock.usage_through is not None and accounts is None:  # no payment moves a budget
        _settle_months(connection, home)
        through = {"known_through": naive(known_through or clock.usage_through)}
        spent = connection.execute(
            sql.text("statements/balance/customer_alerts/measure_budgets"), through
        )
        percents = {rule.id: rule.percents for rule in rules}
        months = sql.rows(spent, BudgetRow)
        budgets = list(crossings(months, percents, margin_percent=margin_percent))
    plans = connection.execute(
        sql.text("statements/balance/customer_alerts/measure_plans"), {"now": naive(now)}
    )
    found += sql.rows(plans, _MeasuredRow)
    measured = [one for one in (row.measured_rule() for row in found) if one.over]
    return tuple(raise_alert(one, now=now) for one in (*measured, *budgets))


def _settle_months(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """What rating would still charge accounts with a budget if their month ended unused."""
    found = connection.execute(
        sql.text("statements/balance/customer_alerts/whose_month_settles")
    ).fetchall()
    if not found:
        connection.execute(sql.text("statements/balance/customer_alerts/nothing_settles"))
        return
    from billing.prices import load_books
    from billing.rating.engine import settle_ahead

    # A month of a zone as +5:45 ends within an hour, which is rated whole.
    end = max(month_end for _, month_end in found) + timedelta(minutes=59)
    settle_ahead(
        connection,
        books=load_books(home / "prices"),
        through=aware(end.replace(minute=0)),
        accounts=[account_id for account_id, _ in found],
    )


def _bind_rules(
    connection: duckdb.DuckDBPyConnection, rules: Collection[Rule], *, at: datetime
) -> None:
    connection.execute(sql.text("statements/balance/customer_alerts/make_tables"))
    for rule in rules:
        connection.execute(
            sql.text("statements/balance/customer_alerts/add_rule"),
            {
                "rule_id": rule.id,
                "account_id": rule.account,
                "kind": rule.kind.value,
                "domain": rule.domain,
                "quantity": rule.quantity,
                "period": rule.span,
                "release_hours": rule.release_hours,
            },
        )
    zones = connection.execute(sql.text("statements/balance/customer_alerts/zones"))
    for zone in sql.rows(zones, _ZoneRow):
        start, end = bounds(at, zone.timezone, zone.period)
        connection.execute(
            sql.text("statements/balance/customer_alerts/add_period_bounds"),
            {
                "timezone": zone.timezone,
                "period": zone.period,
                "period_start": naive(start),
                "period_end": naive(end),
                "local_month": f"{start:%Y-%m}",
            },
        )


def bounds(at: datetime, zone: str, period: str) -> tuple[datetime, datetime]:
    """[start, end) of the hour (UTC), local day or local month that holds `at`."""
    if period == "hour":
        start = at.replace(minute=0, second=0, microsecond=0)
        return start, start + timedelta(hours=1)
    local = at.astimezone(ZoneInfo(zone))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period == "day":
        after = (start + timedelta(hours=36)).date()
    else:
        start = start.replace(day=1)
        after = (start + timedelta(days=32)).date().replace(day=1)
    end = start.replace(year=after.year, month=after.month, day=after.day)
    return start, end
