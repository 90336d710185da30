"""What is meant for an account that nobody has loaded: its own price, a webhook, an alert rule, a
language. Whoever it was meant for pays the list price meanwhile, and is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

import sql
from billing.balance.customer_alerts import read_rules
from billing.outbox.settings import read_delivery
from billing.prices.records import PriceBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    account_id: str


def overrides_of_nobody(
    connection: duckdb.DuckDBPyConnection, books: PriceBooks, home: Path
) -> list[str]:
    """A line for each name of an account that the store does not know; none: nothing."""
    named = [*_priced(books), *_told(home)]
    if not named:
        return []
    result = connection.execute(
        sql.text("statements/status/status/known_accounts"),
        {"accounts": sorted({account for _what, account in named})},
    )
    known = {one.account_id for one in sql.rows(result, _Known)}
    return [
        f"{what} is for account {account}, which nobody has loaded"
        for what, account in named
        if account not in known
    ]


def _priced(books: PriceBooks) -> Iterator[tuple[str, str]]:
    for card in books.cards():
        if card.account_id is not None:
            yield f"price book {card.book}: override {card.card_id}", card.account_id


def _told(home: Path) -> Iterator[tuple[str, str]]:
    delivery = read_delivery(home)
    for hook in delivery.webhooks:
        for account in hook.accounts:
            yield f"[[billing.delivery.webhooks]] {hook.name}", account
    for account in delivery.mail.languages if delivery.mail is not None else ():
        yield "[billing.delivery.mail] languages", account
    for rule in read_rules(home):
        yield f"alert_rules.toml: rule {rule.id}", rule.account
