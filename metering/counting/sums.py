"""Running sums of one flush: events of usual batches, added up in place, never as rows of a batch.

Most batches lie in one or two buckets and name a few hundred domains. Their events wait together, a
cell and a byte count each, until there are many: then one bincount adds them to a small dense table
per (bucket, region), requests and bytes at once. What a flush hands to DuckDB is one row per key,
however many batches there were. Other batches go as rows (edge.batch).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge.batch.records import (
    EVENTS_MAX,
    GROUPS,
    GROUPS_OF_CLASS,
    Array,
    PackedEvents,
    exact_sums,
    group_codes,
)
from edge.event import BUCKET_MS, STATUS_CLASSES

NAMES_MAX: Final = 1024
"""Names by id that have a place in the tables; a batch with any other goes as rows."""

TABLES_MAX: Final = 48
"""Tables of one flush. Each holds at most 600 KB."""

BUCKETS_MAX: Final = 4
"""A batch that reaches over more buckets goes as rows."""

TOGETHER: Final = 262_144
"""So many events wait at most, of all tables, at eight or twelve bytes each."""

_BYTES_END: Final = 1 << 62
"""No sum in a table can reach this: 64 bits never wrap."""


@dataclass(slots=True)
class _Table:
    """Requests and bytes of one (bucket, region), by name id and group; and events that wait."""

    requests: Array
    bytes_sent: Array
    seen: Array
    waiting: list[tuple[Array, Array]] = field(default_factory=list)

    @classmethod
    def of(cls, names: int) -> _Table:
        return cls(
            requests=np.zeros(names * GROUPS, dtype=np.int64),
            bytes_sent=np.zeros(names * GROUPS, dtype=np.int64),
            seen=np.zeros(names, dtype=np.bool_),
        )

    def grow(self, names: int) -> None:
        more = _Table.of(names)
        cells, held = len(self.requests), len(self.seen)
        more.requests[:cells] = self.requests
        more.bytes_sent[:cells] = self.bytes_sent
        more.seen[:held] = self.seen
        self.requests, self.bytes_sent, self.seen = more.requests, more.bytes_sent, more.seen

    def add_waiting(self) -> None:
        """Add the events that wait."""
        if not self.waiting:
            return
        requests, bytes_sent = counted(
            [cells for cells, _ in self.waiting],
            [sizes for _, sizes in self.waiting],
            len(self.requests),
        )
        self.requests += requests
        self.bytes_sent += bytes_sent
        self.waiting.clear()


def counted(parts: list[Array], sizes: list[Array], end: int) -> tuple[Array, Array]:
    """(events, sum of sizes) of each cell below `end`, exact; both in parts, `sizes` are unsigned.

    Both in one pass: each size is added with one event on top of it, above all that the sizes can
    sum to, as long as float64, in which bincount adds, holds every whole number so far (2^53).
    """
    total = sum(int(part.sum(dtype=np.uint64)) for part in sizes)
    count = sum(map(len, parts))
    above = total.bit_length()
    cells, weights = _room(count)
    np.concatenate(parts, out=cells)
    if above + count.bit_length() > 53:
        values = np.concatenate([part.astype(np.uint64) for part in sizes])
        return np.bincount(cells, minlength=end), exact_sums(cells, values, end)
    np.concatenate(sizes, out=weights, casting="unsafe")
    weights += float(1 << above)
    sums = np.bincount(cells, weights=weights, minlength=end).astype(np.int64)
    return sums >> above, sums & ((1 << above) - 1)


class _Room(threading.local):
    """Memory for what is added up at once: fresh memory costs as much as the adding up."""

    def __init__(self) -> None:
        self.cells = np.empty(0, dtype=np.int64)
        self.weights = np.empty(0, dtype=np.float64)


_rooms: Final = _Room()


def _room(count: int) -> tuple[Array, Array]:
    """(`count` cells, as many weights) to write to, until they are asked for again."""
    if len(_rooms.cells) < count:
        _rooms.cells = np.empty(count + EVENTS_MAX, dtype=np.int64)
        _rooms.weights = np.empty(count + EVENTS_MAX, dtype=np.float64)
    return _rooms.cells[:count], _rooms.weights[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Counted rows of one (bucket, region): columns as COUNTS of metering.flush has them."""

    bucket_ms: int
    region: str
    name: Array
    class_code: Array
    counts: Array


@dataclass(slots=True)
class Sums:
    """What was added since the last flush. `names_seen`: (bucket, region, name) triples so far."""

    names_seen: int = 0
    _bytes_most: int = 0
    _waiting: int = 0
    _tables: dict[tuple[int, str], _Table] = field(default_factory=dict)

    @property
    def crowded(self) -> bool:
        """Whether batches of other times or regions may soon find no table."""
        return len(self._tables) > TABLES_MAX // 2

    def add(self, events: PackedEvents, ids: Array, region: str) -> list[tuple[int, int]] | None:
        """Add a batch whose names have these ids; gives (bucket ms, events) of each bucket.

        None: it does not fit these tables, and nothing was added.
        """
        spans = bucket_spans(events)
        if len(spans) > BUCKETS_MAX or int(ids.max()) >= NAMES_MAX:
            return None
        new = sum((bucket_ms, region) not in self._tables for bucket_ms, _, _ in spans)
        if len(self._tables) + new > TABLES_MAX:
            return None
        most = self._bytes_most + int(events.bytes_sent.max()) * len(events)
        if most >= _BYTES_END:
            return None
        self._bytes_most = most
        codes = group_codes(events.outcomes.tobytes())
        cell: Array = (ids * np.int32(GROUPS)).take(events.domain_index)
        cell += codes.take(events.outcome_index)
        sizes = events.bytes_sent
        if sizes.dtype == np.uint8:  # it would hold the memory of the whole batch
            sizes = sizes.astype(np.uint16)
        for bucket_ms, start, stop in spans:
            table = self._table(bucket_ms, region, ids)
            table.waiting.append((cell[start:stop], sizes[start:stop]))
        self._waiting += len(events)
        if self._waiting >= TOGETHER:
            self._add_waiting()
        return [(bucket_ms, stop - start) for bucket_ms, start, stop in spans]

    def _add_waiting(self) -> None:
        for table in self._tables.values():
            table.add_waiting()
        self._waiting = 0

    def _table(self, bucket_ms: int, region: str, ids: Array) -> _Table:
        """The table of a bucket and region, with room for these names, noting which are new."""
        wanted = int(ids.max()) + 1
        size = min(NAMES_MAX, 1 << (wanted - 1).bit_length())
        table = self._tables.get((bucket_ms, region))
        if table is None:
            table = self._tables[bucket_ms, region] = _Table.of(size)
        elif len(table.seen) < wanted:
            table.grow(size)
        self.names_seen += len(ids) - int(np.count_nonzero(table.seen[ids]))
        table.seen[ids] = True
        return table

    def rows(self) -> Iterator[Rows]:
        """One row per (bucket, region, name, class) that has requests."""
        self._add_waiting()
        for (bucket_ms, region), table in self._tables.items():
            requests = table.requests.reshape(-1, len(STATUS_CLASSES), 2)
            total = requests.sum(axis=(1, 2))
            held = np.flatnonzero(total)
            kept = requests[held]
            yield Rows(
                bucket_ms=bucket_ms,
                region=region,
                name=held // 3,
                class_code=(held % 3).astype(np.int8),
                counts=np.column_stack(
                    (
                        total[held],
                        table.bytes_sent.reshape(-1, GROUPS_OF_CLASS)[held].sum(axis=1),
                        kept.sum(axis=2),
                        kept[:, :, 1].sum(axis=1),
                    )
                ),
            )


def bucket_spans(events: PackedEvents) -> list[tuple[int, int, int]]:
    """(bucket ms, first event, end) of each bucket that holds events, in order of time."""
    first = events.first_time_ms // BUCKET_MS
    last = events.last_time_ms // BUCKET_MS
    if first == last:
        return [(first * BUCKET_MS, 0, len(events))]
    if last - first > BUCKETS_MAX:
        # Long gaps are possible: as many spans as would be refused, without walking them.
        return [(0, 0, 0)] * (BUCKETS_MAX + 1)
    passed = np.cumsum(events.time_step, dtype=np.int64)
    edges = np.arange(first + 1, last + 1, dtype=np.int64) * BUCKET_MS - events.first_time_ms
    cuts = [0, *np.searchsorted(passed, edges, side="left").tolist(), len(events)]
    spans = [(int(first + i) * BUCKET_MS, cuts[i], cuts[i + 1]) for i in range(len(cuts) - 1)]
    return [span for span in spans if span[1] < span[2]]
