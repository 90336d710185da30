"""Keeps what is rated under the price it was rated at: no edit of a book may move past usage.

A region label that means another billing region, or a first card for a region or an item, sends
usage to other cards although no card was edited (DOMAIN §10.13). Hours added as they close would
keep the old price, a replay would take the new one; so such an edit is refused (FAULTS F7).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import duckdb

import sql
from billing.instants import aware
from billing.prices.records import PriceBooks
from billing.prices.units import BASIC_ITEMS, EVERYWHERE, HOME_REGION, OVERSEAS
from edge.errors import ConflictError

# (book, item) -> the scopes that have a card of everybody's.
Scopes = dict[tuple[str, str], set[str]]


class _KnownLabel(NamedTuple):
    book: str
    label: str
    region: str


class _KnownScope(NamedTuple):
    book: str
    item: str
    scope: str


class _RatedLabel(NamedTuple):
    book: str
    label: str
    item: str


def refuse_moved_usage(
    connection: duckdb.DuckDBPyConnection,
    books: PriceBooks,
    *,
    origin: datetime,
    last_through: datetime,
) -> None:
    """ConflictError naming book and label when rated usage would now go to other cards."""
    known_labels = connection.execute(sql.text("statements/rating/price_books/known_labels"))
    labels = {(k.book, k.label): k.region for k in sql.rows(known_labels, _KnownLabel)}
    scopes: Scopes = {}
    known_scopes = connection.execute(sql.text("statements/rating/price_books/known_scopes"))
    for known in sql.rows(known_scopes, _KnownScope):
        scopes.setdefault((known.book, known.item), set()).add(known.scope)
    books_before = {book for book, _ in scopes}
    labels_now = {(b.book_id, label): region for b in books for label, region in b.regions.items()}
    scopes_now = _scopes(books)
    if all(labels_now.get(key) == region for key, region in labels.items()) and _same(
        scopes, scopes_now, labels, labels_now, books_before
    ):
        return
    corrected = _corrected_from_the_start(books, origin)
    used = connection.execute(
        sql.text("statements/rating/price_books/rated_labels"), {"last_through": last_through}
    )
    for book, label, item in sql.rows(used, _RatedLabel):
        if book not in books_before:
            continue
        before, now = labels.get((book, label)), labels_now.get((book, label))
        if before != now and item in BASIC_ITEMS and (book, item) in scopes:
            raise ConflictError(
                f"price book {book} has rated {item} of label {label} in region {before or 'none'},"
                f" and [regions] now has it in {now or 'none'}",
                "put it back; to price it otherwise from now on, let edges send another label",
            )
        old = _scope(scopes.get((book, item), set()), item, before)
        new = _scope(scopes_now.get((book, item), set()), item, now)
        if old != new and (book, item, new) not in corrected:
            raise ConflictError(
                f"price book {book} now prices {item} of label {label} by its cards for"
                f" {new or 'no region'}, and hours are rated by {old or 'no card'} already",
                f"begin the first card for {new or 'it'} no later than {origin:%Y-%m-%dT%H:%MZ}"
                ' and say why: corrects = "…"; price = "0" where it was not sold',
            )


def _same(
    scopes: Scopes,
    scopes_now: Scopes,
    labels: dict[tuple[str, str], str],
    labels_now: dict[tuple[str, str], str],
    books: set[str],
) -> bool:
    """True when the known books have the labels and scopes they had."""
    ours = {key: value for key, value in scopes_now.items() if key[0] in books}
    return ours == scopes and {key for key in labels_now if key[0] in books} == labels.keys()


def _scopes(books: PriceBooks) -> Scopes:
    found: Scopes = {}
    for card in books.cards():
        if card.account_id is None:
            found.setdefault((card.book, card.item), set()).add(card.scope)
    return found


def _corrected_from_the_start(books: PriceBooks, origin: datetime) -> set[tuple[str, str, str]]:
    """(book, item, scope) with a correction that reaches back to the first hour ever rated."""
    start = aware(origin)
    return {
        (card.book, card.item, card.scope)
        for card in books.cards()
        if card.account_id is None and card.corrects and card.effective_from <= start
    }


def _scope(scopes: set[str], item: str, region: str | None) -> str | None:
    """The narrowest scope that has any card (DOMAIN §10.13), as rating/routes.sql takes it."""
    if item == "percentile95_bandwidth" and region not in (None, HOME_REGION):
        region = OVERSEAS
    if region is not None and region in scopes:
        return region
    if region not in (None, HOME_REGION) and OVERSEAS in scopes:
        return OVERSEAS
    return EVERYWHERE if EVERYWHERE in scopes else None
