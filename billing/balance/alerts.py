"""Measuring customers' own rules: between the store's tables and billing/balance/rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sql
from billing.balance.customer_alerts import Kind, Measured, Raised, Rule, raise_alert, read_rules
from billing.balance.figures import run
from billing.balance.grace_clock import Clock
from billing.balance.rows import naive

LEFT_OF_PLANS = "statements/rating/quotas_and_plans/plans_left"


def raised_alerts(
    connection: Any, home: Path, *, now: datetime, clock: Clock
) -> tuple[Raised, ...]:
    """The rules that are over their limit and have not been told for this period or plan."""
    rules = read_rules(home)
    if not rules:
        return ()
    _bind_rules(connection, rules, at=now)
    found = _measure(connection, "measure_requests")
    if clock.usage_through is not None:
        # A bill is of the day that was rated last, which just after midnight is not today.
        _bind_rules(connection, rules, at=clock.usage_through - timedelta(microseconds=1))
        found += _measure(connection, "measure_bills")
    if any(rule.kind is Kind.PLAN_LOW for rule in rules):
        connection.register("plans_left", connection.sql(sql.text(LEFT_OF_PLANS)).to_arrow_table())
        found += _measure(connection, "measure_plans", now=naive(now))
        connection.unregister("plans_left")
    return tuple(raise_alert(one, now=now) for one in found if one.over)


def _bind_rules(connection: Any, rules: tuple[Rule, ...], *, at: datetime) -> None:
    run(connection, "empty_rules")
    for rule in rules:
        run(
            connection,
            "add_rule",
            rule_id=rule.id,
            account_id=rule.account,
            kind=rule.kind.value,
            domain=rule.domain,
            quantity=rule.quantity,
            period=rule.period,
            release_hours=rule.release_hours,
        )
    zones = connection.execute(sql.text("statements/balance/rule_timezones")).fetchall()
    for zone, period in zones:
        start, end = bounds(at, zone, period)
        run(
            connection,
            "add_period_bounds",
            timezone=zone,
            period=period,
            period_start=naive(start),
            period_end=naive(end),
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


def _measure(connection: Any, name: str, **parameters: Any) -> list[Measured]:
    rows = connection.execute(sql.text(f"statements/balance/{name}"), parameters or None).fetchall()
    return [
        Measured(
            rule_id=row[0],
            account_id=row[1],
            kind=Kind(row[2]),
            subject=row[3],
            domain=row[4],
            measured=int(row[5]),
            limit=int(row[6]),
            release_hours=row[7],
            currency=row[8],
            unit=row[9] if len(row) > 9 else "",
        )
        for row in rows
    ]
