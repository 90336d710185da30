"""The curve of a card, in fractions for people and as rows for SQL, is one curve."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from billing.prices.compiled import compile_books
from billing.prices.curve import price_of, tier_parts
from billing.prices.records import PriceBook, PriceBooks
from tests import reference
from tests.billing.rating.generated import generate


def quantities(dice: random.Random, card) -> list[int]:
    bounds = [tier.up_to for tier in card.tiers if tier.up_to is not None]
    edges = [bound + step for bound in bounds for step in (-1, 0, 1)]
    return sorted({0, 1, *edges, *(dice.randrange(10**13) for _ in range(5))})


@pytest.mark.parametrize("seed", range(900, 912))
def test_fractions_reference_and_rows_agree_on_every_quantity(seed: int) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    case = generate(seed, accounts=1)
    for card in case.cards:
        book = PriceBook(book_id="book", title="", currency="USD", timezone="UTC", regions={},
                         cards=(card,))  # fmt: skip
        compiled = compile_books(PriceBooks(books={"book": book}))
        ((_, _, _, _, _, denominator, factor, *_),) = compiled.lanes
        for quantity in quantities(dice, card):
            exact = price_of(card, quantity)
            assert exact == reference.price(card, quantity)
            (row,) = [row for row in compiled.curve if row[1] < quantity <= row[2]]
            _, _, _, base, origin, step, price = row
            numerator = base + -(-(quantity - origin) // step) * price
            assert Fraction(numerator * factor, denominator) == exact


@pytest.mark.parametrize("seed", range(900, 906))
def test_tier_parts_add_up_to_the_difference(seed: int) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    for card in generate(seed, accounts=1).cards:
        places = quantities(dice, card)
        before, after = sorted(dice.sample(places, 2))
        parts = tier_parts(card, before, after)
        assert sum(part.amount for part in parts) == price_of(card, after) - price_of(card, before)
        if card.model == "graduated":
            assert sum(part.quantity for part in parts) == after - before
