"""G2: an older copy of journal and store beside today's lake and documents is refused, or one of
another home. What can be brought up to the journal is, and nothing issued is replaced.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

import edgetoll
from tests.billing.homes import START, Use, close_hour, copied, make_home

STORE = ("billing.duckdb", "billing.duckdb.left")
MONTH_END = START + timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A home today, what it was yesterday, and another home of the same kind."""

    today: Path
    yesterday: Path
    other: Path


def run(home: Path, words: str) -> int:
    """One command line; its exit code."""
    return edgetoll.main([*words.split(), "--home", str(home)])


def october(folder: Path, requests: int) -> Path:
    """A home with a closed October, rated and paid into, nothing issued."""
    home = make_home(folder)
    with (home / "edgetoll.toml").open("a") as settings:
        settings.write('[invoices]\nformats = ["json", "csv"]\n')
    uses = [Use(requests=requests), Use(domain="a.beta.example", requests=500_000, region="US")]
    close_hour(home, START, uses, complete_through=MONTH_END)
    assert run(home, "billing top-up acme 5.00 --id first --as-of 2026-10-02T00:00:00Z") == 0
    assert run(home, "billing rate --as-of 2026-11-02T00:00:00Z") == 0
    return home


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Between yesterday and today a payment came and October was issued."""
    home = october(tmp_path_factory.mktemp("one"), 90_000)
    yesterday = home.with_name("yesterday")
    shutil.copytree(home, yesterday)
    other = october(tmp_path_factory.mktemp("other"), 70_000)
    for one in (home, other):
        assert run(one, "billing top-up beta 7.00 --id second --as-of 2026-11-02T01:00:00Z") == 0
        assert run(one, "billing invoice --month 2026-10 --as-of 2026-11-02T02:00:00Z") == 0
    return Days(today=home, yesterday=yesterday, other=other)


@pytest.fixture
def home(days: Days, tmp_path: Path) -> Path:
    """A copy of today's home."""
    return copied(days.today, tmp_path / "home")


def take(home: Path, source: Path, *names: str) -> None:
    """Replace files and folders of the home by those of `source`, as a backup would."""
    for name in names:
        shutil.rmtree(home / name, ignore_errors=True)
        (home / name).unlink(missing_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, home / name)
        elif (source / name).exists():
            shutil.copy2(source / name, home / name)


def kept(home: Path) -> dict[str, bytes]:
    """What must not be lost: the journal and every issued document."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for folder in ("journal", "invoices")
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }


REFUSED = {
    "yesterday's journal": ("yesterday", ("journal",), "the journal ends at"),
    "yesterday's journal and store": ("yesterday", ("journal", *STORE), "it is an older copy"),
    "yesterday's journal and store, today's note": (
        "yesterday",
        ("journal", STORE[0]),
        "older copy",
    ),
    "yesterday's journal, store and lake": ("yesterday", ("journal", *STORE, "lake"), "was issued"),
    "no journal and no store": ("nowhere", ("journal", *STORE), "the journal ends at 0"),
    "another home's journal": ("other", ("journal",), "differ at record"),
    "another home's store": ("other", STORE, "differ at record"),
    "another home's journal and store": ("other", ("journal", *STORE), "two homes"),
    "another home's lake": ("other", ("lake",), "two homes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_g2_an_older_copy_or_one_of_another_home_is_refused_and_nothing_is_changed(
    days: Days, home: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, names, said = REFUSED[what]
    take(home, getattr(days, source, home / "nowhere"), *names)
    before = kept(home)
    for words in (
        "billing top-up acme 1.00 --id third --as-of 2026-11-02T03:00:00Z",
        "billing rate --as-of 2026-11-02T03:00:00Z",
        "billing invoice --month 2026-10 --as-of 2026-11-02T03:00:00Z",
        "check",
    ):
        capsys.readouterr()
        assert run(home, words) == 1, words
        told = capsys.readouterr()
        assert said in " ".join((told.err + told.out).split())
        assert "Traceback" not in told.err
    assert kept(home) == before


MENDED = {
    "yesterday's store": ("yesterday", STORE),
    "the store lost": ("nowhere", STORE),
    "the left note lost": ("nowhere", STORE[1:]),
    "yesterday's lake": ("yesterday", ("lake",)),
}


@pytest.mark.parametrize("what", MENDED)
def test_g2_what_the_journal_gives_back_is_brought_up_to_it(
    days: Days, home: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, names = MENDED[what]
    take(home, getattr(days, source, home / "nowhere"), *names)
    before = kept(home)
    assert run(home, "billing rate --as-of 2026-11-02T03:00:00Z") == 0
    assert kept(home) == before
    capsys.readouterr()
    assert run(home, "check") == 0, capsys.readouterr()
    for one in (home, days.today):
        capsys.readouterr()
        assert run(one, "billing statement beta --json --as-of 2026-11-02T03:00:00Z") == 0
        told = capsys.readouterr().out
        assert '"7.00"' in told


def test_g2_who_lost_the_tail_for_good_can_go_on_with_what_is_left_out_of_the_way(
    days: Days, home: Path
) -> None:
    take(home, days.yesterday, "journal", *STORE)
    kept_aside = home.with_name("aside")
    kept_aside.mkdir()
    (home / "lake").rename(kept_aside / "lake")
    (home / "invoices").rename(kept_aside / "invoices")
    assert run(home, "billing rate --as-of 2026-11-02T03:00:00Z") == 0
    assert run(home, "check") == 0
