"""What a quantity costs on one rate card: exact, in fractions, for people and for explanations.

The engine prices a million accounts with the same curve as a table (billing.prices.tables); this
file is for single amounts: tier lines of an invoice, `billing explain`, and tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from billing.prices.records import RateCard


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPart:
    """The part of a quantity that fell into one tier (numbered from 1) and its exact amount."""

    tier_no: int
    quantity: int
    unit_price: int
    amount: Fraction


def price_of(card: RateCard, quantity: int) -> Fraction:
    """The usage amount of `quantity`, the percentage taken off, before flat fee, cap and floor.

    In 10^-10 currency units, not cut. `quantity` is the cumulative billable quantity of the card's
    period (DOMAIN §10.5, §10.9).
    """
    return sum((part.amount for part in _parts(card, quantity)), Fraction(0))


def tier_parts(card: RateCard, before: int, after: int) -> list[TierPart]:
    """How the amount of moving from `before` to `after` splits into tiers; the parts add up to it.

    Under volume and step_reached pricing the tier reached prices all of the quantity, so a part may
    be negative: what the earlier place had cost in the tier it left.
    """
    reached = {part.tier_no: part for part in _parts(card, after)}
    left = {part.tier_no: part for part in _parts(card, before)}
    parts = []
    for tier_no in sorted(reached.keys() | left.keys()):
        now, then = reached.get(tier_no), left.get(tier_no)
        quantity = (now.quantity if now else 0) - (then.quantity if then else 0)
        amount = (now.amount if now else Fraction(0)) - (then.amount if then else Fraction(0))
        if quantity or amount:
            price = card.tiers[tier_no - 1].price
            parts.append(
                TierPart(tier_no=tier_no, quantity=quantity, unit_price=price, amount=amount)
            )
    return parts


def _parts(card: RateCard, quantity: int) -> list[TierPart]:
    parts = []
    lower = 0
    whole = card.model in ("volume", "step_reached")
    for number, tier in enumerate(card.tiers, start=1):
        begun = quantity > lower or (number == 1 and tier.at_zero)
        ended = tier.up_to is not None and quantity > tier.up_to
        if begun and not (whole and ended):
            top = quantity if tier.up_to is None else min(quantity, tier.up_to)
            inside = quantity if whole else max(0, top - lower)
            units = _units(card, inside)
            amount = (units * tier.price + tier.flat_fee) * card.discount_factor
            parts.append(
                TierPart(tier_no=number, quantity=inside, unit_price=tier.price, amount=amount)
            )
        if tier.up_to is None:
            break
        lower = tier.up_to
    return parts


def _units(card: RateCard, quantity: int) -> Fraction:
    if card.model == "package":
        return Fraction(-(-quantity // card.unit_quantity))
    return Fraction(quantity, card.unit_quantity)
