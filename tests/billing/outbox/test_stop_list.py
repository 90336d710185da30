"""The stop list follows every command that changes who is stopped, in that command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing.cli import top_up
from billing.commands import accounts
from billing.outbox import stop_list


def listed(home: Path) -> list[str]:
    """The names that edges must not serve now, which both files agree on."""
    names = list(stop_list.read_file(home / "suspended" / "domains.json"))
    head, *lines = (home / "suspended" / "domains.txt").read_text().splitlines()
    assert lines == names
    assert head.endswith(f"count {len(names)}")
    return names


@pytest.fixture
def stopped(world: Any) -> Any:
    """`a` is suspended for a debt of 10, its two names are on the list; the store is closed."""
    world.account("a", policy="auto")
    world.domain("a", "www.a.example")
    world.domain("a", "*.a.example")
    world.account("b", policy="auto")
    world.domain("b", "www.b.example")
    world.pay("b", "50.00")
    world.suspended("a")
    stop_list.publish(world.store, now=world.now)
    assert listed(world.home) == ["*.a.example", "www.a.example"]
    world.store.close()
    return world


def pay(world: Any, amount: str) -> None:
    """`edgetoll billing top-up a AMOUNT`."""
    top_up("a", amount, key="bank-1", home=world.home, as_of=world.now.isoformat())


def test_who_pays_is_off_the_stop_list_when_the_command_ends(
    stopped: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pay(stopped, "10.00")
    assert listed(stopped.home) == []
    assert capsys.readouterr().out.splitlines() == [
        "Posted cash of 10.00 USD to a as bank-1.",
        "Available: 0.00 USD",
        "State: ok, the balance was restored",
    ]


def test_who_pays_less_than_the_debt_stays_on_the_stop_list(stopped: Any) -> None:
    pay(stopped, "9.99")
    assert listed(stopped.home) == ["*.a.example", "www.a.example"]


def test_resuming_and_suspending_change_the_stop_list_in_the_same_command(stopped: Any) -> None:
    order = {"by": "ann", "home": stopped.home, "as_of": stopped.now.isoformat()}
    accounts.resume("a", reason="promised", **order)
    assert listed(stopped.home) == []
    accounts.suspend("b", reason="court order", cause="administrative", **order)
    assert listed(stopped.home) == ["www.b.example"]


def test_paying_does_not_lift_what_was_stopped_for_another_cause_and_says_so(
    stopped: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    order = {"by": "ann", "home": stopped.home, "as_of": stopped.now.isoformat()}
    accounts.suspend("a", reason="court order", cause="administrative", **order)
    pay(stopped, "10.00")
    assert listed(stopped.home) == ["*.a.example", "www.a.example"]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "State: suspended, court order (by ann)"


def test_a_broker_that_does_not_answer_costs_a_payment_only_a_warning(
    stopped: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[billing.delivery.stop_list]\nkafka = "127.0.0.1:1"\n'
    (stopped.home / "edgetoll.toml").write_text(text)
    folder = stopped.home / "suspended"
    sent = json.dumps(stop_list.read_file(folder / "domains.json"))
    (folder / "kafka.json").write_text(sent)
    pay(stopped, "10.00")
    said = capsys.readouterr()
    assert "Posted cash of 10.00 USD to a" in said.out
    assert "not yet in topic edgetoll.suspended.v1" in said.err
    assert listed(stopped.home) == [], "the file does not wait for the broker"
    assert (folder / "kafka.json").read_text() == sent, "the daemon will send it"


def test_a_list_that_is_not_whole_is_refused_by_its_reader(stopped: Any) -> None:
    path = stopped.home / "suspended" / "domains.json"
    document = json.loads(path.read_text())
    document["domains"].pop()
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="not a whole list"):
        stop_list.read_file(path)


def test_a_stopped_wildcard_names_what_others_own_under_it(world: Any) -> None:
    world.account("a", policy="auto")
    world.account("b", policy="auto")
    world.pay("b", "50.00")
    world.domain("a", "*.a.example")
    world.domain("a", "own.a.example")
    for name in ("b.a.example", "x.b.a.example", "b.example", "ab.a.example"):
        world.domain("b", name)
    world.suspended("a")
    stop_list.publish(world.store, now=world.now)
    found = stop_list.read_file(world.home / "suspended" / "domains.json")
    assert {name: value["except"] for name, value in found.items()} == {
        "*.a.example": ["ab.a.example", "b.a.example"],
        "own.a.example": [],
    }
    world.suspended("b", 60)
    stop_list.publish(world.store, now=world.now)
    found = stop_list.read_file(world.home / "suspended" / "domains.json")
    assert found["*.a.example"]["except"] == []
    assert "b.a.example" in found


def test_an_edge_reads_what_billing_publishes(world: Any) -> None:
    from edge.https.records import StoppedName
    from edge.https.stop_list import read_stop_list

    world.account("a", policy="auto")
    world.account("b")
    world.domain("a", "*.a.example")
    world.domain("b", "b.a.example")
    world.suspended("a")
    stop_list.publish(world.store, now=world.now)
    read = read_stop_list(world.home / "suspended" / "domains.json", world.home / "https")
    assert read.names == (
        StoppedName(domain="*.a.example", cause="arrears", except_names=("b.a.example",)),
    )
    assert read.trouble == ""
