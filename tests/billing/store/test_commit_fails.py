"""A COMMIT that raises and is durable all the same (a full disk in the checkpoint behind it): the
command goes on in a new session, to the same end.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import edgetoll
import sql
from billing.lake import publish
from billing.store import store as store_module
from billing.store.session import StoreSession
from tests.billing.homes import START, Use, close_hour, make_home

USES = [Use(requests=90_000), Use(domain="a.beta.example", requests=500_000, region="US")]
COMMANDS = (
    "billing load HOME/more.toml --as-of 2026-10-01T00:00:00Z",
    "billing top-up acme 0.02 --id p1 --as-of 2026-10-02T00:00:00Z",
    "billing rate --as-of 2026-11-02T00:00:00Z",
    "billing alerts --as-of 2026-11-02T01:00:00Z",
    "billing invoice --month 2026-10 --as-of 2026-11-02T02:00:00Z",
    "billing top-up beta 0.50 --id p2 --as-of 2026-11-02T03:00:00Z",
    "billing suspend beta --cause administrative --reason r --by me --as-of 2026-11-02T04:00:00Z",
    "check",
)
MORE = """
[[accounts]]
id = "gamma"
name = "Gamma"
currency = "USD"
price_book = "plain"
"""
MOVES = sql.text("statements/store/session/move_journal_state")


class RaisesAfterCommit:
    """A DuckDB session whose COMMIT of a journal record is durable, and raises; then it is dead."""

    failures = 0

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        self._session = session
        self._moved = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def execute(self, query: str, *parameters: Any) -> Any:
        """Pass it on, and remember whether a record is being committed."""
        done = self._session.execute(query, *parameters)
        self._moved |= query == MOVES
        if query == "COMMIT" and self._moved:
            self._session.close()
            type(self).failures += 1
            raise duckdb.IOException("IO Error: could not write: No space left on device")
        return done


def prepared(folder: Path) -> Path:
    """A home with a closed October and one more file to load."""
    home = make_home(folder)
    for hour in (3, 40):
        end = START + timedelta(days=31)
        close_hour(home, START + timedelta(hours=hour), USES, complete_through=end)
    with (home / "edgetoll.toml").open("a") as settings:
        settings.write('[invoices]\nformats = ["json", "csv"]\n')
    (home / "more.toml").write_text(MORE)
    return home


def end_of(home: Path) -> dict[str, Any]:
    """What the commands left behind: journal, documents, the newest lake's rows, the stop list."""
    found: dict[str, Any] = {
        str(path.relative_to(home)): path.read_bytes()
        for folder in ("journal", "invoices", "outbox")
        for path in sorted((home / folder).rglob("*"))
        if path.is_file() and path.suffix in (".jsonl", ".json", ".csv", ".txt")
    }
    lake = publish.current(home)
    for path in sorted(lake.folder.rglob("*.parquet")) if lake else ():
        rows = duckdb.sql(f"FROM '{path}'").fetchall()
        found[str(path.relative_to(lake.folder))] = sorted(rows, key=repr)
    return found


def run_all(home: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, dict[str, Any]]]:
    """Run the commands one after the other; what each said, and left behind."""
    found = []
    for command in COMMANDS:
        words = command.replace("HOME", str(home)).split()
        assert edgetoll.main([*words, "--home", str(home)]) == 0, (command, capsys.readouterr())
        found.append((capsys.readouterr().out.replace(str(home), "HOME"), end_of(home)))
    return found


def test_every_command_goes_on_after_a_commit_that_raised_and_was_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, failing = prepared(tmp_path / "sound"), prepared(tmp_path / "failing")
    wanted = run_all(sound, capsys)

    def failing_session(path: Path, home: Path) -> StoreSession:
        """The store's own session fails; the scratch copy that `check` replays into does not."""
        session = StoreSession(path, home)
        if path.parent == home:
            vars(session)["connection"] = RaisesAfterCommit(session.connection)
        return session

    monkeypatch.setattr(store_module, "StoreSession", failing_session)
    for here, there in zip(run_all(failing, capsys), wanted, strict=True):
        assert here[0] == there[0]
        assert [name for name in there[1] if here[1].get(name) != there[1][name]] == []
    assert RaisesAfterCommit.failures >= len(COMMANDS) - 1
