"""The baseline of bench/rating.py: a plain Python loop over an hour's usage and all rules that the
hour has to apply, which stores nothing.

Of each row of a closed hour: who owns the domain then, what book and time zone the account has,
which billing region the label is and which scope's price applies, the account's own card before the
book's, which card is in force; then of each account and item: the local month, what is left of the
free quota and of the plans valid now, the tiers at the month's place, the difference to what was
charged so far, the balance. Reading the rows and loading the facts are not counted, nor is the
garbage collector, which is off: it is one thread, in CPU seconds.
"""

from __future__ import annotations

import gc
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from billing.prices.records import PriceBooks, RateCard

START = datetime(2026, 9, 30, 16, tzinfo=UTC)  # the first hour of October in Asia/Shanghai
ITEMS = {"https": "https_requests", "quic": "quic_requests", "http": "http_requests"}
Row = tuple[datetime, str, str, str, int, int]
Lane = tuple[str, str, str]
Card = tuple[datetime, datetime, int, int, list[tuple[int, int | None, int]]]
"""In force from, until, free quantity, unit quantity, tiers: above, up to, price."""


class Loop:
    """The facts of a home, and the months so far; `hour` goes on by one hour of usage."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, books: PriceBooks) -> None:
        self.connection = connection
        self.regions = {name: book.regions for name, book in books.books.items()}
        self.zones = {name: ZoneInfo(book.timezone) for name, book in books.books.items()}
        self.cards: dict[tuple[str, str, str], list[Card]] = {}
        self.own: dict[tuple[str, str, str], list[Card]] = {}
        for name, book in books.books.items():
            for card in book.cards:
                if card.account_id is None:
                    self.cards.setdefault((name, card.item, card.scope), []).append(_card(card))
                else:
                    key = (card.account_id, card.item, card.scope)
                    self.own.setdefault(key, []).append(_card(card))
        ask = connection.execute
        self.accounts = {
            account: (book, method)
            for account, book, method in ask(
                "SELECT account_id, price_book, billing_method FROM accounts"
            ).fetchall()
        }
        self.owners: dict[str, list[tuple[datetime, datetime, str]]] = {}
        for domain, *owned in ask(
            "SELECT domain, effective_from, coalesce(effective_to, TIMESTAMP '9999-12-31'),"
            " account_id FROM domain_ownership"
        ).fetchall():
            self.owners.setdefault(domain, []).append((owned[0], owned[1], owned[2]))
        self.plans: dict[tuple[str, str], list[list[object]]] = {}
        for account, kind, *plan in ask(
            "SELECT account_id, kind, starts_at, ends_at, quantity FROM plans ORDER BY ends_at"
        ).fetchall():
            self.plans.setdefault((account, kind), []).append(plan)
        self.months: dict[tuple[str, Lane, str], list[int]] = {}
        self.balances: dict[str, int] = {}

    def hour(self, number: int) -> float:
        """Rate hour `number` of the bench; CPU seconds."""
        at = (START + timedelta(hours=number)).replace(tzinfo=None)
        rows = self.connection.execute(
            "SELECT bucket, domain, region, class, requests, bytes_sent FROM usage"
            " WHERE hour = $hour ORDER BY domain",
            {"hour": at},
        ).fetchall()
        gc.disable()
        begun = time.process_time()
        self._rate(at, self._used(rows))
        spent = time.process_time() - begun
        gc.enable()
        return spent

    def _used(
        self, rows: list[tuple[datetime, str, str, str, int, int]]
    ) -> dict[tuple[str, Lane], int]:
        """What each account used of each item in each scope."""
        accounts, owners, cards, regions = self.accounts, self.owners, self.cards, self.regions
        used: dict[tuple[str, Lane], int] = {}
        for bucket, domain, label, kind, requests, size in rows:
            for since, until, owner in (
                owners.get(domain) or owners["*" + domain[domain.index(".") :]]
            ):
                if since <= bucket < until:
                    account = owner
                    break
            else:
                continue
            book, method = accounts[account]
            region = regions[book][label]
            for item, quantity in ((ITEMS[kind], requests), (method, size)):
                lane = (book, item, region)
                if lane not in cards:
                    lane = (book, item, "OverSeas")
                    if region == "CN" or lane not in cards:
                        lane = (book, item, "all")
                key = (account, lane)
                used[key] = used.get(key, 0) + quantity
        return used

    def _rate(self, at: datetime, used: dict[tuple[str, Lane], int]) -> None:
        """Price what was used, in the month of each book's time zone."""
        cards, own, plans, months, balances = (
            self.cards, self.own, self.plans, self.months, self.balances
        )  # fmt: skip
        named = {
            book: at.replace(tzinfo=UTC).astimezone(zone).strftime("%Y-%m")
            for book, zone in self.zones.items()
        }
        for (account, lane), quantity in used.items():
            book, item, scope = lane
            for card in own.get((account, item, scope)) or cards[lane]:
                if card[0] <= at < card[1]:
                    break
            else:
                sys.exit(f"no card of {lane} is in force at {at}")
            key = (account, lane, named[book])
            so_far = months.get(key)
            if so_far is None:
                so_far = months[key] = [0, 0, 0]
            free = min(quantity, max(0, card[2] - so_far[0]))
            left = quantity - free
            for plan in plans.get((account, item), ()):
                if plan[0] <= at < plan[1]:  # type: ignore[operator]
                    paid = min(left, plan[2])  # type: ignore[call-overload]
                    plan[2] -= paid  # type: ignore[operator]
                    left -= paid
            place = so_far[1] + left
            numerator = 0
            for above, up_to, price in card[4]:
                if place <= above:
                    break
                top = place if up_to is None or place < up_to else up_to
                numerator += (top - above) * price
            amount = numerator // card[3]
            balances[account] = balances.get(account, 0) - (amount - so_far[2])
            so_far[0] += free
            so_far[1] = place
            so_far[2] = amount

    @property
    def charged(self) -> dict[tuple[str, str, str], int]:
        """What each account was charged in each month by item."""
        found: dict[tuple[str, str, str], int] = {}
        for (account, lane, month), so_far in self.months.items():
            key = (account, month, lane[1])
            found[key] = found.get(key, 0) + so_far[2]
        return found


def _card(card: RateCard) -> Card:
    tiers, above = [], 0
    for tier in card.tiers:
        tiers.append((above, tier.up_to, tier.price))
        above = tier.up_to or 0
    until = card.effective_until or datetime(9999, 12, 31, tzinfo=UTC)
    times = (card.effective_from.replace(tzinfo=None), until.replace(tzinfo=None))
    return (*times, card.free_quantity, card.unit_quantity, tiers)


def compare(connection: duckdb.DuckDBPyConnection, wanted: dict[tuple[str, str, str], int]) -> None:
    """Exit with an error unless month_state holds exactly the loop's amounts."""
    rows = connection.execute(
        "SELECT account_id, month, item, sum(amount)::DECIMAL(38, 0) FROM month_state GROUP BY ALL"
    ).fetchall()
    got = {tuple(key): int(value) for *key, value in rows if value}
    if got != {key: value for key, value in wanted.items() if value}:
        sys.exit("the engine and the loop disagree")
