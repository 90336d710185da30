"""Goal: adding hours one run at a time, replaying, lateness and issued months all end in one
result.

Method: generated worlds reach billing in random runs with random delays; the end must be the
reference's, and a replay of everything must find nothing to post (FAULTS P4, DESIGN §3.7).
"""

from __future__ import annotations

import random

import pytest

from tests.billing.rating.arrivals import feed
from tests.billing.rating.generated import FIRST, LAST, generate
from tests.billing.rating.test_reference import assert_equal, expected
from tests.billing.rating.world import World
from tests.effort import THOROUGH

SEEDS = 60 if THOROUGH else 2


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
