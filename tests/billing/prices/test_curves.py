"""The curve of a card as rows for SQL is the curve that the reference has in fractions."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import duckdb
import pytest

from billing.prices import tables
from billing.prices.records import PriceBook, PriceBooks
from tests import reference
from tests.billing.rating.reference.generated import generate


def quantities(dice: random.Random, card) -> list[int]:
    bounds = [tier.up_to for tier in card.tiers if tier.up_to is not None]
    edges = [bound + step for bound in bounds for step in (-1, 0, 1)]
    return sorted({0, 1, *edges, *(dice.randrange(10**13) for _ in range(5))})


@pytest.mark.parametrize("seed", range(900, 912))
def test_reference_and_rows_agree_on_every_quantity(seed: int) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    cards = {f"book-{n}": card for n, card in enumerate(generate(seed, accounts=1).cards)}
    books = {
        name: PriceBook(book_id=name, title="", currency="USD", timezone="UTC", regions={},
                        cards=(replace(card, book=name),))
        for name, card in cards.items()
    }  # fmt: skip
    connection = duckdb.connect()
    tables.bind(connection, PriceBooks(books=books))
    parts = connection.sql(
        "SELECT book, lower, upper, base, origin, step, price, denominator, factor"
        " FROM price_curve JOIN price_terms USING (card) JOIN price_tallies USING (tally)"
    ).fetchall()
    assert len(parts) == sum(1 + len(card.tiers) for card in cards.values())
    for name, card in cards.items():
        for quantity in quantities(dice, card):
            ((base, origin, step, price, denominator, factor),) = [
                part[3:] for part in parts if part[0] == name and part[1] < quantity <= part[2]
            ]
            numerator = base + -(-(quantity - origin) // step) * price
            assert Fraction(numerator * factor, denominator) == reference.price(card, quantity)
