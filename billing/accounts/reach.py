"""What a plan or a credit can pay for in its account's price book.

One that could never pay for anything is refused when it is loaded: nobody would be told later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb

import sql
from billing.accounts.agreement_rows import PLAN_ITEM
from billing.accounts.records import AccountFact, Agreement, PlanBought
from billing.accounts.staging import StagedLoad
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class BookReach:
    """Of a price book: the regions that a plan or credit can be for, and where each item is sold:
    (item, region of its cards).
    """

    regions: Collection[str]
    sold: Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    account_id: str
    price_book: str


def refuse_unreachable(
    connection: duckdb.DuckDBPyConnection,
    staged: StagedLoad,
    plans: Sequence[PlanBought],
    agreements: Sequence[Agreement],
    *,
    books: Mapping[str, BookReach],
) -> None:
    """InputError with the place of the first plan or credit that could pay for nothing."""
    scoped = [one for one in agreements if one.items or one.regions]
    if not plans and not scoped:
        return
    books_of: dict[str, set[str]] = {}
    found = connection.execute(sql.text("statements/accounts/load/books_of_accounts"))
    pairs = [(one.account_id, one.price_book) for one in sql.rows(found, _Book)]
    pairs += [(one.fact.account_id, one.fact.price_book) for one in staged.accounts]
    for account, book in pairs:
        books_of.setdefault(account, set()).add(book)
    places: dict[AccountFact, str] = {one.fact: one.place for one in staged.plans}
    places |= {one.fact: one.place for one in staged.agreements}
    wanted: list[tuple[PlanBought | Agreement, str]] = [(one, one.region) for one in plans]
    wanted += [(one, region) for one in scoped for region in _names(one.regions)]
    for fact, region in wanted:
        own = sorted(books_of[fact.account_id] & books.keys())
        known = sorted({name for book in own for name in books[book].regions})
        if known and region not in known:
            raise InputError(
                f"{places[fact]}: price book {', '.join(own)} of {fact.account_id} has no"
                f" region {region!r}",
                f"it has {', '.join(known)}; or add it to the book's [regions]",
            )
    for credit in scoped:
        own = sorted(books_of[credit.account_id] & books.keys())
        sold = {pair for book in own for pair in books[book].sold}
        if sold and PLAN_ITEM not in _names(credit.items) and not _reaches(credit, sold):
            of = ", ".join(sorted(f"{item} in {region}" for item, region in sold))
            raise InputError(
                f"{places[credit]}: credit {credit.agreement_id!r} would never pay for anything:"
                f" price book {', '.join(own)} of {credit.account_id} charges {of}",
                "name an item and a region in which it is charged, or leave `regions` out",
            )


def _reaches(credit: Agreement, sold: Collection[tuple[str, str]]) -> bool:
    items, regions = _names(credit.items), _names(credit.regions)
    return any(
        (not items or item in items)
        and (
            not regions
            or region in regions
            or ("OverSeas" in regions and region not in ("CN", "all"))
        )
        for item, region in sold
    )


def _names(joined: str) -> list[str]:
    return joined.split(",") if joined else []
