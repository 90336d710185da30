"""The nouns of pricing: tiers, rate cards and price books, as frozen records of whole numbers.

Money is an int of 10^-10 currency units, quantities are base quantities (billing.prices.units),
times are aware UTC. `billing.prices.book` reads them from TOML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from billing.prices.units import EVERYWHERE, OVERSEAS

PARTS_PER_WHOLE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Part of a price: quantities above the tier before, up to and with `up_to` (None: no end).

    `price` is per the card's unit quantity; `flat_fee` is due once the quantity exceeds the tier's
    lower bound, for the first tier already at zero where `at_zero` (DOMAIN §10.8).
    """

    up_to: int | None
    price: int
    flat_fee: int = 0
    at_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """One dated, immutable price of one item in one scope, or one account's override of it.

    `unit_quantity` base quantities cost a tier's price; a package card rounds up to whole ones.
    `discount` is in millionths. `period` is what a step_reached card accumulates over. `prorated`:
    flat fee and minimum are due for the part of the month in which the account was open.
    """

    card_id: str
    book: str
    account_id: str | None
    item: str
    scope: str
    model: str
    currency: str
    unit: str
    per: int
    unit_quantity: int
    period: str
    effective_from: datetime
    effective_until: datetime | None
    tiers: tuple[Tier, ...]
    flat_fee: int = 0
    minimum: int | None = None
    maximum: int | None = None
    free_quantity: int = 0
    discount: int = 0
    corrects: str | None = None
    prorated: bool = False

    @property
    def discount_factor(self) -> Fraction:
        """What is left of a price after the percentage off."""
        return Fraction(PARTS_PER_WHOLE - self.discount, PARTS_PER_WHOLE)

    def step_prices(self) -> list[Fraction]:
        """The price of one step (one base quantity, or one whole package) per tier, percentage
        off.
        """
        size = 1 if self.model == "package" else self.unit_quantity
        return [Fraction(tier.price, size) * self.discount_factor for tier in self.tiers]

    @property
    def has_fixed_terms(self) -> bool:
        """True when it costs something, or caps a cost, without usage (DOMAIN §10.7, §10.8)."""
        fixed = self.flat_fee or self.minimum is not None or self.maximum is not None
        return bool(fixed) or self.tiers[0].at_zero

    def fingerprint(self) -> str:
        """SHA-256 over all that makes the price; its end and its reason are not part of it."""
        skipped = {"effective_until", "corrects"}
        if not self.prorated:  # cards of before there was such a key keep their fingerprints
            skipped.add("prorated")
        content = [
            f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name not in skipped
        ]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """A named set of rate cards in one currency, with the operator's labels of its regions."""

    book_id: str
    title: str
    currency: str
    timezone: str
    regions: dict[str, str]
    cards: tuple[RateCard, ...]
    path: Path | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """Where a card or a plan can hold: each billing region, all but mainland China, all."""
        return frozenset({*self.regions.values(), OVERSEAS, EVERYWHERE})

    @property
    def has_monthly_fees(self) -> bool:
        """Whether an account pays something in a month without usage."""
        return any(
            card.flat_fee or card.minimum or any(t.flat_fee and t.at_zero for t in card.tiers)
            for card in self.cards
        )

    def card(self, card_id: str) -> RateCard:
        """The card of that id; KeyError when the book has none."""
        for card in self.cards:
            if card.card_id == card_id:
                return card
        raise KeyError(card_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBooks:
    """All books of a home, by id."""

    books: dict[str, PriceBook]

    def __iter__(self) -> Iterator[PriceBook]:
        return iter(self.books.values())

    def cards(self) -> Iterator[RateCard]:
        """Every card of every book."""
        for book in self:
            yield from book.cards

    def fingerprint(self) -> str:
        """Changes when anything that can change a charge does."""
        content = [
            f"{card.fingerprint()} {card.effective_until} {card.corrects}" for card in self.cards()
        ]
        content += [f"{book.book_id} {sorted(book.regions.items())}" for book in self]
        return hashlib.sha256("\n".join(sorted(content)).encode()).hexdigest()
