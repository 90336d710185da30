"""M2, G1, G2: what is lost, or cannot be looked at, is red and counted; no check is left out."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
import typer

from billing.accounts.owned_names import OWNED_NAMES
from billing.appliers import open_store
from billing.checks import red
from billing.checks.red import CheckResult
from billing.commands.check import check, every_check, group
from billing.invoices.documents import damage, writing
from edgetoll import main
from tests.billing.homes import START, Use, close_hours, copied, make_home
from tests.billing.invoices.world import october
from tests.billing.runner import published, rate
from tests.metering.worker.test_checks import worked
from tests.metering.world import Edge, Event, World

COUNTED_AT = datetime(2026, 11, 1, 6, tzinfo=UTC)
ISSUED = datetime(2026, 11, 1, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that counted, closed, billed and published; all of its checks hold."""
    home = make_home(tmp_path_factory.mktemp("sound"))
    worked(home)
    (home / "metering.lock").touch()  # as the command leaves it
    rate(home, at=COUNTED_AT)
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged, as billing left it."""
    return copied(sound, tmp_path / "home")


def red_of(home: Path) -> set[str]:
    """The checks that return rows or that found nothing to open; all of them are counted."""
    results = every_check(home)
    assert len({one.check for one in results}) == len(results) == count_of_all()
    return {one.check for one in results if one.rows and not one.missing}


MISSING = {"metering_no_batch_is_lost", "metering_quarantine_is_empty"}
"""What the home's own traffic lacks on purpose."""


@cache
def count_of_all() -> int:
    """How many checks a home without anything has."""
    with TemporaryDirectory() as empty:
        return len(every_check(Path(empty)))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def newest(home: Path, pattern: str) -> Path:
    return max(home.glob(pattern))


def journal(home: Path) -> Path:
    return home / "journal" / "journal.jsonl"


def cut_journal(home: Path) -> None:
    lines = journal(home).read_bytes().splitlines(keepends=True)
    journal(home).write_bytes(b"".join(lines[:-1]))


# what is lost or damaged -> how, and the check that must be red for it
LOST: dict[str, tuple[Callable[[Path], object], str]] = {
    "checkpoints": (
        lambda home: shutil.rmtree(home / "closed" / "checkpoints"),
        "metering_checkpoints_are_there",
    ),
    "newest checkpoint": (
        lambda home: newest(home, "closed/checkpoints/*/*.checkpoint").unlink(),
        "metering_checkpoints_are_there",
    ),
    "usage store": (lambda home: (home / "usage.duckdb").unlink(), "metering_stores_are_there"),
    "usage store blank": (
        lambda home: (home / "usage.duckdb").write_bytes(b""),
        "metering_opens",
    ),
    "usage store of words": (
        lambda home: (home / "usage.duckdb").write_bytes(b"no store" * 999),
        "metering_opens",
    ),
    "closed hours": (lambda home: shutil.rmtree(home / "closed"), "closed_hours_are_there"),
    "the last closed hour": (
        lambda home: shutil.rmtree(newest(home, "closed/hour=*")),
        "closed_hours_are_there",
    ),
    "a closed hour's data": (
        lambda home: newest(home, "closed/hour=*/*.parquet").unlink(),
        "closed_files_match_certificates",
    ),
    "a certificate blank": (
        lambda home: newest(home, "closed/hour=*/*.json").write_bytes(b""),
        "closed_hours_opens",
    ),
    "journal": (lambda home: shutil.rmtree(home / "journal"), "billing_opens"),
    "journal blank": (lambda home: journal(home).write_bytes(b""), "billing_opens"),
    "last journal record": (cut_journal, "billing_opens"),
    "journal flipped": (lambda home: flip(journal(home)), "billing_opens"),
    "effect files": (
        lambda home: shutil.rmtree(home / "journal" / "effects"),
        "store_equals_journal",
    ),
    "an effect file": (
        lambda home: newest(home, "journal/effects/*charges*").unlink(),
        "store_equals_journal",
    ),
    "an effect file flipped": (
        lambda home: flip(newest(home, "journal/effects/*charges*")),
        "store_equals_journal",
    ),
    "an effect file cut": (
        lambda home: os.truncate(newest(home, "journal/effects/*account*"), 50),
        "store_equals_journal",
    ),
    "billing store flipped": (lambda home: flip(home / "billing.duckdb"), "billing_opens"),
    "billing store blank": (
        lambda home: (home / "billing.duckdb").write_bytes(b""),
        "billing_opens",
    ),
    "store and journal": (
        lambda home: (shutil.rmtree(home / "journal"), (home / "billing.duckdb").unlink()),
        "billing_opens",
    ),
    "lake": (lambda home: shutil.rmtree(home / "lake"), "lake_opens"),
    "the owned names": (
        lambda home: (home / "lake" / OWNED_NAMES).unlink(),
        "published_lists_are_of_this_store",
    ),
    "an owned name more": (
        lambda home: (home / "lake" / OWNED_NAMES).open("a").write("x.example\n"),
        "published_lists_are_of_this_store",
    ),
    "a worker's status": (
        lambda home: (home / "live" / "status.json").unlink(),
        "live_files_are_whole",
    ),
    "live": (lambda home: shutil.rmtree(home / "live"), "live_files_are_whole"),
    "a live file with its seal": (
        lambda home: [path.unlink() for path in (home / "live").glob("partition=*")],
        "live_files_are_whole",
    ),
}


@pytest.mark.parametrize("what", ["status.json", "partition=spool.parquet*", "*"])
def test_m2_an_older_copy_of_what_a_worker_left_is_red(what: str, tmp_path: Path) -> None:
    (tmp_path / "edgetoll.toml").write_text('[edge]\nregion = "DE"\n')
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()))
    older = shutil.copytree(tmp_path / "live", tmp_path / "older")
    world.drain(edge.batch(Event(), Event()))
    assert red_of(tmp_path) == set()
    for path in older.glob(what):
        shutil.copy2(path, tmp_path / "live" / path.name)
    assert red_of(tmp_path) == {"live_files_are_whole"}


def test_m2_of_several_workers_one_that_took_over_is_enough_and_none_is_not(home: Path) -> None:
    live = home / "live"
    shutil.copy2(home / "usage.duckdb", home / "usage-0-7.duckdb")  # an older worker's partitions
    assert red_of(home) == set()
    other = live / "status-0-7.json"
    whole = json.loads((live / "status.json").read_bytes())
    del whole["content_sha256"]
    other.write_text(json.dumps(whole | {"partitions": []}))
    (live / "status.json").unlink()
    assert red_of(home) == {"live_files_are_whole"}


@pytest.mark.parametrize("command", ["metering status", "billing rate", "sql FROM\tusage_daily"])
def test_m2_who_reads_what_a_worker_left_is_not_told_nothing(
    command: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "live" / "status.json").unlink()
    assert main([*command.split(" "), "--home", str(home)]) == 1
    assert "status.json is missing, though a worker ran here" in capsys.readouterr().err


@pytest.mark.parametrize("what", LOST)
def test_m2_what_must_not_be_lost_is_red_and_every_check_is_counted(what: str, home: Path) -> None:
    lose, name = LOST[what]
    lose(home)
    found = red_of(home)
    assert name in found or ("billing_opens" in found and not name.startswith("metering")), found


def test_m2_a_sound_home_and_an_empty_one_have_as_many_checks_and_none_red(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert red_of(sound) == set()
    (tmp_path / "edgetoll.toml").write_text('[edge]\nregion = "DE"\n')
    assert red_of(tmp_path) == set()
    # Its traffic has a lost batch and a refused one: not red, but said, and the exit code says so.
    with pytest.raises(typer.Exit) as ended:
        check(sound, as_json=True)
    assert ended.value.exit_code == 1
    document = json.loads(capsys.readouterr().out)
    assert {one["check"] for one in document["broken"]} == MISSING


def test_m2_a_check_that_cannot_be_made_is_red_in_the_command_and_for_the_accounts(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(home).write_bytes(b"")
    with pytest.raises(typer.Exit) as ended:
        check(home, as_json=True)
    assert ended.value.exit_code == 1
    document = json.loads(capsys.readouterr().out)
    assert {one["check"] for one in document["broken"]} - MISSING == {"billing_opens"}
    unable = {one["check"] for one in document["unable"]}
    assert {"ledger_balances", "store_equals_journal"} <= unable
    assert unable <= set(red.read(home).names)


def test_m2_ctrl_c_in_a_check_ends_it_and_makes_nothing_red() -> None:
    def make() -> list[CheckResult]:
        # DuckDB makes a RuntimeError of what a signal raises in the middle of a query.
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            duckdb.sql("SELECT count(*) FROM range(1000000000000)").fetchall()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return []

    with pytest.raises(KeyboardInterrupt):
        group("billing", {"a": "b"}, make)


def test_m2_a_quick_check_clears_nothing_that_it_did_not_look_at(home: Path) -> None:
    newest(home, "closed/hour=*/*.parquet").unlink()
    with pytest.raises(typer.Exit):
        check(home, as_json=True)
    check_quick = red.read(home)
    with pytest.raises(typer.Exit):
        check(home, as_json=True, quick=True)
    after = red.read(home)
    assert "closed_files_match_certificates" in after.names
    assert after.full_at == check_quick.full_at


def test_g2_an_older_journal_and_store_beside_todays_lake_are_red(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 1, [Use()])
    rate(home)
    older = shutil.copytree(home, tmp_path / "older")
    close_hours(home, START + HOUR, 1, [Use()])
    rate(home)
    for name in ("billing.duckdb", "billing.duckdb.left"):
        shutil.copy2(older / name, home / name)
    shutil.rmtree(home / "journal")
    shutil.copytree(older / "journal", home / "journal")
    assert red_of(home) & {"lake_is_of_this_journal", "billing_opens"}


def test_g2_an_older_copy_of_all_but_the_stop_list_is_red(home: Path, tmp_path: Path) -> None:
    kept = ("billing.duckdb", "billing.duckdb.left", "journal", "lake")
    older = copied(home, tmp_path / "older")
    assert main(["billing", "top-up", "acme", "5.00", "--id", "p", "--home", str(home)]) == 0
    for name in kept:
        there, back = home / name, older / name
        shutil.rmtree(there) if there.is_dir() else there.unlink()
        shutil.copytree(back, there, symlinks=True) if back.is_dir() else shutil.copy2(back, there)
    assert red_of(home) == {"published_lists_are_of_this_store"}


def test_m1_an_older_copy_of_all_of_lake_is_red(home: Path, tmp_path: Path) -> None:
    older = shutil.copytree(home / "lake", tmp_path / "lake", symlinks=True)
    assert main(["billing", "top-up", "acme", "5.00", "--id", "p", "--home", str(home)]) == 0
    assert red_of(home) == set()
    shutil.rmtree(home / "lake")
    shutil.copytree(older, home / "lake", symlinks=True)
    assert red_of(home) == {"lake_is_of_this_journal"}
    assert main(["billing", "rate", "--home", str(home)]) == 0
    assert red_of(home) == set()


def test_g2_a_lake_of_another_history_is_red(home: Path, tmp_path: Path) -> None:
    other = make_home(tmp_path / "other")
    close_hours(other, START, 1, [Use(requests=9)])
    rate(other)
    shutil.rmtree(home / "lake")
    shutil.copytree(other / "lake", home / "lake")
    assert red_of(home) & {"lake_is_of_this_journal", "billing_opens"}


def test_g2_a_document_that_the_store_did_not_issue_so_is_red(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", ISSUED)
    with open_store(world.home, owner="test", now=COUNTED_AT) as store:
        writing.write_month(store.home, store.connection, "2026-10", ("json",))
    published(world.home)
    assert red_of(world.home) == set()
    path = min((world.home / "invoices" / "2026-10").glob("*.json"))
    whole = path.read_text()
    total = json.loads(whole)["total"]
    with open_store(world.home, owner="test", now=COUNTED_AT) as store:
        for changed in (whole.replace(f'"total": "{total}"', '"total": "1.00"'), whole[:99], ""):
            assert changed != whole
            path.write_text(changed)
            assert list(damage.results(store.home, store.connection, quick=False))
    path.write_text(whole)
    shutil.copy(path, path.with_name("INV-USD-2026-000900.json"))
    assert red_of(world.home) == {"documents_are_of_this_store"}


def test_issue_11_a_check_that_cannot_note_what_it_found_says_what_it_found(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "checks.json").unlink(missing_ok=True)
    (home / "checks.json").mkdir()
    assert main(["check", "--home", str(home)]) == 1
    said = capsys.readouterr()
    assert "invariants hold" in said.out
    assert "this was not noted in checks.json" in said.err


def test_m2_golden_the_docs_show_as_many_checks_as_there_are(root: Path) -> None:
    path = root / "docs" / "operating.md"
    page = path.read_text(encoding="utf-8")
    before = r'\d+(?= of \d+ invariants| invariants hold|,"red")'
    number = rf"{before}|(?<= of )\d+(?= invariants)|(?<=`of )\d+"
    told = re.sub(number, str(count_of_all()), page)
    if os.environ.get("EDGETOLL_GOLDEN") == "write":
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8"), "make golden, and look at the diff"
