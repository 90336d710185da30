"""Goal: adding hours one run at a time, replaying, lateness and issued months all end in one
result.

Method: generated worlds reach billing in random runs with random delays; the end must be the
reference's, and a replay of everything must find nothing to post (FAULTS P4, DESIGN §3.7).
"""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from tests.billing.rating.reference.arrivals import feed
from tests.billing.rating.reference.generated import FIRST, LAST, generate
from tests.billing.rating.reference.test_reference import assert_equal, expected
from tests.billing.rating.world import World, at, one_book
from tests.effort import THOROUGH
from tests.reference import Account, Plan, Usage

SEEDS = 60 if THOROUGH else 2
HOURS = 100 if THOROUGH else 12


def fed(seed: int, issues: bool):
    print("seed", seed, "issues", issues)
    case = generate(seed, accounts=8)
    world = World(case.books)
    for account in case.accounts:
        world.account(account)
    dice = random.Random(seed)
    feed(world, case, dice, runs=dice.choice([2, 4, 7]), issues=issues)
    return case, world


@pytest.mark.parametrize("seed", range(100, 100 + SEEDS))
def test_p4_any_number_of_runs_and_any_lateness_end_in_the_same_month(seed: int) -> None:
    case, world = fed(seed, issues=False)
    totals, hours, plans = expected(case, LAST)
    assert_equal(case, world, totals, hours, plans)


@pytest.mark.parametrize("seed", range(200, 200 + SEEDS))
def test_g10_usage_after_issue_costs_what_all_costs_less_what_was_on_time(seed: int) -> None:
    case, world = fed(seed, issues=True)
    totals, hours, plans = expected(case, LAST)
    assert_equal(case, world, totals, hours, plans)


@pytest.mark.parametrize("seed", range(300, 300 + SEEDS))
def test_a_replay_of_everything_finds_nothing_to_post(seed: int) -> None:
    case, world = fed(seed, issues=seed % 2 == 0)
    before = world.connection.execute("FROM month_state ORDER BY ALL").fetchall()
    for account in case.accounts:
        world.changed(account.account_id, FIRST, "test")
    outcome = world.rate(LAST)
    assert outcome.charges == 0
    assert "plan_use" not in outcome.effects
    assert world.connection.execute("FROM month_state ORDER BY ALL").fetchall() == before


BOOK = """
[book]
id = "book"
currency = "USD"
[regions]
EU = ["DE", "FR"]
[[card]]
id = "https"
item = "https_requests"
effective_from = 2020-01-01
model = "graduated"
unit = "request"
per = 7
tiers = [{ up_to = 9, price = "0.0000000010" }, { price = "0.0000000006" }]
free_quota = 5
[[card]]
id = "quic"
item = "quic_requests"
effective_from = 2020-01-01
model = "package"
unit = "request"
per = 5
price = "0.0000000003"
"""


def rated(folder: Path, *, each_hour: bool) -> tuple[list[tuple[object, ...]], ...]:
    """Charges and months of two accounts, one of which has a plan, after nine hours."""
    world = World(one_book(folder, BOOK))
    first, plan = at("2026-02-01"), Plan("p", "https_requests", "all", 6, at("2026-02-01"), LAST)
    for name, plans in (("a", []), ("b", [plan])):
        world.account(Account(name, "UTC", first, "data_transfer", plans=plans))
    for hour in range(1, 10):
        bucket = first + timedelta(hours=hour - 1)
        world.use(
            (name, Usage(bucket, label, kind, 1 + hour % 3, 0))
            for name in ("a", "b")
            for label in ("DE", "FR")
            for kind in ("https", "quic")
        )
        if each_hour or hour == 9:
            world.rate(first + timedelta(hours=hour))
    charged = world.connection.execute(
        "SELECT * EXCLUDE (charge_id, run_id, journal_no) FROM charges ORDER BY ALL"
    )
    return charged.fetchall(), world.connection.execute("FROM month_state ORDER BY ALL").fetchall()


def test_an_hour_rated_alone_costs_what_it_costs_among_others(tmp_path: Path) -> None:
    """What is alone in its hour goes the short way (amounts/plain), like all else."""
    assert rated(tmp_path, each_hour=True) == rated(tmp_path, each_hour=False)


@pytest.mark.parametrize("seed", range(400, 400 + SEEDS // 2))
def test_p4_hours_rated_one_by_one_cost_what_they_cost_together(seed: int) -> None:
    print("seed", seed)
    case = generate(seed, accounts=8)
    world = World(case.books)
    for account in case.accounts:
        world.account(account)
    rows = [(name, row) for name, used in case.usage.items() for row in used]
    hours = sorted({row.bucket.replace(minute=0) for _, row in rows})[:HOURS]
    for hour in hours:
        world.use([one for one in rows if one[1].bucket.replace(minute=0) == hour])
        world.rate(hour + timedelta(hours=1))
    world.use([one for one in rows if one[1].bucket.replace(minute=0) not in hours])
    world.rate(LAST)
    totals, by_hour, plans = expected(case, LAST)
    assert_equal(case, world, totals, by_hour, plans)
