"""Prices that are nobody's: an `[[override]]` for an account that nobody has loaded. Whoever it was
meant for pays the list price meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

import sql
from billing.prices.records import PriceBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    account_id: str


def overrides_of_nobody(connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> list[str]:
    """A line for each card of an account that the store does not know; none: nothing."""
    cards = [(card, card.account_id) for card in books.cards() if card.account_id is not None]
    if not cards:
        return []
    result = connection.execute(
        sql.text("statements/status/status/known_accounts"),
        {"accounts": sorted({account for _card, account in cards})},
    )
    known = {one.account_id for one in sql.rows(result, _Known)}
    return [
        f"price book {card.book}: override {card.card_id} is for account {account}, which nobody"
        " has loaded"
        for card, account in cards
        if account not in known
    ]
