"""Killed at every step, twice at once, restored from a backup: the same numbers, the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import edgetoll
from billing.appliers import open_store
from billing.checks import invariants
from billing.ledger.transfers import ledger_hash
from edge.crash_point import VARIABLE
from examples.commands import StartedCommand
from tests import forked
from tests.billing.invoices.world import DECEMBER, ISSUE, World, issued, october
from tests.effort import THOROUGH
from tests.forked import ended

# A step costs three processes: usually those before, at and after the append, the rest nightly.
STEPS = ["invoice_run-applied", "journal-after-append", "invoice-issued"]
MORE_STEPS = [
    "invoice-prepared",
    "invoice_run-effects-written",
    "journal-before-append",
    "invoice_run-committed",
    "invoice-settled",
    "lake-built",
    "lake-named",
    "lake-published",
    "invoice-rendered",
]
VOID_STEPS = ["journal-after-append"]
MORE_VOID_STEPS = [
    "invoice_void-effects-written",
    "invoice_void-applied",
    "journal-before-append",
    "invoice_void-committed",
]


def command(home: Path, *words: str, crash: str = "") -> StartedCommand:
    """Start `edgetoll billing …` as a process of its own, to die at a named step if asked."""
    at = ("--as-of", ISSUE.isoformat(), "--home", str(home))
    return forked.start("billing", *words, *at, crash=crash)


def done(home: Path, *words: str) -> int:
    """The same in this process, where nothing kills it: the exit code."""
    return edgetoll.main(["billing", *words, "--as-of", ISSUE.isoformat(), "--home", str(home)])


def settings(world: World) -> None:
    """Documents without the PDF, which costs a second each time a process starts."""
    with (world.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write('\n[invoices]\nformats = ["json", "csv", "html"]\n')


def state(home: Path) -> dict[str, object]:
    """What must be the same in the end: ledger, numbers, content, documents byte for byte."""
    with open_store(home, owner="test", now=DECEMBER) as store:
        assert invariants.run(store.connection) == []
        heads = store.connection.execute(
            "SELECT invoice_no, account_id, total, content_sha256 FROM invoices ORDER BY ALL"
        ).fetchall()
        return {
            "ledger": ledger_hash(store.connection),
            "invoices": heads,
            "documents": {
                path.name: path.read_bytes()
                for path in sorted((home / "invoices" / "2026-10").iterdir())
            },
        }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The state after a run that nothing disturbed."""
    world = october(tmp_path_factory.mktemp("undisturbed"))
    settings(world)
    assert done(world.home, "invoice", "--month", "2026-10") == 0
    return state(world.home)


@pytest.mark.parametrize("step", STEPS + MORE_STEPS * THOROUGH)
def test_g12_killed_at_a_step_and_run_again_ends_the_same(
    step: str, tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    world = october(tmp_path)
    settings(world)
    killed = ended(command(world.home, "invoice", "--month", "2026-10", crash=step))
    assert killed == -signal.SIGKILL
    assert done(world.home, "invoice", "--month", "2026-10") == 0
    assert state(world.home) == undisturbed


ONE_AT_ONCE = """
import sys
from datetime import datetime
from pathlib import Path
from billing.appliers import open_store
from billing.invoices.documents.kept import read_invoice_settings
from billing.invoices.run import Order, issue
home, at = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
with open_store(home, owner="test", now=at) as store:
    order = Order(month="2026-10", account=None, at=at)
    done = issue(store, order, read_invoice_settings(home), at_once=1)
    print(done.invoices, store.journal.last_no - done.journal_no)
"""


@pytest.mark.parametrize("crash", ["invoice-part-issued", ""])
def test_g12_a_month_issued_by_one_record_for_each_account_is_the_same(
    crash: str, tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    world = october(tmp_path)
    settings(world)
    words = [sys.executable, "-c", ONE_AT_ONCE, str(world.home), ISSUE.isoformat()]
    run = subprocess.run(
        words, env=os.environ | {VARIABLE: crash}, capture_output=True, text=True, check=False
    )
    if crash:
        assert run.returncode == -signal.SIGKILL
    else:
        assert run.stdout.split() == ["2", "1"], run.stderr
    assert done(world.home, "invoice", "--month", "2026-10") == 0
    assert state(world.home) == undisturbed


def test_g13_two_runs_at_once_issue_each_invoice_once(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    world = october(tmp_path)
    settings(world)
    both = [command(world.home, "invoice", "--month", "2026-10") for _ in range(2)]
    codes = sorted(ended(process) for process in both)
    assert codes in ([0, 0], [0, 75]), "the second waits, or leaves naming the owner of the lock"
    assert state(world.home) == undisturbed


def test_g14_documents_lost_or_changed_after_issue_come_back_byte_for_byte(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    world = october(tmp_path)
    settings(world)
    assert done(world.home, "invoice", "--month", "2026-10") == 0
    folder = world.home / "invoices" / "2026-10"
    (folder / "INV-USD-2026-000001.json").unlink()
    (folder / "INV-USD-2026-000001.html").write_text("torn", encoding="utf-8")
    again = command(world.home, "invoice", "--month", "2026-10", "--json")
    ended(again)
    out, _ = again.said()
    assert json.loads(out)["documents"] == {"new": 1, "restored": 1, "same": 6}
    assert state(world.home) == undisturbed


def test_g14_rendering_that_fails_leaves_the_issued_numbers_and_is_made_up_for(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    world = october(tmp_path)
    settings(world)
    folder = world.home / "invoices"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("a file where the folder should be", encoding="utf-8")
    assert ended(command(world.home, "invoice", "--month", "2026-10")) != 0
    folder.unlink()
    assert done(world.home, "invoice", "--month", "2026-10") == 0
    assert state(world.home) == undisturbed


@pytest.mark.parametrize("step", VOID_STEPS + MORE_VOID_STEPS * THOROUGH)
def test_g15_void_killed_at_a_step_makes_one_credit_note(step: str, tmp_path: Path) -> None:
    world = october(tmp_path)
    settings(world)
    assert done(world.home, "invoice", "--month", "2026-10") == 0
    words = ("void", "INV-USD-2026-000001", "--reason", "wrong address")
    assert ended(command(world.home, *words, crash=step)) == -signal.SIGKILL
    assert done(world.home, *words) == 0
    notes = [name for name, *_ in state(world.home)["invoices"] if name.startswith("CRN")]  # type: ignore[attr-defined]
    assert notes == ["CRN-USD-2026-000001"]


def test_g16_yesterdays_database_is_brought_up_by_the_journal_and_no_number_is_reused(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    backup = tmp_path / "yesterday.duckdb"
    shutil.copy(world.home / "billing.duckdb", backup)
    world.invoice("2026-10", ISSUE, account="acme")
    before = world.documents("2026-10")
    shutil.copy(backup, world.home / "billing.duckdb")
    assert world.documents("2026-10") == before
    world.invoice("2026-10", ISSUE + timedelta(days=1))
    numbers = [one.invoice_no for one in world.documents("2026-10")]
    assert numbers == ["INV-USD-2026-000001", "INV-USD-2026-000002"]


def test_g16_a_lost_database_is_rebuilt_with_the_same_invoices(tmp_path: Path) -> None:
    world = issued(tmp_path)
    world.credit("INV-USD-2026-000001", 4, "1.00", "T-1", ISSUE)
    world.void("INV-USD-2026-000002", ISSUE)
    before = world.documents("2026-10")
    for name in ("billing.duckdb", "billing.duckdb.wal"):
        (world.home / name).unlink(missing_ok=True)
    assert world.documents("2026-10") == before
    assert world.invoice("2026-10", ISSUE).invoices == 0
