"""Documents by mail: to their account, once by id, with the files as they were issued; reminders on
a ladder, and never to one who paid. The mail server is a real one.
"""

from __future__ import annotations

import email
import email.policy
import signal
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from billing.appliers import open_store
from billing.close.sending import announce_documents, announce_reminders, sent
from billing.commands.accounts import jitter_permille
from billing.invoices.documents import writing
from billing.ledger.top_up import top_up
from billing.money import parse_amount
from billing.outbox.deliver import deliver
from edge.errors import InputError
from edgetoll import main
from tests import forked
from tests.billing.conftest import Mailbox
from tests.billing.invoices.world import ACCOUNTS, ISSUE, NOVEMBER, World, made_once, october

MAIL = """
[billing.delivery.mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "billing@cdn.example"
operators = ["ops@cdn.example"]
"""
WITH_MAIL = ACCOUNTS.replace(
    'country = "DE"\n', 'country = "DE"\nlanguage = "de"\nemail = "pay@acme.example"\n', 1
).replace('name = "Beta"\n', 'name = "Beta"\nemail = "all@beta.example"\n'
          'invoice_email = "bills@beta.example"\n')  # fmt: skip
DUE = NOVEMBER + timedelta(days=14)
FORMATS = ("json", "html")
BUSY = 75
"""The exit code of a command that found the store in use, and says by whom."""


@made_once
def documents(folder: Path, accounts: str = WITH_MAIL) -> World:
    """October issued and written for acme, who owes 10.00, and beta."""
    world = october(folder, accounts=accounts)
    world.invoice("2026-10", ISSUE)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        writing.write_month(world.home, store.connection, "2026-10", FORMATS)
    return world


@pytest.fixture
def world(tmp_path: Path, mailbox: Mailbox) -> World:
    """These documents in a home whose mail goes to the mailbox."""
    made = documents(tmp_path)
    with (made.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(MAIL.format(port=mailbox.port))
    return made


def send(world: World, at: datetime, **what: Any) -> list[str]:
    """What `billing send` does; how each went."""
    with open_store(world.home, owner="test", now=at) as store:
        if what.pop("reminders", False):
            announced = announce_reminders(store, settings=world.settings, at=at)
        else:
            announced = announce_documents(store, at=at, **what)
    deliver(world.home, open_store=open_store, now=at, jitter_permille=jitter_permille)
    with open_store(world.home, owner="test", now=at) as store:
        return [one.status for one in sent(store, announced.events)]


def letters(mailbox: Mailbox) -> list[EmailMessage]:
    """The mails that came, to whom they went first."""
    found = [
        email.message_from_bytes(one.content, policy=email.policy.default)
        for one in mailbox.letters
    ]
    return sorted(found, key=lambda one: str(one["To"]))  # type: ignore[arg-type]


def test_each_document_goes_to_its_account_alone_in_its_language_with_its_file(
    world: World, mailbox: Mailbox
) -> None:
    assert send(world, ISSUE, month="2026-10") == ["delivered"] * 2
    beta, acme = letters(mailbox)
    assert (acme["To"], beta["To"]) == ("pay@acme.example", "bills@beta.example")
    assert [one.rcpt_tos for one in mailbox.letters if len(one.rcpt_tos) > 1] == []
    assert acme["Subject"] == "Rechnung INV-USD-2026-000001: acme"
    assert beta["Subject"] == "Invoice INV-USD-2026-000002: beta"
    text = acme.get_body(("plain",))
    assert text is not None
    assert "Bitte zahlen Sie 10.00 USD bis zum 15. November 2026" in text.get_content()
    (file,) = acme.iter_attachments()
    path = world.home / "invoices" / "2026-10" / "INV-USD-2026-000001.html"
    assert file.get_filename() == path.name
    assert file.get_content().encode() == path.read_bytes()


@pytest.mark.parametrize(
    ("said", "subject", "title"),
    [("en", "Invoice INV", "Invoice"), ("country", "Rechnung INV", "Rechnung")],
)
def test_a_mail_about_a_document_is_in_the_documents_language(
    said: str, subject: str, title: str, tmp_path: Path, mailbox: Mailbox
) -> None:
    made = october(tmp_path, accounts=WITH_MAIL.replace('language = "de"\n', ""))
    made.settings = made.settings.model_copy(update={"language": said})
    made.invoice("2026-10", ISSUE)
    with (made.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(f'[invoices]\nlanguage = "{said}"\n' + MAIL.format(port=mailbox.port))
    with open_store(made.home, owner="test", now=ISSUE) as store:
        writing.write_month(made.home, store.connection, "2026-10", FORMATS)
    assert send(made, ISSUE, invoice_no="INV-USD-2026-000001") == ["delivered"]
    (letter,) = letters(mailbox)
    assert str(letter["Subject"]).startswith(subject)
    (page,) = letter.iter_attachments()
    assert f"<h1>{title}" in page.get_content()


def test_sent_twice_it_comes_once_and_again_only_when_asked(world: World, mailbox: Mailbox) -> None:
    send(world, ISSUE, month="2026-10")
    send(world, ISSUE + timedelta(hours=1), month="2026-10")
    assert len(mailbox.letters) == 2
    send(world, ISSUE + timedelta(hours=2), invoice_no="INV-USD-2026-000001", again=True)
    numbers = [one["Message-ID"] for one in letters(mailbox) if one["To"] == "pay@acme.example"]
    assert len(numbers) == len(set(numbers)) == 2


def test_a_void_invoice_is_not_sent_nor_the_credit_note_that_made_it_void(
    world: World, mailbox: Mailbox
) -> None:
    world.void("INV-USD-2026-000001", ISSUE)
    assert send(world, ISSUE + timedelta(hours=1), month="2026-10") == ["delivered"]
    assert [one["To"] for one in letters(mailbox)] == ["bills@beta.example"]


def test_a_file_that_is_not_as_it_was_issued_is_not_sent_and_waits(
    world: World, mailbox: Mailbox
) -> None:
    path = world.home / "invoices" / "2026-10" / "INV-USD-2026-000001.html"
    issued = path.read_bytes()
    path.write_bytes(issued.replace(b"10.00", b"90.00"))
    assert send(world, ISSUE, invoice_no="INV-USD-2026-000001") == ["waiting"]
    assert mailbox.letters == []
    path.write_bytes(issued)
    later = ISSUE + timedelta(hours=2)
    assert send(world, later, invoice_no="INV-USD-2026-000001") == ["delivered"]


def test_an_account_without_an_address_is_named_and_the_others_are_sent(
    tmp_path: Path, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = documents(tmp_path, WITH_MAIL.replace('email = "pay@acme.example"\n', "")).home
    with (home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(MAIL.format(port=mailbox.port))
    words = ["billing", "send", "--month", "2026-10", "--home", str(home)]
    assert main([*words, "--as-of", ISSUE.isoformat()]) == 1
    assert "acme cannot be sent anything: no mail address" in capsys.readouterr().err
    assert [one["To"] for one in letters(mailbox)] == ["bills@beta.example"]


def test_without_a_mail_server_nothing_is_queued(tmp_path: Path) -> None:
    world = documents(tmp_path)
    with (
        open_store(world.home, owner="test", now=ISSUE) as store,
        pytest.raises(InputError, match="no mail server is set"),
    ):
        announce_documents(store, at=ISSUE, month="2026-10")


@pytest.mark.parametrize(
    ("days", "mails"), [([0], 0), ([2], 0), ([3], 1), ([3, 4, 13], 1), ([3, 14], 2), ([30, 31], 1)]
)
def test_reminders_come_once_at_each_step_of_the_ladder(
    days: list[int], mails: int, world: World, mailbox: Mailbox
) -> None:
    world.pay("beta", "1.00", "p0", ISSUE)
    for day in days:
        send(world, DUE + timedelta(days=day), reminders=True)
    last = DUE + timedelta(days=days[-1])
    with open_store(world.home, owner="test", now=last) as store:
        assert announce_reminders(store, settings=world.settings, at=last).new == 0
    assert [one["Subject"] for one in letters(mailbox)] == [
        "Erinnerung: Rechnung INV-USD-2026-000001 ist offen: acme"
    ] * mails


def test_nobody_who_paid_is_reminded_whether_before_or_while_it_waits(
    world: World, mailbox: Mailbox
) -> None:
    at = DUE + timedelta(days=3)
    world.pay("beta", "1.00", "p0", ISSUE)
    with open_store(world.home, owner="test", now=at) as store:
        announced = announce_reminders(store, settings=world.settings, at=at)
        assert announced.new == 1
        top_up(store, "acme", parse_amount("10.00"), key="p1", at=at)
    world.pay("acme", "0.01", "p2", at)  # what any payment does: invoices are settled
    deliver(world.home, open_store=open_store, now=at, jitter_permille=jitter_permille)
    with open_store(world.home, owner="test", now=at) as store:
        (one,) = sent(store, announced.events)
        assert (
            announce_reminders(store, settings=world.settings, at=DUE + timedelta(days=20)).new == 0
        )
    assert (one.status, one.is_told) == ("superseded", True)
    assert mailbox.letters == []


def test_two_who_close_at_once_issue_each_document_once_and_send_each_mail_once(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    world = october(tmp_path, accounts=WITH_MAIL)
    with (world.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[invoices]\nformats = ["json", "html"]\n[invoices.close]\npolicy = "auto"\n'
            "requires = []\n"
        )
        file.write(MAIL.format(port=mailbox.port))
    for step in ("--issue", "--send"):
        words = ["billing", "close", "--month", "2026-10", step, "--by", "Ada"]
        words += ["--as-of", ISSUE.isoformat(), "--home", str(world.home)]
        both = [forked.start(*words) for _ in range(2)]
        assert {forked.ended(one) for one in both} <= {0, BUSY}
        assert main(words) == 0
    numbers = [one["Message-ID"] for one in letters(mailbox) if list(one.iter_attachments())]
    assert len(set(numbers)) == len(numbers) == 2
    kinds = world.query("SELECT step FROM close_steps ORDER BY journal_no")
    assert kinds == [("issued",), ("sent",)]
    assert world.query("SELECT count(*) FROM invoices") == [(2,)]


def test_killed_between_mail_and_record_it_comes_again_under_the_same_id(
    world: World, mailbox: Mailbox
) -> None:
    words = ["billing", "close", "--month", "2026-10", "--send", "--by", "Ada"]
    words += ["--as-of", ISSUE.isoformat(), "--home", str(world.home)]
    assert forked.run(*words, crash="delivery-sent") == -signal.SIGKILL
    assert len(mailbox.letters) == 2
    assert main(words) == 0
    assert main(words) == 0
    numbers = [one["Message-ID"] for one in letters(mailbox)]
    assert (len(numbers), len(set(numbers))) == (4, 2)
    found = world.query("SELECT step, decided_by, documents FROM close_steps")
    assert found == [("sent", "Ada", 2)]
