"""Events as an uncompressed Arrow IPC stream of narrow columns, and back, checked.

The layout was measured (docs/decisions/0101-batch-layout.md). Events are sorted by time; time is
the difference to the event before, in as few bytes as fit; all that has few values (status, carrier
and cache) is one byte of index into `outcomes`; domain index and byte count are planes of single
bytes, so that the compressor meets the nearly constant high bytes apart from the noisy low ones.
The two small tables, domains and outcomes, are in the metadata of the record batch.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from edge.batch.arrow_stream import ArrowStreamError, Table, read_stream, write_stream
from edge.batch.records import (
    EVENTS_MAX,
    OUTCOMES_END,
    Array,
    EventColumns,
    PackedEvents,
    pack_outcome,
    unpack_outcome,
)
from edge.event import BYTES_SENT_MAX, DOMAIN_BYTES_MAX, EVENT_ID_BYTES_MAX, STATUS_MAX
from edge.reasons import Reason

TIME_MS_END: Final = 1 << 48
"""Times a batch can carry end here (the year 10889); absurd ones below are for the meter."""

SUM_MAX: Final = 1 << 62
"""No sum over a batch may reach this: int64 holds it with room to add."""

_WIDTHS: Final = (np.uint8, np.uint16, np.uint32, np.uint64)


class ColumnsError(ValueError):
    """Columns that no batch may hold; `reason` says which rule they break."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def require(fits: bool, reason: Reason, message: str) -> None:
    """Raise ColumnsError with `reason` unless `fits`."""
    if not fits:
        raise ColumnsError(reason, message)


def _narrow(values: Array) -> Array:
    """`values` (not negative) in the narrowest unsigned type that holds the largest."""
    top = int(values.max()) if len(values) else 0
    return values.astype(next(width for width in _WIDTHS if top <= np.iinfo(width).max))


def pack(columns: EventColumns) -> PackedEvents:
    """`columns` checked, sorted by time and narrowed; raises ColumnsError for a broken rule."""
    _check_events(columns)
    time_ms = columns.time_ms.astype(np.int64, copy=False)
    order: slice | Array = slice(None)
    if np.any(time_ms[1:] < time_ms[:-1]):
        order = np.argsort(time_ms, kind="stable")
        time_ms = time_ms[order]
    step = np.zeros(len(time_ms), dtype=np.int64)
    np.subtract(time_ms[1:], time_ms[:-1], out=step[1:])
    packed = pack_outcome(columns.status, columns.carrier, columns.cache)
    outcomes = np.flatnonzero(np.bincount(packed, minlength=OUTCOMES_END))
    place = np.zeros(OUTCOMES_END, dtype=np.uint8 if len(outcomes) <= 256 else np.uint16)
    place[outcomes] = np.arange(len(outcomes), dtype=place.dtype)
    domains, domain_index = _ranked(columns)
    return PackedEvents(
        domains=domains,
        domain_index=domain_index[order],
        first_time_ms=int(time_ms[0]),
        last_time_ms=int(time_ms[-1]),
        time_step=_narrow(step),
        outcome_index=place.take(packed)[order],
        outcomes=outcomes.astype(np.uint16),
        bytes_sent=_narrow(columns.bytes_sent[order]),
        event_ids=_ids(columns, order),
    )


def _ids(columns: EventColumns, order: slice | Array) -> pa.StringArray | None:
    """The event ids in order as an Arrow array, or None when no event has one."""
    if columns.event_ids is None or not any(columns.event_ids):
        return None
    ids = pa.array(columns.event_ids, type=pa.string())
    return ids if isinstance(order, slice) else ids.take(order)


def _ranked(columns: EventColumns) -> tuple[tuple[str, ...], Array]:
    """(names that occur, most frequent first; index into them of each event).

    Names that do not occur are shed (a slice of a big block brings many). The order makes the high
    plane of the index nearly constant: 3 to 5 % smaller.
    """
    counts = np.bincount(columns.domain_index, minlength=len(columns.domains))
    ranking = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    place = np.zeros(len(counts), dtype=np.uint8 if len(ranking) <= 256 else np.uint16)
    place[ranking] = np.arange(len(ranking), dtype=place.dtype)
    names = tuple(columns.domains[i] for i in ranking.tolist())
    return names, place.take(columns.domain_index)


def _check_events(columns: EventColumns) -> None:
    """Refuse what the wire cannot carry or no edge can have seen."""
    count = len(columns)
    require(0 < count <= EVENTS_MAX, Reason.TOO_LARGE, f"{count} events in one batch")
    lengths = {
        len(columns.domain_index),
        len(columns.carrier),
        len(columns.status),
        len(columns.cache),
        len(columns.bytes_sent),
        count if columns.event_ids is None else len(columns.event_ids),
    }
    require(lengths == {count}, Reason.SCHEMA, "columns of different lengths")
    in_range(columns.time_ms, TIME_MS_END - 1, Reason.CLOCK, "time")
    in_range(columns.domain_index, len(columns.domains) - 1, Reason.SCHEMA, "domain index")
    in_range(columns.carrier, 3, Reason.SCHEME, "carrier")
    in_range(columns.cache, 2, Reason.SCHEMA, "cache")
    in_range(columns.status, STATUS_MAX, Reason.STATUS, "status")
    in_range(columns.bytes_sent, BYTES_SENT_MAX, Reason.BYTES, "bytes_sent")
    check_sum(columns.bytes_sent)
    for event_id in columns.event_ids or ():
        fits = event_id is None or len(event_id.encode()) <= EVENT_ID_BYTES_MAX
        require(fits, Reason.SCHEMA, "an event id above 256 bytes")


def in_range(values: Array, top: int, reason: Reason, name: str) -> None:
    """Refuse values of a non-integer type, below 0 or above `top`."""
    require(values.dtype.kind in "iu", Reason.SCHEMA, f"{name} is {values.dtype}")
    low, high = int(values.min()), int(values.max())
    require(low >= 0 and high <= top, reason, f"{name} from {low} to {high}, allowed 0 to {top}")


def check_sum(values: Array) -> None:
    """Refuse a column whose sum int64 could not hold with room to spare."""
    if len(values) and int(values.max()) * len(values) >= SUM_MAX:
        total = sum(values.tolist())
        require(total < SUM_MAX, Reason.TOO_LARGE, f"a batch that sums to {total}")


def to_stream(events: PackedEvents) -> bytes:
    """`events` as an Arrow IPC stream, uncompressed; raises ColumnsError for an impossible name."""
    columns = {"time_step": events.time_step, "outcome": events.outcome_index}
    columns |= _planes("domain", events.domain_index, len(events.domains) - 1)
    columns |= _planes("bytes", events.bytes_sent, int(events.bytes_sent.max()))
    tables = {
        b"domains": names_bytes(events.domains),
        b"outcomes": events.outcomes.astype("<u2").tobytes(),
    }
    texts = {} if events.event_ids is None else {"event_id": events.event_ids}
    return write_stream(columns, tables, texts)


def _planes(name: str, values: Array, top: int) -> dict[str, Array]:
    """`values`, the largest being `top`, as columns of single bytes, least significant first."""
    width = (top.bit_length() + 7) // 8
    bytes_of = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
    return {f"{name}_{i}": np.ascontiguousarray(bytes_of[:, i]) for i in range(width)}


def names_bytes(domains: tuple[str, ...]) -> bytes:
    """The dictionary as lines. Names are canonical, thus ASCII without line ends."""
    text = "\n".join(domains)
    fits = text.isascii() and text.count("\n") == len(domains) - 1
    require(fits, Reason.SCHEMA, "a domain that is not canonical")
    longest = max(map(len, domains))
    require(longest <= DOMAIN_BYTES_MAX, Reason.HOST_TOO_LONG, f"a name of {longest} bytes")
    return text.encode("ascii")


def from_stream(stream: bytes) -> PackedEvents:
    """The events in an IPC stream, every column checked; raises ColumnsError. Memory is shared.

    Times begin at 0: the header of the batch knows when.
    """
    table = read_table(stream)
    values, rows = table.numbers, table.rows
    ids = table.texts.pop("event_id", None)
    if ids is not None:
        _check_ids(ids)
    domains = names_from(table.tables.get(b"domains"))
    outcomes = _outcomes_from(table.tables.get(b"outcomes", b""))
    try:
        step, outcome_index = values.pop("time_step"), values.pop("outcome")
    except KeyError as error:
        raise ColumnsError(Reason.SCHEMA, f"no column {error}") from error
    domain_index = _joined(values, "domain", rows, 2)
    bytes_sent = _joined(values, "bytes", rows, 7)
    unknown = [*values, *table.texts]
    require(not unknown, Reason.SCHEMA, "unknown columns, or signed ones")
    kinds = step.dtype.kind + outcome_index.dtype.kind
    require(kinds == "uu", Reason.SCHEMA, "a column of another type")
    require(int(domain_index.max()) < len(domains), Reason.SCHEMA, "a domain out of range")
    require(int(outcome_index.max()) < len(outcomes), Reason.SCHEMA, "an outcome out of range")
    require(int(bytes_sent.max()) <= BYTES_SENT_MAX, Reason.BYTES, "bytes_sent above 2^50")
    check_sum(bytes_sent)
    return PackedEvents(
        domains=domains,
        domain_index=domain_index,
        first_time_ms=0,
        last_time_ms=_sum_of_steps(step),
        time_step=step,
        outcome_index=outcome_index,
        outcomes=outcomes,
        bytes_sent=bytes_sent,
        event_ids=ids,
    )


def read_table(stream: bytes) -> Table:
    """The table in an IPC stream; raises ColumnsError."""
    try:
        return read_stream(stream)
    except ArrowStreamError as error:
        raise ColumnsError(Reason.SCHEMA, str(error)) from error


def _check_ids(ids: pa.StringArray) -> None:
    """Refuse event ids that are too long."""
    longest = pc.max(pc.binary_length(ids)).as_py() or 0
    require(longest <= EVENT_ID_BYTES_MAX, Reason.SCHEMA, f"an event id of {longest} bytes")


def names_from(data: bytes | None) -> tuple[str, ...]:
    """The dictionary of domains, from lines; raises ColumnsError."""
    if data is None or not data.isascii():
        raise ColumnsError(Reason.SCHEMA, "no domains in ASCII")
    count = data.count(b"\n") + 1
    require(count <= EVENTS_MAX, Reason.TOO_LARGE, f"{count} domains")
    names = tuple(data.decode("ascii").split("\n"))
    longest = max(map(len, names))
    require(longest <= DOMAIN_BYTES_MAX, Reason.HOST_TOO_LONG, f"a name of {longest} bytes")
    return names


@lru_cache(maxsize=256)
def _outcomes_from(data: bytes) -> Array:
    """The table of outcomes, with statuses to 999 and known cache codes only."""
    fits = 0 < len(data) <= 2 * OUTCOMES_END and len(data) % 2 == 0
    require(fits, Reason.SCHEMA, "no outcomes")
    outcomes = np.frombuffer(data, dtype="<u2")
    require(int(outcomes.max()) < OUTCOMES_END, Reason.SCHEME, "a carrier above 3")
    status, _, cache = unpack_outcome(outcomes)
    require(int(status.max()) <= STATUS_MAX, Reason.STATUS, f"status {int(status.max())}")
    require(int(cache.max()) <= 2, Reason.SCHEMA, f"cache code {int(cache.max())}")
    return outcomes


def _sum_of_steps(step: Array) -> int:
    """The sum of unsigned differences, exact; the first must be 0."""
    require(int(step[0]) == 0, Reason.CLOCK, "the first time is not the header's")
    if step.dtype.itemsize == 8:
        require(int(step.max()) < TIME_MS_END, Reason.CLOCK, "a time far in the future")
        return int(sum(step.tolist()))
    return int(step.sum(dtype=np.uint64))


def _joined(columns: dict[str, Array], name: str, count: int, widest: int) -> Array:
    """The byte planes `name_0`, `name_1`… taken out of `columns`, as one unsigned column."""
    planes: list[Array] = []
    while (plane := columns.pop(f"{name}_{len(planes)}", None)) is not None:
        require(plane.dtype == np.uint8, Reason.SCHEMA, f"a plane of {name} is wide")
        planes.append(plane)
    require(len(planes) <= widest, Reason.SCHEMA, f"{len(planes)} planes of {name}")
    size = 1 << (max(len(planes), 1) - 1).bit_length()
    planes += [np.zeros(count, dtype=np.uint8)] * (size - len(planes))
    while len(planes) > 1:  # pairs of narrow columns become wide ones: the cheapest way measured
        planes = [_pair(planes[i], planes[i + 1]) for i in range(0, len(planes), 2)]
    return planes[0]


def _pair(low: Array, high: Array) -> Array:
    """Two unsigned columns of one width as one of twice the width."""
    bits = low.dtype.itemsize * 8
    joined = high.astype(f"u{low.dtype.itemsize * 2}")
    joined <<= joined.dtype.type(bits)
    joined |= low
    return joined
