"""The same facts cost the same money, in whatever order commands told them (DOMAIN §10.14).

Method: generated worlds whose accounts, usage and runs come in random orders, against the
reference, which knows no order; and real homes with the orders of the same few commands.
"""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from billing.appliers import open_store
from tests.billing.homes import BOOK, START, Use, close_hour, load_text, make_home
from tests.billing.rating.reference.arrivals import HOUR
from tests.billing.rating.reference.generated import FIRST, FIVE, LAST, Case, generate
from tests.billing.rating.reference.test_reference import assert_equal, expected
from tests.billing.rating.world import World, at, one_book
from tests.billing.runner import posted
from tests.effort import THOROUGH
from tests.reference import Account, Usage

SEEDS = 40 if THOROUGH else 2
FEES = BOOK.replace('price = "0.01"', 'price = "0.01"\nflat_fee = "3"\nminimum = "5"').replace(
    'region = "NA"', 'region = "NA"\nminimum = "8"'
)
ACME = """
[[accounts]]
id = "acme"
name = "Acme"
currency = "USD"
price_book = "plain"
opened = 2026-09-10T00:00:00Z
[[domains]]
domain = "www.acme.example"
account = "acme"
"""
IDLE = """
[[accounts]]
id = "idle"
name = "Idle"
currency = "USD"
price_book = "plain"
opened = 2026-09-15T00:00:00Z
"""


def tell(world: World, case: Case, dice: random.Random) -> None:
    """All accounts, all usage and some runs, in a random order; the last run sees everything."""
    rows = [(name, row) for name, found in case.usage.items() for row in found]
    dice.shuffle(rows)
    parts = dice.choice([1, 3, 5])
    steps: list[tuple[str, object]] = [("account", account) for account in case.accounts]
    steps += [("usage", rows[part::parts]) for part in range(parts)]
    throughs = sorted(FIRST + HOUR * dice.randrange(1, (LAST - FIRST) // HOUR) for _ in range(4))
    steps += [("rate", None) for _ in throughs]
    dice.shuffle(steps)
    for kind, what in steps:
        if kind == "account":
            world.account(what)  # type: ignore[arg-type]
        elif kind == "usage":
            world.use(what)  # type: ignore[arg-type]
        else:
            world.rate(throughs.pop(0))
    world.rate(LAST)


@pytest.mark.parametrize("seed", range(500, 500 + SEEDS))
def test_g15_accounts_usage_and_runs_in_any_order_cost_what_the_reference_says(seed: int) -> None:
    print("seed", seed)
    case = generate(seed, accounts=8)
    world = World(case.books)
    tell(world, case, random.Random(seed))
    totals, hours, plans = expected(case, LAST)
    assert_equal(case, world, totals, hours, plans)


def amounts(home: Path) -> dict[tuple[str, ...], int]:
    """(account, month, item, region) -> amount, over all charges."""
    with open_store(home, owner="test", now=START) as store:
        rows = store.connection.execute(
            "SELECT account_id, month, item, region, sum(amount) FROM charges GROUP BY ALL"
        ).fetchall()
    return {row[:4]: int(row[4]) for row in rows if row[4]}


def _close(home: Path) -> None:
    close_hour(home, START, [Use(requests=200, bytes_sent=0)])
    close_hour(home, START + timedelta(hours=1), [Use(requests=300, bytes_sent=0)])


STEPS = {
    "load acme": lambda home: load_text(home, ACME, name="acme.toml"),
    "load idle": lambda home: load_text(home, IDLE, name="idle.toml"),
    "close two hours": _close,
    "rate": lambda home: posted(home, at=START + timedelta(hours=2)),
}


def test_g15_orders_of_the_same_commands_end_in_the_same_charges(tmp_path: Path) -> None:
    seen = {}
    orders = list(permutations(STEPS))
    for number, order in enumerate(orders if THOROUGH else orders[::7]):
        home = make_home(tmp_path / str(number), book=FEES, accounts=None)
        for step in order:
            STEPS[step](home)
        posted(home, at=START + timedelta(hours=3))
        posted(home, at=START + timedelta(hours=4))
        seen[order] = amounts(home)
    wanted = next(iter(seen.values()))
    assert {order: found for order, found in seen.items() if found != wanted} == {}
    # September: a fee of 3, minimums of 5 and 8 at its end; October has begun, with its fee alone.
    one = 10**10
    assert {key[1:]: value for key, value in wanted.items() if key[0] == "idle"} == {
        ("2026-09", "https_requests", "all"): 5 * one,
        ("2026-09", "data_transfer", "NA"): 8 * one,
        ("2026-10", "https_requests", "all"): 3 * one,
    }
    assert wanted["acme", "2026-10", "https_requests", "all"] == 3 * one + 500 * one // 10**6


PRICED = """
[book]
id = "book"
currency = "USD"
[[card]]
id = "https"
item = "https_requests"
effective_from = 2020-01-01
unit = "request"
per = 10000
price = "0.01"
flat_fee = "3"
minimum = "5"
"""
HTTPS = "https_requests"


def months(world: World, account_id: str) -> dict[str, int]:
    return {key[1]: row[3] for key, row in world.totals().items() if key[0] == account_id}


def test_g15_an_account_that_uses_nothing_pays_the_same_when_loaded_after_the_run(
    tmp_path: Path,
) -> None:
    paid = []
    for after in (False, True):
        world = World(one_book(tmp_path, PRICED))
        world.account(Account("user", "UTC", at("2026-02-10"), "data_transfer"))
        world.use([("user", Usage(at("2026-02-27T10:00"), "CN", "https", 10, 0))])
        if not after:
            world.account(Account("idle", "UTC", at("2026-02-20T10:07"), "data_transfer"))
        world.rate(at("2026-03-02"))
        if after:
            world.account(Account("idle", "UTC", at("2026-02-20T10:07"), "data_transfer"))
            world.rate(at("2026-03-02"))
        paid.append(months(world, "idle"))
    assert paid[0] == paid[1] == {"2026-02": 5 * 10**10, "2026-03": 3 * 10**10}


def test_g15_late_requests_of_a_new_account_are_not_the_reason_of_its_fees(tmp_path: Path) -> None:
    world = World(one_book(tmp_path, PRICED))
    world.account(Account("user", "UTC", at("2026-02-10"), "data_transfer"))
    world.use([("user", Usage(at("2026-02-27T10:00"), "CN", "https", 10, 0))])
    world.rate(at("2026-03-02"))
    world.account(Account("new", "UTC", at("2026-02-20"), "data_transfer"))
    world.use([("new", Usage(at("2026-02-28T10:00"), "CN", "https", 20_000, 0))])
    world.rate(at("2026-03-02"))
    assert months(world, "new") == {"2026-02": 5 * 10**10, "2026-03": 3 * 10**10}
    reasons = world.connection.execute(
        "SELECT DISTINCT reason FROM charges WHERE account_id = 'new' AND quantity = 0"
    ).fetchall()
    assert all("account opened" in reason for (reason,) in reasons)


def test_g15_fees_depend_neither_on_usage_nor_on_other_accounts(tmp_path: Path) -> None:
    """No usage at all, then usage of another account years later: the months are the same."""
    paid = []
    for uses in ([], [("other", Usage(at("2026-03-01T00:00"), "CN", "https", 10, 0))]):
        world = World(one_book(tmp_path, PRICED))
        world.account(Account("a", "Asia/Shanghai", at("2026-01-31T16:00"), "data_transfer"))
        world.account(Account("other", "UTC", at("2026-03-01"), "data_transfer"))
        world.use(uses)
        world.rate(at("2026-03-01T01:00"))
        paid.append(months(world, "a"))
    assert paid[0] == paid[1] == {"2026-02": 5 * 10**10, "2026-03": 3 * 10**10}


def test_g15_an_account_of_an_older_home_keeps_paying_from_the_first_hour_rated(
    tmp_path: Path,
) -> None:
    world = World(one_book(tmp_path, PRICED))
    world.account(Account("old", "UTC", at("2000-01-01"), "data_transfer"))
    world.use([("old", Usage(at("2026-02-27T10:00"), "CN", "https", 10, 0))])
    world.rate(at("2026-03-02"))
    assert months(world, "old") == {"2026-02": 5 * 10**10, "2026-03": 3 * 10**10}


@pytest.mark.parametrize(
    ("method", "amount"), [("peak_bandwidth", 15 * 10**8), ("percentile95_bandwidth", 10**8 // 2)]
)
def test_g15_bandwidth_used_before_an_account_was_opened_is_not_given_away(
    tmp_path: Path, method: str, amount: int
) -> None:
    """Its domain was owned from before: the loader did not say when the account was opened."""
    card = PRICED.partition("flat_fee")[0].replace(HTTPS, method).replace('"request"', '"Mbps"')
    world = World(one_book(tmp_path, card.replace("per = 10000\n", "")))
    world.account(Account("a", "UTC", at("2026-04-20"), method))
    buckets = [at("2026-04-16") + FIVE * number for number in range(288 * 15)]
    world.use([("a", Usage(bucket, "CN", "https", 1, 37_500_000)) for bucket in buckets])
    world.rate(at("2026-05-01"))
    assert months(world, "a") == {"2026-04": amount}


@pytest.mark.parametrize("told", ["before", "in time", "late"])
def test_g15_a_closed_account_pays_no_fee_after_its_last_month_whenever_that_is_told(
    tmp_path: Path, told: str
) -> None:
    world = World(one_book(tmp_path, PRICED))
    world.account(Account("a", "UTC", at("2026-01-15"), "data_transfer"))
    closed = at("2026-02-10T00:03")
    if told == "before":
        world.close("a", closed, at=at("2026-02-01"))
    world.rate(at("2026-02-10"))
    if told == "in time":
        world.close("a", closed, at=at("2026-02-10"))
    world.rate(at("2026-04-01"))
    if told == "late":
        assert months(world, "a")["2026-03"] == 5 * 10**10
        world.close("a", closed, at=at("2026-04-01"))
        world.rate(at("2026-04-01"))
    assert months(world, "a") == {"2026-01": 5 * 10**10, "2026-02": 5 * 10**10}


def test_g15_usage_of_a_month_in_which_the_account_was_not_open_bears_no_fee(
    tmp_path: Path,
) -> None:
    world = World(one_book(tmp_path, PRICED))
    world.account(Account("a", "UTC", at("2026-02-10"), "data_transfer"))
    world.use([("a", Usage(at("2026-01-20"), "CN", "https", 20_000, 0))])
    world.rate(at("2026-02-01"))
    assert months(world, "a") == {"2026-01": 2 * 10**8}
