"""Delivery against a real HTTP receiver and a real SMTP server on 127.0.0.1."""

from __future__ import annotations

import base64
import email
import email.policy
import http.server
import ipaddress
import itertools
import os
import random
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from billing.outbox import deliver
from billing.outbox.daily_state import record_daily_state
from billing.outbox.settings import read_delivery
from edge.errors import ConfigError, InputError
from examples.webhook_receiver import Accounts, Refused, verify
from tests.billing.conftest import open_world
from tests.effort import PATIENCE_S

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def configure(home: Path, *, hook: str = "", more: str = "") -> None:
    """Settings with one webhook and the given extras."""
    secret = home / "crm.key"
    secret.write_text(KEY)
    secret.chmod(0o600)
    text = "[billing]\n"
    if hook:
        text += (
            f'[[billing.delivery.webhooks]]\nname = "crm"\nurl = "{hook}"\n'
            'key_files = ["crm.key"]\nallow_private = true\n'
        )
    (home / "edgetoll.toml").write_text(text + more)


def tell(world: Any, **more: Any) -> deliver.Delivered:
    """Deliver what is due at the world's time; the store is closed meanwhile, as in life."""
    world.store.close()
    told = deliver.deliver(
        world.home, open_store=open_world, now=world.now, jitter_permille=lambda: 0, **more
    )
    world.store = open_world(world.home, owner="test", now=world.now)
    return told


def make_overdue(world: Any, account: str = "a", **terms: Any) -> None:
    """An account that has just become overdue."""
    world.account(account, **terms)
    world.charge(account, "1.00")
    world.look()


def test_webhook_is_signed_and_told_once(world: Any, receiver: Any) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        assert tell(world).counts == {"delivered": 2}, "webhook and file"
        assert tell(world).counts == {}
    (got,) = it.got
    now = time.time()
    assert verify(got.headers, got.body, keys=[KEY], now=now) == got.headers["webhook-id"]
    assert orjson.loads(got.body)["data"]["state"] == "overdue"
    line = orjson.loads((world.home / "outbox/events.jsonl").read_bytes())
    assert line["id"] == got.headers["webhook-id"]


def test_h3_replayed_webhook_is_refused_by_the_sample_receiver(world: Any, receiver: Any) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        tell(world)
    (got,) = it.got
    later = time.time() + 301
    with pytest.raises(Refused, match="too old"):
        verify(got.headers, got.body, keys=[KEY], now=later)
    fresh = {**got.headers, "webhook-timestamp": str(int(later))}
    with pytest.raises(Refused, match="no signature"):
        verify(fresh, got.body, keys=[KEY], now=later)
    accounts = Accounts()
    assert accounts.take("m", orjson.loads(got.body))
    assert not accounts.take("m", orjson.loads(got.body)), "a repeat changes nothing"


def test_h4_receiver_keeps_the_highest_version_in_any_order(world: Any, receiver: Any) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        world.pay("a", "1.00")
        world.charge("a", "0.50")
        world.look()
        tell(world)
    messages = [(g.headers["webhook-id"], orjson.loads(g.body)) for g in it.got]
    assert len(messages) == 3
    for order in itertools.permutations(messages):
        accounts = Accounts()
        for message_id, document in order:
            accounts.take(message_id, document)
        assert accounts.states == {"a": (3, "overdue")}


def test_h1_receiver_down_for_three_days_is_given_up_and_told_elsewhere(
    world: Any, receiver: Any, mailbox: Any
) -> None:
    with receiver(503) as it:
        mail = (
            f'[billing.delivery.mail]\nhost = "127.0.0.1"\nport = {mailbox.port}\n'
            'security = "none"\nsender = "billing@cdn.example"\noperators = ["ops@cdn.example"]\n'
        )
        configure(world.home, hook=it.url, more=mail)
        make_overdue(world)
        started = world.now
        while not tell(world).disabled:
            row = world.store.connection.execute(
                "SELECT next_at FROM deliveries WHERE endpoint = 'webhook:crm'"
            ).fetchone()
            world.now = row[0].replace(tzinfo=started.tzinfo)
        assert timedelta(hours=74) < world.now - started < timedelta(hours=77)
        assert len(it.got) == 10
        assert len({got.headers["webhook-id"] for got in it.got}) == 1
        tell(world)
        world.pay("a", "5.00")
        assert len(it.got) == 10, "an endpoint that is off gets nothing"
    subjects = [email.message_from_bytes(one.content)["Subject"] for one in mailbox.letters]
    assert subjects == ["Your balance is below zero: a", "A webhook endpoint has been switched off"]
    assert world.state("a") == "ok", "the state stays there to be asked for"
    with receiver() as up:
        configure(world.home, hook=up.url, more=mail)
        assert deliver.enable(world.store, "crm", now=world.now) == "webhook:crm"
        tell(world)
        kinds = {orjson.loads(got.body)["type"] for got in up.got}
    assert {"account.ok", "accounts.full_state"} <= kinds, "what it missed it need not wait for"


def test_only_a_webhook_that_is_off_can_be_switched_on(world: Any, receiver: Any) -> None:
    with receiver(410) as it:
        configure(world.home, hook=it.url)
        with pytest.raises(InputError, match="there is no endpoint 'cmr'") as unknown:
            deliver.enable(world.store, "cmr", now=world.now)
        assert unknown.value.hint == "the settings have webhook:crm, file"
        with pytest.raises(InputError, match="webhook:crm is not switched off"):
            deliver.enable(world.store, "crm", now=world.now)


def test_410_switches_the_endpoint_off_at_once(world: Any, receiver: Any) -> None:
    with receiver(410) as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        assert tell(world).disabled == ("webhook:crm",)
        make_overdue(world, "b")
        tell(world)
    assert len(it.got) == 1


def test_h2_receiver_that_forgets_is_put_right_by_the_daily_state(
    world: Any, receiver: Any
) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        tell(world)
        it.got.clear()  # it said 204 and forgot
        world.now += timedelta(hours=7)
        assert record_daily_state(world.store, now=world.now, due_hour=6) is not None
        assert record_daily_state(world.store, now=world.now, due_hour=6) is None
        tell(world)
        (got,) = it.got
        late = world.now + timedelta(hours=22)  # 5:00 of the day after the next due hour
        assert record_daily_state(world.store, now=late, due_hour=6) is None
        missed = world.now + timedelta(hours=24 + 22)
        assert record_daily_state(world.store, now=missed, due_hour=6) is not None, "a day was due"
    accounts = Accounts()
    accounts.take(got.headers["webhook-id"], orjson.loads(got.body))
    assert accounts.states == {"a": (1, "overdue")}


def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Send the sender elsewhere."""
    handler.send_response(307)
    handler.send_header("location", "http://127.0.0.1:1/elsewhere")
    handler.send_header("content-length", "0")
    handler.end_headers()


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    """An answer without end, as fast as it is read."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(10_000):
            handler.wfile.write(b"x" * 8192)
    except OSError:
        return


@pytest.mark.parametrize(
    ("answer", "words"),
    [(redirect, "307 redirect refused"), (endless, "200 with an answer above 64 kB")],
    ids=["redirecting", "endless"],
)
def test_h5_redirecting_and_endless_receivers_are_failed_attempts(
    world: Any, receiver: Any, answer: Any, words: str
) -> None:
    with receiver(answer) as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        assert tell(world).counts == {"waiting": 1, "delivered": 1}
    row = world.store.connection.execute(
        "SELECT answer, attempts FROM deliveries WHERE status = 'waiting'"
    ).fetchone()
    assert row == (words, 1)
    assert len(it.got) == 1


def test_h5_slow_receiver_is_left_after_the_time_limit(receiver: Any) -> None:
    import asyncio

    from billing.outbox.signing import parse_key
    from billing.outbox.webhook import AttemptResult, Endpoint, send

    release = threading.Event()

    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        release.wait(PATIENCE_S)
        handler.send_response(204)
        handler.end_headers()

    with receiver(slow) as it:
        endpoint = Endpoint(name="x", url=it.url, keys=(parse_key(KEY),), allow_private=True)
        attempt = asyncio.run(
            send(endpoint, message_id="m", body=b"{}", timestamp=0, total_seconds=0.2)
        )
        release.set()
    assert attempt.result is AttemptResult.FAILED
    assert attempt.answer == "no answer within 0.2 s"


def test_h6_private_receiver_is_refused_without_the_operators_word(
    world: Any, receiver: Any
) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        config = world.home / "edgetoll.toml"
        public = config.read_text().replace("allow_private = true\n", "")
        for text, words in (
            (public, r"line 2, key billing\.delivery.*plain http"),
            (public.replace("http:", "https:"), "127.0.0.1, which is not a public address"),
        ):
            config.write_text(text)
            with pytest.raises(ConfigError, match=words):
                read_delivery(world.home)
    assert it.got == []


CRASHING = """
import sys
from datetime import datetime
from pathlib import Path
from billing.outbox.deliver import deliver
from tests.billing.conftest import open_world
deliver(
    Path(sys.argv[1]),
    open_store=open_world,
    now=datetime.fromisoformat(sys.argv[2]),
    jitter_permille=lambda: 0,
)
"""


def test_h7_crash_between_send_and_mark_sends_again_with_the_same_id(
    world: Any, receiver: Any, root: Path
) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world)
        world.store.close()
        for crash in ("delivery-sent", "deliveries-applied", ""):
            environment = {**os.environ, "EDGETOLL_CRASH": crash, "PYTHONPATH": str(root)}
            command = [sys.executable, "-c", CRASHING, str(world.home), world.now.isoformat()]
            done = subprocess.run(command, env=environment, cwd=root, check=False)
            assert done.returncode == (-9 if crash else 0)
        world.store = open_world(world.home, owner="test", now=world.now)
    assert len(it.got) == 3
    assert len({(got.headers["webhook-id"], got.body) for got in it.got}) == 1
    assert tell(world).counts == {}


def test_g17_suspension_is_checked_again_when_it_is_sent(world: Any, receiver: Any) -> None:
    with receiver() as it:
        configure(world.home, hook=it.url)
        make_overdue(world, policy="auto", grace=0)
        assert world.state("a") == "suspended"
        world.pay("a", "1.00")
        tell(world)
    kinds = [orjson.loads(got.body)["type"] for got in it.got]
    assert kinds == ["account.resumed"], "nobody is told to stop an account that has paid"


def test_mail_has_text_and_html_and_the_events_id(world: Any, mailbox: Any) -> None:
    configure(
        world.home,
        more=f'[billing.delivery.mail]\nhost = "127.0.0.1"\nport = {mailbox.port}\n'
        'security = "none"\nsender = "billing@cdn.example"\nlanguages = { a = "en" }\n',
    )
    make_overdue(world, email="ann@shop.example")
    world.account("silent")
    world.charge("silent", "1.00")
    world.look()
    tell(world)
    (envelope,) = mailbox.letters
    assert envelope.rcpt_tos == ["ann@shop.example"]
    letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
    event_id = world.store.connection.execute(
        "SELECT event_id FROM outbox WHERE account_id = 'a'"
    ).fetchone()[0]
    assert letter["Message-ID"] == f"<{event_id}@edgetoll>"
    text = letter.get_body(("plain",)).get_content()
    page = letter.get_body(("html",)).get_content()
    for shown in (text, page):
        assert "-1.00" in shown
        assert "whole CDN service stops" in shown


def test_mail_server_that_is_away_is_tried_again(world: Any) -> None:
    configure(
        world.home,
        more='[billing.delivery.mail]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n'
        'sender = "billing@cdn.example"\noperators = ["ops@cdn.example"]\n',
    )
    make_overdue(world)
    assert tell(world).counts == {"waiting": 1, "delivered": 1}


def test_what_one_delivery_raises_costs_no_other_its_outcome(
    world: Any, receiver: Any, mailbox: Any
) -> None:
    """An error nobody listed: a resolver's odd answer, an event whose time is none."""

    def odd(host: str, _port: int) -> list[Any]:
        return ["127.0.0.1"] if host == "127.0.0.1" else [ipaddress.ip_address("127.0.0.1")]

    with receiver() as it:
        configure(
            world.home,
            hook=it.url,
            more=f'[[billing.delivery.webhooks]]\nname = "odd"\nurl = "{it.url}"\n'.replace(
                "127.0.0.1", "odd.example"
            )
            + 'key_files = ["crm.key"]\nallow_private = true\n'
            + f'[billing.delivery.mail]\nhost = "127.0.0.1"\nport = {mailbox.port}\n'
            'security = "none"\nsender = "s@cdn.example"\noperators = ["ops@cdn.example"]\n',
        )
        make_overdue(world)
        body = '{"type":"endpoint.disabled","timestamp":"noon","data":{"endpoint":"x"}}'
        wrong = {"event_id": "msg_wrong", "account_id": "", "version": "0", "body": body,
                 "kind": "endpoint.disabled", "happened_at": "2026-03-01T00:00:00"}  # fmt: skip
        world.store.commit("full_state", {"events": [wrong]}, at=world.now)
        assert tell(world, resolver=odd).counts == {"delivered": 5, "waiting": 3}
        assert tell(world, resolver=odd).counts == {}
        assert len(it.got) == 2, "told once, though another delivery failed beside it"
    assert len(mailbox.letters) == 1
    rows = world.store.connection.execute(
        "SELECT endpoint, event_id = 'msg_wrong', answer FROM deliveries"
        " WHERE status = 'waiting' ORDER BY ALL"
    ).fetchall()
    assert [(row[0], row[1]) for row in rows] == [
        ("mail", True), ("webhook:odd", False), ("webhook:odd", True),
    ]  # fmt: skip
    assert rows[0][2].startswith("unexpected InputError: «noon» is not a time")
    assert rows[1][2].startswith("unexpected AttributeError: ")


def test_u5_after_any_outages_the_last_delivered_is_the_stored_state(
    world: Any, receiver: Any, seed: int
) -> None:
    """Random payments, charges and a receiver that fails half the time; then calm."""
    chance = random.Random(seed)
    calm = False

    def moody(handler: http.server.BaseHTTPRequestHandler) -> None:
        good = calm or chance.random() < 0.5
        handler.send_response(204 if good else 500)
        handler.send_header("content-length", "0")
        handler.end_headers()
        if good:
            taken.append(dict(handler.headers))

    taken: list[Any] = []
    with receiver(moody) as it:
        configure(world.home, hook=it.url)
        for name in ("a", "b", "c"):
            world.account(name, policy="auto", grace=2)
        for _ in range(6):
            world.pass_hours(1)
            for name in ("a", "b", "c"):
                if chance.random() < 0.4:
                    world.charge(name, "1.00")
                if chance.random() < 0.4:
                    world.pay(name, chance.choice(["0.50", "1.00", "3.00"]))
            world.look()
            tell(world)
        calm = True
        world.now += timedelta(hours=30)
        tell(world)
        accounts = Accounts()
        passed = {headers["webhook-id"] for headers in taken}
        for got in it.got:
            if got.headers["webhook-id"] in passed:
                accounts.take(got.headers["webhook-id"], orjson.loads(got.body))
    stored = {
        row[0]: (row[1], row[2])
        for row in world.store.connection.execute(
            "SELECT account_id, version, state FROM account_state"
        ).fetchall()
    }
    assert accounts.states == stored
