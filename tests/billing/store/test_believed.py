"""G1: nothing is believed that the journal does not say, however its traces were covered.

Each test takes a copy of one home with a plan, charges, a payment, a debt and an invoice, as
billing left it, and does one thing to it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

import edgetoll
from billing.appliers import open_store
from billing.checks import red
from billing.daemon import rounds
from billing.daemon.metrics import Board
from billing.runs.import_hours import SeenFolders
from billing.store import left_note
from billing.store.audit import differences
from edge.errors import Corrupt
from tests.billing.homes import START, Use, close_hour, copied, load_text, make_home
from tests.billing.runner import published

LATER = datetime(2026, 11, 3, tzinfo=UTC)
PLAN = (
    '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "data_transfer"\nregion = "EU"\n'
    'quantity = "50 GB"\nstarts = 2026-10-01T00:00:00Z\nends = 2027-10-01T00:00:00Z\n'
)
EDITS = {
    "a balance": "UPDATE balances SET cash = cash + 10000000000000 WHERE account_id = 'acme'",
    "a file of charges": "UPDATE charge_files SET sha256 = repeat('0', 64)",
    "a file of charges twice": "INSERT INTO charge_files FROM charge_files LIMIT 1",
    "a state": "UPDATE account_state SET state = 'ok' WHERE account_id = 'beta'",
    "a plan": "UPDATE plans SET quantity = quantity * 2",
    "an invoice": "UPDATE invoices SET total = total - 1",
    "a webhook that was never sent": "DELETE FROM outbox",
    "the domains": "DELETE FROM domain_ownership",
    "a credit limit": "UPDATE accounts SET credit_limit = 1000000000000000",
    "a table of somebody's": "CREATE TABLE notes (text VARCHAR)",
    "a table less": "DROP TABLE plan_state",
}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which no cell of a table is folded."""
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home before anything is done to it."""
    home = make_home(tmp_path_factory.mktemp("billed"))
    load_text(home, PLAN)
    with (home / "edgetoll.toml").open("a") as settings:
        settings.write('[invoices]\nformats = ["json", "csv"]\n')
    uses = [Use(requests=90_000), Use(domain="a.beta.example", requests=500_000, region="US")]
    close_hour(home, START, uses, complete_through=START + timedelta(days=31))
    for words in (
        "billing top-up acme 5.00 --id first --as-of 2026-10-02T00:00:00Z",
        "billing rate --as-of 2026-11-02T00:00:00Z",
        "billing alerts --as-of 2026-11-02T01:00:00Z",
        "billing invoice --month 2026-10 --as-of 2026-11-02T02:00:00Z",
    ):
        assert edgetoll.main([*words.split(), "--home", str(home)]) == 0
    with open_store(home, owner="test", now=LATER) as store:
        counted = store.connection.execute(
            "SELECT (SELECT count(*) FROM account_state), (SELECT count(*) FROM plans),"
            " (SELECT count(*) FROM outbox), (SELECT count(*) FROM invoices)"
        ).fetchall()[0]
    assert min(counted) > 0, "each edit must find something to change"
    return home


@pytest.fixture
def home(billed: Path, tmp_path: Path) -> Path:
    """A copy of it, as billing left it."""
    return copied(billed, tmp_path / "home")


def edit(home: Path, statement: str) -> None:
    """What somebody with a DuckDB prompt does."""
    with duckdb.connect(str(home / "billing.duckdb")) as connection:
        connection.execute(statement)


def as_it_is(_home: Path, _before: os.stat_result) -> None:
    """Nothing is covered up."""


def times_set_back(home: Path, before: os.stat_result) -> None:
    """The file's times are those of before."""
    os.utime(home / "billing.duckdb", ns=(before.st_atime_ns, before.st_mtime_ns))


def note_removed(home: Path, _before: os.stat_result) -> None:
    """As after a crash."""
    left_note.path_of(home / "billing.duckdb").unlink()


def note_forged(home: Path, _before: os.stat_result) -> None:
    """The note says that billing left the file so."""
    store = home / "billing.duckdb"
    note, state = left_note.read(store), left_note.state_of(store)
    assert note is not None
    assert state is not None
    left_note.write(store, replace(note, store=state))


COVERS = (as_it_is, times_set_back, note_removed)


def spend(home: Path) -> int:
    """A refund of money that only the edited store has; the exit code."""
    words = "billing top-up acme 900 --id r --kind refund --as-of 2026-11-03T00:00:00Z"
    return edgetoll.main([*words.split(), "--home", str(home)])


def red_after_check(home: Path) -> list[str]:
    """`edgetoll check` finds something; what each red check says."""
    assert edgetoll.main(["check", "--home", str(home)]) == 1
    return [f"{one.check}: {one.found}" for one in red.read(home).red]


@pytest.mark.parametrize(
    ("what", "cover"),
    [*((w, COVERS[n % 3]) for n, w in enumerate(EDITS)), *(("a balance", c) for c in COVERS[1:])],
)
def test_g1_an_edited_store_is_refused_at_the_next_start(
    home: Path,
    what: str,
    cover: Callable[[Path, os.stat_result], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal = (home / "journal" / "journal.jsonl").read_bytes()
    before = (home / "billing.duckdb").stat()
    edit(home, EDITS[what])
    cover(home, before)
    assert spend(home) == 1
    assert "was changed by something other than billing" in capsys.readouterr().err
    assert red_after_check(home)
    assert (home / "journal" / "journal.jsonl").read_bytes() == journal


@pytest.mark.parametrize(
    "what", ["a balance", "a state", "a plan", "a file of charges", "a credit limit", "the domains"]
)
def test_g1_a_forged_note_is_found_by_the_check_and_the_store_refused_from_then_on(
    home: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (home / "billing.duckdb").stat()
    edit(home, EDITS[what])
    note_forged(home, before)
    assert any("store_equals_journal" in line for line in red_after_check(home))
    assert "differsfromthejournal" in "".join(capsys.readouterr().out.split())
    assert spend(home) == 1
    assert "was changed by something other than billing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "what", ["a plan", "a file of charges twice", "a webhook that was never sent"]
)
def test_g1_tables_with_many_rows_are_compared_by_duckdb_and_no_edit_escapes_it_either(
    home: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.store.audit.FEW_ROWS", 0)
    with open_store(home, owner="test", now=LATER) as store:
        assert differences(store) == []
    edit(home, EDITS[what])
    with pytest.raises(Corrupt, match="changed by something other"):
        open_store(home, owner="test", now=LATER)


def test_g1_the_nightly_check_finds_it_too(home: Path) -> None:
    before = (home / "billing.duckdb").stat()
    edit(home, EDITS["a balance"])
    note_forged(home, before)
    rounds.check(rounds.Turn(home=home, board=Board(), seen=SeenFolders(), now=LATER))
    assert "store_equals_journal" in red.read(home).names


def test_g1_a_store_that_nobody_touched_is_green_and_not_compared_at_each_start(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edgetoll.main(["check", "--home", str(home)]) == 0
    monkeypatch.setattr("billing.store.open.differences", lambda store: ["it was compared"])
    open_store(home, owner="test", now=LATER).close()
    note_removed(home, (home / "billing.duckdb").stat())
    with pytest.raises(Corrupt, match="it was compared"):
        open_store(home, owner="test", now=LATER)


def gone(path: Path, _other: Path) -> None:
    """Deleted."""
    path.unlink()


def cut(path: Path, _other: Path) -> None:
    """Truncated."""
    os.truncate(path, path.stat().st_size // 2)


def flipped(path: Path, _other: Path) -> None:
    """One bit."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def zeros(path: Path, _other: Path) -> None:
    """The right size, nothing in it."""
    path.write_bytes(bytes(path.stat().st_size))


def swapped(path: Path, other: Path) -> None:
    """Another effect's bytes under this name."""
    shutil.copyfile(other, path)


@pytest.mark.parametrize("damage", [gone, cut, flipped, zeros, swapped])
@pytest.mark.parametrize("effect", ["charges", "plans"])
def test_g1_a_damaged_effect_file_is_red_and_named(
    home: Path,
    effect: str,
    damage: Callable[[Path, Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    effects = sorted((home / "journal" / "effects").glob("*.parquet"))
    path = next(one for one in effects if one.stem.endswith(f"-{effect}"))
    damage(path, next(one for one in effects if one != path))
    assert any("store_equals_journal" in line for line in red_after_check(home))
    assert f"{path.name}ofjournalrecord" in "".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("place", [0, 1, -1])
def test_g1_a_record_edited_with_its_times_set_back_is_refused(home: Path, place: int) -> None:
    path = home / "journal" / "journal.jsonl"
    before = path.stat()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[place] = lines[place].replace(b'"kind":"', b'"kind":"x', 1)[:-2] + b"\n"
    path.write_bytes(b"".join(lines))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Corrupt, match="journal record"):
        open_store(home, owner="test", now=LATER)


def test_the_journals_facts_say_when_all_of_it_was_last_verified(home: Path) -> None:
    note_removed(home, (home / "billing.duckdb").stat())
    with open_store(home, owner="test", now=LATER) as store:
        first = store.journal_facts()
        assert first.verified_no == first.records == store.journal.last_no
        assert first.size_bytes == store.journal.path.stat().st_size
        store.commit("terms", {"accounts": 0}, at=LATER)
    with open_store(home, owner="test", now=LATER + timedelta(days=1)) as store:
        second = store.journal_facts()
        assert (second.verified_at, second.verified_no) == (first.verified_at, first.verified_no)
        assert second.records == first.records + 1, "one more, and not verified with the others"
    assert edgetoll.main(["check", "--home", str(published(home))]) == 0
    with open_store(home, owner="test", now=LATER) as store:
        assert store.journal_facts().verified_no == second.records
