"""What reaches a customer by mail: to one address, in their language, only what concerns them."""

from __future__ import annotations

import email
import email.policy
from typing import Any

import orjson
import pytest

from billing.outbox import deliver
from billing.outbox.daily_state import record_daily_state
from billing.outbox.settings import read_delivery
from edge.errors import ConfigError
from tests.billing.conftest import Mailbox, open_world
from tests.billing.outbox.test_deliver import configure

OPEN = """
[billing.delivery.mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "billing@cdn.example"
"""
WRONG = [
    "a@x.example\r\nBcc: evil@x.example", "a@x.example\nb@x.example", "a@x.example, b@x.example",
    "a@x.example b@x.example", '"a"', "a", "@x.example", "a@", "a@@x.example", "a@x", "a@127.0.0.1",
    "A <a@x.example>", "a@x.example;b@x.example", "\u202ea@x.example",
]  # fmt: skip


@pytest.mark.parametrize("address", WRONG)
def test_g12_an_address_that_is_none_or_several_is_refused_at_sending_and_shows(
    world: Any, mailbox: Mailbox, address: str
) -> None:
    """Loaded by an older version, say: nobody else gets the mail, and it is named as not told."""
    (world.home / "edgetoll.toml").write_text(OPEN.format(port=mailbox.port))
    world.account("a", email=address)
    world.account("b", email="b@shop.example")
    for account in ("a", "b"):
        world.charge(account, "1.00")
    world.look()
    told = deliver_now(world)
    assert [one.rcpt_tos for one in mailbox.letters] == [["b@shop.example"]]
    (missed,) = told.undone
    assert (missed.endpoint, missed.waiting) == ("mail", 1)
    assert missed.cause.startswith("not mailed to the customer: ")
    assert missed.cause.isprintable()


def test_g12_operators_get_the_mail_that_a_customer_without_an_address_cannot(
    world: Any, mailbox: Mailbox
) -> None:
    (world.home / "edgetoll.toml").write_text(
        OPEN.format(port=mailbox.port) + 'operators = ["ops@cdn.example"]\n'
    )
    world.account("a", email='"a"')
    world.charge("a", "1.00")
    world.look()
    assert deliver_now(world).undone[0].waiting == 1
    assert [one.rcpt_tos for one in mailbox.letters] == [["ops@cdn.example"]]


@pytest.mark.parametrize(
    "line",
    ['operators = ["a"]', 'operators = ["a@x.example, b@x.example"]',
     'operators = ["a@x.example\\n"]',
     'sender = "a"', 'sender = "a@x.example, b@x.example"', 'sender = "A\\nBcc: b <a@x.example>"'],
)  # fmt: skip
def test_g12_settings_with_such_an_address_are_refused(world: Any, line: str) -> None:
    text = OPEN.format(port=25)
    key = line.partition(" ")[0]
    kept = [one for one in text.splitlines() if not one.startswith(f"{key} ")]
    (world.home / "edgetoll.toml").write_text("\n".join([*kept, line]) + "\n")
    with pytest.raises(ConfigError, match=rf"mail\.{key}"):
        read_delivery(world.home)


def test_p5_nobody_is_told_that_it_is_well_again_who_was_not_told_that_it_was_not(
    world: Any, mailbox: Mailbox
) -> None:
    (world.home / "edgetoll.toml").write_text(OPEN.format(port=mailbox.port))
    for account in ("told", "untold"):
        world.account(account, email=f"{account}@shop.example")
        world.charge(account, "1.00")
    world.look()
    world.pay("untold", "50.00")  # before anything was sent: overdue is superseded
    deliver_now(world)
    world.pay("told", "50.00")
    deliver_now(world)
    sent = [(one.rcpt_tos[0], subject_of(one)) for one in mailbox.letters]
    assert sent == [
        ("told@shop.example", "Ihr Guthaben ist unter null: told"),
        ("told@shop.example", "Ihr Guthaben reicht wieder aus: told"),
    ]


def test_p5_a_customer_reads_their_own_language_and_time_zone(world: Any, mailbox: Mailbox) -> None:
    (world.home / "edgetoll.toml").write_text(
        OPEN.format(port=mailbox.port) + 'languages = { b = "ja" }\n'
    )
    world.account("a", email="a@shop.example", timezone="Europe/Berlin")  # its country is DE
    world.account("b", email="b@shop.example")
    for account in ("a", "b"):
        world.charge(account, "1.00")
    world.look()
    deliver_now(world)
    german, japanese = mailbox.letters
    assert subject_of(german) == "Ihr Guthaben ist unter null: a"
    assert "2. März 2026, 01:00 Uhr (CET)" in text_of(german)
    assert subject_of(japanese) == "残高がマイナスになりました: b"


def test_a_red_checks_words_never_reach_a_customer(
    world: Any, mailbox: Mailbox, receiver: Any
) -> None:
    secret = world.home / "crm.key"
    secret.write_text("whsec_" + "a2tr" * 10)
    secret.chmod(0o600)
    with receiver() as it:
        (world.home / "edgetoll.toml").write_text(
            OPEN.format(port=mailbox.port)
            + f'[[billing.delivery.webhooks]]\nname = "own"\nurl = "{it.url}"\naccounts = ["a"]\n'
            'key_files = ["crm.key"]\nallow_private = true\n'
        )
        world.account("a", email="a@shop.example")
        world.charge("a", "1.00")
        (world.home / "checks.json").write_text('{"red": ["ledger_sums_to_zero: 3 rows"]}')
        world.look()
        deliver_now(world)
    (got,), (letter,) = it.got, mailbox.letters
    for told in (got.body.decode(), text_of(letter), letter.content.decode()):
        assert "ledger_sums" not in told
        assert "check" not in told
    assert '"unverified":"the figures are being verified"' in got.body.decode()


def deliver_now(world: Any) -> deliver.Delivered:
    """Deliver what is due; the store is closed meanwhile."""
    world.store.close()
    told = deliver.deliver(
        world.home, open_store=open_world, now=world.now, jitter_permille=lambda: 0
    )
    world.store = open_world(world.home, owner="test", now=world.now)
    return told


def message(envelope: Any) -> Any:
    """The mail that came in."""
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


def subject_of(envelope: Any) -> str:
    """Its subject, decoded."""
    return str(message(envelope)["Subject"])


def text_of(envelope: Any) -> str:
    """Its plain text."""
    return str(message(envelope).get_body(("plain",)).get_content())


ADD_USAGE = """
INSERT INTO usage
(hour, bucket, partition, revision, account_id, domain, region, class, requests, bytes_sent,
 import_no)
SELECT $hour, $hour, 'spool', 0, NULL, name, 'DE', 'https', requests, 0, 1
FROM (VALUES ('big.example', 900), ('small.example', 7), (NULL, 50)) AS t(name, requests)
"""


def test_g8_the_daily_message_names_the_largest_names_that_nobody_owns(
    world: Any, receiver: Any
) -> None:
    hour = world.now.replace(tzinfo=None)
    with receiver() as operators, receiver() as customer:
        configure(
            world.home, hook=operators.url,
            more='[[billing.delivery.webhooks]]\nname = "own"\n'
            f'url = "{customer.url}"\nkey_files = ["crm.key"]\nallow_private = true\n'
            'accounts = ["a"]\n',
        )  # fmt: skip
        world.account("a")
        world.rated()
        world.store.connection.execute(ADD_USAGE, {"hour": hour})
        world.now = world.now.replace(hour=7)
        record_daily_state(world.store, now=world.now, due_hour=6)
        deliver_now(world)
    (got,), (own,) = operators.got, customer.got
    assert orjson.loads(got.body)["data"]["unowned"] == [
        {"domain": "big.example", "requests": 900},
        {"domain": None, "requests": 50},
        {"domain": "small.example", "requests": 7},
    ]
    assert b"big.example" not in own.body, "other people's names are not a customer's affair"
