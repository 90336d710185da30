"""What-if: prices stored usage again with another price book. Nothing is changed, nothing is
posted.

The month is rated by the very statements of a rating run (billing.rating.engine.price), as a
replay of everyone on another book, plans and quotas included; only the differences are not
written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

import sql
from billing.instants import aware
from billing.prices import tables
from billing.prices.records import PriceBook, PriceBooks
from billing.rating import calendar
from billing.rating.engine import Pass, last_mark, price
from billing.rating.records import HeldHour, Repriced, WhatIf
from billing.store.given import TEXT, Schema, register
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class _BookInUse:
    book: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amounts:
    account_id: str
    item: str
    term: str
    currency: str
    charged: int
    tried: int


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
    if mark is None or mark.through <= first - timedelta(hours=14):
        raise InputError(f"no hour of {month} has been rated", "run edgetoll billing rate first")
    replaced = _replaced(connection, tried, instead_of)
    tables.bind(connection, PriceBooks(books={**books.books, tried.book_id: tried}))
    schema: Schema = [("book", TEXT), ("tried", TEXT)]
    register(connection, "given_what_if", schema, [(book, tried.book_id) for book in replaced])
    connection.execute(sql.text("statements/rating/changes/usage_and_subjects"))
    connection.execute(sql.text("statements/rating/changes/origin"), {"origin": mark.origin})
    connection.execute(sql.text("statements/rating/what_if/tried_subjects"))
    connection.execute(sql.text("statements/rating/what_if/replay_everyone"), {"since": first})
    after = calendar.first_of(calendar.month_number(first.date()) + 1)
    end = datetime(after.year, after.month, after.day) + timedelta(hours=14)  # noqa: DTZ001
    one = Pass(
        connection=connection,
        through=min(end, mark.through),
        last_through=mark.through,
        origin=mark.origin,
    )
    price(one)
    return WhatIf(
        book=tried.book_id,
        instead_of=replaced,
        month=month,
        through=aware(one.through),
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
    statement = sql.text("statements/rating/what_if/books_in_use")
    rows = sql.rows(connection.execute(statement), _BookInUse)
    in_use = {one.book for one in rows}
    if instead_of is not None:
        found = {instead_of} & in_use
    elif tried.book_id in in_use:
        found = {tried.book_id}
    else:
        found = {one.book for one in rows if one.currency == tried.currency}
    if not found:
        raise InputError(
            f"no account has a price book that {tried.book_id} could replace",
            f"name one with --instead-of: {', '.join(sorted(in_use)) or 'there is none'}",
        )
    return tuple(sorted(found))


def _repriced(connection: duckdb.DuckDBPyConnection, month: str) -> tuple[Repriced, ...]:
    statement = sql.text("statements/rating/what_if/amounts")
    found: dict[tuple[str, str], dict[tuple[str, str], tuple[int, int]]] = {}
    for one in sql.rows(connection.execute(statement, {"month": month}), _Amounts):
        parts = found.setdefault((one.account_id, one.currency), {})
        parts[one.item, one.term] = (int(one.charged), int(one.tried))
    return tuple(
        Repriced(account_id=account_id, currency=currency, parts=parts)
        for (account_id, currency), parts in found.items()
    )


def _held(connection: duckdb.DuckDBPyConnection, month: str) -> tuple[HeldHour, ...]:
    statement = sql.text("statements/rating/what_if/held_in_month")
    found = sql.rows(connection.execute(statement, {"month": month}), HeldHour.stored)
    return tuple(found)
