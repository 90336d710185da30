"""Writes price books into DuckDB: temporary tables for the engine, lasting ones for people.

HUGEINT values travel as decimal128(38, 0), the only Arrow type that holds them exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

import sql
from billing.prices.compiled import Compiled, card_periods, compile_books
from billing.prices.records import PriceBooks
from billing.prices.units import ITEMS

Schema = Sequence[tuple[str, Any]]
Rows = Sequence[tuple[object, ...]]

_HUGE = pa.decimal128(38, 0)
_TIME = pa.timestamp("us")
_SCHEMAS: dict[str, Schema] = {
    "books": [("book", pa.string()), ("currency", pa.string()), ("timezone", pa.string())],
    "regions": [("book", pa.string()), ("label", pa.string()), ("region", pa.string())],
    "lanes": [
        ("lane", pa.int32()), ("book", pa.string()), ("item_no", pa.int32()),
        ("item", pa.string()), ("scope", pa.string()), ("denominator", _HUGE),
        ("factor", pa.int32()), ("has_terms", pa.bool_()), ("has_free", pa.bool_()),
        ("by_period", pa.bool_()),
    ],
    "terms": [
        ("card", pa.int32()), ("card_id", pa.string()), ("account_id", pa.string()),
        ("lane", pa.int32()), ("currency", pa.string()), ("period", pa.string()),
        ("flat_fee", _HUGE), ("minimum", _HUGE), ("maximum", _HUGE), ("free_quantity", _HUGE),
        ("at_zero", _HUGE), ("has_terms", pa.bool_()),
    ],
    "curve": [
        ("card", pa.int32()), ("lower", _HUGE), ("upper", _HUGE), ("base", _HUGE),
        ("origin", _HUGE), ("step", _HUGE), ("price", _HUGE),
    ],
    "force": [
        ("account_id", pa.string()), ("lane", pa.int32()), ("card", pa.int32()),
        ("force_from", _TIME), ("force_until", _TIME),
    ],
    "limits": [("account_id", pa.string()), ("lane", pa.int32()), ("hour_most", _HUGE)],
}  # fmt: skip


def bind(connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> Compiled:
    """Make the temporary tables price_books … price_limits of `books`; returns what went in."""
    compiled = compile_books(books)
    for name, schema in _SCHEMAS.items():
        rows: Rows = getattr(compiled, name)
        register(connection, f"given_{name}", schema, rows)
    items = list(enumerate(ITEMS, start=1))
    register(connection, "given_items", [("item_no", pa.int32()), ("item", pa.string())], items)
    for name in (*_SCHEMAS, "items"):
        connection.execute(sql.text(f"statements/rating/price_{name}"))
        connection.unregister(f"given_{name}")
    connection.execute(sql.text("statements/rating/price_places"))
    return compiled


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


def offer(connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> None:
    """Make the tables rating_out_price_*: what the journal records of `books`."""
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
    given: dict[str, tuple[Schema, Rows]] = {
        "versions": (_VERSION_SCHEMA, versions),
        "price_cards": (_CARD_SCHEMA, cards),
        "price_tiers": (_TIER_SCHEMA, tiers),
        "price_periods": (_PERIOD_SCHEMA, card_periods(books.cards())),
    }
    for name, (schema, rows) in given.items():
        register(connection, f"given_{name}", schema, rows)
    for name in ("versions", "cards", "tiers", "periods"):
        connection.execute(sql.text(f"statements/rating/out_price_{name}"))
    for name in given:
        connection.unregister(f"given_{name}")


_PERIOD_SCHEMA = [
    ("card_id", pa.string()), ("in_force_from", _TIME), ("in_force_until", _TIME),
]  # fmt: skip
_VERSION_SCHEMA = [
    ("card_id", pa.string()), ("book", pa.string()), ("fingerprint", pa.string()),
    ("effective_from", _TIME), ("effective_until", _TIME),
]  # fmt: skip
_CARD_SCHEMA = [
    ("card_id", pa.string()), ("book", pa.string()), ("account_id", pa.string()),
    ("item", pa.string()), ("region", pa.string()), ("model", pa.string()),
    ("currency", pa.string()), ("unit", pa.string()), ("per", pa.int64()),
    ("unit_quantity", pa.int64()), ("period", pa.string()), ("effective_from", _TIME),
    ("effective_until", _TIME), ("flat_fee", _HUGE), ("minimum", _HUGE), ("maximum", _HUGE),
    ("free_quantity", _HUGE), ("discount_millionths", pa.int32()),
]  # fmt: skip
_TIER_SCHEMA = [
    ("card_id", pa.string()), ("tier_no", pa.int32()), ("lower", _HUGE), ("upper", _HUGE),
    ("unit_price", _HUGE), ("flat_fee", _HUGE), ("at_zero", pa.bool_()),
]  # fmt: skip


def _plain(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
