"""A session of billing.duckdb: its settings, and how its whole numbers leave it unharmed."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

import sql
from billing.store.journal import Journal
from billing.store.settings import read_settings
from edge.errors import Busy, Corrupt, EdgetollError
from edge.trouble import remedy

RESTORE_BOTH = "restore journal/ and billing.duckdb from a backup, and move neither away"
# How DuckDB names a file that is not what it wrote.
_DAMAGED = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Could not read enough bytes",
    "Failed to deserialize",
    "WAL file",
    "checksum",
)
SMALL_STORE_BYTES = 32 << 20
SMALL_CHANGE_ROWS = 200_000
"""A smaller store, and a smaller change to one, are for one thread: waking others costs more than
they do."""
_idle: list[duckdb.DuckDBPyConnection] = []
"""Engines of this process that have no store at hand: to start one and to take it down costs more
than all else that a session of a small store does. Each has one store at a time, so that none
shares memory, threads or a folder for what does not fit into memory."""


@dataclass(frozen=True, slots=True)
class TableRef:
    """An effect that is the present content of a table or view of the store's connection (HUGEINT
    kept). `order`: columns by which no two rows are equal, or ALL; blank: they come in order.
    `decimals`: columns that the file has as DECIMAL(38, 0) though they are narrower here.
    `applied`: what appliers get instead, the same rows in the shape that is theirs; None: these.
    """

    name: str
    order: str = "ALL"
    decimals: tuple[str, ...] = ()
    applied: str | None = None


class StoreSession:
    """The session of the store at `path`, from now until `end`; `connection` is for its statements.

    Busy when another program holds it, Corrupt when it is damaged, EdgetollError when the machine
    is in the way.
    """

    def __init__(self, path: Path, home: Path) -> None:
        try:
            is_new = not path.exists()
            self._is_small = is_new or path.stat().st_size < SMALL_STORE_BYTES
        except OSError as error:  # a folder above it that this user may not enter
            raise _refusal(str(error), home) from error
        self._path = path
        engine = _engine(is_small=self._is_small)
        try:
            engine.execute(
                sql.text("statements/store/session/set_overflow"), {"folder": _overflow(path)}
            )
            # A parameter cannot name the file.
            literal = "'" + str(path).replace("'", "''") + "'"
            engine.execute(sql.text("statements/store/session/attach").replace("$path", literal))
        except duckdb.Error as error:
            engine.close()
            if is_new:  # half a file, from a disk that filled up, would be taken for a damaged one
                path.unlink(missing_ok=True)
            raise _refusal(str(error).strip().splitlines()[0], home) from error
        if is_new:
            path.chmod(0o600)
        self._engine: duckdb.DuckDBPyConnection | None = engine
        self.connection = engine.cursor()
        self.connection.execute(sql.text("statements/store/session/begin"))
        self.connection.execute(
            sql.text("statements/store/session/set_memory"),
            {"limit": read_settings(home).memory_limit},
        )
        self.connection.execute(sql.text("statements/store/session/set_home"), {"home": str(home)})

    def use_all_cores(self) -> None:
        """Many rows are worth all cores, however small the store was."""
        self._is_small = False
        self.connection.execute("RESET threads")

    def end(self) -> None:
        """Let go of the file; done already: nothing. What cannot be written now is in the WAL."""
        self.connection.close()
        engine, self._engine = self._engine, None
        if engine is None:
            return
        with suppress(duckdb.Error, OSError):
            engine.execute(sql.text("statements/store/session/detach"))
            was_small = self._is_small and self._path.stat().st_size < SMALL_STORE_BYTES
            if was_small and not os.path.lexists(_overflow(self._path)):
                _idle.append(engine)
                return
        engine.close()


def _engine(*, is_small: bool) -> duckdb.DuckDBPyConnection:
    """An engine that has no store."""
    if is_small:
        with suppress(IndexError):
            return _idle.pop()
    engine = duckdb.connect()
    if is_small:
        engine.execute(sql.text("statements/store/session/be_small"))
    return engine


def _overflow(path: Path) -> str:
    """Where DuckDB puts what memory does not hold; the folder goes with its engine."""
    return f"{path}.tmp"


def _refusal(said: str, home: Path) -> EdgetollError:
    """Why the store cannot be opened. Only a damaged one is worth moving away, and only if the
    journal can give it back.
    """
    message = f"billing.duckdb cannot be opened: {said}"
    if "Could not set lock" in said:
        return Busy(message, "another program holds it: close it, then run the command again")
    advice = remedy(said)
    if advice is not None:
        return EdgetollError(message, advice)
    if not any(words in said for words in _DAMAGED):
        return EdgetollError(message, "nothing was changed; see what it says")
    journal = Journal(home / "journal")
    try:
        journal.verify()
    except Corrupt as error:
        return Corrupt(message, f"{error.message} too: {RESTORE_BOTH}")
    if journal.last_no == 0:
        return Corrupt(
            message, f"the journal has no record: unless this home is a new one, {RESTORE_BOTH}"
        )
    return Corrupt(
        message,
        f"move it away: it is rebuilt from the journal, which is whole ({journal.last_no} records)",
    )


def exact(
    relation: duckdb.DuckDBPyRelation, decimals: Collection[str] = ()
) -> duckdb.DuckDBPyRelation:
    """`relation` with HUGEINT columns, and those named in `decimals`, as DECIMAL(38,0): Parquet
    would store a HUGEINT as DOUBLE.
    """
    columns = [
        duckdb.ColumnExpression(name).cast(duckdb.decimal_type(38, 0)).alias(name)
        if str(kind) == "HUGEINT" or name in decimals
        else duckdb.ColumnExpression(name)
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    return relation.select(*columns)


def write_in_order(connection: duckdb.DuckDBPyConnection, table: TableRef, path: Path) -> None:
    """Write the rows of `table` as Parquet, `exact` and in its order: else the same rows would be
    other bytes on several threads.
    """
    rows = exact(connection.table(table.name), table.decimals)
    if table.order:
        rows.order(table.order).write_parquet(str(path), compression="zstd")
        return
    connection.execute(sql.text("statements/store/session/keep_order"))
    try:
        rows.write_parquet(str(path), compression="zstd")
    finally:
        connection.execute(sql.text("statements/store/session/lose_order"))
