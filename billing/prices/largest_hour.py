"""How much one hour may hold so that no amount outgrows the whole numbers SQL counts in.

HUGEINT ends at 1.7 * 10^38: a product beyond it is an error, which would stop the run for
everybody, and a sum beyond it an error too or, where two threads' parts are added up, a silent
wrong number (DuckDB 1.5). So what a tally can price is bounded before anything is multiplied: an
hour with more is held, a price that leaves no room is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from billing.prices.records import RateCard
from edge.errors import ConfigError

# An hour of one tally may cost 10^24 units, which is 10^14 of any currency, and its numerator may
# have 34 digits: a month has at most 746 hours (with the one its edges share), and a month's prices
# may change, so that sums stay three digits below the end of HUGEINT and of DECIMAL(38, 0).
AMOUNT_MOST = 10**24
NUMERATOR_MOST = 10**34
# A card's fee, minimum and maximum are added to a month once.
MONTH_MOST = 10**37
# What stands in a table may be as large as its column: a place so far up is never reached.
COLUMN_MOST = 10**38 - 1


def hour_most(cards: Sequence[RateCard], denominator: int) -> int:
    """The largest quantity of one hour that every card can price as numerators over
    `denominator`.
    """
    room = min(NUMERATOR_MOST, AMOUNT_MOST * denominator)
    return min(
        (
            room
            // int(price * denominator)
            * (card.unit_quantity if card.model == "package" else 1)
            for card in cards
            for price in card.step_prices()
            if price
        ),
        default=NUMERATOR_MOST,
    )


def check_fits(card: RateCard, denominator: int) -> None:
    """ConfigError when what `card` fixes is too large to be added up over `denominator`."""
    terms = [card.flat_fee, card.minimum or 0, card.maximum or 0]
    fees = [tier.flat_fee for tier in card.tiers]
    bounds = [tier.up_to for tier in card.tiers if tier.up_to is not None]
    fits = (
        max(terms + fees) <= AMOUNT_MOST
        and max(terms) * denominator <= MONTH_MOST
        and max(fees) * denominator <= NUMERATOR_MOST
        and max([*bounds, card.free_quantity]) <= COLUMN_MOST
        and hour_most([card], denominator) > 0
        and card.unit_quantity < 2**63
    )
    if not fits:
        raise ConfigError(
            f"card {card.card_id} cannot be added up exactly with the other cards of {card.item}"
            f" for {card.scope}: the numbers grow beyond 38 digits",
            "write their prices in one unit, percentages with fewer decimals, smaller amounts",
        )
