"""Writes price books into DuckDB: temporary tables for the engine, lasting ones for people."""

from __future__ import annotations

import duckdb

import sql
from billing.prices.compiled import card_periods, compile_books
from billing.prices.records import PriceBooks
from billing.prices.units import ITEMS
from billing.store.given import COUNT, FLAG, HUGE, SMALL, TEXT, TIME, Rows, Schema, register

# The macros that say what a quantity costs; analysts ask the same ones (sql/macros).
FORMULAS = (
    "macros/sum_to_38_digits", "macros/product_to_38_digits", "macros/numerator_of",
    "macros/tier_numerators", "macros/parts_of_curve", "macros/tier_parts", "macros/curve_at",
    "macros/cut_to_units", "macros/within_terms",
)  # fmt: skip
_BOOKS: Schema = [("book", TEXT), ("currency", TEXT), ("timezone", TEXT)]
_REGIONS: Schema = [("book", TEXT), ("label", TEXT), ("region", TEXT)]
_ITEMS: Schema = [("item_no", SMALL), ("item", TEXT)]
_TALLIES: Schema = [
    ("tally", SMALL), ("book", TEXT), ("item_no", SMALL), ("item", TEXT),
    ("scope", TEXT), ("denominator", HUGE), ("factor", SMALL),
    ("has_terms", FLAG), ("has_free", FLAG), ("by_period", FLAG),
    ("buckets", COUNT),
]  # fmt: skip
_TERMS: Schema = [
    ("card", SMALL), ("card_id", TEXT), ("account_id", TEXT),
    ("tally", SMALL), ("currency", TEXT), ("period", TEXT),
    ("flat_fee", HUGE), ("minimum", HUGE), ("maximum", HUGE), ("free_quantity", HUGE),
    ("at_zero", HUGE), ("has_terms", FLAG), ("prorated", FLAG),
]  # fmt: skip
_TIERS: Schema = [
    ("card", SMALL), ("model", TEXT), ("unit_quantity", COUNT), ("discount_millionths", SMALL),
    ("common", HUGE), ("tier_no", SMALL), ("above", HUGE), ("up_to", HUGE), ("price", HUGE),
    ("flat_fee", HUGE), ("at_zero", FLAG),
]  # fmt: skip
_FORCE: Schema = [
    ("account_id", TEXT), ("tally", SMALL), ("card", SMALL),
    ("force_from", TIME), ("force_until", TIME),
]  # fmt: skip
_LARGEST_HOURS: Schema = [("account_id", TEXT), ("tally", SMALL), ("hour_most", HUGE)]


def bind(connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> None:
    """Make the temporary tables price_books … price_scopes of `books`."""
    compiled = compile_books(books)
    given: dict[str, tuple[Schema, Rows]] = {
        "given_books": (_BOOKS, compiled.books),
        "given_regions": (_REGIONS, compiled.regions),
        "given_items": (_ITEMS, list(enumerate(ITEMS, start=1))),
        "given_tallies": (_TALLIES, compiled.tallies),
        "given_terms": (_TERMS, compiled.terms),
        "given_tiers": (_TIERS, compiled.tiers),
        "given_force": (_FORCE, compiled.force),
        "given_largest_hours": (_LARGEST_HOURS, compiled.largest_hours),
    }
    for macro in FORMULAS:
        connection.execute(sql.temporary(macro))
    for name, (schema, rows) in given.items():
        register(connection, name, schema, rows)
    connection.execute(sql.text("statements/rating/price_books/price_tables"))
    for name in given:
        connection.unregister(name)


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
    ("card_id", TEXT), ("in_force_from", TIME), ("in_force_until", TIME),
]  # fmt: skip
_VERSION_SCHEMA: Schema = [
    ("card_id", TEXT), ("book", TEXT), ("fingerprint", TEXT),
    ("effective_from", TIME), ("effective_until", TIME),
]  # fmt: skip
_CARD_SCHEMA: Schema = [
    ("card_id", TEXT), ("book", TEXT), ("account_id", TEXT),
    ("item", TEXT), ("region", TEXT), ("model", TEXT),
    ("currency", TEXT), ("unit", TEXT), ("per", COUNT),
    ("unit_quantity", COUNT), ("period", TEXT), ("effective_from", TIME),
    ("effective_until", TIME), ("flat_fee", HUGE), ("minimum", HUGE), ("maximum", HUGE),
    ("free_quantity", HUGE), ("discount_millionths", SMALL),
]  # fmt: skip
_TIER_SCHEMA: Schema = [
    ("card_id", TEXT), ("tier_no", SMALL), ("lower", HUGE), ("upper", HUGE),
    ("unit_price", HUGE), ("flat_fee", HUGE), ("at_zero", FLAG),
]  # fmt: skip
