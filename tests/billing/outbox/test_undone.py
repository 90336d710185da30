"""What has not been told is named with its cause and the next try, and exits 1 (P4, G7)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from billing.balance import states
from billing.cli import app
from billing.daemon.rounds import vital_signs
from billing.outbox.settings import read_delivery
from billing.outbox.undone import not_told, undone
from edge.errors import EdgetollError
from examples.webhook_receiver import verify
from tests.billing.homes import NOW, load_text, make_home
from tests.billing.outbox.test_deliver import KEY, configure, make_overdue, tell

MAIL = """
[billing.delivery.mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "billing@cdn.example"
"""


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(401, "401 refused"), (503, "503 refused"), (302, "302 redirect refused")],
)
def test_p4_what_waits_is_named_with_its_cause_and_the_next_try(
    world: Any, receiver: Any, answer: int, cause: str
) -> None:
    with receiver(answer) as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        make_overdue(world, "b")
        told = tell(world)
    (missed,) = told.undone
    assert (missed.endpoint, missed.waiting, missed.cause) == ("webhook:crm", 2, cause)
    assert missed.next_try == world.now + timedelta(seconds=5)
    assert not missed.lost, "it is tried again"
    assert missed.words() == (f"webhook:crm: 2 waiting, next try 2026-03-01T00:00Z: {cause}")


def test_p4_a_receiver_that_does_not_answer_and_one_that_was_never_there_are_named(
    world: Any,
) -> None:
    configure(world.home, hook="http://127.0.0.1:1/", more=MAIL.format(port=1))
    for number in range(20):
        make_overdue(world, f"a{number:02}", email="a@shop.example")
    told = {one.endpoint: one for one in tell(world).undone}
    assert told["webhook:crm"].waiting == told["mail"].waiting == 20, "those put off too"
    assert "ConnectError" in told["webhook:crm"].cause
    assert "ConnectionRefused" in told["mail"].cause


def test_p4_an_endpoint_that_is_off_or_an_event_given_up_needs_a_person(
    world: Any, receiver: Any
) -> None:
    with receiver(410) as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        told = tell(world)
    (lost,) = told.lost
    assert (lost.given_up, lost.cause, lost.off_since) == (1, "410 Gone", world.now)
    error = not_told(told.lost)
    assert "webhook:crm: switched off since 2026-03-01T00:00Z; 1 given up: 410 Gone" in str(error)
    assert "alerts --enable crm" in error.hint
    signs = vital_signs(world.store.connection, world.home, now=world.now)
    assert (signs.disabled, signs.given_up) == (("webhook:crm",), {"webhook:crm": 1})
    later = world.now + timedelta(days=30)
    (still,) = undone(world.store.connection, read_delivery(world.home), now=later)
    assert still.given_up == 1, "the account's current state was never told there"
    world.pay("a", "5.00")
    (still,) = undone(world.store.connection, read_delivery(world.home), now=later)
    assert still.given_up == 0


def test_p4_the_next_telling_says_what_changed_whoever_changed_it(
    world: Any, receiver: Any
) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        world.pay("a", "0.50")
        world.pay("a", "0.50")
        assert states.refresh(world.store, now=world.now).changed == ()
        first = tell(world)
        assert tell(world).told == ()
    (told, back) = first.told
    assert (told.account_id, told.previous, told.state) == ("a", "ok", "overdue")
    assert (back.previous, back.state) == ("overdue", "low_balance")
    assert told.went == {"file": "delivered", "webhook:crm": "delivered"}


def test_p4_alerts_exits_1_while_somebody_is_not_told_and_says_who(
    tmp_path: Any, receiver: Any
) -> None:
    home = make_home(tmp_path)
    account = 'name = "A"\ncurrency = "USD"\nprice_book = "plain"\nlow_balance_threshold = "5.00"\n'
    with receiver(410) as it:
        configure(home, hook=it.url)
        load_text(home, f'[[accounts]]\nid = "initech"\n{account}', at=NOW)
        when = ["--home", str(home), "--as-of", "2026-10-20T00:00:00Z"]
        said = CliRunner().invoke(app, ["alerts", *when])
        again = CliRunner().invoke(app, ["alerts", "--json", *when])
    assert isinstance(said.exception, EdgetollError)
    assert "Changed since the last telling" in said.stdout
    assert "webhook:crm" in said.stdout
    assert "(given up)" in " ".join(said.stdout.split()) or "given up" in said.stdout
    assert "410 Gone" in said.exception.message
    assert isinstance(again.exception, EdgetollError), "until a person switches it on again"
    (missed,) = orjson.loads(again.stdout)["undone"]
    assert (missed["endpoint"], missed["cause"]) == ("webhook:crm", "410 Gone")
    with receiver() as well:
        configure(home, hook=well.url)
        enabled = CliRunner().invoke(app, ["alerts", "--enable", "crm", *when])
    assert enabled.exit_code == 0, "it knows how all accounts stand: nothing is missed any more"


def test_g7_a_webhook_carries_the_time_at_which_it_is_really_sent(
    world: Any, receiver: Any
) -> None:
    """`--as-of` moves what is due; a receiver refuses what says it was sent months ago."""
    with receiver() as it:
        configure(world.home, hook=it.url)
        world.now -= timedelta(days=2000)
        make_overdue(world)
        tell(world)
        world.now += timedelta(days=4000)
        make_overdue(world, "b")
        tell(world)
    for got in it.got:
        verify(got.headers, got.body, keys=[KEY], now=time.time())
    assert len(it.got) == 3, "overdue in 2020; due and overdue in 2031"
