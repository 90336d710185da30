"""usage.duckdb: the one file that owns transactions on a worker's private store.

Usage, positions, edge progress and quarantine change in one transaction per flush; what was stored
is read back after COMMIT before anything outside is told. After any error at COMMIT the file is
opened anew and read, since COMMIT may raise and still be durable (DESIGN 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb
import pyarrow as pa

import sql
from edge.crash_point import crash_point
from edge.errors import Corrupt
from metering.counting.edge_progress import EdgeProgress
from metering.counting.flush import Flush, usage_tables
from metering.counting.records import LATER_COUNTS, Identity
from metering.hour import ClosedHours
from metering.store import rows
from metering.store.faults import (
    Uncertain,
    can_pass,
    first_line,
    lasting,
    not_opened,
)
from metering.store.fencing import fenced
from metering.store.records import (
    EpochRow,
    HourRow,
    IntervalRow,
    PartitionRow,
    PartitionState,
    PositionRow,
    edges_from,
)
from metering.store.rows import FlushOf

T = TypeVar("T")
Prepare = Callable[[Sequence[tuple[Flush, int]], duckdb.DuckDBPyConnection], None]
"""Adds to the flushes of a transaction, each given with the number it will have."""


class Transaction:
    """One open transaction. A statement that failed spoils it, even when its error is swallowed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.failure: BaseException | None = None

    def run(self, name: str, **parameters: object) -> list[tuple[object, ...]]:
        """Execute statement `name`, as `sql.text` takes it, to its end; the rows it returns."""
        return self._guarded(lambda: self.connection.execute(sql.text(name), parameters).fetchall())

    def run_with(
        self, name: str, tables: Mapping[str, pa.Table], **parameters: object
    ) -> list[tuple[object, ...]]:
        """As `run`, with Arrow tables under the names the statement reads them by; its rows."""
        for view, table in tables.items():
            self.connection.register(view, table)
        try:
            return self.run(name, **parameters)
        finally:
            for view in tables:
                self.connection.unregister(view)

    def insert(self, table: str, content: pa.Table) -> None:
        """Append Arrow rows that have the columns of the table, in whatever order.

        A checkpoint of before a column was there has nothing to say in it.
        """
        columns = self.connection.table(table).columns
        for name in _LATER.keys() & set(columns).difference(content.schema.names):
            nothing = pa.repeat(_LATER[name], len(content))
            content = content.append_column(name, nothing)
        self._guarded(
            lambda: self.connection.from_arrow(content.select(columns)).insert_into(table)
        )

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except BaseException as error:
            self.failure = error
            raise


_LATER = {"held": pa.scalar("")} | dict.fromkeys(LATER_COUNTS, pa.scalar(0, pa.int64()))
"""Columns that tables have got since the first checkpoints, and what stands for nothing in them."""


class UsageStore:
    """The private store of one worker. Not for threads: one at a time may use it."""

    def __init__(self, path: Path, *, memory_limit: str = "512MB", threads: int = 2) -> None:
        self.path = path
        self._options = {
            "memory_limit": memory_limit,
            "threads": threads,
            # A new file is not for DuckDB 1.0 to read, which would be larger and slower to open.
            "storage_compatibility_version": "v1.5.0",
        }
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
        is_new = not self.path.exists()
        try:
            self._connection = duckdb.connect(str(self.path), config=self._options)
            if is_new:
                self.path.chmod(0o600)
            self.connection.execute("SET TimeZone = 'UTC'")
            self.connection.execute(sql.text("schema/metering"))
        except duckdb.Error as error:
            self._connection = None
            raise not_opened(self.path, error) from error

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
            if not can_pass(error):
                raise lasting(error) from error
            raise Uncertain(
                f"{self.path}: COMMIT failed: {first_line(error)}",
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
        flushes: Sequence[FlushOf],
        prepare: Prepare | None = None,
    ) -> None:
        """Store the flushes of some partitions in one transaction and read them back.

        `prepare` may add to the flushes first, inside the transaction. Raises Fenced when a
        partition has moved without this owner, Corrupt when what is read back is not what was
        written.
        """
        with self.transaction() as transaction:
            if prepare is not None:
                numbered = [(flush, state.flush_no + 1) for flush, state in flushes]
                prepare(numbered, transaction.connection)
            for flush, _ in flushes:
                flush.check()
            self._advance(transaction, flushes)
            for usage in usage_tables([flush for flush, _ in flushes]):
                transaction.run_with("statements/metering/flush/add_usage", {"flush_rows": usage})
            crash_point("after_aggregates")
            transaction.run_with("statements/metering/flush/note_batches", rows.noted(flushes))
            crash_point("after_quarantine")
            changed = rows.changed(flushes)
            transaction.run_with("statements/metering/flush/replace_progress", changed)
            crash_point("after_positions")
        for _, state in flushes:
            state.flush_no += 1
        self._read_back(flushes)
        for flush, state in flushes:
            state.positions.update(flush.positions)

    def _advance(self, transaction: Transaction, flushes: Sequence[FlushOf]) -> None:
        """Move each partition one flush on; raises Fenced for one that is another worker's."""
        found = transaction.run_with(
            "statements/metering/flush/advance_partitions", {"moved": rows.moved(flushes)}
        )
        advanced = {partition for (partition,) in found}
        for flush, state in flushes:
            if flush.partition not in advanced:
                raise fenced(flush.partition, state.generation)

    def restore(
        self,
        partition: str,
        tables: Mapping[str, pa.Table],
        windowed: Iterable[tuple[str, pa.Table]],
    ) -> None:
        """Put the tables of a checkpoint in the place of everything stored of its partition."""
        gone = {"forgotten": pa.table({"partition": [partition]})}
        with self.transaction() as transaction:
            transaction.run_with("statements/metering/partition/forget_partition", gone)
            for name, table in (*tables.items(), *windowed):
                if len(table):
                    transaction.insert(name, table)

    def compact_usage(self, partition: str) -> None:
        """Add up the rows of each key of the open usage."""
        with self.transaction() as transaction:
            compact_usage(transaction, partition)

    def _read_back(self, flushes: Sequence[FlushOf]) -> None:
        """What is stored must be what was written, or nobody outside is told."""
        numbers: dict[str, tuple[int, int]] = {}
        stored: dict[tuple[str, str | None], str | None] = {}
        for one in self.read("statements/metering/flush/read_back", _StoredPosition):
            numbers[one.partition] = (one.generation, one.flush_no)
            stored[one.partition, one.source] = one.position
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
        name = "statements/metering/partition/partition_row"
        found = self.read(name, PartitionRow, partition=partition)
        if not found:
            with self.transaction() as transaction:
                transaction.run("statements/metering/partition/new_partition", partition=partition)
            found = self.read(name, PartitionRow, partition=partition)
        state = found[0].state()
        name = "statements/metering/partition/positions"
        positions = self.read(name, PositionRow, partition=partition)
        state.positions = {row.source: row.covered() for row in positions}
        state.edges = edges_from(
            self.read("statements/metering/partition/edges", EdgeProgress, partition=partition),
            self.read("statements/metering/partition/epochs", EpochRow, partition=partition),
            self.read("statements/metering/partition/intervals", IntervalRow, partition=partition),
        )
        hours = self.read("statements/metering/partition/hours", HourRow, partition=partition)
        state.closed = ClosedHours({row.hour_ms: row.closed() for row in hours})
        return state

    def take(self, partition: str, generation: int) -> PartitionState:
        """Make `generation` the owner of the partition in this file and load it."""
        self.load(partition)
        with self.transaction() as transaction:
            taken = transaction.run(
                "statements/metering/partition/take_partition",
                partition=partition,
                generation=generation,
            )
            if len(taken) != 1:
                raise fenced(partition, generation)
        return self.load(partition)

    def read(self, name: str, kind: Callable[..., T], **parameters: object) -> list[T]:
        """The rows of reading statement `name`, each as a `kind`; outside any transaction."""
        return sql.rows(self.connection.execute(sql.text(name), parameters), kind)

    def known_digests(self, partition: str, wanted: list[Identity]) -> dict[Identity, bytes]:
        """The stored digests under these identities (Digests of the intake)."""
        suspects = pa.table(
            {
                "edge_id": [identity[0] for identity in wanted],
                "epoch": [identity[1] for identity in wanted],
                "sequence": [identity[2] for identity in wanted],
            }
        )
        name = "statements/metering/flush/known_digests"
        self.connection.register("suspects", suspects)
        try:
            found = self.read(name, _KnownDigest, partition=partition)
        finally:
            self.connection.unregister("suspects")
        return {(one.edge_id, one.epoch, one.sequence): one.digest for one in found}

    def usage_rows(self, partition: str) -> int:
        """How many rows the open usage of a partition has, as they lie there."""
        name = "statements/metering/flush/usage_rows"
        return sum(one.usage_rows for one in self.read(name, _UsageRows, partition=partition))


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredPosition:
    """What is stored of a flush: the partition's numbers and the position of one source."""

    partition: str
    generation: int
    flush_no: int
    source: str | None
    position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownDigest:
    """The digest of a batch accepted before."""

    edge_id: str
    epoch: int
    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _UsageRows:
    """A number of rows."""

    usage_rows: int


def compact_usage(transaction: Transaction, partition: str) -> None:
    """Put one row in the place of all rows of a key, inside a transaction."""
    transaction.run("statements/metering/flush/compact_usage", partition=partition)
    transaction.run("statements/metering/flush/forget_usage", partition=partition)
    transaction.run("statements/metering/flush/put_compacted")
