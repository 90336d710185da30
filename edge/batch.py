"""The batch: what one edge sends at once, as a header and as columns. Nouns and exact sums only.

A batch is known by (edge_id, epoch, sequence). Its events are held in columns, never one by one:

    EventColumns    plain columns, in any order of time: what producers build
    PackedEvents    what travels: sorted by time, narrow; what metering counts from
    CounterColumns  counts per (5 minutes, domain, class): what is left when a disk is full

`outcome` packs everything of an event that is neither time, domain nor bytes: status, carrier
(scheme and transport) and cache. A batch has few distinct ones: one byte of index an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from edge.event import BUCKET_MS

Array = npt.NDArray[Any]
Kind = Literal["events", "counters", "heartbeat"]

EVENTS_MAX: Final = 65_536
"""Most events (or counter rows) in one batch (FAULTS 5.2)."""

CARRIERS: Final = (("http", "tcp"), ("https", "tcp"), ("https", "quic"), ("http", "quic"))
"""(scheme, transport) by carrier code."""

CLASS_OF_CARRIER: Final = np.array([0, 1, 2, 2], dtype=np.uint8)
"""Class code (edge.event.CLASSES) by carrier code."""

_CARRIER_SHIFT: Final = 10
_CACHE_SHIFT: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePosition:
    """How far one source (a log file, an imported file) has been read into batches.

    `source` is the name the reader knows it by, unique in a spool. `generation` counts the lives of
    that name (copytruncate and inode reuse begin a new one). `offset` is in bytes of the source.
    `fingerprint` is of its content, `detail` is the reader's own text.
    """

    source: str
    offset: int
    generation: int = 0
    fingerprint: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """What is known of a batch without opening its payload.

    Times are UTC ms; `first_time_ms` and `last_time_ms` are 0 when there are no events.
    `watermark_ms` is the edge's promise that no later batch holds an earlier event. `sources` are
    the positions this batch moves on to. `previous_epoch` is (epoch, its last sequence) in the
    first batch of an epoch that follows another, else None. `requests` is what the batch counts
    for: the events, or the sum of a counters batch. `payload_size` is compressed, `raw_size` not.
    """

    version: int
    kind: Kind
    edge_id: str
    region: str
    epoch: int
    sequence: int
    events: int
    requests: int
    first_time_ms: int
    last_time_ms: int
    watermark_ms: int
    payload_sha256: str
    payload_size: int
    raw_size: int
    sources: tuple[SourcePosition, ...] = ()
    previous_epoch: tuple[int, int] | None = None
    key_id: str | None = None
    signature: bytes | None = None

    @property
    def identity(self) -> tuple[str, int, int]:
        """(edge_id, epoch, sequence): what deduplication goes by."""
        return self.edge_id, self.epoch, self.sequence


def pack_outcome(status: Array, carrier: Array, cache: Array) -> Array:
    """Status 0 to 599, carrier code and cache code as one uint16 each event."""
    packed = status.astype(np.uint16)
    packed |= carrier.astype(np.uint16) << np.uint16(_CARRIER_SHIFT)
    packed |= cache.astype(np.uint16) << np.uint16(_CACHE_SHIFT)
    return packed


def unpack_outcome(packed: Array) -> tuple[Array, Array, Array]:
    """(status uint16, carrier code uint8, cache code uint8) of packed outcomes."""
    status = packed & np.uint16((1 << _CARRIER_SHIFT) - 1)
    carrier = ((packed >> np.uint16(_CARRIER_SHIFT)) & np.uint16(3)).astype(np.uint8)
    cache = (packed >> np.uint16(_CACHE_SHIFT)).astype(np.uint8)
    return status, carrier, cache


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumns:
    """Events as plain columns, in any order.

    `domains` is the dictionary of canonical names ("" for unattributable), `domain_index` points
    into it. `time_ms` int64 UTC, `carrier` uint8 (CARRIERS), `status` uint16, `cache` uint8
    (edge.event.CACHES), `bytes_sent` int64. `event_ids` is a list of texts or None.
    """

    domains: tuple[str, ...]
    domain_index: Array
    time_ms: Array
    carrier: Array
    status: Array
    cache: Array
    bytes_sent: Array
    event_ids: Sequence[str | None] | None = None

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def class_code(self) -> Array:
        """Billing class code of each event (edge.event.CLASSES)."""
        return CLASS_OF_CARRIER[self.carrier]

    @property
    def status_class(self) -> Array:
        """First digit of the status of each event, 0 to 5."""
        return (self.status // np.uint16(100)).astype(np.uint8)

    def slice(self, start: int, stop: int) -> EventColumns:
        """Events start to stop (exclusive), with the whole dictionary."""
        cut = slice(start, stop)
        return EventColumns(
            domains=self.domains,
            domain_index=self.domain_index[cut],
            time_ms=self.time_ms[cut],
            carrier=self.carrier[cut],
            status=self.status[cut],
            cache=self.cache[cut],
            bytes_sent=self.bytes_sent[cut],
            event_ids=None if self.event_ids is None else self.event_ids[cut],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedEvents:
    """Events as they travel: sorted by time, each column as narrow as its values.

    `domain_array` is the Arrow array of names, `domains` its Python form (built at each call).
    `time_step` is the difference to the event before (the first to `first_time_ms`), unsigned.
    `outcome_index` points into `outcomes` (uint16, see pack_outcome). `bytes_sent` is uint8 to
    uint64, little endian. Columns may share memory with the decoded batch: do not write to them.
    """

    domain_array: Any
    domain_index: Array
    first_time_ms: int
    last_time_ms: int
    time_step: Array
    outcome_index: Array
    outcomes: Array
    bytes_sent: Array
    event_id_array: Any = field(default=None)

    def __len__(self) -> int:
        return len(self.domain_index)

    @property
    def domains(self) -> tuple[str, ...]:
        """The dictionary of names, "" for unattributable."""
        return tuple(self.domain_array.to_pylist())

    @property
    def time_ms(self) -> Array:
        """UTC ms of each event, int64, rising; worked out at each call."""
        return np.cumsum(self.time_step, dtype=np.int64) + self.first_time_ms

    def starting(self, first_time_ms: int) -> PackedEvents:
        """The same events, all later by `first_time_ms`."""
        last = self.last_time_ms + first_time_ms
        return replace(self, first_time_ms=self.first_time_ms + first_time_ms, last_time_ms=last)

    def unpack(self) -> EventColumns:
        """The same events as plain columns, in order of time."""
        status, carrier, cache = unpack_outcome(self.outcomes)
        ids = None if self.event_id_array is None else self.event_id_array.to_pylist()
        return EventColumns(
            domains=self.domains,
            domain_index=self.domain_index.astype(np.int32),
            time_ms=self.time_ms,
            carrier=carrier[self.outcome_index],
            status=status[self.outcome_index],
            cache=cache[self.outcome_index],
            bytes_sent=self.bytes_sent.astype(np.int64),
            event_ids=ids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterColumns:
    """Exact counts per (5-minute bucket, domain, class); one row per key, keys ascending.

    `bucket_ms` is the start of the bucket, UTC ms. `requests`, `bytes_sent`, `cache_hits` int64.
    `status_requests` is int64 of shape (rows, 6): requests by first digit of the status, 0 to 5.
    """

    domains: tuple[str, ...]
    bucket_ms: Array
    domain_index: Array
    class_code: Array
    requests: Array
    bytes_sent: Array
    status_requests: Array
    cache_hits: Array

    def __len__(self) -> int:
        return len(self.bucket_ms)


def exact_sums(key: Array, values: Array, size: int) -> Array:
    """Sum of `values` (unsigned, below 2^50) for each key below `size`, exact, as int64.

    bincount adds in float64, which is exact as long as no sum passes 2^53: so where the largest
    possible sum does, the values are added in two halves of 26 bits.
    """
    if len(values) == 0:
        return np.zeros(size, dtype=np.int64)
    if int(values.max()) * len(values) < 1 << 53:
        return np.bincount(key, weights=values, minlength=size).astype(np.int64)
    wide = values.astype(np.int64)
    low = np.bincount(key, weights=wide & ((1 << 26) - 1), minlength=size).astype(np.int64)
    high = np.bincount(key, weights=wide >> 26, minlength=size).astype(np.int64)
    return (high << 26) + low


def totals(events: PackedEvents) -> CounterColumns:
    """The exact counts of `events` per (5-minute bucket, domain, class), never event by event.

    Events are sorted by time, so each bucket is one stretch of the columns; counting is by the
    narrow codes of domain and outcome.
    """
    domain_count, outcome_count = len(events.domain_array), len(events.outcomes)
    buckets, bucket_of = _buckets(events)
    key = events.domain_index.astype(np.int64)
    key *= outcome_count
    key += events.outcome_index
    if bucket_of is not None:
        key += bucket_of * (domain_count * outcome_count)
    size = len(buckets) * domain_count * outcome_count
    if size <= 8 * len(key) + EVENTS_MAX:
        counted = np.bincount(key, minlength=size)
        cells = np.flatnonzero(counted)
        requests = counted[cells]
        bytes_sent = exact_sums(key, events.bytes_sent, size)[cells]
    else:
        cells, place, requests = np.unique(key, return_inverse=True, return_counts=True)
        bytes_sent = exact_sums(place, events.bytes_sent, len(cells))
    return _fold(events, buckets, (cells, requests.astype(np.int64), bytes_sent))


def _buckets(events: PackedEvents) -> tuple[Array, Array | None]:
    """(start of each bucket that holds events, number of the bucket of each event; None: one)."""
    first = events.first_time_ms // BUCKET_MS
    if first == events.last_time_ms // BUCKET_MS:
        return np.array([first * BUCKET_MS], dtype=np.int64), None
    number = events.time_ms // BUCKET_MS
    new = np.empty(len(number), dtype=np.bool_)
    new[0] = True
    np.not_equal(number[1:], number[:-1], out=new[1:])
    return number[new] * BUCKET_MS, np.cumsum(new) - 1


def _fold(
    events: PackedEvents, buckets: Array, cells: tuple[Array, Array, Array]
) -> CounterColumns:
    """Counts per (bucket, domain, outcome) cell folded to rows per (bucket, domain, class)."""
    cell, requests, bytes_sent = cells
    status, carrier, cache = unpack_outcome(events.outcomes)
    place, outcome = np.divmod(cell, max(len(events.outcomes), 1))
    row_key = place * 3 + CLASS_OF_CARRIER[carrier][outcome]
    rows, row = np.unique(row_key, return_inverse=True)
    count = len(rows)
    by_status = exact_sums(row * 6 + status[outcome] // 100, requests, count * 6)
    bucket, domain = np.divmod(rows // 3, max(len(events.domain_array), 1))
    return CounterColumns(
        domains=events.domains,
        bucket_ms=buckets[bucket],
        domain_index=domain.astype(np.int32),
        class_code=(rows % 3).astype(np.uint8),
        requests=exact_sums(row, requests, count),
        bytes_sent=_whole_sums(row, bytes_sent, count),
        status_requests=by_status.reshape(count, 6),
        cache_hits=exact_sums(row, np.where(cache[outcome] == 1, requests, 0), count),
    )


def _whole_sums(row: Array, values: Array, count: int) -> Array:
    """Sum of int64 `values` by row, in integers: cells may hold sums far above 2^50."""
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, row, values)
    return sums
