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
import os
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from edge.crash_point import crash_point
from edge.durable import sha256_file
from edge.errors import Corrupt
from metering.closed import CLOSED_FOLDER, ClosedFile, EpochRange, closed_file
from metering.counting.flush import MessageIntake
from metering.hours import certificate as evidence
from metering.hours import checkpoint, checkpoint_sidecars
from metering.hours.certificate import Link, Round, Written
from metering.hours.checkpoint import Head, Pending
from metering.hours.data_file import UsageFile, make_durable
from metering.hours.unowned_names import folded
from metering.hours.when_to_close import Closing, Plan, Standing
from metering.settings import to_ms
from metering.store.rows import TABLES, PartitionState
from metering.store.store import Store, Transaction, fenced

ROUND = 2_048
"""Most certificates written in one round. A round costs a checkpoint of everything still open, so a
backlog of two months is one round; a crash in it repeats no more than a few seconds of work."""
ROUND_ROWS = 4_000_000
"""Most rows of usage written in one round, unless a single hour has more."""


class Closer:
    """Writes the closing rounds of one worker."""

    def __init__(
        self, home: Path, store: Store, *, names_kept: int, messages: MessageIntake | None = None
    ) -> None:
        self.home = home
        self.messages = messages
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
        hour_rows = dict(self.store.read("usage_hour_rows", partition=partition))
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
        hours = pa.array([evidence.time_of(hour).replace(tzinfo=None) for hour in files])
        wanted = pa.table({"hour": hours.cast(pa.timestamp("us"))})
        written: dict[int, Written] = {}
        open_hour: int | None = None
        current: UsageFile | None = None
        for hour, rows in folded(self.store, self.home, state.partition, wanted, self.names_kept):
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
        hour = evidence.time_of(closing.hour_ms)
        return closed_file(self.home, hour, state.partition, closing.revision)

    def _certificates(
        self,
        state: PartitionState,
        closings: tuple[Closing, ...],
        written: dict[int, Written],
        around: Round,
    ) -> list[Pending]:
        """The certificates of the round, chained; nothing is written yet."""
        hours = _hours_table(closings)
        ranges = self._ranges(state.partition, hours)
        unproven: dict[int, list[str]] = {}
        for hour, source in self._with_hours("hour_unproven", state.partition, hours):
            unproven.setdefault(hour, []).append(source)
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

    def _ranges(
        self, partition: str, hours: pa.Table
    ) -> dict[int, dict[str, tuple[EpochRange, ...]]]:
        found: dict[int, dict[str, tuple[EpochRange, ...]]] = {}
        for hour, edge_id, epoch, first, last, batches, events in self._with_hours(
            "hour_evidence", partition, hours
        ):
            edges = found.setdefault(hour, {})
            edges[edge_id] = (
                *edges.get(edge_id, ()),
                EpochRange(
                    epoch=epoch,
                    first_sequence=first,
                    last_sequence=last,
                    batches=batches,
                    events=events,
                ),
            )
        return found

    def _with_hours(self, name: str, partition: str, hours: pa.Table) -> list[tuple[Any, ...]]:
        self.store.connection.register("closing_hours", hours)
        try:
            return self.store.read(name, partition=partition)
        finally:
            self.store.connection.unregister("closing_hours")

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
            sidecars = checkpoint_sidecars.write(self.home, transaction.connection, state, around)
            head = Head(
                partition=partition,
                generation=state.generation,
                number=around.checkpoint,
                written_at=evidence.time_text(around.now_ms),
                pending=tuple(pending),
                sidecars=tuple(sidecars),
                message_files=tuple(self._message_files(transaction, partition, around)),
            )
            try:
                checkpoint.write(path, head, _tables(transaction.connection, partition))
            except FileExistsError as error:
                raise fenced(partition, state.generation) from error
            crash_point("after_checkpoint")
            publish(self.home, head)
            crash_point("after_certificates")
        checkpoint.prune(self.home, partition, [one.file for one in sidecars])

    def _message_files(self, transaction: Transaction, partition: str, around: Round) -> list[str]:
        """Files with the ids of single messages, where this worker takes such."""
        if self.messages is None:
            return []
        place = checkpoint.folder(self.home, partition)
        return self.messages.export(transaction.connection, partition, place, around.now_ms)

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
        hours = {"closing_hours": _hours_table(closings)}
        transaction.run_with("keep_hours", hours, partition=partition)
        for table in ("usage", "hour_batches", "unproven", "hours"):
            transaction.run_with(f"drop_written_{table}", hours, partition=partition)
        closed_now = _closed_rows(closings, [one.requests for one in pending], around.now_ms)
        transaction.run_with("add_hours", {"closed_now": closed_now}, partition=partition)
        if state.flush_no != state.checkpoint_flush_no:
            # Else nothing came since the checkpoint before, whose round compacted what is left.
            transaction.run("compact_usage", partition=partition)
            transaction.run("forget/usage", partition=partition)
            transaction.run("put_compacted")
        moved = transaction.run(
            "advance_certificates",
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


def prepare(home: Path, pending: list[Pending]) -> None:
    """Write the certificates of a round under hidden names and make them and the data durable."""
    written: list[Path] = []
    for one in pending:
        hidden = _prepared_certificate(home, one)
        hidden.write_bytes(one.text.encode())
        written.extend((home / one.prepared, hidden))
    make_durable(written)


def publish(home: Path, head: Head) -> None:
    """Give the files of a round their names. Safe to repeat, in whatever state a crash left them.

    Raises Fenced when a name is taken by other content: another worker closed that hour.
    """
    for one in head.pending:
        data, certificate = home / one.data, home / one.certificate
        if not _named(home / one.prepared, data) and sha256_file(data) != one.data_sha256:
            raise fenced(head.partition, head.generation)
        fresh = _named(_prepared_certificate(home, one), certificate)
        if not fresh and certificate.read_bytes() != one.text.encode():
            raise fenced(head.partition, head.generation)
        crash_point("after_certificate")
    make_durable([], folders={(home / one.data).parent for one in head.pending})
    for one in head.pending:
        (home / one.prepared).unlink(missing_ok=True)
        _prepared_certificate(home, one).unlink(missing_ok=True)


def _named(hidden: Path, name: Path) -> bool:
    """Link a prepared file to its name; False when the name exists, for the caller to compare."""
    try:
        os.link(hidden, name)
    except FileExistsError:
        return False
    except FileNotFoundError:
        if not name.exists():
            raise Corrupt(
                f"{name} is named by its checkpoint and exists no more",
                "restore the closed folder from its backup",
            ) from None
        return False
    return True


def _prepared_certificate(home: Path, one: Pending) -> Path:
    """Where a certificate is prepared, beside its data."""
    return home / f"{one.prepared}.certificate"


def hidden_path(file: ClosedFile, generation: int) -> Path:
    """Where a data file is prepared: hidden, and never shared by two workers."""
    return file.data_path.with_name(f".{file.data_path.name}.g{generation}")


def _tables(
    connection: duckdb.DuckDBPyConnection, partition: str
) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Each table of the store, the rows of one partition."""
    for name in TABLES:
        yield name, checkpoint_sidecars.rows_of(connection, name, partition)


def _finish(file: UsageFile) -> Written:
    """Close a data file; it is durable after `prepare`."""
    file.close()
    return Written(
        sha256=file.sha256,
        rows=file.rows,
        requests=file.requests,
        bytes_sent=file.bytes_sent,
    )


def _hours_table(closings: tuple[Closing, ...]) -> pa.Table:
    hours = [one.hour_ms for one in closings]
    stamps = pa.array([evidence.time_of(hour).replace(tzinfo=None) for hour in hours])
    return pa.table(
        {"hour_ms": pa.array(hours, type=pa.int64()), "hour": stamps.cast(pa.timestamp("us"))}
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
