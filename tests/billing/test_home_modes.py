"""G14: what a home holds is for its owner: folder 0700, settings, stores and journal 0600."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgetoll
from billing.checks.exposed import open_to_others
from tests.billing.homes import NOW, START, Use, close_hours, load_text
from tests.billing.homes import make_home as bare_home
from tests.billing.runner import rate

ACCOUNT = '[[accounts]]\nid = "a"\nname = "A"\ncurrency = "USD"\nprice_book = "plain"\n'


@pytest.fixture(params=[0o000, 0o022, 0o077], ids="umask {:03o}".format)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A home made by init under a umask, then loaded and paid into."""
    before = os.umask(request.param)
    try:
        home = tmp_path / "home"
        assert edgetoll.main(["init", str(home)]) == 0
        words = ("billing", "load", str(home / "accounts.toml"), "--home", str(home))
        assert edgetoll.main([*words]) == 0
        assert edgetoll.main(["metering", "run", "--drain", "--home", str(home)]) == 0
        yield home
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    """Who may do what with it."""
    return path.stat().st_mode & 0o777


def test_g14_a_new_home_is_its_owners_whatever_the_umask(home: Path) -> None:
    assert mode(home) == 0o700
    private = [
        home / "edgetoll.toml", home / "accounts.toml", home / "billing.duckdb",
        home / "usage.duckdb", home / "journal" / "journal.jsonl",
        *(home / "prices").glob("*"), *(home / "journal" / "effects").glob("*"),
    ]  # fmt: skip
    assert len(private) > 6
    assert {str(path): mode(path) for path in private if mode(path) != 0o600} == {}
    assert open_to_others(home) == []


def test_g14_a_home_made_before_is_told_of_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = bare_home(tmp_path)
    load_text(home, ACCOUNT)
    close_hours(home, START, 1, [Use()])
    rate(home, at=NOW)
    home.chmod(0o755)
    for path in (home / "edgetoll.toml", home / "billing.duckdb"):
        path.chmod(0o644)
    capsys.readouterr()
    assert edgetoll.main(["check", "--home", str(home)]) == 0
    assert f"chmod -R go-rwx {home}" in capsys.readouterr().err
    assert edgetoll.main(["check", "--json", "--home", str(home)]) == 0
    assert len(json.loads(capsys.readouterr().out)["exposed"]) == 1
    assert mode(home) == 0o755
    os.system(f"chmod -R go-rwx {home}")
    assert open_to_others(home) == []


def test_g14_analysts_may_be_let_in_to_the_lake_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert edgetoll.main(["init", str(home)]) == 0
    home.chmod(0o750)
    (home / "lake" / "CURRENT").write_text("for all\n")
    (home / "lake" / "CURRENT").chmod(0o644)
    assert open_to_others(home) == []
    (home / "edgetoll.toml").chmod(0o640)
    assert "edgetoll.toml" in open_to_others(home)[0]


@pytest.mark.parametrize(
    "name",
    ["invoices/2026-10/INV-1.pdf", "spool/e1/rejected/lines.jsonl", "outbox/events.jsonl",
     "secrets/crm.key", "quarantine/key-1.batch"],
)  # fmt: skip
def test_g14_customers_and_their_viewers_are_nobody_elses(name: str, tmp_path: Path) -> None:
    """Who lets analysts in to the lake lets them in to the home."""
    home = tmp_path / "home"
    assert edgetoll.main(["init", str(home)]) == 0
    home.chmod(0o711)
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("of a customer\n")
    path.chmod(0o644)
    path.parent.chmod(0o755)
    assert name in open_to_others(home)[0]
    path.parent.chmod(0o700)
    assert open_to_others(home) == [], "nobody else can enter its folder"
