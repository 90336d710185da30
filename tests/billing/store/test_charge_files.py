"""A charge stands once: in the file that its record names, which store, lake and checks read."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.checks import invariants
from billing.lake import query
from billing.ledger.transfers import ledger_hash
from billing.store import left_note
from edge.errors import Corrupt
from tests.billing.filed import as_older_versions_wrote, refile
from tests.billing.homes import NOW, START, Use, close_hours, make_home
from tests.billing.runner import end_state, rate

NAMED = ("run_id", "journal_no")
IN_THE_LAKE = "SELECT * FROM charges ORDER BY charge_id", "FROM transfers ORDER BY transfer_id"


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three rated hours and a late part of the first."""
    home = make_home(tmp_path_factory.mktemp("rated"))
    close_hours(home, START, 3, [Use(), Use(domain="a.beta.example", requests=7, region="US")])
    rate(home)
    close_hours(home, START, 1, [Use(requests=11)])
    rate(home)
    return home


@pytest.fixture
def home(rated: Path, tmp_path: Path) -> Path:
    """A copy of it, as billing left it."""
    copy = shutil.copytree(rated, tmp_path / "home")
    open_store(copy, owner="test", now=NOW).close()
    return copy


def files(home: Path) -> list[Path]:
    """The files of charges, in order."""
    return sorted((home / "journal" / "effects").glob("*-charges.parquet"))


def seen_in_the_lake(home: Path) -> list[object]:
    """What analysts see of charges and transfers."""
    with query.connect(home, query=" ".join(IN_THE_LAKE)) as connection:
        return [connection.execute(one).fetchall() for one in IN_THE_LAKE]


def test_a_charge_stands_once_in_a_file_that_journal_and_lake_share(rated: Path) -> None:
    lake = sorted(rated.glob("lake/versions/*/charges/*.parquet"))[-len(files(rated)) :]
    assert [os.path.samefile(*both) for both in zip(files(rated), lake, strict=True)] == [True] * 2
    with open_store(rated, owner="test", now=NOW) as store:
        tables = store.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert not {("charges",), ("transfers",)} & set(tables)
        charged = store.connection.execute("SELECT sum(charged) FROM balances").fetchall()
        assert store.connection.execute("SELECT sum(amount) FROM charges").fetchall() == charged
        assert charged[0][0] > 0


@pytest.mark.parametrize("columns", [NAMED, (*NAMED, "term")], ids=["no run", "no terms apart"])
def test_g18_a_home_of_an_older_version_is_brought_over_to_the_unit(
    columns: tuple[str, ...], home: Path
) -> None:
    """Its files stay as its journal names them; new hours are filed as they are now."""
    before, lake = end_state(home), seen_in_the_lake(home)
    as_older_versions_wrote(home, *columns)
    rate(home)
    assert end_state(home) == before
    close_hours(home, START + timedelta(hours=3), 1, [Use(requests=5)])
    assert rate(home).state == "done"
    old, new = seen_in_the_lake(home), end_state(home)
    assert all(row in old[0] for row in lake[0])
    assert len(old[0]) > len(lake[0])
    with open_store(home, owner="test", now=NOW) as store:
        assert invariants.run(store.connection) == []
        whole = ledger_hash(store.connection)
    (home / "billing.duckdb").unlink()
    assert end_state(home) == new
    with open_store(home, owner="test", now=NOW) as store:
        assert ledger_hash(store.connection) == whole


def test_g24_a_touched_file_of_charges_is_read_at_the_next_start_and_refused(home: Path) -> None:
    refile(home)
    with pytest.raises(Corrupt, match=r"-charges\.parquet of journal record 3") as refused:
        open_store(home, owner="test", now=NOW)
    assert "backup" in str(refused.value.hint)
    for file in files(home):
        file.unlink()
    with pytest.raises(Corrupt, match="missing or changed"):
        open_store(home, owner="test", now=NOW)


def test_g24_one_that_was_only_copied_is_believed_once_it_was_read(home: Path) -> None:
    for file in files(home):
        shutil.copyfile(file, file.with_suffix(".copy"))
        file.with_suffix(".copy").replace(file)
    with open_store(home, owner="test", now=NOW) as store:
        assert invariants.run(store.connection) == []


def test_a_file_gone_from_the_lake_is_linked_again_from_the_journal(home: Path) -> None:
    lake = seen_in_the_lake(home)
    newest = max(home.glob("lake/versions/*"))
    for file in (newest / "charges").iterdir():
        file.unlink()
    with pytest.raises(Corrupt, match="is missing"):
        seen_in_the_lake(home)
    rate(home)
    assert seen_in_the_lake(home) == lake


def test_c10_a_session_that_was_lost_lets_go_of_the_lock_and_vouches_for_nothing(
    home: Path,
) -> None:
    store = open_store(home, owner="test", now=NOW)
    store.connection.close()
    store.close()
    assert left_note.read(home / "billing.duckdb") is None
    open_store(home, owner="test", now=NOW).close()
    assert left_note.read(home / "billing.duckdb") is not None
