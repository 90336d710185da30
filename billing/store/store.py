"""The billing store: billing.duckdb behind the journal, one writer, short sessions.

`Store.commit` is the one way to change anything: it appends a record to the journal and applies it
to the tables. billing.store.open opens a store; billing.store.audit compares it with the journal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

import duckdb

import sql
from billing.store import charge_files, gone, layout, left_note
from billing.store.given import is_arrow
from billing.store.journal import (
    FIRST_HASH,
    FileEffect,
    InlineEffect,
    Journal,
    JournalFacts,
    Record,
    grouped,
)
from billing.store.session import SMALL_CHANGE_ROWS, StoreSession, TableRef, write_in_order
from edge.crash_point import crash_point
from edge.durable import FileLock, fsync_folder, sha256_file
from edge.errors import Corrupt

if TYPE_CHECKING:
    import pyarrow as pa

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Which journal record the tables have: its number and hash."""

    last_no: int
    last_hash: str


# What applying a record raises when its effects have other columns or keys than expected.
_OTHER_SHAPE = (duckdb.BinderException, duckdb.CatalogException, duckdb.InvalidInputException,
                KeyError)  # fmt: skip


class Opener(Protocol):
    """Opens the billing store with the product's appliers (`billing.appliers.open_store`)."""

    def __call__(
        self, home: Path, *, owner: str, now: datetime, wait_seconds: int = 0
    ) -> Store: ...


class Store:
    """An open billing store; use as a context manager. `connection` is the one DuckDB session.

    `sessions` counts the sessions there have been: a temporary table of an earlier one is gone.
    `is_as_left`: the home is as the last session left it, so nobody else has been at it.
    `charges`: the files that the session reads as its charges.
    `verified_at`, `verified_no`: when the whole chain was last verified, and through which record.
    """

    def __init__(
        self, home: Path, now: datetime, *, appliers: Appliers, path: Path | None = None
    ) -> None:
        self.home = home
        self.now = now
        self.appliers = appliers
        self.path = path or home.joinpath(STORE_NAME)
        self.journal = Journal(home / "journal")
        self.sessions = 1
        self.verified_at: datetime | None = None
        self.verified_no = 0
        self.is_as_left = False
        self._vouches = True
        self.charges = charge_files.ShownCharges(files=())
        self._lock: FileLock | None = None
        self._session = StoreSession(self.path, home)
        self.connection = self._session.connection

    @classmethod
    def replayed(cls, home: Path, path: Path, *, now: datetime, appliers: Appliers) -> Store:
        """A store at `path` made from the home's journal and closed hours alone; unlocked. The
        whole chain of the journal is verified on the way.
        """
        store = cls(home, now, appliers=appliers, path=path)
        store.create_tables()
        store.journal.verify()
        store.catch_up()
        return store

    def journal_facts(self) -> JournalFacts:
        """The journal as it is now."""
        return JournalFacts(
            records=self.journal.last_no,
            last_hash=self.journal.last_hash,
            size_bytes=self.journal.last.end,
            verified_at=self.verified_at,
            verified_no=self.verified_no,
        )

    def note_audit(self, *, agrees: bool) -> None:
        """Note how a comparison of the whole store with a replay of the journal came out. A store
        that differs is not vouched for at its end: the next start compares it, and refuses it.
        """
        self._vouches = agrees
        if agrees:
            self.verified_at, self.verified_no = self.now, self.journal.last_no

    def hold(self, lock: FileLock) -> None:
        """Keep `lock` until the store is closed."""
        self._lock = lock

    def close(self) -> None:
        """Close the session, note how the home was left, and release the lock."""
        self._end(orderly=True)

    def end_session(self) -> None:
        """Let go of the store's file; how it was left is not noted."""
        self._session.end()

    def _end(self, *, orderly: bool) -> None:
        vouched = orderly and self._vouches and self._lock is not None
        charges = ""
        try:
            self.state()
            charges = charge_files.state_of(self.charges, self.journal) if vouched else ""
        except duckdb.Error:  # a lost session vouches for nothing, and the lock is let go
            vouched = False
        self.end_session()
        if self._lock is None:
            return
        try:
            state = left_note.state_of(self.path)
            if vouched and state is not None:
                note = left_note.LeftNote(
                    store=state,
                    journal=left_note.state_of(self.journal.path),
                    charges=charges,
                    anchor=self.journal.last,
                    verified_at=self.verified_at,
                    verified_no=self.verified_no,
                )
                left_note.write(self.path, note)
        finally:
            self._lock.__exit__(None, None, None)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What met a contradiction, or lost its session, does not vouch for the file.
        self._end(orderly=not isinstance(error, (Corrupt, duckdb.Error)))

    def value(self, name: str, parameters: Mapping[str, object] | None = None) -> Any:
        """The first value of the first row that statement `name` of sql/ gives."""
        return self.connection.execute(sql.text(name), dict(parameters or {})).fetchall()[0][0]

    def rows_of(self, file: Path) -> int:
        """How many rows a Parquet file has, by its footer."""
        if "pyarrow" in sys.modules:  # which reads a footer in a twentieth of DuckDB's time
            from pyarrow import parquet

            return int(parquet.read_metadata(file).num_rows)
        return int(self.value("statements/store/session/rows_of_file", {"path": str(file)}))

    def expect(self, rows: int) -> None:
        """Say that `rows` are to be taken in: many are worth all cores, however small the store."""
        if rows > SMALL_CHANGE_ROWS:
            self._session.use_all_cores()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The one wrapper of a transaction: any error rolls back and is raised."""
        self.connection.execute("BEGIN")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def commit(
        self, kind: str, effects: Mapping[str, pa.Table | TableRef | object], *, at: datetime
    ) -> int:
        """Append one record to the journal and apply it; returns its number.

        A `pa.Table` or `TableRef` becomes an immutable Parquet file named by its hash, anything
        else stands in the record as JSON (no floats). The record is first applied in an open
        transaction: what cannot be applied is never appended, and once appended it has happened.
        """
        number = self.journal.last_no + 1
        stored = {name: self._store_effect(number, name, value) for name, value in effects.items()}
        self.expect(sum(one["rows"] for one in stored.values() if "file" in one))
        crash_point(f"{kind}-effects-written")
        record = self.journal.next_record(kind, stored, at=at)
        # A table that was just written is applied as it stands: reading it back and casting its
        # DECIMAL to HUGEINT costs more than applying it. `edgetoll check` compares with a replay.
        present = {n: v.applied or v.name for n, v in effects.items() if isinstance(v, TableRef)}
        try:
            with self.transaction():
                self._apply(record, present)
                crash_point(f"{kind}-applied")
                self.journal.append(record)
            crash_point(f"{kind}-committed")
            if charge_files.is_of_charges(record):
                self.charges = charge_files.show(self.connection, self.journal, self.charges)
        except duckdb.Error:
            # COMMIT may raise and still be durable (DESIGN §7): what the journal has is true, so
            # reopen, read, and apply what is missing. If the record was not appended, the error
            # stands.
            if self.journal.last_no != record.number:
                raise
            self.reconnect()
            self.catch_up()
        self._read_back(record)
        with suppress(FileNotFoundError):
            self.path.with_name(f"{self.path.name}.wal").chmod(0o600)
        return record.number

    def _store_effect(
        self, number: int, name: str, value: pa.Table | TableRef | object
    ) -> FileEffect | InlineEffect:
        if not (isinstance(value, TableRef) or is_arrow(value)):
            return {"json": value}
        folder = self.journal.effects_folder
        folder.mkdir(parents=True, exist_ok=True)
        file = self.journal.effect_file(number, name)
        hidden = folder / f".{file}.tmp"
        if isinstance(value, TableRef):
            write_in_order(self.connection, value, hidden)
        else:
            from pyarrow import parquet

            parquet.write_table(value, hidden, compression="zstd")
        with open(hidden, "rb+") as written:
            os.fsync(written.fileno())
        # The lake links what is charged, for all who may read it.
        if name not in (charge_files.EFFECT, charge_files.MERGED_EFFECT):
            hidden.chmod(0o600)
        digest = sha256_file(hidden)
        hidden.replace(folder.joinpath(file))
        fsync_folder(folder)
        return {
            "file": file,
            "sha256": digest,
            "rows": self.rows_of(folder.joinpath(file)),
        }

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
                sql.text("statements/store/session/move_journal_state"),
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
        effect: FileEffect,
        present: Mapping[str, str] | None,
    ) -> str:
        """Make one table effect the view effect_NAME; `present`: the tables just written."""
        path = self.journal.effect_path(effect["file"])
        relation: duckdb.DuckDBPyRelation | None
        if name in (present or {}):
            relation = self.connection.table((present or {})[name])
        elif present is not None or (path.exists() and sha256_file(path) == effect["sha256"]):
            relation = self.connection.read_parquet(str(path))
        else:
            relation = charge_files.elsewhere(self.connection, self.journal, record, effect)
        if relation is None:
            raise Corrupt(
                f"{path.name} of journal record {record.number} is missing or changed",
                "restore journal/effects/ from a backup",
            )
        self.connection.register(f"effect_{name}", relation)
        return str(path)

    def reconnect(self) -> None:
        """Begin another session of the same file, with its tables."""
        self._session.end()
        self._session = StoreSession(self.path, self.home)
        self.connection = self._session.connection
        self.sessions += 1
        self.create_tables()

    def create_tables(self) -> None:
        """Make the tables that are not there, temporary ones too."""
        if layout.stored(self.connection) == layout.present():
            self.connection.execute(layout.of_session())
        else:
            with self.transaction():
                layout.create(self.connection)
        self.charges = charge_files.show(self.connection, self.journal)

    def catch_up(self) -> None:
        """Apply the records of the journal that the tables do not have yet."""
        number = self.state().last_no
        if number < self.journal.last_no:
            gone.look_ahead(self.connection, self.journal, after=number)
        for group in grouped(self.journal.records(after=number)):
            self.expect(sum(record.rows for record in group))
            with self.transaction():
                for record in group:
                    self._apply_old(record)
            self._read_back(group[-1])
            if any(map(charge_files.is_of_charges, group)):
                self.charges = charge_files.show(self.connection, self.journal, self.charges)

    def _apply_old(self, record: Record) -> None:
        """Apply a record of an earlier run, or version, in the open transaction."""
        try:
            self._apply(record)
        except _OTHER_SHAPE as error:
            raise Corrupt(
                f"journal record {record.number} ({record.kind}) was written by another version of"
                f" edgetoll and cannot be applied by this one: {str(error).splitlines()[0]}",
                "use the version that wrote it; nothing was changed",
            ) from error

    def state(self) -> Applied:
        """The last record that the tables have."""
        result = self.connection.execute(sql.text("statements/store/session/journal_state"))
        return sql.row(result, Applied) or Applied(last_no=0, last_hash=FIRST_HASH)

    def _read_back(self, record: Record) -> None:
        """COMMIT after a swallowed error raises nothing and stores nothing (FAULTS C9): so look."""
        if self.state() != Applied(last_no=record.number, last_hash=record.hash):
            raise Corrupt(
                f"journal record {record.number} is not in billing.duckdb after COMMIT",
                "run the command again: the store is brought up to the journal",
            )
