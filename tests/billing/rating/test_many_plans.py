"""An account may have ten thousand plans: they pay as if asked one by one, in few rounds.

Method: random plans of one account against the reference, which goes hour by hour and plan by plan;
and the statements of an hour counted, since a round per plan is what made two thousand take 16 s.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

import sql
from tests import reference
from tests.billing.rating.world import World, at, one_book
from tests.effort import THOROUGH
from tests.reference import Account, Plan, Usage

HOUR = timedelta(hours=1)
START = at("2026-02-01")
LABELS = {"CN": "CN", "US": "NA", "DE": "EU"}
BOOK = """
[book]
id = "book"
currency = "USD"
[regions]
CN = ["CN"]
NA = ["US"]
EU = ["DE"]
[[card]]
id = "https"
item = "https_requests"
effective_from = 2020-01-01
unit = "request"
price = "1"
[[card]]
id = "home"
item = "data_transfer"
region = "CN"
effective_from = 2020-01-01
unit = "GB"
price = "1"
free_quota = "1 KB"
[[card]]
id = "data"
item = "data_transfer"
effective_from = 2020-01-01
unit = "GB"
price = "1"
"""
LOOPS = ("next_group", "pay_group", "left_after_group", "pay_slice", "left_after_slice")


def plans_of(dice: random.Random, count: int, regions: list[str]) -> list[Plan]:
    found = []
    for number in range(count):
        starts = START + timedelta(minutes=dice.randrange(-600, 300))
        ends = starts + HOUR * dice.choice([1, 3, 12, 500])
        kind = dice.choice(["data_transfer", "data_transfer", "https_requests"])
        quantity = dice.choice([1, 300, 4000, 10**6])
        found.append(Plan(f"ap{number:05}", kind, dice.choice(regions), quantity, starts, ends))
    return found


def used(dice: random.Random, hours: int) -> list[Usage]:
    return [
        Usage(START + HOUR * hour, label, "https", dice.randrange(4000), dice.randrange(10**5))
        for hour in range(hours)
        for label in LABELS
        if dice.random() < 0.8
    ]


def world_of(folder: Path, account: Account) -> World:
    world = World(one_book(folder, BOOK))
    world.account(account)
    return world


def assert_paid(world: World, account: Account, rows: list[Usage], hours: int) -> None:
    cards = world.books.books["book"].cards
    wanted = reference.rate(account, cards, LABELS, rows, START + HOUR * hours)
    assert world.plan_hours() == {key: paid for key, paid in wanted.plan_paid.items() if paid}


@pytest.mark.parametrize("seed", range(40 if THOROUGH else 3))
def test_g17_many_plans_pay_as_the_reference_says_by_the_hour_and_replayed(
    tmp_path: Path, seed: int
) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    regions = dice.choice([["all"], ["CN", "all"], ["CN", "OverSeas", "all", "NA", "EU"]])
    account = Account("a", "UTC", START, "data_transfer")
    account.plans = plans_of(dice, dice.choice([3, 30, 120]), regions)
    hours = dice.choice([1, 4])
    rows = used(dice, hours)
    world = world_of(tmp_path, account)
    for hour in range(hours):
        now = START + HOUR * hour
        world.use(("a", row) for row in rows if now <= row.bucket < now + HOUR)
        world.rate(now + HOUR)
    assert_paid(world, account, rows, hours)
    world.changed("a", START, "test")
    assert "plan_use" not in world.rate(START + HOUR * hours).effects
    again = world_of(tmp_path, account)
    again.use(("a", row) for row in rows)
    again.rate(START + HOUR * hours)
    assert_paid(again, account, rows, hours)


@pytest.mark.parametrize("regions", [["all"], ["CN", "OverSeas", "all", "NA", "EU"]])
def test_g17_an_hour_takes_few_rounds_however_many_plans_there_are(
    tmp_path: Path, regions: list[str]
) -> None:
    account = Account("a", "UTC", START, "data_transfer")
    account.plans = [
        Plan(f"ap{number:05}", "data_transfer", regions[number % len(regions)], 1000,
             START - HOUR, START + HOUR * 1000)
        for number in range(1000)
    ]  # fmt: skip
    world = world_of(tmp_path, account)
    rows = [Usage(START, label, "https", 1, 120_000) for label in LABELS]
    world.use(("a", row) for row in rows)
    connection = Counting(world.connection)
    world.connection = connection  # type: ignore[assignment]
    world.rate(START + HOUR)
    assert len(world.plan_hours()) > 300
    assert connection.rounds() <= 10
    assert_paid(world, account, rows, 1)


class Counting:
    """The connection, and how often each statement of a loop over plans was executed."""

    def __init__(self, connection) -> None:
        self._connection = connection
        self._names = {
            sql.text(f"statements/rating/quotas_and_plans/{name}"): name for name in LOOPS
        }
        self._seen: Counter[str] = Counter()

    def execute(self, query: str, *parameters):
        if query in self._names:
            self._seen[self._names[query]] += 1
        return self._connection.execute(query, *parameters)

    def rounds(self) -> int:
        """All statements of the loops together."""
        return self._seen.total()

    def __getattr__(self, name: str):
        return getattr(self._connection, name)
