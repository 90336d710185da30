"""The curve of a card as rows for SQL is the curve that the reference has in fractions."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from billing.prices.compiled import compile_books
from billing.prices.records import PriceBook, PriceBooks
from tests import reference
from tests.billing.rating.generated import generate


def quantities(dice: random.Random, card) -> list[int]:
    bounds = [tier.up_to for tier in card.tiers if tier.up_to is not None]
    edges = [bound + step for bound in bounds for step in (-1, 0, 1)]
    return sorted({0, 1, *edges, *(dice.randrange(10**13) for _ in range(5))})


@pytest.mark.parametrize("seed", range(900, 912))
def test_reference_and_rows_agree_on_every_quantity(seed: int) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    case = generate(seed, accounts=1)
    for card in case.cards:
        book = PriceBook(book_id="book", title="", currency="USD", timezone="UTC", regions={},
                         cards=(card,))  # fmt: skip
        compiled = compile_books(PriceBooks(books={"book": book}))
        ((_, _, _, _, _, denominator, factor, *_),) = compiled.tallies
        for quantity in quantities(dice, card):
            (row,) = [row for row in compiled.curve if row[1] < quantity <= row[2]]
            _, _, _, base, origin, step, price = row
            numerator = base + -(-(quantity - origin) // step) * price
            assert Fraction(numerator * factor, denominator) == reference.price(card, quantity)
