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
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from edge.event import BUCKET_MS, CLASSES, STATUS_CLASSES, Scheme, Transport, billing_class

Array = npt.NDArray[Any]
Kind = Literal["events", "counters", "heartbeat"]

EVENTS_MAX: Final = 65_536
"""Most events (or counter rows) in one batch (FAULTS 5.2)."""

CARRIERS: Final[tuple[tuple[Scheme, Transport], ...]] = (
    ("http", "tcp"),
    ("https", "tcp"),
    ("https", "quic"),
    ("http", "quic"),
)
"""(scheme, transport) by carrier code."""

CARRIER_CODE: Final = {pair: code for code, pair in enumerate(CARRIERS)}
"""Carrier code by (scheme, transport)."""

CLASS_OF_CARRIER: Final = np.array(
    [CLASSES.index(billing_class(scheme, transport)) for scheme, transport in CARRIERS],
    dtype=np.uint8,
)
"""Class code (edge.event.CLASSES) by carrier code, as `billing_class` decides."""

_CARRIER_OF_ANSWERS: Final = np.array(
    [
        CARRIER_CODE["http", "tcp"],
        CARRIER_CODE["https", "tcp"],
        CARRIER_CODE["http", "quic"],
        CARRIER_CODE["https", "quic"],
    ],
    dtype=np.uint8,
)
"""Carrier code by (is quic, is https), as two binary digits."""

OUTCOMES_END: Final = 1 << 14
"""Packed outcomes are below this."""

STATUS_COLUMNS: Final = tuple(f"status_{name}" for name in STATUS_CLASSES)
"""Names of the columns that count requests by class of status, here and in every file."""

_STATUS_OTHER: Final = np.uint8(STATUS_CLASSES.index("other"))

GROUPS_OF_CLASS: Final = 2 * len(STATUS_CLASSES)
"""Groups of one billing class: class of status, hit or not."""
GROUPS: Final = len(CLASSES) * GROUPS_OF_CLASS
"""What an outcome matters by: billing class, class of status, hit or not (see group_codes)."""


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
    `held` says why the edge's promise stands still; blank when it does not.
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
    held: str = ""
    key_id: str | None = None
    signature: bytes | None = None

    @property
    def identity(self) -> tuple[str, int, int]:
        """(edge_id, epoch, sequence): what deduplication goes by."""
        return self.edge_id, self.epoch, self.sequence


def carrier_codes(https: Array, quic: Array) -> Array:
    """Carrier code of each event: whether its scheme is https, whether its transport is quic."""
    place: Array = quic.astype(np.uint8) * np.uint8(2) + https.astype(np.uint8)
    return _CARRIER_OF_ANSWERS.take(place)


def status_classes(status: Array) -> Array:
    """The place in STATUS_CLASSES of each status."""
    digit = (status // np.uint16(100)).astype(np.uint8)
    return np.minimum(digit, _STATUS_OTHER)


def pack_outcome(status: Array, carrier: Array, cache: Array) -> Array:
    """Carrier code, status 0 to 999 and cache code as one uint16 each event, in that order."""
    packed = carrier.astype(np.uint16)
    packed <<= np.uint16(10)
    packed |= status.astype(np.uint16, copy=False)
    packed <<= np.uint16(2)
    packed |= cache.astype(np.uint16)
    return packed


def unpack_outcome(packed: Array) -> tuple[Array, Array, Array]:
    """(status uint16, carrier code uint8, cache code uint8) of packed outcomes below 2^14."""
    status = (packed >> np.uint16(2)) & np.uint16(1023)
    carrier = (packed >> np.uint16(12)).astype(np.uint8)
    cache = (packed & np.uint16(3)).astype(np.uint8)
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
        """Class of the status of each event: its place in STATUS_CLASSES."""
        return status_classes(self.status)

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

    `domains` is the dictionary of names ("" for unattributable), most frequent first when packed
    here. `time_step` is the unsigned difference to the event before (the first to `first_time_ms`).
    `outcome_index` points into `outcomes` (uint16, see pack_outcome). `bytes_sent` is uint8 to
    uint64. Columns may share memory with the decoded batch: do not write to them.
    """

    domains: tuple[str, ...]
    domain_index: Array
    first_time_ms: int
    last_time_ms: int
    time_step: Array
    outcome_index: Array
    outcomes: Array
    bytes_sent: Array
    event_ids: pa.StringArray | None = None
    """An Arrow array of texts, or None."""

    def __len__(self) -> int:
        return len(self.domain_index)

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
        ids = None if self.event_ids is None else self.event_ids.to_pylist()
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
    `status_requests` is int64 of shape (rows, 7): requests by class of status (STATUS_CLASSES).
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

    An outcome matters here only by its group: class, first digit of the status, hit or not. There
    are few groups, so one bincount over (bucket, domain, group) holds everything there is to know.
    """
    groups, group_of = _groups(events.outcomes.tobytes())
    buckets, bucket_of = _buckets(events)
    domain_count, group_count = len(events.domains), len(groups)
    key = events.domain_index.astype(np.int64)
    key *= group_count
    key += group_of.take(events.outcome_index)
    if bucket_of is not None:
        key += bucket_of * (domain_count * group_count)
    size = len(buckets) * domain_count * group_count
    if size <= 4 * len(key) + EVENTS_MAX:
        counted = np.bincount(key, minlength=size)
        cells = np.flatnonzero(counted != 0)
        requests = counted.take(cells)
        bytes_sent = exact_sums(key, events.bytes_sent, size).take(cells)
    else:
        cells, place, requests = np.unique(key, return_inverse=True, return_counts=True)
        bytes_sent = exact_sums(place, events.bytes_sent, len(cells))
    place, group = np.divmod(cells, group_count)
    return _fold(events.domains, buckets, place, (groups.take(group), requests, bytes_sent))


@lru_cache(maxsize=256)
def _groups(outcomes: bytes) -> tuple[Array, Array]:
    """(codes that occur, place of each outcome in them); a code is class, status digit, hit."""
    codes = group_codes(outcomes).astype(np.int64)
    found: tuple[Array, Array] = np.unique(codes, return_inverse=True)
    return found


@lru_cache(maxsize=256)
def group_codes(outcomes: bytes) -> Array:
    """The group of each packed outcome: 14 x billing class + 2 x class of status + hit."""
    status, carrier, cache = unpack_outcome(np.frombuffer(outcomes, dtype=np.uint16))
    digit = status_classes(status)
    codes: Array = CLASS_OF_CARRIER[carrier] * np.uint8(GROUPS_OF_CLASS) + digit * np.uint8(2)
    codes += cache == 1
    return codes


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
    domains: tuple[str, ...], buckets: Array, place: Array, cells: tuple[Array, Array, Array]
) -> CounterColumns:
    """Rising cells of (bucket x domain, group), folded to rows of (bucket, domain, class)."""
    group, requests, bytes_sent = cells
    class_code = group // GROUPS_OF_CLASS
    starts = _starts(place * len(CLASSES) + class_code)
    digit_starts = _starts(place * (GROUPS // 2) + group // 2)
    digits = np.zeros((len(starts), len(STATUS_CLASSES)), dtype=np.int64)
    row = np.searchsorted(starts, digit_starts, side="right") - 1
    digit = group.take(digit_starts) % GROUPS_OF_CLASS // 2
    digits[row, digit] = np.add.reduceat(requests, digit_starts)
    bucket, domain = np.divmod(place.take(starts), len(domains))
    return CounterColumns(
        domains=domains,
        bucket_ms=buckets[bucket],
        domain_index=domain.astype(np.int32),
        class_code=class_code.take(starts).astype(np.uint8),
        requests=np.add.reduceat(requests, starts),
        bytes_sent=np.add.reduceat(bytes_sent, starts),
        status_requests=digits,
        cache_hits=np.add.reduceat(requests * (group & 1), starts),
    )


def _starts(key: Array) -> Array:
    """Where each value of a rising key begins."""
    new = np.empty(len(key), dtype=np.bool_)
    new[0] = True
    np.not_equal(key[1:], key[:-1], out=new[1:])
    return np.flatnonzero(new)
