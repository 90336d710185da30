"""A home whose months are closed, rated and invoiced by the real code, hour files and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from billing.appliers import open_store
from billing.checks import invariants
from billing.invoices import payments, reading
from billing.invoices.crediting import Credited, credit, void
from billing.invoices.records import Invoice
from billing.invoices.run import Issued, Order, issue
from billing.invoices.settings import InvoiceSettings, Seller
from billing.ledger.top_up import top_up
from billing.money import parse_amount
from billing.prices import load_books
from billing.runs import run
from billing.runs.settings import read_settings
from tests.billing import homes
from tests.billing.homes import Use, close_hour, copied, make_home

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
ISSUE = NOVEMBER + timedelta(hours=4)
GB = 1024**3

BOOK = """
[book]
id = "plain"
title = "Tiers small enough to reach"
currency = "USD"
timezone = "UTC"
source = "tests"

[regions]
EU = ["DE", "FR"]
NA = ["US"]

[[card]]
id = "https-1"
item = "https_requests"
region = "all"
effective_from = 2020-01-01
model = "per_unit"
unit = "request"
per = 10000
price = "0.008"

[[card]]
id = "data-eu-1"
item = "data_transfer"
region = "EU"
effective_from = 2020-01-01
model = "graduated"
unit = "GB"
per = 1

[[card.tiers]]
up_to = "10 GB"
price = "0.07"

[[card.tiers]]
up_to = "100 GB"
price = "0.06"

[[card.tiers]]
price = "0.03"
"""

ACCOUNTS = """
[[accounts]]
id = "acme"
name = "Acme Video GmbH"
currency = "USD"
price_book = "plain"
tax_rate_percent = "19"
address = "Hauptstrasse 1, 10115 Berlin"
country = "DE"

[[accounts]]
id = "beta"
name = "Beta"
currency = "USD"
price_book = "plain"

[[domains]]
domain = "www.acme.example"
account = "acme"

[[domains]]
domain = "*.beta.example"
account = "beta"
"""
PLAN = """
[[plans]]
id = "p1"
account = "acme"
kind = "data_transfer"
region = "EU"
quantity = "1 TB"
starts = 2026-10-01T00:00:00Z
ends = 2027-10-01T00:00:00Z
"""


SETTINGS = InvoiceSettings(
    formats=("json", "csv", "html"),
    seller=Seller(name="Tests CDN", address=("1 Test Street",), tax_id="T-1"),
)


class World:
    """One home and its settings; each method opens the store as its command would."""

    def __init__(self, folder: Path, *, accounts: str = ACCOUNTS, book: str = BOOK) -> None:
        self.home = make_home(folder, book=book, accounts=accounts)
        self.settings = SETTINGS

    @classmethod
    def at(cls, home: Path) -> World:
        """The world of a home that is there already."""
        world = cls.__new__(cls)
        world.home = home
        world.settings = SETTINGS
        return world

    def use(self, hour: datetime, *uses: Use, through: datetime | None = None) -> None:
        """Close one hour with these uses; with `through`, the promise reaches up to then."""
        close_hour(self.home, hour, uses, complete_through=through)

    def month(self, uses: Sequence[tuple[datetime, Use]], end: datetime) -> None:
        """Close each hour of `uses` and promise that all before `end` is complete."""
        by_hour: dict[datetime, list[Use]] = {}
        for hour, use in uses:
            by_hour.setdefault(hour, []).append(use)
        for hour in sorted(by_hour):
            self.use(hour, *by_hour[hour], through=end)

    def rate(self, at: datetime) -> run.RunOutcome:
        """What `edgetoll billing rate` does, without the lake."""
        books = load_books(self.home / "prices")
        with open_store(self.home, owner="test", now=at) as store:
            return run.rate(store, books=books, settings=read_settings(self.home), at=at)

    def invoice(self, month: str, at: datetime, **order: Any) -> Issued:
        """What `edgetoll billing invoice` does up to the journal."""
        wanted = Order(month=month, account=order.pop("account", None), at=at, **order)
        with open_store(self.home, owner="test", now=at) as store:
            issued = issue(store, wanted, self.settings)
            assert invariants.run(store.connection) == []
            return issued

    def documents(self, month: str, at: datetime = DECEMBER) -> list[Invoice]:
        """The issued documents of a month."""
        with open_store(self.home, owner="test", now=at) as store:
            return list(reading.of_month(store.connection, month, None))

    def pay(self, account: str, amount: str, key: str, at: datetime, kind: Any = "cash") -> int:
        """Post a payment and let it reach invoices; how many changed their standing."""
        with open_store(self.home, owner="test", now=at) as store:
            top_up(store, account, parse_amount(amount), key=key, kind=kind, at=at)
            return payments.settle(store, at=at)

    def standing(self, at: datetime = DECEMBER) -> dict[str, str]:
        """The standing of each invoice that is not void."""
        with open_store(self.home, owner="test", now=at) as store:
            found = payments.standing(store.connection, with_paid=True)
            return {one.invoice_no: one.status for one in found}

    def void(self, invoice_no: str, at: datetime, reason: str = "wrong address") -> Credited:
        """What `edgetoll billing void` does."""
        with open_store(self.home, owner="test", now=at) as store:
            done = void(store, invoice_no, reason=reason, settings=self.settings, at=at)
            assert invariants.run(store.connection) == []
            return done

    def credit(
        self, invoice_no: str, line: int, amount: str, key: str, at: datetime, why: str = "goodwill"
    ) -> Credited:
        """What `edgetoll billing credit-note` does."""
        with open_store(self.home, owner="test", now=at) as store:
            done = credit(
                store,
                invoice_no,
                line_no=line,
                amount=parse_amount(amount),
                key=key,
                reason=why,
                settings=self.settings,
                at=at,
            )
            assert invariants.run(store.connection) == []
            return done

    def query(self, text: str, at: datetime = DECEMBER) -> list[tuple[Any, ...]]:
        """Rows of the private store, for what only a test looks at."""
        with open_store(self.home, owner="test", now=at) as store:
            return store.connection.execute(text).fetchall()


def made_once(make: Callable[..., World]) -> Callable[..., World]:
    """`make(folder, …)`, but each world is made once and then copied: tests are about what
    follows.
    """
    made: dict[str, Path] = {}

    @wraps(make)
    def copy(folder: Path, *given: Any, **named: Any) -> World:
        key = repr((given, sorted(named.items())))
        if key not in made:
            place = mkdtemp(prefix=make.__name__, dir=homes.templates or folder.parent)
            made[key] = make(Path(place), *given, **named).home
        return World.at(copied(made[key], folder / "home"))

    return copy


@made_once
def october(folder: Path, **changes: Any) -> World:
    """October 2026 closed and rated for two accounts: HTTPS beside traffic in tiers."""
    world = World(folder, **changes)
    first = datetime(2026, 10, 5, 13, tzinfo=UTC)
    later = datetime(2026, 10, 20, 7, tzinfo=UTC)
    world.month(
        [
            (OCTOBER, Use(requests=0, bytes_sent=0)),
            (first, Use(requests=1_000_000, bytes_sent=60 * GB)),
            (first, Use(domain="a.beta.example", requests=355, bytes_sent=2 * GB)),
            (later, Use(requests=2_345, bytes_sent=90 * GB, minute=30)),
        ],
        NOVEMBER,
    )
    world.rate(NOVEMBER)
    return world


@made_once
def issued(folder: Path) -> World:
    """October issued for acme (10.00 with tax) and beta."""
    world = october(folder)
    world.invoice("2026-10", ISSUE)
    return world
