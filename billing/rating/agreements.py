"""What an account agreed beside its usage: plans that are sold, promotional credit, commitments.

All of it is charges like those of usage, of an item of its own or, of credit, of the item that it
pays, below zero: what should stand so far, posted by subtraction, so that late usage, a moved name
or an agreement put right changes it like any other charge. Credit pays in the order of time, never
what its scope leaves out, never more than was charged, and gives back what is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

import sql
from billing.rating import calendar
from billing.store.given import register


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    first_start: datetime | None
    timezones: list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _CreditWork:
    turns: int | None
    segments: int | None


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
    _run(connection, "statements/rating/agreements/plan_prices", until)
    pay_by_credit(connection, last_through=last_through)
    _run(connection, "statements/rating/agreements/commitments", until)
    found = connection.execute(sql.text("statements/rating/agreements/how_many_commitments"))
    if found.fetchall()[0][0]:
        _run(connection, "statements/rating/agreements/true_ups")


def pay_by_credit(connection: duckdb.DuckDBPyConnection, *, last_through: datetime) -> None:
    """Add to rating_agreed what credits pay of rating_should_cost, and what they get back."""
    _run(connection, "statements/rating/credits/credits", {"last_through": last_through})
    _run(connection, "statements/rating/credits/scopes")
    _run(connection, "statements/rating/credits/credited_costs")
    (work,) = sql.rows(connection.execute(sql.text("statements/rating/credits/work")), _CreditWork)
    if work.turns is None or work.segments is None:
        return
    _run(connection, "statements/rating/credits/nothing_moved")
    for segment in range(work.segments + 1):
        if segment:
            _run(connection, "statements/rating/credits/give_back", {"segment": segment})
        _run(connection, "statements/rating/credits/payable", {"segment": segment})
        for turn in range(1, work.turns + 1):
            _run(connection, "statements/rating/credits/pay", {"turn": turn})
    _run(connection, "statements/rating/credits/rows")


def _run(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    parameters: Mapping[str, object] | None = None,
) -> None:
    connection.execute(sql.text(name), parameters)
