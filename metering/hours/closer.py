"""One round of closing: data files, the checkpoint that commits the round, certificates, the store.

The order is what makes a crash harmless (decision 0302):

    1. data files and certificates under hidden names, durable
    2. in one transaction of the store: the hours leave the open usage, and from that state
       the checkpoint is written, naming the certificates of the round with their whole content.
       Its exclusive creation is the commit; a second worker fails here
    3. data files and certificates get their names, each exclusively
    4. COMMIT of the store

A crash before 2 leaves hidden files, a crash after it leaves a checkpoint from which the next start
finishes 3 and loads the store.
"""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from edge.crash_point import crash_point
from metering.closed import CLOSED_FOLDER, ClosedFile, EpochRange, closed_file
from metering.counting.records import ACCEPTED_BATCHES, Windowed
from metering.hour import time_of, time_text, to_ms
from metering.hours import certificate as evidence
from metering.hours import checkpoint, checkpoint_sidecars
from metering.hours.certificate import Link, Round, Written
from metering.hours.checkpoint import Head, Pending
from metering.hours.data_file import UsageFile
from metering.hours.publishing import hidden_path, prepare, publish
from metering.hours.unowned_names import folded, wanted_hours
from metering.hours.when_to_close import Closing, Plan, Standing
from metering.store.fencing import fenced
from metering.store.records import PartitionState
from metering.store.rows import TABLES
from metering.store.store import Transaction, UsageStore, compact_usage
from metering.store.windowed import rows_of

ROUND = 2_048
"""Most certificates written in one round. A round costs a checkpoint of everything still open, so a
backlog of two months is one round; a crash in it repeats no more than a few seconds of work."""
ROUND_ROWS = 4_000_000
"""Most rows of usage written in one round, unless a single hour has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHour:
    """An hour with usage that is not written yet: requests, and rows as they lie there."""

    partition: str
    hour_ms: int
    requests: int
    usage_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _HourBatches:
    """The batches of an epoch that hold events of an hour."""

    hour_ms: int
    edge_id: str
    epoch: int
    first_sequence: int
    last_sequence: int
    batches: int
    events: int

    def range(self) -> EpochRange:
        """The same as the certificate has it."""
        return EpochRange(
            epoch=self.epoch,
            first_sequence=self.first_sequence,
            last_sequence=self.last_sequence,
            batches=self.batches,
            events=self.events,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _HourSource:
    """A source without a promise that has usage in an hour."""

    hour_ms: int
    source: str


def open_hours(store: UsageStore, *partitions: str) -> list[OpenHour]:
    """The hours of these partitions with usage that is not written yet, in order."""
    name = "statements/metering/closing/usage_hours"
    return store.read(name, OpenHour, partitions=list(partitions))


class Closer:
    """Writes the closing rounds of one worker."""

    def __init__(
        self, home: Path, store: UsageStore, *, names_kept: int, windows: Sequence[Windowed]
    ) -> None:
        """`windows` are the tables of which only the newest rows are kept."""
        self.home = home
        self.windows = tuple(windows)
        self.store = store
        self.names_kept = names_kept
        self.round_hours = ROUND
        self.round_rows = ROUND_ROWS

    def close(
        self, state: PartitionState, plan: Plan, standings: list[Standing], now_ms: int
    ) -> None:
        """Write what `plan` says; the caller loads the partition anew afterwards.

        Raises Fenced when another worker was faster.
        """
        closings = self._round(state.partition, plan.closings)
        around = Round(
            partition=state.partition,
            generation=state.generation,
            checkpoint=1 + max([state.checkpoint_no, *self._on_disk(state.partition)]),
            now_ms=now_ms,
            complete_through_ms=plan.through_after(len(closings)),
            standings=standings,
            edges=state.edges,
        )
        if checkpoint.newest_generation(self.home, state.partition) > state.generation:
            raise fenced(state.partition, state.generation)
        written = self._write_data(state, closings)
        crash_point("after_data")
        pending = self._certificates(state, closings, written, around)
        prepare(self.home, pending)
        self._commit(state, closings, pending, around)

    def _round(self, partition: str, closings: tuple[Closing, ...]) -> tuple[Closing, ...]:
        """As many of the closings as one round may write, and at least the first."""
        if len(closings) < 2:
            return closings
        hour_rows = {one.hour_ms: one.usage_rows for one in open_hours(self.store, partition)}
        rows = itertools.accumulate(hour_rows.get(one.hour_ms, 0) for one in closings)
        fitting = bisect_right(list(rows), self.round_rows)
        return closings[: max(1, min(fitting, self.round_hours))]

    def _on_disk(self, partition: str) -> list[int]:
        return checkpoint.numbers(self.home, partition)

    def _write_data(
        self, state: PartitionState, closings: tuple[Closing, ...]
    ) -> dict[int, Written]:
        """Data files of the closings under hidden names, durable."""
        files = {
            one.hour_ms: hidden_path(self._file(state, one), state.generation) for one in closings
        }
        wanted = wanted_hours((state.partition, hour) for hour in files)
        written: dict[int, Written] = {}
        open_hour: int | None = None
        current: UsageFile | None = None
        for _, hour, rows in folded(self.store, self.home, wanted, self.names_kept):
            hour_ms = _ms_of(hour)
            if current is None or hour_ms != open_hour:
                if current is not None and open_hour is not None:
                    written[open_hour] = _finish(current)
                open_hour, current = hour_ms, UsageFile(files[hour_ms])
            current.add(rows)
        if current is not None and open_hour is not None:
            written[open_hour] = _finish(current)
        for hour_ms, path in files.items():
            if hour_ms not in written:
                written[hour_ms] = _finish(UsageFile(path))
        return written

    def _file(self, state: PartitionState, closing: Closing) -> ClosedFile:
        hour = time_of(closing.hour_ms)
        return closed_file(self.home, hour, state.partition, closing.revision)

    def _certificates(
        self,
        state: PartitionState,
        closings: tuple[Closing, ...],
        written: dict[int, Written],
        around: Round,
    ) -> list[Pending]:
        """The certificates of the round, chained; nothing is written yet."""
        ranges, unproven = self._evidence(state.partition, closings)
        link = Link(
            number=state.certificate_no + 1,
            previous_sha256=state.certificate_sha256,
            duplicates=state.duplicate_since,
            quarantined=state.quarantined_since,
        )
        pending = []
        for closing in closings:
            text = evidence.certificate(
                closing,
                written[closing.hour_ms],
                link,
                around=around,
                ranges=ranges.get(closing.hour_ms, {}),
                unproven=tuple(unproven.get(closing.hour_ms, ())),
            ).to_bytes()
            pending.append(self._pending(state, closing, written[closing.hour_ms], text))
            link = Link(
                number=link.number + 1,
                previous_sha256=hashlib.sha256(text).hexdigest(),
                duplicates=0,
                quarantined=0,
            )
        return pending

    def _pending(
        self, state: PartitionState, closing: Closing, written: Written, text: bytes
    ) -> Pending:
        file = self._file(state, closing)
        hidden = hidden_path(file, state.generation)
        folder = f"{CLOSED_FOLDER}/{file.data_path.parent.name}"
        return Pending(
            prepared=f"{folder}/{hidden.name}",
            data=f"{folder}/{file.data_path.name}",
            data_sha256=written.sha256,
            certificate=f"{folder}/{file.certificate_path.name}",
            text=text.decode(),
            requests=written.requests,
        )

    def _evidence(
        self, partition: str, closings: tuple[Closing, ...]
    ) -> tuple[dict[int, dict[str, tuple[EpochRange, ...]]], dict[int, list[str]]]:
        """By hour: the batches of each edge that hold its usage, and who promises nothing."""
        read = self.store.read
        connection = self.store.connection
        connection.register("closing_hours", _hours_table(partition, closings))
        try:
            name = "statements/metering/closing/hour_evidence"
            batches = read(name, _HourBatches, partition=partition)
            name = "statements/metering/closing/hour_unproven"
            sources = read(name, _HourSource, partition=partition)
        finally:
            connection.unregister("closing_hours")
        ranges: dict[int, dict[str, tuple[EpochRange, ...]]] = {}
        for one in batches:
            edges = ranges.setdefault(one.hour_ms, {})
            edges[one.edge_id] = (*edges.get(one.edge_id, ()), one.range())
        unproven: dict[int, list[str]] = {}
        for source in sources:
            unproven.setdefault(source.hour_ms, []).append(source.source)
        return ranges, unproven

    def _commit(
        self,
        state: PartitionState,
        closings: tuple[Closing, ...],
        pending: list[Pending],
        around: Round,
    ) -> None:
        partition = state.partition
        path = checkpoint.path_of(self.home, partition, around.checkpoint)
        with self.store.transaction() as transaction:
            self._move_state(transaction, state, closings, pending, around)
            sidecars = checkpoint_sidecars.write(
                self.home, transaction.connection, self.windows, state, around
            )
            head = Head(
                partition=partition,
                generation=state.generation,
                number=around.checkpoint,
                written_at=time_text(around.now_ms),
                pending=tuple(pending),
                sidecars=tuple(sidecars),
            )
            try:
                checkpoint.write(path, head, _tables(transaction.connection, partition))
            except FileExistsError as error:
                raise fenced(partition, state.generation) from error
            crash_point("after_checkpoint")
            publish(self.home, head)
            crash_point("after_certificates")
        checkpoint.prune(self.home, partition, [one.file for one in sidecars])

    def _move_state(
        self,
        transaction: Transaction,
        state: PartitionState,
        closings: tuple[Closing, ...],
        pending: list[Pending],
        around: Round,
    ) -> None:
        """Bring the store, inside its transaction, to where it stands after the round."""
        partition = state.partition
        hours = {"closing_hours": _hours_table(partition, closings)}
        name = "statements/metering/closing/keep_hours"
        transaction.run_with(name, hours, partition=partition)
        transaction.run_with("statements/metering/closing/drop_written", hours)
        closed_now = _closed_rows(closings, [one.requests for one in pending], around.now_ms)
        name = "statements/metering/closing/add_hours"
        transaction.run_with(name, {"closed_now": closed_now}, partition=partition)
        if state.flush_no != state.checkpoint_flush_no:
            # Else nothing came since the checkpoint before, whose round compacted what is left.
            compact_usage(transaction, partition)
            transaction.run_with("statements/metering/closing/compact_quarantine", hours)
            transaction.run(
                "statements/metering/closing/forget_digests",
                partition=partition,
                before_ms=around.now_ms - ACCEPTED_BATCHES.keep_ms,
            )
        moved = transaction.run(
            "statements/metering/closing/advance_certificates",
            partition=partition,
            generation=state.generation,
            flush_no=state.flush_no,
            checkpoint_no=around.checkpoint,
            certificate_no=state.certificate_no + len(closings),
            certificate_sha256=hashlib.sha256(pending[-1].text.encode()).hexdigest(),
            complete_through_ms=around.complete_through_ms,
        )
        if len(moved) != 1:
            raise fenced(partition, state.generation)


def _tables(
    connection: duckdb.DuckDBPyConnection, partition: str
) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Each table of the store, the rows of one partition."""
    for name in TABLES:
        yield name, rows_of(connection, name, partition)


def _finish(file: UsageFile) -> Written:
    """Close a data file; it is durable after `prepare`."""
    file.close()
    return Written(
        sha256=file.sha256,
        rows=file.rows,
        requests=file.requests,
        bytes_sent=file.bytes_sent,
    )


def _hours_table(partition: str, closings: tuple[Closing, ...]) -> pa.Table:
    hours = [one.hour_ms for one in closings]
    stamps = pa.array([time_of(hour).replace(tzinfo=None) for hour in hours])
    return pa.table(
        {
            "partition": [partition] * len(hours),
            "hour_ms": pa.array(hours, type=pa.int64()),
            "hour": stamps.cast(pa.timestamp("us")),
        }
    )


def _closed_rows(closings: tuple[Closing, ...], requests: list[int], now_ms: int) -> pa.Table:
    """Rows for table hours."""
    late = [many if one.revision else 0 for one, many in zip(closings, requests, strict=True)]
    return pa.table(
        {
            "hour_ms": pa.array([one.hour_ms for one in closings], type=pa.int64()),
            "revision": pa.array([one.revision for one in closings], type=pa.int64()),
            "state": [one.state for one in closings],
            "closed_ms": pa.array([now_ms] * len(closings), type=pa.int64()),
            "empty_since_ms": pa.array([one.empty_since_ms for one in closings], type=pa.int64()),
            "requests": pa.array(requests, type=pa.int64()),
            "late": pa.array(late, type=pa.int64()),
            "missing": pa.array(
                [list(one.missing) for one in closings], type=pa.list_(pa.string())
            ),
        }
    )


def _ms_of(hour: datetime) -> int:
    return to_ms(hour.replace(tzinfo=UTC))
