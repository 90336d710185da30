"""What moved on an account and what it has, for people who pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

import duckdb

import sql
from billing.instants import naive
from billing.invoices.periods import check_month, local_days, month_span
from billing.money import format_amount
from billing.reports.records import AccountHead, MoveRow
from edge.errors import InputError

DAYS = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line of a statement: charges of a day and item together, everything else on its own; the
    day is the account's.
    """

    day: date
    what: str
    reference: str
    amount: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The moves of an account in [start, end) between two balances, in 10^-10 units."""

    account_id: str
    name: str
    currency: str
    timezone: str
    language: str
    """What the account says of it; blank: nothing."""
    seller_id: str
    country: str
    start: datetime
    end: datetime
    opening: int
    moves: tuple[Move, ...]

    @property
    def closing(self) -> int:
        """What the account has at the end: positive is the customer's money."""
        return self.moves[-1].balance if self.moves else self.opening


def read(
    connection: duckdb.DuckDBPyConnection, account_id: str, *, month: str | None, at: datetime
) -> Statement:
    """The statement of one account; InputError for an unknown account or a month that is none."""
    head = sql.row(
        connection.execute(
            sql.text("statements/invoices/statement/account_head"), {"account_id": account_id}
        ),
        AccountHead,
    )
    if head is None:
        raise InputError(f"there is no account {account_id!r}", "see edgetoll billing accounts")
    start, end = at - DAYS, at
    if month is not None:
        span = month_span(check_month(month), head.timezone)
        start, end = span.start, span.end
    scope = {
        "account_id": account_id,
        "currency": head.currency,
        "start_at": naive(start),
    }
    ((opening,),) = connection.execute(
        sql.text("statements/invoices/statement/opening_balance"), scope
    ).fetchall()
    days = local_days(start, end, head.timezone)
    rows = sql.rows(
        connection.execute(
            sql.text("statements/invoices/statement/statement_moves"),
            {
                "account_id": account_id,
                "currency": head.currency,
                "days": [one.day for one in days],
                "starts": [naive(one.start) for one in days],
                "ends": [naive(one.end) for one in days],
            },
        ),
        MoveRow,
    )
    return Statement(
        account_id=account_id,
        name=head.name,
        currency=head.currency,
        timezone=head.timezone,
        language=head.language,
        seller_id=head.seller_id,
        country=head.country,
        start=start,
        end=end,
        opening=int(opening),
        moves=_with_balances(rows, int(opening)),
    )


def account_ids(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Every account, by id."""
    found = connection.execute(sql.text("statements/invoices/statement/account_ids")).fetchall()
    return tuple(name for (name,) in found)


def _with_balances(rows: Sequence[MoveRow], opening: int) -> tuple[Move, ...]:
    """The rows with the balance after each."""
    after = accumulate((row.amount for row in rows), initial=opening)
    next(after)
    return tuple(
        Move(
            day=row.day,
            what=row.what,
            reference=row.reference,
            amount=row.amount,
            balance=balance,
        )
        for row, balance in zip(rows, after, strict=True)
    )


def to_document(found: Statement) -> dict[str, object]:
    """The statement for `--json`; money as decimal strings, what the customer pays out negative."""
    return {
        "account_id": found.account_id,
        "name": found.name,
        "currency": found.currency,
        "timezone": found.timezone,
        "from": found.start,
        "to": found.end,
        "opening_balance": format_amount(found.opening, found.currency),
        "moves": [
            {
                "day": move.day,
                "what": move.what,
                "reference": move.reference,
                "amount": format_amount(move.amount, found.currency),
                "balance": format_amount(move.balance, found.currency),
            }
            for move in found.moves
        ],
        "closing_balance": format_amount(found.closing, found.currency),
    }
