"""Customers' own rules: told once per crossing, measured over the right period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from billing.balance.customer_alert_measures import bounds
from billing.balance.customer_alerts import Kind, Rule, read_rules
from edge.errors import ConfigError
from tests.billing.conftest import open_world

ADD_USAGE = """
INSERT INTO usage
(hour, bucket, partition, revision, account_id, domain, region, class, requests, bytes_sent,
 import_no)
VALUES ($1, $1, 'spool', 0, $2, $3, 'DE', $4, $5, 0, 1)
"""


def write_rules(home: Path, text: str) -> None:
    """The rules file of the home."""
    (home / "alert_rules.toml").write_text(text)


def use(world: Any, account: str, domain: str, requests: int, kind: str = "https") -> None:
    """Imported usage in the bucket that begins now."""
    world.store.connection.execute(
        ADD_USAGE, [world.now.replace(tzinfo=None), account, domain, kind, requests]
    )


def test_high_bill_is_told_once_a_day_in_the_accounts_time_zone(world: Any) -> None:
    write_rules(
        world.home,
        '[[rule]]\nid = "b"\naccount = "a"\nkind = "high_bill"\nlimit = "10.00"\n',
    )
    world.account("a", timezone="Asia/Shanghai")
    world.pay("a", "500.00")
    world.now = datetime(2026, 3, 10, 15, tzinfo=UTC)  # 23:00 in Shanghai
    world.charge("a", "9.00")
    assert world.look().events == ()
    world.pass_hours(1, rated=False)
    world.charge("a", "1.00")
    (event,) = world.look().events
    assert event.kind == "alert.high_bill"
    assert orjson.loads(event.body)["data"]["measured"] == "10.00"
    assert world.look().events == ()
    world.pass_hours(1, rated=False)
    world.charge("a", "9.00")
    assert world.look().events == (), "a new day has begun"
    world.pass_hours(1, rated=False)
    world.charge("a", "9.00")
    assert len(world.look().events) == 1


def test_usage_cap_counts_only_https_requests_and_stops_the_name_for_its_time(world: Any) -> None:
    write_rules(
        world.home,
        '[[rule]]\nid = "c"\naccount = "a"\nkind = "usage_cap"\nlimit = "100"\nperiod = "hour"\n'
        'domain = "w.a.example"\nrelease_hours = 3\n',
    )
    world.account("a")
    world.rated()
    use(world, "a", "w.a.example", 99)
    use(world, "a", "w.a.example", 5000, kind="http")
    use(world, "a", "x.a.example", 5000)
    assert world.look().events == ()
    use(world, "a", "w.a.example", 1)
    (event,) = world.look().events
    assert event.kind == "alert.usage_cap"
    row = world.store.connection.execute(
        "SELECT domain, until - since, subject FROM alerts_raised"
    ).fetchone()
    assert row == ("w.a.example", timedelta(hours=3), "2026-03-01T00:00Z w.a.example")
    assert world.state("a") == "ok", "a cap stops a name, not the account"


def plan_used(world: Any, used: int) -> None:
    """So much of plan `p` has been used, as rating keeps it."""
    world.store.connection.execute("DELETE FROM plan_state")
    world.store.connection.execute(
        "INSERT INTO plan_state BY NAME SELECT 'p' AS plan_id, $1 AS used", [used]
    )


@pytest.mark.parametrize(
    ("quantity", "at_the_share", "below_it"),
    [(1000, 800, 801), (15, 12, 13), (7, 5, 6)],
)
def test_a_plan_is_told_of_below_its_share_and_not_at_it(
    world: Any, quantity: int, at_the_share: int, below_it: int
) -> None:
    """DOMAIN §2.1: fires when what remains falls below 20 % of the original size; once."""
    write_rules(world.home, '[[rule]]\nid = "p"\naccount = "a"\nkind = "plan_low"\nlimit = "20"\n')
    world.account("a")
    world.plan("a", "p", quantity)
    plan_used(world, at_the_share)
    assert 100 * (quantity - at_the_share) >= 20 * quantity
    assert world.look().events == ()
    plan_used(world, below_it)
    assert 100 * (quantity - below_it) < 20 * quantity
    (event,) = world.look().events
    assert event.kind == "alert.plan_low"
    plan_used(world, quantity)
    assert world.look().events == (), "told once"


def test_a_raised_alert_survives_replay_and_is_not_told_again(world: Any) -> None:
    write_rules(
        world.home,
        '[[rule]]\nid = "b"\naccount = "a"\nkind = "high_bill"\nlimit = "1.00"\nperiod = "month"\n',
    )
    world.account("a")
    world.pay("a", "50.00")
    world.now += timedelta(hours=2)
    world.charge("a", "2.00")
    assert len(world.look().events) == 1
    world.store.close()
    (world.home / "billing.duckdb").unlink()
    world.store = open_world(world.home, owner="test", now=world.now)
    assert world.look().events == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is blank"),
        ("[[rule]]\n", "this key is missing"),
        ('[[rule]]\nid="r"\naccount="a"\nkind="high_bill"\nlimit="ten"\n', "not an amount"),
        ('[[rule]]\nid="r"\naccount="a"\nkind="usage_cap"\nlimit="1.5"\n', "whole number"),
        ('[[rule]]\nid="r"\naccount="a"\nkind="high_bill"\nlimit="1"\ndomain="a.b"\n', "usage_cap"),
        (
            '[[rule]]\nid="r"\naccount="a"\nkind="plan_low"\nlimit="10"\n' * 2,
            "rule id 'r' stands twice",
        ),
    ],
)
def test_h9_blank_or_wrong_rules_are_an_error_and_never_no_rules(
    home: Path, text: str, message: str
) -> None:
    write_rules(home, text)
    with pytest.raises(ConfigError, match=message):
        read_rules(home)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('id = "b\\u202e"', "could be taken for another"), ('id = " b"', "could be taken"),
        ('limit = "0"', "from 1 on"), ('limit = "\u0662\u0660"', "from 1 on"),
        ('limit = "101"', "100 percent"),
        (f'limit = "{"9" * 19}"', "from 1 on"), ("release_hours = 1000000000", "at most 8784"),
    ],
)  # fmt: skip
def test_g19_a_rule_that_could_never_be_meant_is_refused_when_it_is_read(
    home: Path, change: str, message: str
) -> None:
    """Some ended the round in which the rule was crossed."""
    keys = {"id": '"p"', "account": '"a"', "kind": '"plan_low"', "limit": '"20"'}
    name, value = change.split(" = ")
    write_rules(home, "[[rule]]\n" + "".join(
        f"{k} = {v}\n" for k, v in (keys | {name: value}).items()))  # fmt: skip
    with pytest.raises(ConfigError, match=message):
        read_rules(home)


@pytest.mark.parametrize(
    ("at", "zone", "hours"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=UTC), "Europe/Berlin", 23),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), "Europe/Berlin", 25),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "Asia/Kathmandu", 24),
    ],
)
def test_a_local_day_has_23_24_or_25_hours(at: datetime, zone: str, hours: int) -> None:
    start, end = bounds(at, zone, "day")
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)
    assert start <= at < end
    month_start, month_end = bounds(at, zone, "month")
    assert month_start <= start
    assert end <= month_end


def test_p10_the_rules_that_the_docs_show_are_rules_and_say_every_key(
    tmp_path: Path, root: Path
) -> None:
    page = (root / "docs" / "operating.md").read_text(encoding="utf-8")
    (shown,) = (text for text in page.split("```toml\n")[1:] if text.startswith("[[rule]]"))
    write_rules(tmp_path, shown.split("```")[0])
    rules = read_rules(tmp_path)
    assert {rule.kind for rule in rules} == set(Kind)
    assert set.union(*(rule.model_fields_set for rule in rules)) == set(Rule.model_fields)
