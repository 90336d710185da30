"""kill -9 at every step of a run, two runs at once, a host asleep: one and the same ledger in the
end.
"""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.checks import invariants
from tests.billing.homes import NOW, START, THOROUGH, Use, close_hours, copied, make_home
from tests.billing.runner import end_state, posted, rate, start
from tests.forked import ended

USES = [
    Use(),
    Use(domain="a.beta.example", requests=5, region="US"),
    Use(domain=None, requests=7),
    Use(class_="quic", requests=3, minute=55),
]
BUSY = 75
# Each place a run passes, in order; a number is the n-th passing (journal records: import, run,
# states).
PLACES = [
    "import-effects-written",
    "import-applied",
    "journal-before-append",
    "journal-after-append",
    "import-committed",
    "rate-imported",
    "rate-rated",
    "rating_run-effects-written",
    "rating_run-applied",
    "journal-before-append:2",
    "journal-after-append:2",
    "rating_run-committed",
    "rate-posted",
    "rate-judged",
    "lake-built",
    "lake-named",
    "lake-published",
]
USUAL = PLACES if THOROUGH else [*PLACES[3:13:2], PLACES[11], PLACES[14]]


@pytest.fixture(scope="module")
def closed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with five closed hours that no run has seen."""
    home = make_home(tmp_path_factory.mktemp("closed"))
    close_hours(home, START, 5, USES)
    return home


@pytest.fixture(scope="module")
def wanted(closed_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The end state of a run that nothing interrupts."""
    home = tmp_path_factory.mktemp("whole") / "home"
    copied(closed_home, home)
    assert rate(home).state == "done"
    state = end_state(home)
    assert len(state["charges"]) == 5 * 4
    return state


@pytest.mark.parametrize("place", USUAL)
def test_g1_a_run_killed_at_any_step_and_run_again_ends_in_the_same_ledger(
    place: str, closed_home: Path, wanted: dict[str, object], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    copied(closed_home, home)
    killed = start(home, crash=place)
    assert ended(killed) == -signal.SIGKILL, killed.said()
    rate(home)
    assert end_state(home) == wanted
    assert posted(home).state == "nothing"
    with open_store(home, owner="test", now=NOW) as store:
        assert invariants.run(store.connection) == []


def test_g1_killed_again_and_again_it_still_ends_there(
    closed_home: Path, wanted: dict[str, object], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    copied(closed_home, home)
    for place in ("journal-after-append", "rating_run-applied", "journal-after-append"):
        assert ended(start(home, crash=place)) == -signal.SIGKILL
    rate(home)
    assert end_state(home) == wanted


def test_g3_two_runs_at_once_end_in_the_same_ledger(
    closed_home: Path, wanted: dict[str, object], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    copied(closed_home, home)
    both = [start(home), start(home), start(home)]
    codes = [ended(process) for process in both]
    said = [process.said() for process in both]
    assert 0 in codes, said
    assert set(codes) <= {0, BUSY}, said
    assert end_state(home) == wanted


def test_g2_the_same_run_again_writes_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 3, USES)
    assert rate(home).state == "done"
    journal = (home / "journal" / "journal.jsonl").read_bytes()
    lake = sorted((home / "lake" / "versions").iterdir())
    for _ in range(2):
        assert rate(home).state == "nothing"
    assert (home / "journal" / "journal.jsonl").read_bytes() == journal
    assert sorted((home / "lake" / "versions").iterdir()) == lake


def test_g4_g5_hours_missed_by_runs_that_did_not_happen_are_all_rated_once(tmp_path: Path) -> None:
    """A run an hour, and one run after five hours of sleep, charge the same."""
    every_hour = make_home(tmp_path / "a")
    asleep = make_home(tmp_path / "b")
    for number in range(6):
        moment = START + timedelta(hours=number)
        for home in (every_hour, asleep):
            close_hours(home, moment, 1, USES)
        posted(every_hour, at=moment + timedelta(hours=1, minutes=5))
    posted(asleep, at=START + timedelta(hours=7))
    first, second = end_state(every_hour), end_state(asleep)
    assert first["charges"] == second["charges"]
    assert first["ledger"] == second["ledger"]
    assert first["months"] == second["months"]
    assert first["balances"] == second["balances"]


def test_a_rebuilt_store_is_the_store(tmp_path: Path) -> None:
    """Journal and closed hours alone give every table back, row by row."""
    home = make_home(tmp_path)
    close_hours(home, START, 4, USES)
    rate(home)
    before = _all_rows(home)
    (home / "billing.duckdb").unlink()
    assert _all_rows(home) == before
    assert sum(len(rows) for rows in before.values()) > 40


def _all_rows(home: Path) -> dict[str, list[tuple[object, ...]]]:
    with open_store(home, owner="test", now=NOW) as store:
        tables = store.connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL"
        ).fetchall()
        return {
            name: sorted(store.connection.execute(f'FROM "{name}"').fetchall(), key=repr)
            for (name,) in tables
        }
