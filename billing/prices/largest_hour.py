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
# A prorated card multiplies by the 5-minute buckets of a month, which are fewer than this.
BUCKETS_MOST = 10_000
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


class TooFine(ConfigError):
    """A card that cannot be added up exactly with others of its item; `key` makes it so."""

    def __init__(self, card: RateCard, key: tuple[str | int, ...]) -> None:
        super().__init__(
            f"card {card.card_id} cannot be added up exactly with the other cards of {card.item}"
            f" for {card.scope}: the numbers grow beyond 38 digits",
            "write their prices in one unit, percentages with fewer decimals, smaller amounts",
        )
        self.card_id = card.card_id
        self.key = key


def check_fits(card: RateCard, denominator: int) -> None:
    """TooFine when what `card` fixes is too large to be added up over `denominator`."""
    terms = {"flat_fee": card.flat_fee, "minimum": card.minimum, "maximum": card.maximum}
    for name, amount in terms.items():
        if (amount or 0) > AMOUNT_MOST or (amount or 0) * denominator > MONTH_MOST:
            raise TooFine(card, (name,))
    for number, tier in enumerate(card.tiers):
        if tier.flat_fee > AMOUNT_MOST or tier.flat_fee * denominator > NUMERATOR_MOST:
            raise TooFine(card, ("tiers", number, "flat_fee"))
        if (tier.up_to or 0) > COLUMN_MOST:
            raise TooFine(card, ("tiers", number, "up_to"))
    if card.free_quantity > COLUMN_MOST:
        raise TooFine(card, ("free_quota",))
    if card.unit_quantity >= 2**63:
        raise TooFine(card, ("per",))
    if hour_most([card], denominator) <= 0:
        raise TooFine(card, ("price",) if card.model in ("per_unit", "package") else ("tiers",))
