"""What-if: the same prices change nothing, another price shows exactly its difference, nothing is
touched.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, timedelta

import pytest

from billing.commands.simulate import _amounts as amounts
from billing.prices.records import PriceBooks
from billing.rating.engine import project
from billing.rating.simulate import simulate
from edge.errors import InputError
from tests.billing.rating.reference.generated import BOOK, LAST, generate
from tests.billing.rating.world import World


def rated(seed: int, *, agreed: bool = True) -> World:
    """A generated world; without what was `agreed`, credit and commitments, prices alone count."""
    print("seed", seed)
    case = generate(seed, accounts=8)
    world = World(case.books)
    for account in case.accounts:
        alone = account if agreed else dataclasses.replace(account, credits=[], commitments=[])
        world.account(alone)
    world.use((name, row) for name, rows in case.usage.items() for row in rows)
    world.rate(LAST)
    return world


def stored(world: World) -> list:
    rows = world.connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1"
    ).fetchall()
    return [(name, sorted(world.connection.table(name).fetchall(), key=str)) for (name,) in rows]


@pytest.mark.parametrize("seed", [801, 802])
def test_the_same_prices_give_the_same_month_and_touch_nothing(seed: int) -> None:
    world = rated(seed)
    before = stored(world)
    result = simulate(
        world.connection, books=world.books, tried=world.books.books[BOOK], month="2026-03"
    )
    assert result.accounts
    assert [one.change for one in result.accounts] == [0] * len(result.accounts)
    assert stored(world) == before


def test_twice_the_price_of_one_item_changes_that_item_alone() -> None:
    world = rated(803, agreed=False)
    book = world.books.books[BOOK]
    dearer = tuple(
        dataclasses.replace(
            card,
            tiers=tuple(dataclasses.replace(t, price=t.price * 2, flat_fee=t.flat_fee * 2)
                        for t in card.tiers),
            flat_fee=card.flat_fee * 2,
            minimum=None if card.minimum is None else card.minimum * 2,
            maximum=None if card.maximum is None else card.maximum * 2,
        )
        if card.item == "https_requests"
        else card
        for card in book.cards
    )  # fmt: skip
    tried = dataclasses.replace(book, cards=dearer)
    result = simulate(world.connection, books=world.books, tried=tried, month="2026-03")
    changed = 0
    for one in result.accounts:
        for item, (charged, simulated) in one.items.items():
            if item == "https_requests":
                changed += simulated > charged
                assert abs(simulated - 2 * charged) <= 3, "one cut per lane"
            else:
                assert simulated == charged
    assert changed


def test_a_month_that_was_not_rated_is_an_error() -> None:
    world = rated(804)
    with pytest.raises(InputError, match="2026-07"):
        simulate(
            world.connection, books=world.books, tried=world.books.books[BOOK], month="2026-07"
        )


def test_a_book_that_could_replace_no_other_is_an_error() -> None:
    world = rated(804)
    tried = dataclasses.replace(world.books.books[BOOK], book_id="other", currency="EUR")
    with pytest.raises(InputError, match="no account has a price book"):
        simulate(world.connection, books=world.books, tried=tried, month="2026-03")


@pytest.mark.parametrize("seed", [805, 806])
def test_open_hours_priced_ahead_cost_what_they_cost_once_closed(seed: int) -> None:
    print("seed", seed)
    case = generate(seed, accounts=8)
    world = World(PriceBooks(books=case.books.books))
    for account in case.accounts:
        world.account(account)
    half = LAST - timedelta(days=14)
    rows = [(name, row) for name, found in case.usage.items() for row in found]
    world.use((name, row) for name, row in rows if row.bucket < half)
    world.rate(half)
    world.connection.execute(
        "CREATE OR REPLACE TEMP TABLE open_usage (account_id VARCHAR, bucket TIMESTAMP,"
        " region VARCHAR, class VARCHAR, requests BIGINT, bytes_sent BIGINT)"
    )
    later = half + timedelta(days=5)
    for name, row in rows:
        if half <= row.bucket < later:
            world.connection.execute(
                "INSERT INTO open_usage VALUES (?, ?, ?, ?, ?, ?)",
                [name, row.bucket, row.label, row.kind, row.requests, row.bytes_sent],
            )
    project(world.connection, books=world.books, through=later.replace(tzinfo=UTC))
    ahead = world.connection.execute(
        "SELECT account_id, sum(amount) FROM rating_projection GROUP BY 1 HAVING sum(amount) <> 0"
    ).fetchall()
    world.use((name, row) for name, row in rows if half <= row.bucket < later)
    outcome = world.rate(later)
    after = world.connection.execute(
        "SELECT account_id, sum(amount) FROM charges WHERE journal_no = 2 AND item NOT LIKE"
        " '%bandwidth' GROUP BY 1 HAVING sum(amount) <> 0"
    ).fetchall()
    assert outcome.charges
    bandwidth = {account.account_id for account in case.accounts
                 if account.method != "data_transfer" or account.changes}  # fmt: skip
    assert sorted(row for row in ahead if row[0] not in bandwidth) == sorted(
        row for row in after if row[0] not in bandwidth
    )


def test_yen_are_shown_without_decimals_and_fractions_of_them_exactly() -> None:
    told = {"charged": "957", "simulated": "958.5", "change": "1.5"}
    assert amounts("JPY", 957 * 10**10, 9_585 * 10**9) == told
