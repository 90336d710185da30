"""Goal: the set-based engine agrees with the slow reference to the last unit.

Method: worlds from printed seeds, rated by both; every month total, every hour and every plan's
hours must be equal.
"""

from __future__ import annotations

import pytest

from tests import reference
from tests.billing.rating.reference.generated import LAST, REGIONS, Case, generate
from tests.billing.rating.world import World
from tests.effort import THOROUGH

SEEDS = 60 if THOROUGH else 2


def expected(case: Case, through):
    """What the reference makes of a case: totals, hours, plan hours."""
    totals, hours, plans = {}, {}, {}
    for account in case.accounts:
        usage = case.usage[account.account_id]
        rating = reference.rate(account, case.cards, REGIONS, usage, through)
        for (month, item, scope), amount in rating.charged.items():
            used = rating.quantities.get((month, item, scope), (0, 0, 0))
            if amount or any(used):
                key = (account.account_id, f"{month:%Y-%m}", item, scope)
                totals[key] = (*used, amount)
        agreed = [((lane, hour), amount) for (lane, hour, _), amount in rating.agreed.items()]
        for ((month, item, scope), hour), amount in [*rating.by_hour.items(), *agreed]:
            key = (account.account_id, f"{month:%Y-%m}", item, scope)
            if not item.endswith("bandwidth"):
                hours[*key, hour] = hours.get((*key, hour), 0) + amount
        for ((month, item, scope), _), amount in agreed:
            key = (account.account_id, f"{month:%Y-%m}", item, scope)
            *used, before = totals.get(key, (0, 0, 0, 0))
            totals[key] = (*used, before + amount)
        plans |= {key: paid for key, paid in rating.plan_paid.items() if paid}
    hours = {key: amount for key, amount in hours.items() if amount}
    return {key: used for key, used in totals.items() if any(used)}, hours, plans


def assert_equal(case: Case, world: World, totals: dict, hours: dict, plans: dict) -> None:
    """To the unit, of every account but those with an hour too large for 128 bits.

    A plan's id begins with its account's.
    """
    assert all("priced exactly" in problem for problem in world.held.values())
    assert len(world.held) < len(case.accounts)
    assert world.repeated() == [], "each charge has an id of its own"
    for made, wanted in (
        (world.totals(), totals), (world.hourly(), hours), (world.plan_hours(), plans)
    ):  # fmt: skip
        left = [
            {key: found[key] for key in found if key[0].partition("p")[0] not in world.held}
            for found in (made, wanted)
        ]
        assert left[0] == left[1]


def everything(case: Case) -> list:
    return [(name, row) for name, rows in case.usage.items() for row in rows]


# Seed 141 has prices and usage whose product does not fit 128 bits: those hours are held.
@pytest.mark.parametrize("seed", [*range(SEEDS), 141])
def test_a_month_rated_in_one_run_agrees_with_the_reference(seed: int) -> None:
    print("seed", seed)
    case = generate(seed)
    world = World(case.books)
    for account in case.accounts:
        world.account(account)
    world.use(everything(case))
    world.rate(LAST)
    totals, hours, plans = expected(case, LAST)
    assert_equal(case, world, totals, hours, plans)


def terms(case: Case, through) -> dict:
    """(account, month, item, scope) -> what flat fee, maximum, minimum make, by the reference."""
    found = {}
    for account in case.accounts:
        rating = reference.rate(
            account, case.cards, REGIONS, case.usage[account.account_id], through
        )
        for (month, item, scope), parts in rating.terms.items():
            if any(parts):
                found[account.account_id, f"{month:%Y-%m}", item, scope] = tuple(parts)
    return found
