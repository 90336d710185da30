"""usage.duckdb: the one file that owns transactions on a worker's private store.

Usage, positions, edge progress and quarantine change in one transaction per flush; what was stored
is read back after COMMIT before anything outside is told. After any error at COMMIT the file is
opened anew and read, since COMMIT may raise and still be durable (DESIGN 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import duckdb
import pyarrow as pa

import sql
from edge.crash_point import crash_point
from edge.errors import Busy, ConflictError, Corrupt, EdgetollError
from metering.counting.batches import Identity
from metering.counting.flush import Flush, usage_tables
from metering.hours.when_to_close import ClosedState
from metering.sources.source import Covered
from metering.store import rows
from metering.store.rows import PartitionState

T = TypeVar("T")

_REBUILD = (
    "stop the worker, remove usage.duckdb and usage.duckdb.wal and start it again:"
    " it is rebuilt from the last checkpoint and the spool or Kafka"
)


_REFUSED = (
    "No space left",
    "File too large",
    "Disk quota",
    "Permission denied",
    "Read-only file system",
    "Too many open files",
)


class Fenced(ConflictError):
    """Another worker has taken the partition; this one must stop and write nothing more."""


class Uncertain(EdgetollError):
    """COMMIT raised: the store was opened anew, and the caller has to read what is stored."""


class Unavailable(EdgetollError):
    """The system does not let the store be opened or written now; nothing is damaged."""


class Transaction:
    """One open transaction. A statement that failed spoils it, even when its error is swallowed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.failure: BaseException | None = None

    def run(self, name: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Execute statement `statements/metering/<name>` and return its rows."""
        return self._guarded(
            lambda: self.connection.execute(
                sql.text(f"statements/metering/{name}"), parameters
            ).fetchall()
        )

    def run_with(
        self, name: str, tables: Mapping[str, pa.Table], **parameters: object
    ) -> list[tuple[Any, ...]]:
        """As `run`, with Arrow tables under the names the statement reads them by."""
        for view, table in tables.items():
            self.connection.register(view, table)
        try:
            return self.run(name, **parameters)
        finally:
            for view in tables:
                self.connection.unregister(view)

    def insert(self, table: str, content: pa.Table) -> None:
        """Append Arrow rows, columns in the table's order."""
        self._guarded(lambda: self.connection.from_arrow(content).insert_into(table))

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except BaseException as error:
            self.failure = error
            raise


class Store:
    """The private store of one worker. Not for threads: one at a time may use it."""

    def __init__(self, path: Path, *, memory_limit: str = "512MB", threads: int = 2) -> None:
        self.path = path
        self._options = {"memory_limit": memory_limit, "threads": threads}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection, for reading; whoever writes does so in `transaction`."""
        if self._connection is None:
            raise Corrupt(f"{self.path} is not open", "start the worker again")
        return self._connection

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = duckdb.connect(str(self.path), config=self._options)
            self.connection.execute("SET TimeZone = 'UTC'")
            for name in ("schema/metering", *sql.names("schema/metering")):
                self.connection.execute(sql.text(name))
        except duckdb.Error as error:
            self._connection = None
            raise self._explained(error) from error

    def _explained(self, error: duckdb.Error) -> EdgetollError:
        """Why the file does not open: somebody holds it, the system refuses, or it is damaged."""
        text = str(error)
        if "Could not set lock" in text:
            return Busy(
                f"{self.path} is open in another process: {_first_line(error)}",
                "stop that process; readers use the lake and live/, never this file",
            )
        if isinstance(error, duckdb.IOException) and any(said in text for said in _REFUSED):
            return Unavailable(f"{self.path}: {_first_line(error)}", "free space, or allow it")
        return Corrupt(f"{self.path}: {_first_line(error)}", _REBUILD)

    def close(self) -> None:
        """Release the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def reopen(self) -> None:
        """Open the file anew, which shows what is durable."""
        try:
            self.close()
        except duckdb.Error:
            self._connection = None
        self._open()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction: committed when the block ends, rolled back when anything in it failed.

        Raises Uncertain when COMMIT itself raised; the store is then open anew.
        """
        crash_point("before_begin")
        connection = self.connection
        connection.execute("BEGIN TRANSACTION")
        transaction = Transaction(connection)
        try:
            crash_point("after_begin")
            yield transaction
            if transaction.failure is not None:
                raise Corrupt(
                    f"a statement failed and its error was swallowed: {transaction.failure}",
                    "nothing was stored; this is a fault of edgetoll, please report it",
                ) from transaction.failure
        except BaseException:
            self._roll_back()
            raise
        crash_point("before_commit")
        try:
            connection.execute("COMMIT")
        except duckdb.Error as error:
            self.reopen()
            raise Uncertain(
                f"{self.path}: COMMIT failed: {_first_line(error)}",
                "free disk space if it is full; what is stored is read again",
            ) from error
        crash_point("after_commit")

    def _roll_back(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.Error:
            # The instance may be dead (disk full): opening it anew rolls back as well.
            self.reopen()

    def write(
        self,
        flushes: Sequence[tuple[Flush, PartitionState]],
        prepare: Callable[[Flush, Any], None] | None = None,
    ) -> None:
        """Store the flushes of some partitions in one transaction and read them back.

        `prepare` may add to a flush first, with the connection, inside the transaction. Raises
        Fenced when a partition has moved without this owner, Corrupt when what is read back is not
        what was written.
        """
        with self.transaction() as transaction:
            waiting = []
            for flush, state in flushes:
                if prepare is not None:
                    prepare(flush, transaction.connection)
                flush.check()
                waiting.append((flush, state))
                if flush.extra:  # it reads the number of this flush, and what was prepared last
                    self._advance(transaction, waiting)
                    waiting = []
                for extra in flush.extra:
                    extra(transaction.connection)
            self._advance(transaction, waiting)
            for usage in usage_tables([flush for flush, _ in flushes]):
                transaction.run_with("add_usage", {"flush_rows": usage})
            crash_point("after_aggregates")
            self._write_progress(transaction, flushes)
            crash_point("after_positions")
        for _, state in flushes:
            state.flush_no += 1
        self._read_back(flushes)
        for flush, state in flushes:
            state.positions.update(flush.positions)

    def _advance(
        self, transaction: Transaction, flushes: Sequence[tuple[Flush, PartitionState]]
    ) -> None:
        """Move each partition one flush on; raises Fenced for one that is another worker's."""
        if not flushes:
            return
        found = transaction.run_with("advance_partitions", {"moved": rows.moved(flushes)})
        advanced = {partition for (partition,) in found}
        for flush, state in flushes:
            if flush.partition not in advanced:
                raise fenced(flush.partition, state.generation)

    def _write_progress(
        self, transaction: Transaction, flushes: Sequence[tuple[Flush, PartitionState]]
    ) -> None:
        """Everything but usage: what was rejected, which batches came, how far edges are."""
        for statement, table in rows.noted(flushes).items():
            if len(table):
                transaction.run_with(statement, {"noted": table})
        crash_point("after_quarantine")
        for name, table in rows.changed(flushes).items():
            if len(table):
                transaction.run_with(f"drop_changed_{name}", {f"changed_{name}": table})
                transaction.insert(name, table)

    def restore(
        self,
        partition: str,
        tables: Mapping[str, pa.Table],
        windowed: Iterable[tuple[str, pa.Table]],
        extra: Callable[[Any], None] | None = None,
    ) -> None:
        """Put the tables of a checkpoint in the place of everything stored of its partition."""
        with self.transaction() as transaction:
            for name in sql.names("statements/metering/forget"):
                transaction.run(name.removeprefix("statements/metering/"), partition=partition)
            for name, table in (*tables.items(), *windowed):
                if len(table):
                    transaction.insert(name, table)
            if extra is not None:
                extra(transaction.connection)

    def _read_back(self, flushes: Sequence[tuple[Flush, PartitionState]]) -> None:
        """What is stored must be what was written, or nobody outside is told."""
        numbers: dict[str, tuple[int, int]] = {}
        stored: dict[tuple[str, str], str] = {}
        for partition, generation, flush_no, source, position in self.read("read_back"):
            numbers[partition] = (generation, flush_no)
            stored[partition, source] = position
        for flush, state in flushes:
            partition = flush.partition
            same = all(
                stored.get((partition, source)) == covered.position
                for source, covered in flush.positions.items()
            )
            if not same or numbers.get(partition) != (state.generation, state.flush_no):
                raise Corrupt(
                    f"{self.path}: partition {partition} does not hold what was committed",
                    "the worker stops; start it again, it continues from what is stored",
                )

    def load(self, partition: str) -> PartitionState:
        """The partition as it is stored; a new one if this file does not know it."""
        found = self.read("partition_row", partition=partition)
        if not found:
            with self.transaction() as transaction:
                transaction.run("new_partition", partition=partition)
            found = self.read("partition_row", partition=partition)
        state = rows.partition_state(found[0])
        state.positions = {
            source: Covered(position=position, epoch=epoch, sequence=sequence)
            for source, position, epoch, sequence in self.read("positions", partition=partition)
        }
        state.edges = rows.edges_from(
            *(self.read(name, partition=partition) for name in ("edges", "epochs", "intervals"))
        )
        state.closed = {
            hour: ClosedState(
                revision=revision, state=kind, closed_ms=closed, empty_since_ms=empty_since
            )
            for hour, revision, kind, closed, empty_since in self.read("hours", partition=partition)
        }
        return state

    def take(self, partition: str, generation: int) -> PartitionState:
        """Make `generation` the owner of the partition in this file and load it."""
        self.load(partition)
        with self.transaction() as transaction:
            taken = transaction.run("take_partition", partition=partition, generation=generation)
            if len(taken) != 1:
                raise fenced(partition, generation)
        return self.load(partition)

    def read(self, name: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a reading statement, outside any transaction."""
        text = sql.text(f"statements/metering/{name}")
        found: list[tuple[Any, ...]] = self.connection.execute(text, parameters).fetchall()
        return found

    def known_digests(self, partition: str, wanted: list[Identity]) -> dict[Identity, bytes]:
        """The stored digests under these identities (Digests of the intake)."""
        suspects = pa.table(
            {
                "edge_id": [identity[0] for identity in wanted],
                "epoch": [identity[1] for identity in wanted],
                "sequence": [identity[2] for identity in wanted],
            }
        )
        self.connection.register("suspects", suspects)
        try:
            found = self.read("known_digests", partition=partition)
        finally:
            self.connection.unregister("suspects")
        return {(edge_id, epoch, number): digest for edge_id, epoch, number, digest in found}


def fenced(partition: str, generation: int) -> Fenced:
    """The error of a worker that lost its partition."""
    return Fenced(
        f"partition {partition} was taken by another worker (this one has generation {generation})",
        "this worker has stopped and wrote nothing more; let only one own the partition",
    )


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
