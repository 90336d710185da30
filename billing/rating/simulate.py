"""What-if: prices stored usage again with another price book. Nothing is changed, nothing is
posted.

The month is rated by the very statements of a rating run (billing.rating.engine.price), as a
replay of everyone on another book, plans and quotas included; only the differences are not
written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

import sql
from billing.prices import tables
from billing.prices.records import PriceBook, PriceBooks
from billing.rating import calendar
from billing.rating.engine import HeldHour, Pass, last_mark, price
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """One account's month: what was charged and what the tried book would charge, in 10^-10
    units.
    """

    account_id: str
    currency: str
    charged: int
    tried: int
    items: Mapping[str, tuple[int, int]]

    @property
    def change(self) -> int:
        """What the account would pay more (less, if negative)."""
        return self.tried - self.charged


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All accounts of a simulation, and the hours for which the tried book has no price."""

    book: str
    instead_of: tuple[str, ...]
    month: str
    through: datetime
    accounts: tuple[Repriced, ...]
    held: tuple[HeldHour, ...]


def simulate(
    connection: duckdb.DuckDBPyConnection,
    *,
    books: PriceBooks,
    tried: PriceBook,
    month: str,
    instead_of: str | None = None,
) -> WhatIf:
    """Price `month` (YYYY-MM) of all accounts whose book `tried` would replace.

    These are the accounts of `instead_of`, else those of the book with the same id, else all
    accounts that pay in its currency. Raises InputError for a month without rated usage or a book
    nobody has.
    """
    first = _first_day(month)
    mark = last_mark(connection)
    if mark is None or mark[1] <= first - timedelta(hours=14):
        raise InputError(f"no hour of {month} has been rated", "run edgetoll billing rate first")
    replaced = _replaced(connection, tried, instead_of)
    tables.bind(connection, PriceBooks(books={**books.books, tried.book_id: tried}))
    schema = [("book", pa.string()), ("tried", pa.string())]
    tables.register(
        connection, "given_what_if", schema, [(book, tried.book_id) for book in replaced]
    )
    connection.execute(sql.text("statements/rating/usage_of_store"))
    connection.execute(sql.text("statements/rating/subjects_of_what_if"))
    after = calendar.first_of(calendar.month_number(first.date()) + 1)
    end = datetime(after.year, after.month, after.day) + timedelta(hours=14)  # noqa: DTZ001
    one = Pass(
        connection=connection,
        through=min(end, mark[1]),
        last_through=mark[1],
        last_import=mark[0],
        origin=mark[2],
    )
    one.run("changes_everyone", since=first)
    price(one)
    return WhatIf(
        book=tried.book_id,
        instead_of=replaced,
        month=month,
        through=one.through.replace(tzinfo=UTC),
        accounts=_repriced(connection, month),
        held=_held(connection, month),
    )


def _first_day(month: str) -> datetime:
    try:
        return datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 (UTC without a zone, as stored)
    except ValueError as error:
        raise InputError(f"{month!r} is not a month", "write it like 2026-10") from error


def _replaced(
    connection: duckdb.DuckDBPyConnection, tried: PriceBook, instead_of: str | None
) -> tuple[str, ...]:
    rows = connection.execute(sql.text("statements/rating/books_in_use")).fetchall()
    in_use = {book for book, _, _ in rows}
    if instead_of is not None:
        found = {instead_of} & in_use
    elif tried.book_id in in_use:
        found = {tried.book_id}
    else:
        found = {book for book, currency, _ in rows if currency == tried.currency}
    if not found:
        raise InputError(
            f"no account has a price book that {tried.book_id} could replace",
            f"name one with --instead-of: {', '.join(sorted(in_use)) or 'there is none'}",
        )
    return tuple(sorted(found))


def _repriced(connection: duckdb.DuckDBPyConnection, month: str) -> tuple[Repriced, ...]:
    rows = connection.execute(sql.text("statements/rating/what_if"), {"month": month}).fetchall()
    found: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for account_id, item, currency, charged, tried in rows:
        found.setdefault((account_id, currency), {})[item] = (int(charged), int(tried))
    return tuple(
        Repriced(
            account_id=account_id,
            currency=currency,
            charged=sum(charged for charged, _ in items.values()),
            tried=sum(tried for _, tried in items.values()),
            items=items,
        )
        for (account_id, currency), items in found.items()
    )


def _held(connection: duckdb.DuckDBPyConnection, month: str) -> tuple[HeldHour, ...]:
    statement = sql.text("statements/rating/what_if_held")
    rows: list[Any] = connection.execute(statement, {"month": month}).fetchall()
    return tuple(
        HeldHour(account_id=who, hour=hour.replace(tzinfo=UTC), problem=problem, hint=hint)
        for who, hour, problem, hint in rows
    )
