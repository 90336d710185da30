"""What an account agreed beside its usage: plans that are sold, promotional credit, commitments.

All of it is charges like those of usage, of an item of its own or, of credit, of the item that it
pays, below zero: what should stand so far, posted by subtraction, so that late usage, a moved name
or an agreement put right changes it like any other charge. Credit pays in the order of time, never
what its scope leaves out, never more than was charged, and gives back what is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

import duckdb

import sql
from billing.rating import calendar
from billing.store.given import COUNT, HUGE, TEXT, TIME, Schema, register

_CREDIT_ROWS: Schema = [
    ("account_key", COUNT), ("item", TEXT), ("region", TEXT), ("month", TEXT),
    ("period_start", TIME), ("period_end", TIME), ("agreement_id", TEXT), ("amount", HUGE),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    first_start: datetime | None
    timezones: list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A promotional credit of one account, with what is left of it; of several the first pays
    first. Empty `items` or `regions`: all.
    """

    account_key: int
    agreement_id: str
    items: str
    regions: str
    first_hour: datetime
    ends_at: datetime
    available: int

    def pays(self, cost: PayableHour) -> bool:
        """Whether the charge is in its scope and falls due in its time."""
        return (
            self.first_hour <= cost.hour < self.ends_at
            and self._has_item(cost.item)
            and self._has_region(cost.region)
        )

    def _has_item(self, item: str) -> bool:
        return item in self.items.split(",") if self.items else item != "plan"

    def _has_region(self, region: str) -> bool:
        named = self.regions.split(",") if self.regions else [region]
        return region in named or ("OverSeas" in named and region not in ("CN", "all"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableHour:
    """What an hour adds to a month's charge of an item in a region; it falls due in `hour`."""

    account_key: int
    month: str
    item: str
    region: str
    period_start: datetime
    period_end: datetime
    hour: datetime
    amount: int

    @property
    def of(self) -> tuple[str, str, str]:
        """What it accumulates with."""
        return self.month, self.item, self.region


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPaid:
    """What an account's month was charged for an item in a region, or what one credit paid of it
    (below zero).
    """

    account_key: int
    month: str
    item: str
    region: str
    agreement_id: str | None
    amount: int


@dataclass(slots=True)
class _Owed:
    """What is not paid by credit yet of a month, item and region, and what each credit paid."""

    amount: int = 0
    paid: dict[str, int] = field(default_factory=dict)


def settle(
    connection: duckdb.DuckDBPyConnection, *, through: datetime, last_through: datetime
) -> None:
    """Fill rating_agreed for the pass whose rating_should_cost stands; times are naive UTC."""
    _run(connection, "statements/rating/agreements/parties")
    result = connection.execute(sql.text("statements/rating/agreements/agreed_span"))
    (span,) = sql.rows(result, _Span)
    if span.first_start is None:
        return
    months = calendar.month_rows(sorted(span.timezones or ()), span.first_start, through)
    register(connection, "given_agreed_months", calendar.MONTH_SCHEMA, months)
    _run(connection, "statements/rating/agreements/months")
    until = {"through": through, "last_through": last_through}
    connection.execute(sql.text("statements/rating/agreements/plan_prices"), until)
    _credit(connection, last_through)
    connection.execute(sql.text("statements/rating/agreements/commitments"), until)
    found = connection.execute(sql.text("statements/rating/agreements/how_many_commitments"))
    if found.fetchall()[0][0]:
        _run(connection, "statements/rating/agreements/true_ups")


def _credit(connection: duckdb.DuckDBPyConnection, last_through: datetime) -> None:
    connection.execute(
        sql.text("statements/rating/agreements/creditors"), {"last_through": last_through}
    )
    result = connection.execute(sql.text("statements/rating/agreements/grants"))
    grants = sql.rows(result, Credit)
    if not grants:
        return
    result = connection.execute(sql.text("statements/rating/agreements/credited_months"))
    months = sql.rows(result, MonthPaid)
    result = connection.execute(sql.text("statements/rating/agreements/costs_to_credit"))
    costs = sql.rows(result, PayableHour)
    rows = list(paid_rows(grants, months, costs))
    register(connection, "given_credit_rows", _CREDIT_ROWS, rows)
    _run(connection, "statements/rating/agreements/credit_rows")


def paid_rows(
    grants: Iterable[Credit], months: Iterable[MonthPaid], costs: Iterable[PayableHour]
) -> Iterator[tuple[object, ...]]:
    """The rows of given_credit_rows: what each credit pays of each period. `costs` are in the order
    in which they are paid, credits in that in which they pay; both by account.
    """
    credits_of: dict[int, list[Credit]] = {}
    for credit in grants:
        credits_of.setdefault(credit.account_key, []).append(credit)
    months_of: dict[int, list[MonthPaid]] = {}
    for month in months:
        months_of.setdefault(month.account_key, []).append(month)
    for account_key, own in groupby(costs, key=attrgetter("account_key")):
        yield from _of_account(
            credits_of[account_key], _owed(months_of.get(account_key, ())), list(own)
        )


def _owed(months: Iterable[MonthPaid]) -> dict[tuple[str, str, str], _Owed]:
    found: dict[tuple[str, str, str], _Owed] = {}
    for one in months:
        owed = found.setdefault((one.month, one.item, one.region), _Owed())
        owed.amount += one.amount
        if one.agreement_id is not None:
            owed.paid[one.agreement_id] = -one.amount
    return found


def _of_account(
    grants: list[Credit], owed: dict[tuple[str, str, str], _Owed], costs: list[PayableHour]
) -> Iterator[tuple[object, ...]]:
    left = {credit.agreement_id: credit.available for credit in grants}
    for cost in costs:
        lane = owed.setdefault(cost.of, _Owed())
        lane.amount += cost.amount
        pays = cost.amount > 0
        for name, amount in list(
            _pay(cost, lane, grants, left) if pays else _give_back(lane, grants)
        ):
            lane.amount -= amount
            lane.paid[name] = lane.paid.get(name, 0) + amount
            left[name] -= amount
            yield (
                cost.account_key, cost.item, cost.region, cost.month, cost.period_start,
                cost.period_end, name, -amount,
            )  # fmt: skip


def _pay(
    cost: PayableHour, lane: _Owed, grants: list[Credit], left: dict[str, int]
) -> Iterator[tuple[str, int]]:
    """What each credit pays of a charge: no more than it costs, is owed, and is left."""
    rest = min(cost.amount, lane.amount)
    for credit in grants:
        amount = min(rest, left[credit.agreement_id])
        if amount > 0 and credit.pays(cost):
            rest -= amount
            yield credit.agreement_id, amount


def _give_back(lane: _Owed, grants: list[Credit]) -> Iterator[tuple[str, int]]:
    """What each credit gets back where more was paid than is charged, the last to pay first."""
    rest = -lane.amount
    for credit in reversed(grants):
        amount = min(rest, lane.paid.get(credit.agreement_id, 0))
        if amount > 0:
            rest -= amount
            yield credit.agreement_id, -amount


def _run(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(sql.text(name))
