"""Goal: an HTTPS charge depends on HTTPS requests, request plans and prices, and on nothing else.

Method: metamorphic. A generated world is rated, then changed in everything about traffic (bytes,
other classes, data plans, billing method), and rated again: every HTTPS charge must be as it was
(FAULTS F9, P3).
"""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta

import pytest

from billing.prices.records import PriceBooks, RateCard, Tier
from billing.rating.plan_kinds import PAID_BY_PLAN, offset_rows
from tests.billing.rating.reference.generated import BOOK, LAST, Case, generate
from tests.billing.rating.world import World
from tests.reference import Plan


def rated(case: Case) -> World:
    world = World(case.books)
    for account in case.accounts:
        world.account(account)
    world.use((name, row) for name, rows in case.usage.items() for row in rows)
    world.rate(LAST)
    return world


def https(world: World):
    """What HTTPS requests cost; what an account's promotional credit pays of it is no price."""
    return world.connection.execute(
        "SELECT account_id, region, month, period_start, quantity, free_quantity, plan_quantity,"
        " amount, rate_card FROM charges WHERE item = 'https_requests'"
        " AND rate_card NOT LIKE 'credit/%' ORDER BY ALL"
    ).fetchall()


def by_month(world: World) -> dict[tuple[str, str], int]:
    """The same, added up."""
    amounts: dict[tuple[str, str], int] = {}
    for account_id, _, month, *_, amount, _ in https(world):
        amounts[account_id, month] = amounts.get((account_id, month), 0) + amount
    return amounts


def without_held_hours(case: Case) -> Case:
    """Every basic item sold everywhere, so that changed traffic never lacks a price."""
    cards = [card for card in case.cards if card.item in ("https_requests", "data_transfer")]
    book = dataclasses.replace(case.books.books[BOOK], cards=tuple(cards))
    return dataclasses.replace(case, books=PriceBooks(books={BOOK: book}))


def changed_traffic(case: Case, dice: random.Random) -> Case:
    usage = {}
    for name, rows in case.usage.items():
        usage[name] = [
            dataclasses.replace(
                row,
                bytes_sent=row.bytes_sent * dice.choice([0, 3]) + dice.randrange(10**6),
                requests=row.requests if row.kind == "https" else dice.randrange(10**6),
            )
            for row in rows
        ]
    accounts = []
    for account in case.accounts:
        plans = [plan for plan in account.plans if plan.kind == "https_requests"]
        start = case.usage[account.account_id][0].bucket if case.usage[account.account_id] else LAST
        plans.append(
            Plan(f"{account.account_id}data", "data_transfer", "all", 10**12, start,
                 start + timedelta(days=9))
        )  # fmt: skip
        accounts.append(
            dataclasses.replace(
                account, method=dice.choice(["data_transfer", "peak_bandwidth"]), plans=plans
            )
        )
    return Case(books=case.books, accounts=accounts, usage=usage)


@pytest.mark.parametrize("seed", [600, 601, 602])
def test_f9_p3_changing_traffic_leaves_every_https_charge_as_it_was(seed: int) -> None:
    case = next(
        case for number in range(seed * 100, seed * 100 + 99)
        if len((case := without_held_hours(generate(number, accounts=10))).cards) > 2
        and any(card.item == "https_requests" for card in case.cards)
    )  # fmt: skip
    print("seed", seed)
    before = rated(case)
    assert https(before), "a world without HTTPS proves nothing"
    after = rated(changed_traffic(case, random.Random(seed)))
    assert https(after) == https(before)


@pytest.mark.parametrize("seed", [600, 602])
def test_no_request_plan_pays_bytes_and_no_data_plan_pays_a_request(seed: int) -> None:
    print("seed", seed)
    world = rated(generate(seed, accounts=10))
    kinds = dict(world.connection.execute("SELECT plan_id, kind FROM plans").fetchall())
    paid: dict[str, int] = {}
    for (plan_id, _), quantity in world.plan_hours().items():
        paid[kinds[plan_id]] = paid.get(kinds[plan_id], 0) + quantity
    by_item: dict[str, int] = {}
    for (_, _, item, _), (_, _, plan, _) in world.totals().items():
        by_item[item] = by_item.get(item, 0) + plan
    assert by_item.get("https_requests", 0) == paid.get("https_requests", 0) > 0
    assert by_item.get("data_transfer", 0) == paid.get("data_transfer", 0)
    assert sum(by_item.values()) == sum(paid.values())


def test_the_offset_matrix_is_the_one_of_domain_2_3() -> None:
    assert offset_rows() == [
        ("https_requests", "https_requests"),
        ("data_transfer", "data_transfer"),
    ]
    assert all(PAID_BY_PLAN[item] == () for item in (
        "quic_requests", "http_requests", "peak_bandwidth", "percentile95_bandwidth"))  # fmt: skip


@pytest.mark.parametrize("seed", range(700, 703))
def test_p6_a_graduated_charge_never_falls_as_requests_grow(seed: int) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    case = generate(seed, accounts=6)
    tiers = tuple(
        Tier(up_to=up_to, price=dice.randrange(10**9), flat_fee=dice.randrange(10**6))
        for up_to in (1000, 200_000, None)
    )
    card = RateCard(
        card_id="g", book=BOOK, account_id=None, item="https_requests", scope="all",
        model="graduated", currency="USD", unit="request", per=1, unit_quantity=10_000,
        period="month", effective_from=case.cards[0].effective_from, effective_until=None,
        tiers=tiers,
    )  # fmt: skip
    book = dataclasses.replace(case.books.books[BOOK], cards=(card,))
    case = dataclasses.replace(case, books=PriceBooks(books={BOOK: book}))
    more = {
        name: [
            dataclasses.replace(row, requests=row.requests + dice.randrange(1, 99)) for row in rows
        ]
        for name, rows in case.usage.items()
    }
    less, grown = by_month(rated(case)), by_month(rated(dataclasses.replace(case, usage=more)))
    assert grown
    for key, amount in less.items():
        assert grown[key] >= amount
