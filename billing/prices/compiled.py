"""Price books as rows of whole numbers, the form in which SQL prices a million accounts at once.

A *tally* is what accumulates together: one item in one scope of one book. All its amounts are
numerators over one denominator, so that sums stay exact and are cut once (DOMAIN §10.11).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from math import lcm

from billing.prices.largest_hour import BUCKETS_MOST, check_fits, hour_most
from billing.prices.records import PriceBooks, RateCard
from billing.prices.units import BANDWIDTH_ITEMS, ITEMS

# A 95th percentile is paid by effective days / days of the month: every month's length divides
# this.
PERCENTILE_FACTOR = lcm(28, 29, 30, 31)
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Rows for the tables that sql/statements/rating/price_books.sql makes, one list per table."""

    books: list[Row] = field(default_factory=list)
    regions: list[Row] = field(default_factory=list)
    tallies: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    tiers: list[Row] = field(default_factory=list)
    force: list[Row] = field(default_factory=list)
    largest_hours: list[Row] = field(default_factory=list)


def compile_books(books: PriceBooks) -> Compiled:
    """All books as rows; card and tally numbers are places in the lists, from 1."""
    out = Compiled()
    by_tally: dict[tuple[str, str, str], list[RateCard]] = {}
    for book in sorted(books, key=lambda book: book.book_id):
        out.books.append((book.book_id, book.currency, book.timezone))
        out.regions.extend((book.book_id, label, region) for label, region in book.regions.items())
        for card in book.cards:
            by_tally.setdefault((card.book, card.item, card.scope), []).append(card)
    for number, ((book_id, item, scope), cards) in enumerate(sorted(by_tally.items()), start=1):
        common = lcm(*(_denominator(card) for card in cards))
        factor = PERCENTILE_FACTOR if item == "percentile95_bandwidth" else 1
        buckets = BUCKETS_MOST if any(card.prorated for card in cards) else 1
        for card in cards:
            check_fits(card, common * factor * buckets)
        out.tallies.append((
            number, book_id, ITEMS.index(item) + 1, item, scope, common * factor, factor,
            any(card.has_fixed_terms for card in cards),
            any(card.free_quantity for card in cards),
            any(card.period != "month" for card in cards) and item not in BANDWIDTH_ITEMS, buckets,
        ))  # fmt: skip
        ids: dict[str, int] = {}
        for card in cards:
            ids[card.card_id] = len(out.terms) + 1
            out.terms.append(_card_row(ids[card.card_id], number, card, common, factor))
            out.tiers.extend(_tier_rows(ids[card.card_id], card, common))
        out.force.extend(_force_rows(number, cards, ids))
        out.largest_hours.extend(_largest_hour_rows(number, cards, common * factor * buckets))
    return out


def in_force(cards: Iterable[RateCard]) -> list[tuple[RateCard, datetime, datetime]]:
    """Who prices when: (card, from, until), in order of time, gaps where no card is in force.

    The card that began last is in force, a correction before the card it corrects. A card with an
    end leaves a gap behind, since the one before it has been replaced for good.
    """
    ordered = sorted(cards, key=lambda card: (card.effective_from, card.corrects is not None))
    runs = []
    for place, card in enumerate(ordered):
        later = ordered[place + 1].effective_from if place + 1 < len(ordered) else FOREVER
        until = min(later, card.effective_until or FOREVER)
        if until > card.effective_from:
            runs.append((card, card.effective_from, until))
    return runs


def with_overrides(
    base: list[tuple[RateCard, datetime, datetime]],
    overrides: list[tuple[RateCard, datetime, datetime]],
) -> list[tuple[RateCard, datetime, datetime]]:
    """The base runs with the overrides laid over them: an override wins while it is in force."""
    edges = sorted({edge for _, start, end in base + overrides for edge in (start, end)})
    runs: list[tuple[RateCard, datetime, datetime]] = []
    for start, end in pairwise(edges):
        found = [run[0] for run in overrides + base if run[1] <= start < run[2]]
        if not found:
            continue
        if runs and runs[-1][0] is found[0] and runs[-1][2] == start:
            runs[-1] = (found[0], runs[-1][1], end)
        else:
            runs.append((found[0], start, end))
    return runs


def card_periods(cards: Iterable[RateCard]) -> list[Row]:
    """(card, from, until): when each card is in force among the cards of its own account."""
    groups: dict[tuple[object, ...], list[RateCard]] = {}
    for card in cards:
        groups.setdefault((card.book, card.item, card.scope, card.account_id), []).append(card)
    return [
        (card.card_id, start, end)
        for group in groups.values()
        for card, start, end in in_force(group)
    ]


def _force_rows(tally: int, cards: list[RateCard], ids: dict[str, int]) -> list[Row]:
    base = in_force(card for card in cards if card.account_id is None)
    rows: list[Row] = [(None, tally, ids[card.card_id], start, end) for card, start, end in base]
    for account_id, overrides in sorted(_by_owner(cards).items()):
        runs = with_overrides(base, in_force(overrides))
        rows.extend((account_id, tally, ids[card.card_id], start, end) for card, start, end in runs)
    return rows


def _largest_hour_rows(tally: int, cards: list[RateCard], denominator: int) -> list[Row]:
    """(account or None for everybody else, tally, the largest quantity of one hour)."""
    base = hour_most([card for card in cards if card.account_id is None], denominator)
    rows: list[Row] = [(None, tally, base)]
    rows.extend(
        (owner, tally, min(base, hour_most(own, denominator)))
        for owner, own in sorted(_by_owner(cards).items())
    )
    return rows


def _by_owner(cards: Iterable[RateCard]) -> dict[str, list[RateCard]]:
    """The cards of one account alone, by account."""
    found: dict[str, list[RateCard]] = {}
    for card in cards:
        if card.account_id is not None:
            found.setdefault(card.account_id, []).append(card)
    return found


def _denominator(card: RateCard) -> int:
    fees = [tier.flat_fee * card.discount_factor for tier in card.tiers]
    return lcm(*(rate.denominator for rate in card.step_prices() + fees))


def _card_row(number: int, tally: int, card: RateCard, common: int, factor: int) -> Row:
    scale = common * factor
    at_zero = card.tiers[0].flat_fee * card.discount_factor if card.tiers[0].at_zero else 0
    return (
        number, card.card_id, card.account_id, tally, card.currency, card.period,
        card.flat_fee * scale,
        None if card.minimum is None else card.minimum * scale,
        None if card.maximum is None else card.maximum * scale,
        card.free_quantity, int(at_zero * scale), card.has_fixed_terms, card.prorated,
    )  # fmt: skip


def _tier_rows(number: int, card: RateCard, common: int) -> list[Row]:
    """One row a tier, with what of its card and tally sql/macros/tier_parts makes a curve of."""
    rows: list[Row] = []
    above = 0
    for place, tier in enumerate(card.tiers, start=1):
        rows.append((
            number, card.model, card.unit_quantity, card.discount, common, place, above, tier.up_to,
            tier.price, tier.flat_fee, tier.at_zero,
        ))  # fmt: skip
        above = tier.up_to or 0
    return rows
