"""Prices may never be edited after use: compares the books at hand with those earlier runs have
seen.

FAULTS F7, F8: the unit belongs to the immutable version, a correction is a new card that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.instants import aware, aware_or_none
from billing.prices.records import PriceBooks, RateCard
from edge.errors import ConflictError


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCard:
    """A rate card as an earlier run saw it; `used` once a charge names it. Times are aware UTC."""

    card_id: str
    book: str
    fingerprint: str
    effective_from: datetime
    effective_until: datetime | None
    used: bool


def seen_card(
    *,
    card_id: str,
    book: str,
    fingerprint: str,
    effective_from: datetime,
    effective_until: datetime | None,
    used: bool,
) -> SeenCard:
    """From a stored row, whose times have no zone."""
    return SeenCard(
        card_id=card_id,
        book=book,
        fingerprint=fingerprint,
        effective_from=aware(effective_from),
        effective_until=aware_or_none(effective_until),
        used=used,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A new card that prices hours already rated: its accounts are replayed from then on."""

    book: str
    account_id: str | None
    item: str
    effective_from: datetime
    reason: str


def find_corrections(
    seen: Sequence[SeenCard], books: PriceBooks, rated_through: datetime | None
) -> list[Correction]:
    """The new cards that reach into hours rated before `rated_through`.

    Raises ConflictError naming the card when a used card was edited, removed or ended in the past,
    or when a new card reaches into the past without saying what it corrects.
    """
    if rated_through is None:
        return []
    now = {card.card_id: card for card in books.cards()}
    known = {card.card_id: card for card in seen}
    known_books = {card.book for card in seen}
    for old in seen:
        if old.used:
            _still_the_same(old, now.get(old.card_id), rated_through)
    found = []
    for card in now.values():
        before = known.get(card.card_id)
        if card.book not in known_books or (before and before.fingerprint == card.fingerprint()):
            continue
        if card.effective_from >= rated_through:
            continue
        if not card.corrects:
            raise ConflictError(
                f"card {card.card_id} of price book {card.book} begins "
                f"{card.effective_from:%Y-%m-%dT%H:%MZ}, in hours that are rated already",
                'begin it later, or say why it corrects the past: corrects = "…"',
            )
        found.append(
            Correction(
                book=card.book,
                account_id=card.account_id,
                item=card.item,
                effective_from=card.effective_from,
                reason=card.corrects,
            )
        )
    return found


def _still_the_same(old: SeenCard, card: RateCard | None, rated_through: datetime) -> None:
    hint = "put it back as it was and add a card with a later effective_from instead"
    name = f"card {old.card_id} of price book {old.book}"
    if card is None:
        raise ConflictError(f"{name} has priced charges and is gone", hint)
    if card.fingerprint() != old.fingerprint:
        raise ConflictError(f"{name} has priced charges and was edited", hint)
    ends = [end for end in (old.effective_until, card.effective_until) if end is not None]
    if old.effective_until != card.effective_until and min(ends) < rated_through:
        raise ConflictError(f"{name} was ended in hours that are rated already", hint)
