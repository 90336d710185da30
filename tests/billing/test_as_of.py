"""G7: --as-of before the newest record, or more than a day ahead, must be meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

import edgetoll
from billing.store.journal import newest_at
from tests.billing.homes import NOW, START, Use, close_hours, load_text, make_home
from tests.billing.runner import rate

ACCOUNT = '[[accounts]]\nid = "new"\nname = "New"\ncurrency = "USD"\nprice_book = "plain"\n'
COMMANDS = (
    "billing top-up acme 1.00 --id k",
    "billing load HOME/more.toml",
    "billing rate",
    "billing alerts",
    "billing accounts",
    "billing statement acme",
    "billing ledger",
    "billing invoice --month 2026-10",
    "billing suspend acme --cause administrative --by me --reason r",
    "billing simulate --price-book HOME/prices/plain.toml --month 2026-10",
)
OUTSIDE = ("2020-01-01T00:00:00Z", "2026-10-19T23:59:59Z", "2099-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose newest record is of NOW."""
    home = make_home(tmp_path_factory.mktemp("asof"))
    close_hours(home, START, 2, [Use()])
    rate(home, at=NOW)
    (home / "more.toml").write_text(ACCOUNT)
    assert newest_at(home / "journal" / "journal.jsonl") == NOW
    return home


def run(home: Path, words: str) -> int:
    """One command line; its exit code."""
    return edgetoll.main([*words.replace("HOME", str(home)).split(), "--home", str(home)])


def with_as_of() -> Iterator[tuple[str, set[str]]]:
    """(command, its options) of every command that has --as-of."""
    for name in (*edgetoll.GROUPS, *edgetoll.COMMANDS):
        made = typer.main.get_command(edgetoll.application(name))
        for command in getattr(made, "commands", {name: made}).values():
            options = {option for one in command.params for option in one.opts}
            if "--as-of" in options:
                yield f"{name} {command.name}", options


def test_g7_every_command_that_has_as_of_has_really_too() -> None:
    found = dict(with_as_of())
    assert len(found) >= len(COMMANDS)
    assert [name for name, options in found.items() if "--really" not in options] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_g7_a_time_outside_of_what_the_store_knows_is_refused(
    home: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = (home / "journal" / "journal.jsonl").read_bytes()
    for time in OUTSIDE:
        assert run(home, f"{command} --as-of {time}") == 1
        told = capsys.readouterr()
        assert "--really" in told.err
        assert told.out == ""
    assert (home / "journal" / "journal.jsonl").read_bytes() == journal


def test_g7_the_time_of_the_newest_record_and_a_day_ahead_are_taken(home: Path) -> None:
    assert run(home, f"billing ledger --as-of {NOW.isoformat()}") == 0
    soon = datetime.now(UTC) + timedelta(hours=23)
    assert run(home, f"billing ledger --as-of {soon.isoformat()}") == 0
    assert run(home, "billing ledger") == 0


def test_g7_who_means_it_says_so(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    load_text(home, ACCOUNT, at=NOW)
    post = "billing top-up acme 1.00 --as-of"
    assert run(home, f"{post} 2026-10-01T00:00:00Z --id a --really") == 0
    assert run(home, f"{post} 2099-01-01T00:00:00Z --id b --really") == 0
    assert run(home, f"{post} 2026-11-01T00:00:00Z --id c") == 1, "the newest is of 2099"
    assert run(home, "billing top-up acme 1.00 --id d") == 0, "without --as-of nothing is asked"


def test_g7_a_home_without_records_knows_no_newest(tmp_path: Path) -> None:
    home = make_home(tmp_path, accounts=None)
    assert run(home, "billing ledger --as-of 2020-01-01T00:00:00Z") == 0
    path = home / "journal" / "journal.jsonl"
    path.parent.mkdir(exist_ok=True)
    for text in (b"", b"torn", b"torn\nno record\n"):
        path.write_bytes(text)
        assert newest_at(path) is None


def test_g7_a_torn_last_record_does_not_hide_the_one_before(home: Path) -> None:
    path = home / "journal" / "journal.jsonl"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole + b'{"at":"2099-')
        assert newest_at(path) == NOW
    finally:
        path.write_bytes(whole)
