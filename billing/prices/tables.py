"""Writes price books into DuckDB: temporary tables for the engine, lasting ones for people.

HUGEINT values travel as decimal128(38, 0), the only Arrow type that holds them exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

import sql
from billing.instants import naive
from billing.prices.compiled import card_periods, compile_books
from billing.prices.records import PriceBooks
from billing.prices.units import ITEMS

Schema = Sequence[tuple[str, pa.DataType]]
Rows = Sequence[tuple[object, ...]]

_HUGE = pa.decimal128(38, 0)
_TIME = pa.timestamp("us")
_BOOKS: Schema = [("book", pa.string()), ("currency", pa.string()), ("timezone", pa.string())]
_REGIONS: Schema = [("book", pa.string()), ("label", pa.string()), ("region", pa.string())]
_ITEMS: Schema = [("item_no", pa.int32()), ("item", pa.string())]
_TALLIES: Schema = [
    ("tally", pa.int32()), ("book", pa.string()), ("item_no", pa.int32()), ("item", pa.string()),
    ("scope", pa.string()), ("denominator", _HUGE), ("factor", pa.int32()),
    ("has_terms", pa.bool_()), ("has_free", pa.bool_()), ("by_period", pa.bool_()),
    ("buckets", pa.int64()),
]  # fmt: skip
_TERMS: Schema = [
    ("card", pa.int32()), ("card_id", pa.string()), ("account_id", pa.string()),
    ("tally", pa.int32()), ("currency", pa.string()), ("period", pa.string()),
    ("flat_fee", _HUGE), ("minimum", _HUGE), ("maximum", _HUGE), ("free_quantity", _HUGE),
    ("at_zero", _HUGE), ("has_terms", pa.bool_()), ("prorated", pa.bool_()),
]  # fmt: skip
_CURVE: Schema = [
    ("card", pa.int32()), ("lower", _HUGE), ("upper", _HUGE), ("base", _HUGE),
    ("origin", _HUGE), ("step", _HUGE), ("price", _HUGE),
]  # fmt: skip
_FORCE: Schema = [
    ("account_id", pa.string()), ("tally", pa.int32()), ("card", pa.int32()),
    ("force_from", _TIME), ("force_until", _TIME),
]  # fmt: skip
_LARGEST_HOURS: Schema = [("account_id", pa.string()), ("tally", pa.int32()), ("hour_most", _HUGE)]


def bind(connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> None:
    """Make the temporary tables price_books … price_scopes of `books`."""
    compiled = compile_books(books)
    given: dict[str, tuple[Schema, Rows]] = {
        "given_books": (_BOOKS, compiled.books),
        "given_regions": (_REGIONS, compiled.regions),
        "given_items": (_ITEMS, list(enumerate(ITEMS, start=1))),
        "given_tallies": (_TALLIES, compiled.tallies),
        "given_terms": (_TERMS, compiled.terms),
        "given_curve": (_CURVE, compiled.curve),
        "given_force": (_FORCE, compiled.force),
        "given_largest_hours": (_LARGEST_HOURS, compiled.largest_hours),
    }
    for name, (schema, rows) in given.items():
        register(connection, name, schema, rows)
    connection.execute(sql.text("statements/rating/price_books/price_tables"))
    for name in given:
        connection.unregister(name)


def register(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    schema: Schema,
    rows: Rows,
) -> None:
    """Make `rows` visible to SQL as the view `name`; aware times become UTC without a zone."""
    columns = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [
        pa.array([_plain(value) for value in column], type=kind)
        for column, (_, kind) in zip(columns, schema, strict=True)
    ]
    connection.register(name, pa.table(arrays, names=[column for column, _ in schema]))


def offer(connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> dict[str, str]:
    """Make what the journal records of `books` visible to SQL; returns effect -> table.

    Call it once the run's charges are known: a card that one of them names is used.
    """
    versions, cards, tiers = [], [], []
    for card in books.cards():
        versions.append((
            card.card_id, card.book, card.fingerprint(), card.effective_from, card.effective_until,
        ))  # fmt: skip
        cards.append((
            card.card_id, card.book, card.account_id, card.item, card.scope, card.model,
            card.currency, card.unit, card.per, card.unit_quantity, card.period,
            card.effective_from, card.effective_until, card.flat_fee, card.minimum, card.maximum,
            card.free_quantity, card.discount,
        ))  # fmt: skip
        lower = 0
        for number, tier in enumerate(card.tiers, start=1):
            tiers.append((
                card.card_id, number, lower, tier.up_to, tier.price, tier.flat_fee, tier.at_zero,
            ))  # fmt: skip
            lower = tier.up_to or 0
    labels = [(book.book_id, *pair) for book in books for pair in book.regions.items()]
    periods = card_periods(books.cards())
    register(connection, "given_versions", _VERSION_SCHEMA, versions)
    connection.execute(sql.text("statements/rating/outcome/price_versions"))
    connection.unregister("given_versions")
    register(connection, "rating_out_price_cards", _CARD_SCHEMA, cards)
    register(connection, "rating_out_price_labels", _REGIONS, labels)
    register(connection, "rating_out_price_tiers", _TIER_SCHEMA, tiers)
    register(connection, "rating_out_price_periods", _PERIOD_SCHEMA, periods)
    return {
        "price_versions": "rating_out_price_versions",
        "price_cards": "rating_out_price_cards",
        "price_labels": "rating_out_price_labels",
        "price_tiers": "rating_out_price_tiers",
        "price_periods": "rating_out_price_periods",
    }


_PERIOD_SCHEMA: Schema = [
    ("card_id", pa.string()), ("in_force_from", _TIME), ("in_force_until", _TIME),
]  # fmt: skip
_VERSION_SCHEMA: Schema = [
    ("card_id", pa.string()), ("book", pa.string()), ("fingerprint", pa.string()),
    ("effective_from", _TIME), ("effective_until", _TIME),
]  # fmt: skip
_CARD_SCHEMA: Schema = [
    ("card_id", pa.string()), ("book", pa.string()), ("account_id", pa.string()),
    ("item", pa.string()), ("region", pa.string()), ("model", pa.string()),
    ("currency", pa.string()), ("unit", pa.string()), ("per", pa.int64()),
    ("unit_quantity", pa.int64()), ("period", pa.string()), ("effective_from", _TIME),
    ("effective_until", _TIME), ("flat_fee", _HUGE), ("minimum", _HUGE), ("maximum", _HUGE),
    ("free_quantity", _HUGE), ("discount_millionths", pa.int32()),
]  # fmt: skip
_TIER_SCHEMA: Schema = [
    ("card_id", pa.string()), ("tier_no", pa.int32()), ("lower", _HUGE), ("upper", _HUGE),
    ("unit_price", _HUGE), ("flat_fee", _HUGE), ("at_zero", pa.bool_()),
]  # fmt: skip


def _plain(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return naive(value)
    return value
