"""Prepaid plans: order, validity, regions, freezing; DOMAIN §6 #15 to #18."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Plan, Usage

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
unit = "request"
price = "1"
[[card]]
id = "data"
item = "data_transfer"
effective_from = 2020-01-01
unit = "GB"
price = "1"
[[card]]
id = "peak"
item = "peak_bandwidth"
effective_from = 2020-01-01
model = "step_reached"
unit = "Mbps"
tiers = [{ price = "1" }]
"""


def world(tmp_path: Path, *plans: Plan, **account) -> World:
    made = World(one_book(tmp_path, PRICES))
    made.account(Account("a", "UTC", at("2019-01-01"), account.pop("method", "data_transfer"),
                         plans=list(plans), **account))  # fmt: skip
    return made


def data_plan(
    plan_id: str, starts: str, ends: str, quantity: int = GB, region: str = "all"
) -> Plan:
    return Plan(plan_id, "data_transfer", region, quantity, at(starts), at(ends))


def use(made: World, *rows: tuple[str, str, int]) -> None:
    made.use(("a", Usage(at(when), "US", kind, 1, size)) for when, kind, size in rows)


def paid(made: World) -> dict[str, int]:
    rows = made.connection.execute("SELECT plan_id, used FROM plan_state ORDER BY ALL").fetchall()
    return {name: int(used) for name, used in rows}


def test_worked_example_15_a_plan_bought_inside_an_hour_covers_that_hour(tmp_path) -> None:
    made = world(tmp_path, data_plan("p", "2026-08-12T10:30:30", "2027-08-12T10:30:30"))
    use(made, ("2026-08-12T10:00", "http", 5), ("2026-08-12T09:55", "http", 7))
    made.rate(at("2026-08-12T11:00"))
    assert paid(made) == {"p": 5}


def test_worked_example_16_the_plan_that_ends_first_pays_first(tmp_path) -> None:
    made = world(
        tmp_path,
        data_plan("z", "2026-01-01", "2026-07-01", 10),
        data_plan("a", "2026-01-01", "2026-08-01", 10),
    )
    use(made, ("2026-06-01T00:00", "http", 12))
    made.rate(at("2026-06-01T01:00"))
    assert paid(made) == {"a": 2, "z": 10}


def test_worked_example_17_equal_ends_are_ordered_by_start(tmp_path) -> None:
    made = world(
        tmp_path,
        data_plan("A", "2020-10-01", "2021-10-01", 10),
        data_plan("B", "2021-09-01", "2021-10-01", 10),
        data_plan("C", "2021-08-15", "2021-09-15", 10),
    )
    use(made, ("2021-09-02T00:00", "http", 25))
    made.rate(at("2021-09-02T01:00"))
    assert paid(made) == {"A": 10, "B": 5, "C": 10}


def test_worked_example_18_a_plan_pays_up_to_its_last_hour_and_the_rest_is_lost(tmp_path) -> None:
    made = world(tmp_path, data_plan("p", "2021-02-15T13:15:00", "2022-02-15T13:00:00", 100))
    use(
        made,
        ("2021-02-15T12:55", "http", 1),
        ("2021-02-15T13:00", "http", 2),
        ("2022-02-15T12:55", "http", 4),
        ("2022-02-15T13:00", "http", 8),
    )
    made.rate(at("2022-02-15T14:00"))
    assert paid(made) == {"p": 6}


def test_a_plan_valid_at_an_hours_start_pays_all_of_that_hour(tmp_path) -> None:
    made = world(tmp_path, data_plan("p", "2026-01-01", "2026-06-01T10:20:00", 100))
    use(made, ("2026-06-01T10:55", "http", 3), ("2026-06-01T11:00", "http", 9))
    made.rate(at("2026-06-01T12:00"))
    assert paid(made) == {"p": 3}


def test_a_data_plan_is_bound_to_its_region(tmp_path) -> None:
    made = world(
        tmp_path,
        data_plan("cn", "2026-01-01", "2026-07-01", 100, "CN"),
        data_plan("overseas", "2026-01-01", "2026-08-01", 100, "OverSeas"),
    )
    use(made, ("2026-06-01T00:00", "http", 12))
    made.rate(at("2026-06-01T01:00"))
    assert paid(made) == {"overseas": 12}


def test_a_data_plan_freezes_under_bandwidth_billing_and_a_request_plan_works(tmp_path) -> None:
    made = world(
        tmp_path,
        data_plan("d", "2026-01-01", "2027-01-01", 100),
        Plan("r", "https_requests", "all", 100, at("2026-01-01"), at("2027-01-01")),
        method="peak_bandwidth",
        changes=[(at("2026-06-02T09:00"), "data_transfer")],
    )
    use(
        made,
        ("2026-06-01T00:00", "https", 10),
        ("2026-06-01T01:00", "quic", 20),
        ("2026-06-03T01:00", "https", 40),
    )
    made.rate(at("2026-06-03T02:00"))
    assert paid(made) == {"d": 40, "r": 2}


def test_a_back_dated_plan_pays_what_was_charged_and_says_why(tmp_path) -> None:
    made = world(tmp_path)
    use(made, ("2026-06-01T00:00", "http", GB), ("2026-06-01T05:00", "http", GB))
    made.rate(at("2026-06-01T06:00"))
    made.plan("a", data_plan("p", "2026-06-01T05:00", "2026-07-01", 2 * GB))
    made.changed("a", at("2026-06-01T05:00"), "plan back-dated")
    made.rate(at("2026-06-01T06:00"))
    rows = made.connection.execute(
        "SELECT period_start, plan_quantity, amount, revision, reason FROM charges"
        " WHERE revision > 0"
    ).fetchall()
    assert rows == [(at("2026-06-01T05:00"), GB, -(10**10), 1, "plan back-dated")]
    assert paid(made) == {"p": GB}


def test_a_plan_never_pays_an_hour_before_its_own_even_when_that_hour_comes_late(tmp_path) -> None:
    made = world(tmp_path, data_plan("p", "2026-06-01T05:00", "2026-07-01", 100))
    use(made, ("2026-06-01T05:00", "http", 10))
    made.rate(at("2026-06-01T06:00"))
    use(made, ("2026-06-01T04:55", "http", 30), ("2026-06-01T05:05", "http", 40))
    made.rate(at("2026-06-01T06:00") + timedelta(hours=1))
    assert paid(made) == {"p": 50}
