"""What one transaction is going to store of one partition: counted rows, progress, quarantine.

A Flush is filled by the intake (batches) or by the JSON intake, then written by the store. The
three ends of an event add up before anything is written: read = accepted + duplicate + quarantined.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa

from edge.batch.records import Array, BatchHeader, CounterColumns, PackedEvents, totals
from edge.errors import Corrupt
from edge.event import CLASSES
from edge.reasons import Reason
from metering.counting.records import COUNTS, Digest, Tally, Windowed
from metering.counting.sums import Sums
from metering.hour import HOUR_MS, hour_of
from metering.sources.source import Covered, SourceBatch

NAMES_KEPT = 262_144
TOGETHER_ROWS = 300_000
HELD_AS_ROWS = 4
"""A JSON event in memory weighs as much as so many rows."""


class Names(dict[str, int]):
    """Ids of names, given at first sight. Bounded by `fresh()`: random names cannot fill memory."""

    def __init__(self) -> None:
        super().__init__()
        self._count = itertools.count()
        self._array: pa.StringArray | None = None

    def __missing__(self, name: str) -> int:
        self[name] = number = next(self._count)
        return number

    def ids(self, names: Sequence[str]) -> Array:
        """The id of each name, int32."""
        return np.fromiter(map(self.__getitem__, names), dtype=np.int32, count=len(names))

    def array(self) -> pa.StringArray:
        """All names in order of their ids."""
        if self._array is None or len(self._array) != len(self):
            self._array = pa.array(self.keys(), type=pa.string())
        return self._array

    @property
    def many(self) -> bool:
        """Whether there are too many to keep."""
        return len(self) >= NAMES_KEPT

    def fresh(self) -> Names:
        """These names, or an empty set of them once there are too many to keep."""
        return Names() if self.many else self


@dataclass(slots=True)
class Flush:
    """The content of one transaction."""

    partition: str
    names: Names
    batches: Tally = field(default_factory=Tally)
    events: Tally = field(default_factory=Tally)
    positions: dict[str, Covered] = field(default_factory=dict)
    rejects: dict[tuple[Reason, str], list[int]] = field(default_factory=dict)
    touched: dict[tuple[int, str, int], list[int]] = field(default_factory=dict)
    unproven: set[tuple[int, str]] = field(default_factory=set)
    digests: list[Digest] = field(default_factory=list)
    changed_edges: set[str] = field(default_factory=set)
    rows_written: int = 0
    held: int = 0
    """JSON events that wait in memory, one by one, to be counted."""
    newest_ms: int = 0
    """The latest time, UTC ms, that anything accepted speaks of."""
    _rows: int = 0
    _sums: Sums = field(default_factory=Sums)
    _parts: list[tuple[Array, Array, Array, str]] = field(default_factory=list)
    _counts: list[Array] = field(default_factory=list)
    _counted: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store."""
        return not self.positions and self.batches.read == 0

    @property
    def rows(self) -> int:
        """About how many rows are held; exact when written, as `rows_written`."""
        return self._rows + self._sums.names_seen + HELD_AS_ROWS * self.held

    @property
    def crowded(self) -> bool:
        """Whether counting on would soon cost more than a transaction does."""
        return self._sums.crowded

    def count_events(self, events: PackedEvents, header: BatchHeader) -> None:
        """Add the events of one batch: they are accepted."""
        ids = self.names.ids(events.domains)
        added = self._sums.add(events, ids, header.region)
        if added is None:
            self.count_rows(totals(events), header)
            return
        self.events.accepted += len(events)
        self._counted += len(events)
        hours: dict[int, int] = {}
        for bucket_ms, requests in added:
            hour = hour_of(bucket_ms)
            hours[hour] = hours.get(hour, 0) + requests
        self._touch(hours.items(), header)

    def count_rows(self, counters: CounterColumns, header: BatchHeader) -> None:
        """Add the rows of one batch: their requests are accepted events."""
        self.count(counters, header.region)
        if len(counters):
            hours = counters.bucket_ms // HOUR_MS * HOUR_MS
            found, place = np.unique(hours, return_inverse=True)
            sums = np.zeros(len(found), dtype=np.int64)
            np.add.at(sums, place, counters.requests)
            self._touch(zip(found.tolist(), sums.tolist(), strict=True), header)

    def count(self, counters: CounterColumns, region: str) -> None:
        """Add counted rows of one batch: its requests are accepted events."""
        if not len(counters):
            return
        names = self.names.ids(counters.domains)
        self._parts.append(
            (
                counters.bucket_ms,
                names[counters.domain_index],
                counters.class_code.astype(np.int8),
                region,
            )
        )
        self._counts.append(
            np.column_stack(
                (
                    counters.requests,
                    counters.bytes_sent,
                    counters.status_requests,
                    counters.cache_hits,
                )
            )
        )
        requests = int(counters.requests.sum())
        self.events.accepted += requests
        self._counted += requests
        self._rows += len(counters)

    def _touch(self, sums: Iterable[tuple[int, int]], header: BatchHeader) -> None:
        """Note which hours hold events of this batch, for their certificates."""
        edge_id, epoch, sequence = header.identity
        for hour, events in sums:
            known = self.touched.get((hour, edge_id, epoch))
            if known is None:
                self.touched[hour, edge_id, epoch] = [sequence, sequence, 1, events]
            else:
                known[0] = min(known[0], sequence)
                known[1] = max(known[1], sequence)
                known[2] += 1
                known[3] += events

    def reject(
        self, reason: Reason, source: str, *, events: int, first_ms: int, last_ms: int
    ) -> None:
        """Count `events` records as quarantined; the caller keeps what bytes it has."""
        known = self.rejects.get((reason, source))
        if known is None:
            self.rejects[reason, source] = [events, first_ms, last_ms]
        else:
            known[0] += events
            known[1] = min(known[1], first_ms)
            known[2] = max(known[2], last_ms)
        self.events.quarantined += events

    def check(self) -> None:
        """Every batch and event read has ended one way."""
        if not (self.batches.adds_up and self.events.adds_up):
            raise self._wrong(f"batches {self.batches}, events {self.events}")

    def _wrong(self, what: str) -> Corrupt:
        return Corrupt(
            f"partition {self.partition}: what was read does not add up ({what})",
            "nothing was stored; this is a fault of edgetoll, please report it",
        )

    def usage(self) -> pa.Table:
        """The counted rows, as the statement add_usage reads them; checked against what was read.

        One row a key. Raises Corrupt when they do not hold as many requests as were accepted, or
        sum to more than 64 bits bear.
        """
        repeated = bool(self._parts)  # only the sums hold each key once
        for rows in self._sums.rows():
            bucket = np.full(len(rows.name), rows.bucket_ms, dtype=np.int64)
            self._parts.append((bucket, rows.name, rows.class_code, rows.region))
            self._counts.append(rows.counts)
        self._sums = Sums()
        stored, sent = (sum(int(part[:, place].sum()) for part in self._counts) for place in (0, 1))
        refuse_endless(max(stored, sent))
        if stored != self._counted:
            raise self._wrong(f"rows hold {stored} of {self._counted}")
        regions = sorted({part[3] for part in self._parts})
        region_of = {region: number for number, region in enumerate(regions)}
        region = [np.full(len(part[0]), region_of[part[3]], np.int32) for part in self._parts]
        bucket, name, class_code = (
            _whole([part[0] for part in self._parts]),
            _whole([part[1] for part in self._parts]),
            _whole([part[2] for part in self._parts]),
        )
        keys = [bucket, name, class_code, _whole(region)]
        counts = [_whole([part[:, place] for part in self._counts]) for place in range(len(COUNTS))]
        if repeated:
            keys, counts = _added_up(keys, counts)
        self.rows_written = self._rows = len(keys[0])
        return _usage_table(keys, counts, regions, self.names.array())


def refuse_endless(total: int) -> None:
    """Raise Corrupt when a sum of what was read is more than 64 bits bear: numpy would wrap it."""
    if total >= 1 << 63:
        raise Corrupt(
            f"what was read claims {total} requests or bytes sent, more than 64 bits bear",
            "see which edge or source claims so much, and let it report no longer",
        )


def _whole(parts: list[Array]) -> Array:
    """The parts of a column as one."""
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _added_up(keys: list[Array], counts: list[Array]) -> tuple[list[Array], list[Array]]:
    """The rows of each key as one."""
    order = np.lexsort(keys)
    new = np.zeros(len(order), dtype=np.bool_)
    new[:1] = True
    for column in keys:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    first = order[starts]
    return (
        [column[first] for column in keys],
        [np.add.reduceat(column[order], starts) for column in counts],
    )


def _usage_table(
    keys: list[Array], counts: list[Array], regions: list[str], names: pa.StringArray
) -> pa.Table:
    """Counted rows as Arrow: text by dictionary, counts as int64."""
    bucket, name, class_code, region = keys
    table = {
        "bucket_ms": pa.array(bucket, type=pa.int64()),
        "domain": _texts(name, names),
        "region": _texts(region, pa.array(regions, type=pa.string())),
        "class": _texts(class_code, pa.array(CLASSES, type=pa.string())),
    }
    for column, values in zip(COUNTS, counts, strict=True):
        table[column] = pa.array(np.ascontiguousarray(values), type=pa.int64())
    return pa.table(table)


def _texts(codes: Array, dictionary: pa.StringArray) -> pa.DictionaryArray[Any, Any]:
    """Text by dictionary."""
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), dictionary)


def usage_tables(flushes: Sequence[Flush]) -> Iterator[pa.Table]:
    """The counted rows of some flushes with their partition, put together to few tables.

    A statement costs as much as ten thousand rows; a table much longer than TOGETHER_ROWS would
    only cost memory.
    """
    waiting: list[pa.Table] = []
    rows = 0
    for flush in flushes:
        if not flush.rows:
            continue
        usage = flush.usage()
        owner = _texts(np.zeros(len(usage), np.int32), pa.array([flush.partition]))
        waiting.append(usage.add_column(0, "partition", owner))
        rows += len(usage)
        if rows >= TOGETHER_ROWS:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


class MessageIntake(Protocol):
    """Takes units of single messages (SourceBatch.messages), with tables of their ids."""

    @property
    def windows(self) -> tuple[Windowed, ...]:
        """The tables of ids that a checkpoint has to cover."""
        ...

    def take(self, flush: Flush, batch: SourceBatch, now_ms: int) -> None:
        """Parse and hold the messages; sets the flush's positions and what was read."""
        ...

    def settle(
        self,
        flushes: Sequence[tuple[Flush, int]],
        connection: duckdb.DuckDBPyConnection,
        now_ms: int,
    ) -> None:
        """Decide duplicates by the ids `connection` knows; count the rest. Before Flush.check.

        `flushes` are all of a transaction, each with the number it will have.
        """
        ...
