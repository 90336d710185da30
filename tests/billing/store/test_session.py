"""Sessions of stores, one after the other in a process: they use one engine, and share nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from billing.store.session import StoreSession

MORE_THAN_MEMORY = """
CREATE TEMP TABLE large AS SELECT hash(i) AS h, hash(i, 1) AS k FROM range(5_000_000) AS t(i)
"""
Open = Callable[[str], StoreSession]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens the store of the home of that name."""

    def open_one(name: str) -> StoreSession:
        home = tmp_path / name
        if not home.exists():
            home.mkdir()
            (home / "edgetoll.toml").write_text('[billing]\nmemory_limit = "50 MiB"\n')
        return StoreSession(home / "billing.duckdb", home)

    return open_one


def setting(session: StoreSession, name: str) -> str:
    """A setting of the session, as DuckDB says it."""
    return str(
        session.connection.execute("SELECT current_setting($n)", {"n": name}).fetchall()[0][0]
    )


def test_a_session_has_nothing_of_the_one_before(opened: Open) -> None:
    before = opened("one")
    before.connection.execute("CREATE TABLE t AS SELECT 1 AS i")
    before.connection.execute("CREATE TEMP VIEW seen AS SELECT 1; SET VARIABLE v = 1")
    before.connection.execute("SET TimeZone = 'Asia/Tokyo'; SET memory_limit = '1 GiB'")
    before.end()
    after = opened("two")
    for name in ("t", "seen"):
        with pytest.raises(duckdb.CatalogException):
            after.connection.execute(f"FROM {name}")
    row = after.connection.execute("SELECT getvariable('v'), getvariable('home')").fetchone()
    assert row is not None
    assert row[0] is None
    assert row[1].endswith("/two")
    assert setting(after, "TimeZone") == "UTC"
    assert setting(after, "memory_limit") == "50.0 MiB"
    assert setting(after, "threads") == "1"
    after.end()
    again = opened("one")
    assert again.connection.execute("FROM t").fetchall() == [(1,)]
    again.end()


def test_two_stores_at_a_time_are_apart(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    one.connection.execute("CREATE TABLE t AS SELECT 1 AS i; SET memory_limit = '70 MiB'")
    with pytest.raises(duckdb.CatalogException):
        two.connection.execute("FROM t")
    assert setting(two, "memory_limit") == "50.0 MiB"
    one.end()
    two.connection.execute("CREATE TABLE t AS SELECT 2 AS i")
    two.end()
    two.end()  # done already: the engine may serve another home by now
    again, other = opened("one"), opened("two")
    assert again.connection.execute("FROM t").fetchall() == [(1,)]
    assert other.connection.execute("FROM t").fetchall() == [(2,)]
    again.end()
    other.end()


def test_what_memory_does_not_hold_goes_beside_the_store_that_is_open(
    opened: Open, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        session = opened(name)
        session.connection.execute(MORE_THAN_MEMORY)
        assert any((tmp_path / name / "billing.duckdb.tmp").iterdir())
        session.end()
        assert not (tmp_path / name / "billing.duckdb.tmp").exists()


def test_after_a_session_whose_engine_failed_the_store_opens_again(opened: Open) -> None:
    session = opened("one")
    session.connection.execute("CREATE TABLE t AS SELECT 1 AS i")
    engine = vars(session)["_engine"]
    engine.close()
    session.end()
    again = opened("one")
    assert again.connection.execute("FROM t").fetchall() == [(1,)]
    again.end()
