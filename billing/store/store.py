"""The billing store: billing.duckdb behind the journal, one writer, short sessions.

`Store.open` takes the lock, verifies the journal and applies what the tables lack; `Store.commit`
is the one way to change anything. A lost or older billing.duckdb is rebuilt from the journal and
the closed hours, and so is one whose tables another version laid out; one that is ahead of the
journal, or differs from it, is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import sql
from billing.store import layout, left_note
from billing.store.journal import Journal, Record, grouped
from billing.store.session import SMALL_CHANGE_ROWS, connect, exact
from edge.crash_point import crash_point
from edge.durable import FileLock, fsync_folder, sha256_file
from edge.errors import Corrupt, EdgetollError
from edge.terminal import warn

STORE_NAME = "billing.duckdb"
PATIENCE_SECONDS = 30
"""A person's command waits so long for the store: the daemon holds it for a step at a time."""
Effects: TypeAlias = Mapping[str, Any]
Applier: TypeAlias = Callable[[duckdb.DuckDBPyConnection, Record, Effects], None]
"""Applies one record to the tables: gets (connection, record, effects).

Each table effect is the view `effect_NAME` (HUGEINT is itself or, read from the journal,
DECIMAL(38,0), which goes exactly into HUGEINT), each inline effect is `effects[NAME]`. It must be a
function of these and of the tables alone: replaying the journal calls it again, years later.
"""
Appliers: TypeAlias = Mapping[str, tuple[Applier, ...]]
"""The functions of each kind of record, in the order in which they are called."""


@dataclass(frozen=True, slots=True)
class TableRef:
    """An effect that is the present content of a table or view of the store's connection (HUGEINT
    kept).
    """

    name: str


# What applying a record raises when its effects have other columns or keys than expected.
_OTHER_SHAPE = (duckdb.BinderException, duckdb.CatalogException, duckdb.InvalidInputException,
                KeyError)  # fmt: skip


class Opener(Protocol):
    """Opens the billing store with the product's appliers (`billing.appliers.open_store`)."""

    def __call__(
        self, home: Path, *, owner: str, now: datetime, wait_seconds: int = 0
    ) -> Store: ...


class Store:
    """An open billing store; use as a context manager. `connection` is the one DuckDB session."""

    def __init__(
        self, home: Path, now: datetime, *, appliers: Appliers, path: Path | None = None
    ) -> None:
        self.home = home
        self.now = now
        self.appliers = appliers
        self.path = path or home / STORE_NAME
        self.journal = Journal(home / "journal")
        self._lock: FileLock | None = None
        self.connection = connect(self.path, home)

    @classmethod
    def open(
        cls, home: Path, *, owner: str, now: datetime, appliers: Appliers, wait_seconds: int = 0
    ) -> Store:
        """Take HOME/billing.lock (Busy names its holder, after `wait_seconds` for it to leave),
        open the store, bring it up to the journal.
        """
        if not home.is_dir():
            raise EdgetollError(f"there is no home {home}", f"make one first: edgetoll init {home}")
        lock = FileLock(home / "billing.lock", owner, wait_seconds=wait_seconds)
        lock.__enter__()
        store = None
        try:
            untouched = left_note.agrees(home / STORE_NAME)
            store = cls(home, now, appliers=appliers)
            store._bring_up()
            if not untouched:
                store._refuse_edited()
            left_note.clear(store.path)
        except BaseException:
            if store is not None:
                store.connection.close()
            lock.__exit__(None, None, None)
            raise
        store._lock = lock
        return store

    @classmethod
    def replayed(cls, home: Path, path: Path, *, now: datetime, appliers: Appliers) -> Store:
        """A store at `path` made from the home's journal and closed hours alone; unlocked."""
        store = cls(home, now, appliers=appliers, path=path)
        store._create_tables()
        store.journal.verify()
        store._catch_up()
        return store

    def close(self) -> None:
        """Close the session, note how the file was left, and release the lock."""
        self.connection.close()
        if self._lock is not None:
            left_note.note(self.path)
            self._lock.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def value(self, name: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first value of the first row that statement `name` of sql/ gives."""
        return self.connection.execute(sql.text(name), dict(parameters or {})).fetchall()[0][0]

    def expect(self, rows: int) -> None:
        """Say that `rows` are to be taken in: many are worth all cores, however small the store."""
        if rows > SMALL_CHANGE_ROWS:
            self.connection.execute("RESET threads")

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The one wrapper of a transaction: any error rolls back and is raised, nothing is
        swallowed.
        """
        self.connection.execute("BEGIN")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def commit(
        self, kind: str, effects: Mapping[str, pa.Table | TableRef | Any], *, at: datetime
    ) -> int:
        """Append one record to the journal and apply it; returns its number.

        A `pa.Table` or `TableRef` becomes an immutable Parquet file named by its hash, anything
        else stands in the record as JSON (no floats). The record is first applied in an open
        transaction: what cannot be applied is never appended, and once appended it has happened.
        """
        number = self.journal.last_no + 1
        stored = {name: self._store_effect(number, name, value) for name, value in effects.items()}
        self.expect(sum(effect.get("rows", 0) for effect in stored.values()))
        crash_point(f"{kind}-effects-written")
        record = self.journal.next_record(kind, stored, at=at)
        # A table that was just written is applied as it stands: reading it back and casting its
        # DECIMAL to HUGEINT costs more than applying it. `edgetoll check` compares with a replay.
        present = {n: v.name for n, v in effects.items() if isinstance(v, TableRef)}
        try:
            with self.transaction():
                self._apply(record, present)
                crash_point(f"{kind}-applied")
                self.journal.append(record)
            crash_point(f"{kind}-committed")
        except duckdb.Error:
            # COMMIT may raise and still be durable (DESIGN §7): what the journal has is true, so
            # reopen, read, and apply what is missing. If the record was not appended, the error
            # stands.
            if self.journal.last_no != record.number:
                raise
            self.connection.close()
            self.connection = connect(self.path, self.home)
            self._catch_up()
        self._read_back(record)
        return record.number

    def _store_effect(self, number: int, name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, (pa.Table, TableRef)):
            return {"json": value}
        folder = self.journal.effects_folder
        folder.mkdir(parents=True, exist_ok=True)
        file = self.journal.effect_file(number, name)
        hidden = folder / f".{file}.tmp"
        if isinstance(value, TableRef):
            # In order, or the same rows would be other bytes on several threads.
            exact(self.connection.table(value.name)).order("ALL").write_parquet(
                str(hidden), compression="snappy"
            )
        else:
            pq.write_table(value, hidden, compression="zstd")
        with open(hidden, "rb+") as written:
            os.fsync(written.fileno())
        digest = sha256_file(hidden)
        hidden.replace(folder / file)
        fsync_folder(folder)
        return {"file": file, "sha256": digest, "rows": pq.read_metadata(folder / file).num_rows}

    def _apply(self, record: Record, present: Mapping[str, str] | None = None) -> None:
        """Apply one record inside the open transaction; effects must have their hashes.

        Those just written, of which `present` names the tables, were hashed a moment ago and are
        not read again for it.
        """
        functions = self.appliers.get(record.kind)
        if not functions:
            raise Corrupt(
                f"journal record {record.number} is of kind {record.kind!r}, which is unknown here",
                "use the version of edgetoll that wrote it, or a later one",
            )
        effects: dict[str, Any] = {}
        for name, effect in record.effects.items():
            if "file" in effect:
                effects[name] = self._bind(record, name, effect, present)
            else:
                effects[name] = effect["json"]
        try:
            for function in functions:
                function(self.connection, record, effects)
            self.connection.execute(
                sql.text("statements/billing/move_journal_state"),
                {"number": record.number, "hash": record.hash},
            )
        finally:
            for name, effect in record.effects.items():
                if "file" in effect:
                    self.connection.unregister(f"effect_{name}")

    def _bind(
        self,
        record: Record,
        name: str,
        effect: Mapping[str, Any],
        present: Mapping[str, str] | None,
    ) -> str:
        """Make one table effect the view effect_NAME; `present`: the tables just written."""
        path = self.journal.effect_path(effect["file"])
        if present is None and not (path.exists() and sha256_file(path) == effect["sha256"]):
            raise Corrupt(
                f"{path.name} of journal record {record.number} is missing or changed",
                "restore journal/effects/ from a backup",
            )
        table = (present or {}).get(name)
        relation = (
            self.connection.read_parquet(str(path))
            if table is None
            else self.connection.table(table)
        )
        self.connection.register(f"effect_{name}", relation)
        return str(path)

    def _bring_up(self) -> None:
        tail = self.journal.verify()
        fits = layout.stored(self.connection) in (None, layout.present())
        if fits:
            self._create_tables()
        number, stored_hash = self._state()
        if number > tail.last_no:
            raise Corrupt(
                f"billing.duckdb holds journal record {number}, the journal ends at {tail.last_no}",
                "restore the journal; or, if it is right, move billing.duckdb away: it is rebuilt",
            )
        if self.journal.hash_at(number) != stored_hash:
            raise Corrupt(
                f"billing.duckdb and the journal differ at record {number}",
                "if the journal is right, move billing.duckdb away: it is rebuilt",
            )
        if tail.torn:
            warn(f"cut a torn record of {len(tail.torn)} bytes after journal record {tail.last_no}")
            self.journal.cut(tail)
        if not fits:
            self._rebuild()
            self._create_tables()
        self._catch_up()

    def _rebuild(self) -> None:
        """Replace a store whose tables another version laid out by one made from the journal."""
        warn(f"{STORE_NAME} is of another version of edgetoll: it is rebuilt from the journal")
        path = self.path.with_name(f".{STORE_NAME}.rebuilt")
        leftovers = (path, path.with_name(f"{path.name}.wal"))
        for left in leftovers:
            left.unlink(missing_ok=True)
        try:
            Store.replayed(self.home, path, now=self.now, appliers=self.appliers).connection.close()
        except BaseException:
            for left in leftovers:
                left.unlink(missing_ok=True)
            raise
        self.connection.close()
        self.path.with_name(f"{STORE_NAME}.wal").unlink(missing_ok=True)
        os.replace(path, self.path)
        fsync_folder(self.home)
        self.connection = connect(self.path, self.home)

    def _create_tables(self) -> None:
        with self.transaction():
            layout.create(self.connection)

    def _refuse_edited(self) -> None:
        """The file is not as billing left it: is it still what the journal says (FAULTS G24)?"""
        from billing.store.audit import differences

        found = differences(self)
        if found:
            raise Corrupt(
                f"{STORE_NAME} was changed by something other than billing: {found[0]}",
                "move it away: it is rebuilt from the journal",
            )

    def _catch_up(self) -> None:
        number, _ = self._state()
        for group in grouped(self.journal.records(after=number)):
            self.expect(sum(record.rows for record in group))
            with self.transaction():
                for record in group:
                    self._apply_old(record)
            self._read_back(group[-1])

    def _apply_old(self, record: Record) -> None:
        """Apply a record of an earlier run, maybe of an earlier version, in the open
        transaction.
        """
        try:
            self._apply(record)
        except _OTHER_SHAPE as error:
            raise Corrupt(
                f"journal record {record.number} ({record.kind}) was written by another version of"
                f" edgetoll and cannot be applied by this one: {str(error).splitlines()[0]}",
                "use the version that wrote it; nothing was changed",
            ) from error

    def _state(self) -> tuple[int, str]:
        rows = self.connection.execute(sql.text("statements/billing/journal_state")).fetchall()
        return (rows[0][0], rows[0][1]) if rows else (0, "0" * 64)

    def _read_back(self, record: Record) -> None:
        """COMMIT after a swallowed error raises nothing and stores nothing (FAULTS C9): so look."""
        if self._state() != (record.number, record.hash):
            raise Corrupt(
                f"journal record {record.number} is not in billing.duckdb after COMMIT",
                "run the command again: the store is brought up to the journal",
            )
