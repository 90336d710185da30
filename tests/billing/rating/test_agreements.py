"""Promotional credit, commitments, plans that are sold: what each adds, worked by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Commitment, Credit, Plan, Usage

UNIT = 10**10
GB = 2**30
PRICES = """
[book]
id = "book"
currency = "USD"
[regions]
CN = ["CN"]
NA = ["US"]
[[card]]
id = "https"
item = "https_requests"
effective_from = 2020-01-01
unit = "request"
price = "1"
[[card]]
id = "quic"
item = "quic_requests"
effective_from = 2020-01-01
model = "volume"
unit = "request"
tiers = [{ up_to = 5, price = "2" }, { price = "1" }]
[[card]]
id = "data-cn"
item = "data_transfer"
region = "CN"
effective_from = 2020-01-01
unit = "GB"
price = "1"
[[card]]
id = "data"
item = "data_transfer"
effective_from = 2020-01-01
unit = "GB"
price = "1"
"""


def made(tmp_path: Path, prices: str = PRICES, **account: Any) -> World:
    """A world with the account `a`, rated from March on."""
    world = World(one_book(tmp_path, prices))
    world.account(Account("a", "UTC", at("2026-03-01"), "data_transfer", **account))
    return world


def use(world: World, hour: str, requests: int, gigabytes: int = 0, kind: str = "https") -> None:
    """Usage of one bucket; its bytes come from China."""
    world.use([("a", Usage(at(hour), "CN" if gigabytes else "US", kind, requests, gigabytes * GB))])


def credit(name: str, amount: int, *items: str, **more: Any) -> Credit:
    """A credit of whole currency units over March."""
    known = {"regions": (), "priority": 100, "starts": at("2026-03-01"), "ends": at("2026-04-01")}
    return Credit(name, amount * UNIT, items, **{**known, **more})


def paid(world: World) -> dict[str, dict[str, int]]:
    """What each agreement came to by item, in units, of which there are whole ones alone."""
    rows = world.connection.execute(
        "SELECT rate_card, item, sum(amount) FROM charges"
        " WHERE contains(rate_card, '/') GROUP BY ALL HAVING sum(amount) <> 0 ORDER BY ALL"
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for card, item, amount in rows:
        assert amount % UNIT == 0
        found.setdefault(card, {})[item] = int(amount) // UNIT
    return found


def test_credit_pays_what_its_scope_names_and_nothing_else(tmp_path: Path) -> None:
    only = credit("tls", 100, "https_requests")
    china = credit("china", 100, "data_transfer", regions=("OverSeas",))
    world = made(tmp_path, credits=[only, china])
    use(world, "2026-03-02T10:00", 7, gigabytes=5)
    world.rate(at("2026-03-02T11:00"))
    assert paid(world) == {"credit/tls": {"https_requests": -7}}, "bytes of CN are not overseas"
    assert world.totals()["a", "2026-03", "data_transfer", "CN"][3] == 5 * UNIT


def test_the_lowest_priority_pays_first_then_the_one_that_ends_sooner(tmp_path: Path) -> None:
    grants = [
        credit("late", 4), credit("soon", 3, ends=at("2026-03-20")),
        credit("first", 2, priority=1),
    ]  # fmt: skip
    world = made(tmp_path, credits=grants)
    for day, requests in ((2, 3), (3, 4)):
        use(world, f"2026-03-0{day}T10:00", requests)
        world.rate(at(f"2026-03-0{day}T11:00"))
    assert paid(world) == {
        "credit/first": {"https_requests": -2},
        "credit/soon": {"https_requests": -3},
        "credit/late": {"https_requests": -2},
    }


def test_a_credit_that_is_over_pays_no_more_and_one_that_came_late_pays_from_its_start(
    tmp_path: Path,
) -> None:
    over = credit("over", 100, ends=at("2026-03-02T11:00"))
    world = made(tmp_path, credits=[over])
    for hour in (10, 11):
        use(world, f"2026-03-02T{hour}:00", 5)
    world.rate(at("2026-03-02T12:00"))
    assert paid(world) == {"credit/over": {"https_requests": -5}}
    world.credit("a", credit("later", 3))
    world.changed("a", at("2026-03-01"), "credit back-dated")
    world.rate(at("2026-03-02T12:00"))
    assert paid(world) == {
        "credit/later": {"https_requests": -3},
        "credit/over": {"https_requests": -5},
    }


def test_credit_gets_back_what_a_falling_price_takes_back(tmp_path: Path) -> None:
    """Volume: five at 2 are 10, six at 1 are 6."""
    world = made(tmp_path, credits=[credit("c", 100)])
    for hour, requests in ((10, 5), (11, 1)):
        use(world, f"2026-03-02T{hour}:00", requests, kind="quic")
        world.rate(at(f"2026-03-02T{hour + 1}:00"))
    assert paid(world) == {"credit/c": {"quic_requests": -6}}
    assert world.totals()["a", "2026-03", "quic_requests", "all"][3] == 0


@pytest.mark.parametrize(
    ("starts", "ends", "settles", "missing"),
    [
        ("2026-03-01", "2027-03-01", "month", {"2026-03": 300, "2026-04": 310}),
        ("2026-03-16", "2027-03-01", "month", {"2026-03": 150, "2026-04": 310}),
        ("2026-03-01", "2026-04-16", "month", {"2026-03": 300, "2026-04": 155}),
        ("2026-03-01", "2026-05-01", "term", {"2026-04": 610}),
        ("2026-03-01", "2026-06-01", "term", {}),
    ],
)
def test_what_is_missing_to_a_commitment_is_charged_when_it_settles_part_months_in_proportion(
    tmp_path: Path, starts: str, ends: str, settles: str, missing: dict[str, int]
) -> None:
    """310 a month; ten were charged on 10 March: all of a month counts, also of a half."""
    one = Commitment("deal", 310 * UNIT, settles, at(starts), at(ends))
    world = made(tmp_path, commitments=[one], credits=[credit("c", 4)])
    use(world, "2026-03-10T10:00", 10)
    for through in ("2026-03-20", "2026-04-01", "2026-05-01"):
        world.rate(at(through))
    rows = world.connection.execute(
        "SELECT month, amount // 10000000000 FROM charges WHERE item = 'commitment' AND amount > 0"
    ).fetchall()
    assert {month: int(amount) for month, amount in rows} == missing


def test_late_usage_makes_less_missing_to_a_commitment(tmp_path: Path) -> None:
    one = Commitment("deal", 100 * UNIT, "month", at("2026-03-01"), at("2027-01-01"))
    world = made(tmp_path, commitments=[one])
    use(world, "2026-03-10T10:00", 10)
    world.rate(at("2026-04-02"))
    use(world, "2026-03-11T10:00", 30)
    world.rate(at("2026-04-02"))
    rows = world.connection.execute(
        "SELECT amount // 10000000000, reason FROM charges WHERE item = 'commitment'"
        " ORDER BY revision"
    ).fetchall()
    assert [(int(amount), reason) for amount, reason in rows] == [
        (90, "commitment"), (-30, "commitment, late usage"),
    ]  # fmt: skip


def test_a_plan_that_is_sold_stands_on_the_month_it_begins_in_and_is_taken_back_when_put_right(
    tmp_path: Path,
) -> None:
    sold = Plan(
        "p", "https_requests", "all", 100, at("2026-03-05T10:30"), at("2027-03-05"), 40 * UNIT
    )
    world = made(tmp_path, plans=[sold], credits=[credit("c", 100)])
    use(world, "2026-03-05T10:00", 7)
    world.rate(at("2026-03-05T10:00"))
    assert paid(world) == {}
    world.rate(at("2026-03-06"))
    assert paid(world) == {"plan/p": {"plan": 40}}, "no credit pays a plan that it does not name"
    assert world.totals()["a", "2026-03", "https_requests", "all"] == (7, 0, 7, 0)
    world.connection.execute("DELETE FROM plans")
    world.changed("a", at("2026-03-05T10:00"), "plan put right")
    world.rate(at("2026-03-06"))
    assert paid(world) == {"credit/c": {"https_requests": -7}}


def test_an_hour_after_another_costs_what_all_of_them_cost_at_once(tmp_path: Path) -> None:
    """What credit pays of a month is no part of its flat fee or its cap (DESIGN §3.7)."""
    terms = PRICES.replace("tiers = [", 'flat_fee = "2"\nmaximum = "90"\ntiers = [')
    ends = []
    for name, step in (("one", 1), ("two", 18)):
        (tmp_path / name).mkdir()
        world = made(
            tmp_path / name,
            terms,
            credits=[credit("a1", 9, "quic_requests", "plan"), credit("b", 30, priority=1)],
            plans=[
                Plan(
                    "p",
                    "data_transfer",
                    "CN",
                    GB,
                    at("2026-03-01T05:00"),
                    at("2026-03-04"),
                    3 * UNIT,
                )
            ],
        )
        for hour in range(18):
            use(world, f"2026-03-01T{hour:02}:00", hour % 4, hour % 3, "quic")
        for hour in range(step, 19, step):
            world.rate(at("2026-03-01") + timedelta(hours=hour))
        ends.append((paid(world), world.totals(), world.hourly()))
    assert ends[0] == ends[1]


PEAK = """
[book]
id = "book"
currency = "USD"
[regions]
NA = ["US"]
[[card]]
id = "peak"
item = "peak_bandwidth"
effective_from = 2020-01-01
unit = "Mbps"
price = "1"
flat_fee = "2"
"""


def test_a_days_peak_is_paid_as_the_day_ends_and_the_fee_of_its_first_hour_as_that_does(
    tmp_path: Path,
) -> None:
    """Day and hour have one start; told hour by hour, in one run, or after a run (seed 534)."""
    grants = [
        credit("noon", 4, starts=at("2026-03-01T12:00")), credit("all", 3, priority=200),
        credit("early", 1, priority=1, ends=at("2026-03-01T01:00")),
    ]  # fmt: skip
    wanted = {"credit/early": -1, "credit/all": -3, "credit/noon": -4}
    for name, throughs in (("hours", (1, 2, 24)), ("once", (24,)), ("late", (1, 24, 24))):
        (tmp_path / name).mkdir()
        world = World(one_book(tmp_path / name, PEAK))
        world.account(Account("other", "UTC", at("2026-03-01"), "data_transfer"))
        for number, hours in enumerate(throughs):
            if number == (1 if name == "late" else 0):
                world.account(
                    Account("a", "UTC", at("2026-03-01"), "peak_bandwidth", credits=grants)
                )
                rows = [Usage(at("2026-03-01T10:00"), "US", "https", 1, 10 * 37_500_000)]
                world.use(("a", row) for row in rows)
            world.rate(at("2026-03-01") + timedelta(hours=hours))
        assert paid(world) == {card: {"peak_bandwidth": amount} for card, amount in wanted.items()}
        assert world.repeated() == []
