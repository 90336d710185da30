"""Statements of account by mail, on request: once by id, the very file that was drawn up, of a
month that is whole. The mail server is a real one.
"""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.close import statements
from billing.invoices.documents import damage
from edge.errors import InputError
from edgetoll import main
from tests import forked
from tests.billing.close.test_sending import BUSY, MAIL, WITH_MAIL, documents, letters
from tests.billing.conftest import Mailbox
from tests.billing.invoices.world import ISSUE, World


@pytest.fixture
def world(tmp_path: Path, mailbox: Mailbox) -> World:
    """October issued for acme (German) and beta, in a home whose mail goes to the mailbox."""
    made = documents(tmp_path)
    with (made.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(MAIL.format(port=mailbox.port))
    return made


def words(world: World, *more: str, hours: int = 0, month: str = "2026-10") -> list[str]:
    """The command, `hours` after issuing."""
    at = (ISSUE + timedelta(hours=hours)).isoformat()
    return ["billing", "statement", *more, "--month", month, "--send",
            "--home", str(world.home), "--as-of", at]  # fmt: skip


def files(world: World) -> list[str]:
    """What was drawn up for October."""
    folder = world.home / "invoices" / "2026-10" / "statements"
    return sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []


def test_a_statement_goes_to_where_documents_go_in_the_accounts_language_once(
    world: World, mailbox: Mailbox
) -> None:
    assert main(words(world, "acme")) == 0
    assert main(words(world, "acme", hours=1)) == 0
    (letter,) = letters(mailbox)
    assert (letter["To"], letter["Subject"]) == (
        "pay@acme.example", "Kontoauszug für Oktober 2026: acme"
    )  # fmt: skip
    text = letter.get_body(("plain",))
    assert text is not None
    assert "Endsaldo: -8.4019 USD" in " ".join(text.get_content().split())
    (file,) = letter.iter_attachments()
    kept = world.home / "invoices" / "2026-10" / "statements" / "acme-2026-10.pdf"
    assert (file.get_filename(), file.get_content()) == ("acme-2026-10.pdf", kept.read_bytes())
    assert main(words(world, "acme", "--again", hours=2)) == 0
    assert len({one["Message-ID"] for one in letters(mailbox)}) == 2
    assert files(world) == ["acme-2026-10.pdf", "acme-2026-10~2.pdf"]
    with open_store(world.home, owner="test", now=ISSUE) as store:
        assert list(damage.results(world.home, store.connection)) == []
        newest = kept.with_name("acme-2026-10~2.pdf")
        newest.write_bytes(newest.read_bytes()[:-1])
        ((name, said, _advice),) = damage.results(world.home, store.connection)
    assert name == newest.name
    assert "is not what was written" in str(said)


def test_what_was_sent_stands_in_the_view_of_what_was_told(
    world: World, mailbox: Mailbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words(world, "--all")) == 0
    assert [one["To"] for one in letters(mailbox)] == ["bills@beta.example", "pay@acme.example"]
    capfd.readouterr()
    ask = "SELECT account_id, invoice_no, status FROM deliveries WHERE endpoint = 'mail'"
    assert main(["sql", ask, "--format", "csv", "--home", str(world.home)]) == 0
    assert capfd.readouterr().out.split() == [
        "account_id,invoice_no,status",
        "acme,statement", "2026-10,delivered", "beta,statement", "2026-10,delivered",
    ]  # fmt: skip


def test_who_has_no_address_is_named_and_the_others_get_theirs(
    tmp_path: Path, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    made = documents(tmp_path, WITH_MAIL.replace('email = "pay@acme.example"\n', ""))
    with (made.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(MAIL.format(port=mailbox.port))
    assert main(words(made, "--all")) == 1
    assert "acme cannot be sent anything: no mail address" in capsys.readouterr().err
    assert [one["To"] for one in letters(mailbox)] == ["bills@beta.example"]


@pytest.mark.parametrize(
    ("point", "mails"), [("document_events-committed", 2), ("delivery-sent", 4)]
)
def test_killed_at_any_step_it_comes_under_the_same_id_with_the_same_file(
    point: str, mails: int, world: World, mailbox: Mailbox
) -> None:
    assert forked.run(*words(world, "--all"), crash=point) == -signal.SIGKILL
    assert main(words(world, "--all", hours=1)) == 0
    found = letters(mailbox)
    assert len(found) == mails
    contents = {
        (str(one["Message-ID"]), *(file.get_content() for file in one.iter_attachments()))
        for one in found
    }
    assert len(contents) == 2


def test_two_who_send_at_once_send_each_statement_once(world: World, mailbox: Mailbox) -> None:
    both = [forked.start(*words(world, "--all", hours=hours)) for hours in (0, 1)]
    assert {forked.ended(one) for one in both} <= {0, BUSY}
    assert main(words(world, "--all", hours=2)) == 0
    assert len(mailbox.letters) == 2


def test_a_statement_drawn_up_meanwhile_by_another_stays_as_that_one_has_it(world: World) -> None:
    at, later = ISSUE, ISSUE + timedelta(hours=1)
    with open_store(world.home, owner="test", now=at) as store:
        mine = statements.wanted(store, "2026-10", account_id="acme", again=False, at=at)
        theirs = statements.wanted(store, "2026-10", account_id="acme", again=False, at=later)
    drawn = statements.draw(world.home, theirs, world.settings, at=later)
    with open_store(world.home, owner="test", now=at) as store:
        first = statements.announce(store, theirs, drawn, at=later)
        second = statements.announce(
            store, mine, statements.draw(world.home, mine, world.settings, at=at), at=at
        )
    assert (first.new, second.new) == (1, 0)
    assert first.events == second.events
    kept = world.home / "invoices" / "2026-10" / "statements" / "acme-2026-10.pdf"
    assert kept.read_bytes() == drawn[0].pdf


def test_a_file_that_is_not_what_was_drawn_up_is_not_sent(world: World, mailbox: Mailbox) -> None:
    with open_store(world.home, owner="test", now=ISSUE) as store:
        asked = statements.wanted(store, "2026-10", account_id="acme", again=False, at=ISSUE)
        drawn = statements.draw(world.home, asked, world.settings, at=ISSUE)
        statements.announce(store, asked, drawn, at=ISSUE)
    kept = world.home / "invoices" / "2026-10" / "statements" / "acme-2026-10.pdf"
    kept.write_bytes(drawn[0].pdf[:-1])
    assert main(words(world, "acme")) == 1
    assert mailbox.letters == []
    assert main(words(world, "acme", "--again", hours=1)) == 0
    (letter,) = letters(mailbox)
    assert [file.get_filename() for file in letter.iter_attachments()] == ["acme-2026-10~2.pdf"]


def test_of_a_month_that_is_not_whole_nothing_is_sent(
    world: World, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(world, "--all", month="2026-11")) == 1
    assert "2026-11 is not complete in UTC: the month ends at" in capsys.readouterr().err
    assert (mailbox.letters, files(world)) == ([], [])


def test_without_a_mail_server_nothing_is_drawn_up(tmp_path: Path) -> None:
    made = documents(tmp_path)
    with (
        open_store(made.home, owner="test", now=ISSUE) as store,
        pytest.raises(InputError, match="no mail server is set"),
    ):
        statements.wanted(store, "2026-10", account_id=None, again=False, at=ISSUE)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "say whose statement"),
        (["acme", "--all"], "say whose statement"),
        (["acme", "--send"], "a statement is sent of a month"),
        (["acme", "--again"], "--again is about mails"),
        (["--all"], "all accounts are more than a screen"),
        (["--all", "-o", "one.pdf"], "each account has a statement of its own"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["billing", "statement", *more, "--home", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err


def test_of_all_accounts_each_gets_a_file_by_its_name(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    at = ISSUE.isoformat()
    command = ["billing", "statement", "--all", "--month", "2026-10", "--as-of", at]
    assert main([*command, "-o", f"{out}/{{account}}.html", "--home", str(world.home)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["acme.html", "beta.html"]
