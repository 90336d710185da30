"""Budgets: each share is told once a month, told back when it falls, and told ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from billing.appliers import open_store
from billing.balance.budgets import BudgetRow, crossings
from billing.balance.customer_alerts import read_rules
from edge.errors import ConfigError
from tests.billing.conftest import money
from tests.billing.homes import BOOK, START, Use, close_hour, load_text, make_home
from tests.billing.runner import rate

RULE = '[[rule]]\nid = "b"\naccount = "a"\nkind = "budget"\nlimit = "100.00"\n'
SPEND = """
DELETE FROM month_accounts; DELETE FROM month_lanes; DELETE FROM month_sums;
INSERT INTO month_accounts VALUES (1, 'a');
INSERT INTO month_lanes VALUES (1, $month, 'https_requests', 'all', 'card');
INSERT INTO month_sums SELECT 1, 1, 0, 0, 0, $amount, 0, 0, 1, 0, 0, 0;
"""


def spent(world: Any, amount: str, month: str = "2026-03") -> list[str]:
    """What is told once the month was charged so much, as rating keeps it."""
    values = {"month": month, "amount": money(amount)}
    for statement in SPEND.split(";")[:-1]:
        asked = {name: values[name] for name in values if f"${name}" in statement}
        world.store.connection.execute(statement, asked or None)
    return [said(event) for event in world.look().events]


def said(event: Any) -> str:
    """An event in a few words."""
    data = orjson.loads(event.body)["data"]
    return f"{event.kind.removeprefix('alert.')} {data['basis']} {data['percent']}"


@pytest.fixture
def world_with_budget(world: Any) -> Any:
    """An account that paid enough to be left alone, with a budget of 100.00 a month."""
    (world.home / "alert_rules.toml").write_text(RULE)
    world.account("a")
    world.pay("a", "5000.00")
    world.pass_hours(24)
    return world


def test_each_share_is_told_once_and_told_back_when_a_correction_takes_it_below(
    world_with_budget: Any,
) -> None:
    assert spent(world_with_budget, "49.9999999999") == []
    assert spent(world_with_budget, "50.00") == ["budget spent 50"]
    assert spent(world_with_budget, "79.00") == []
    assert spent(world_with_budget, "130.00") == ["budget spent 80", "budget spent 100"]
    assert spent(world_with_budget, "79.00") == [
        "budget_resolved spent 80", "budget_resolved spent 100",
    ]  # fmt: skip
    assert spent(world_with_budget, "79.00") == []
    assert spent(world_with_budget, "80.00") == ["budget spent 80"], "it rose again"
    ids = world_with_budget.store.connection.execute(
        "SELECT count(*), count(DISTINCT event_id) FROM outbox WHERE kind LIKE 'alert.budget%'"
    ).fetchone()
    assert ids == (6, 6)


def test_a_new_month_begins_at_nothing_in_the_accounts_own_time_zone(world: Any) -> None:
    (world.home / "alert_rules.toml").write_text(RULE)
    world.account("a", timezone="Asia/Shanghai")
    world.pay("a", "5000.00")
    world.now = datetime(2026, 3, 31, 16, tzinfo=UTC)  # midnight there: March is over
    world.rated()
    assert spent(world, "60.00") == ["budget spent 50"]
    world.pass_hours(1)
    assert spent(world, "60.00") == [], "of April nothing is spent"
    assert spent(world, "60.00", month="2026-04") == ["budget spent 50"]


def test_the_projected_month_is_told_before_it_is_spent(world_with_budget: Any) -> None:
    world_with_budget.charge("a", "0.10")  # in 25 hours; 719 are left
    told = spent(world_with_budget, "49.00")
    assert told == ["budget projected 50"]
    assert spent(world_with_budget, "50.00") == ["budget spent 50"]
    row = world_with_budget.store.connection.execute(
        "SELECT until FROM alerts_raised WHERE subject LIKE '%projected 50'"
    ).fetchone()
    assert row == (datetime(2026, 4, 1),)  # noqa: DTZ001


def row(spent_units: int, projected: int, told: list[str] | None = None) -> BudgetRow:
    """A month of a budget of 1001 units."""
    return BudgetRow(
        rule_id="b", account_id="a", currency="USD", month_start="M", spent=spent_units,
        month_end=datetime(2026, 4, 1), projected=projected, budget=1001, told=told or [],  # noqa: DTZ001
    )  # fmt: skip


@pytest.mark.parametrize(
    ("month", "moves"),
    [
        (row(500, 500), []),
        (row(501, 501), ["M spent 50"]),  # 500.5 is half: the first whole unit that reaches it
        (row(0, 501), ["M projected 50"]),
        (row(0, 451, ["M projected 50"]), []),  # 450.9 is the margin of 10 %
        (row(0, 450, ["M projected 50"]), ["M projected 50"]),
        (row(501, 900, ["M spent 50"]), []),
    ],
)
def test_a_share_is_reached_at_its_first_whole_unit_and_a_projection_falls_by_a_margin(
    month: BudgetRow, moves: list[str]
) -> None:
    found = list(crossings([month], {"b": (50,)}, margin_percent=10))
    assert [one.subject for one in found] == moves


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("percents = [80, 50]", "percents rise"),
        ('period = "day"', "a budget is of a month"),
        ("percents = [0]", "at least 1"),
    ],
)
def test_a_budget_that_cannot_be_held_is_refused(home: Path, more: str, message: str) -> None:
    (home / "alert_rules.toml").write_text(RULE + more)
    with pytest.raises(ConfigError, match=message):
        read_rules(home)


MINIMUMS = BOOK.replace('price = "0.01"', 'price = "0.01"\nminimum = "5"').replace(
    'region = "NA"', 'region = "NA"\nminimum = "8"'
)
BOUND = """
[[commitments]]
id = "deal"
account = "bound"
amount = "100.00"
settles = "month"
starts = 2026-10-01T00:00:00Z
ends = 2027-10-01T00:00:00Z
"""


def test_the_projected_month_has_what_settles_as_it_ends_and_usage_to_come_makes_less_of_it(
    tmp_path: Path,
) -> None:
    """Busy burns 2.00 an hour of one item: 743 hours are left, its minimum is covered, the other
    item's is not.
    """
    home = make_home(tmp_path, book=MINIMUMS, accounts=None)
    text, rules = BOUND, ""
    for name in ("idle", "bound", "busy"):
        text += (
            f'[[accounts]]\nid = "{name}"\nname = "{name}"\ncurrency = "USD"\n'
            'price_book = "plain"\nopened = 2026-10-01T00:00:00Z\n'
            f'[[domains]]\ndomain = "{name}.example"\naccount = "{name}"\n'
        )
        rules += RULE.replace('"a"', f'"{name}"').replace('"b"', f'"{name}"') + "percents = [5]\n"
    load_text(home, text)
    (home / "alert_rules.toml").write_text(rules)
    close_hour(home, START, [Use(domain="busy.example", requests=2_000_000, bytes_sent=0)])
    rate(home, at=START + timedelta(hours=1))
    with open_store(home, owner="test", now=START) as store:
        rows = store.connection.execute(
            "SELECT body FROM outbox WHERE kind = 'alert.budget' ORDER BY account_id"
        ).fetchall()
    told = [orjson.loads(body)["data"] for (body,) in rows]
    assert {one["account_id"]: one["measured"] for one in told} == {
        "bound": "100.00", "busy": "1496.00", "idle": "13.00",
    }  # fmt: skip
