"""Events and counters as an uncompressed Arrow IPC stream of narrow columns, and back, checked.

The layout was measured (docs/decisions/0101-batch-layout.md): events sorted by time, time as the
difference to the event before in as few bytes as fit, everything of an event that has few values in
one byte of index, and the byte count as planes of single bytes, so that the compressor meets the
nearly constant high bytes apart from the noisy low ones.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from edge.batch import (
    EVENTS_MAX,
    Array,
    CounterColumns,
    EventColumns,
    PackedEvents,
    pack_outcome,
    unpack_outcome,
)
from edge.event import (
    BUCKET_MS,
    BYTES_SENT_MAX,
    DOMAIN_BYTES_MAX,
    EVENT_ID_BYTES_MAX,
    STATUS_MAX,
    RejectReason,
)

TIME_MS_END: Final = 1 << 48
"""Times a batch can carry end here (the year 10889); absurd ones below are for the meter."""

SUM_MAX: Final = 1 << 62
"""No sum over a batch may reach this: int64 holds it with room to add."""

_OUTCOMES: Final = 1 << 14
_WIDTHS: Final = (np.uint8, np.uint16, np.uint32, np.uint64)


class ColumnsError(ValueError):
    """Columns that no batch may hold; `reason` says which rule they break."""

    def __init__(self, reason: RejectReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _require(fits: bool, reason: RejectReason, message: str) -> None:
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
    order: Any = slice(None)
    if np.any(time_ms[1:] < time_ms[:-1]):
        order = np.argsort(time_ms, kind="stable")
        time_ms = time_ms[order]
    step = np.zeros(len(time_ms), dtype=np.int64)
    np.subtract(time_ms[1:], time_ms[:-1], out=step[1:])
    packed = pack_outcome(columns.status, columns.carrier, columns.cache)
    outcomes = np.flatnonzero(np.bincount(packed, minlength=_OUTCOMES))
    place = np.zeros(_OUTCOMES, dtype=np.uint8 if len(outcomes) <= 256 else np.uint16)
    place[outcomes] = np.arange(len(outcomes), dtype=place.dtype)
    domains, domain_index = _used_domains(columns)
    return PackedEvents(
        domain_array=domains,
        domain_index=domain_index[order],
        first_time_ms=int(time_ms[0]),
        last_time_ms=int(time_ms[-1]),
        time_step=_narrow(step),
        outcome_index=place[packed][order],
        outcomes=outcomes.astype(np.uint16),
        bytes_sent=_narrow(columns.bytes_sent[order]),
        event_id_array=_ids(columns, order),
    )


def _ids(columns: EventColumns, order: Any) -> Any:
    """The event ids in order as an Arrow array, or None when no event has one."""
    if columns.event_ids is None or not any(columns.event_ids):
        return None
    ids = pa.array(columns.event_ids, type=pa.string())
    return ids if isinstance(order, slice) else ids.take(pa.array(order))


def _used_domains(columns: EventColumns) -> tuple[Any, Array]:
    """(names that occur, index into them of each event): a slice of a big block sheds the rest."""
    used = np.bincount(columns.domain_index, minlength=len(columns.domains)) > 0
    if used.all():
        names, index = list(columns.domains), columns.domain_index
    else:
        kept = np.flatnonzero(used)
        names = [columns.domains[i] for i in kept]
        place = np.cumsum(used) - 1
        index = place[columns.domain_index]
    narrow = np.uint8 if len(names) <= 256 else np.uint16
    return pa.array(names, type=pa.string()), index.astype(narrow)


def _check_events(columns: EventColumns) -> None:
    """Refuse what the wire cannot carry or no edge can have seen."""
    count = len(columns)
    _require(0 < count <= EVENTS_MAX, RejectReason.TOO_LARGE, f"{count} events in one batch")
    lengths = {
        len(columns.domain_index),
        len(columns.carrier),
        len(columns.status),
        len(columns.cache),
        len(columns.bytes_sent),
        count if columns.event_ids is None else len(columns.event_ids),
    }
    _require(lengths == {count}, RejectReason.SCHEMA, "columns of different lengths")
    _in_range(columns.time_ms, TIME_MS_END - 1, RejectReason.CLOCK, "time")
    _in_range(columns.domain_index, len(columns.domains) - 1, RejectReason.SCHEMA, "domain index")
    _in_range(columns.carrier, 3, RejectReason.SCHEME, "carrier")
    _in_range(columns.cache, 2, RejectReason.SCHEMA, "cache")
    _in_range(columns.status, STATUS_MAX, RejectReason.STATUS, "status")
    _in_range(columns.bytes_sent, BYTES_SENT_MAX, RejectReason.BYTES, "bytes_sent")
    _check_sum(columns.bytes_sent)
    if columns.event_ids is not None:
        longest = (
            max(len(text.encode()) for text in columns.event_ids if text is not None)
            if any(text is not None for text in columns.event_ids)
            else 0
        )
        _require(longest <= EVENT_ID_BYTES_MAX, RejectReason.SCHEMA, f"event id of {longest} bytes")


def _in_range(values: Array, top: int, reason: RejectReason, name: str) -> None:
    """Refuse values of a non-integer type, below 0 or above `top`."""
    _require(values.dtype.kind in "iu", RejectReason.SCHEMA, f"{name} is {values.dtype}")
    low, high = int(values.min()), int(values.max())
    _require(low >= 0 and high <= top, reason, f"{name} from {low} to {high}, allowed 0 to {top}")


def _check_sum(values: Array) -> None:
    """Refuse a column whose sum int64 could not hold with room to spare."""
    if len(values) and int(values.max()) * len(values) >= SUM_MAX:
        total = sum(values.tolist())
        _require(total < SUM_MAX, RejectReason.TOO_LARGE, f"a batch that sums to {total}")


def to_stream(events: PackedEvents) -> bytes:
    """`events` as an Arrow IPC stream, uncompressed."""
    names = ["domain", "time_step", "outcome"]
    arrays: list[Any] = [
        pa.DictionaryArray.from_arrays(pa.array(events.domain_index), events.domain_array),
        pa.array(events.time_step),
        pa.DictionaryArray.from_arrays(pa.array(events.outcome_index), pa.array(events.outcomes)),
    ]
    planes = np.ascontiguousarray(events.bytes_sent).view(np.uint8).reshape(len(events), -1)
    width = (int(events.bytes_sent.max()).bit_length() + 7) // 8
    for number in range(width):
        names.append(f"bytes_{number}")
        arrays.append(pa.array(np.ascontiguousarray(planes[:, number])))
    if events.event_id_array is not None:
        names.append("event_id")
        arrays.append(events.event_id_array)
    return _stream(pa.record_batch(arrays, names=names))


def _stream(batch: Any) -> bytes:
    """One Arrow record batch as an IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def from_stream(stream: bytes) -> PackedEvents:
    """The events in an IPC stream, every column checked; raises ColumnsError. Memory is shared."""
    batch = _read(stream)
    names = batch.schema.names
    width = sum(name.startswith("bytes_") for name in names)
    wanted = ["domain", "time_step", "outcome", *(f"bytes_{i}" for i in range(width))]
    _require(names in (wanted, [*wanted, "event_id"]), RejectReason.SCHEMA, f"columns {names[:16]}")
    _require(width <= 7, RejectReason.BYTES, f"{width} bytes of bytes_sent")
    domain, outcome = batch.column(0), batch.column(2)
    _require(
        _indexed(domain, pa.string()) and _indexed(outcome, pa.uint16()),
        RejectReason.SCHEMA,
        "domain or outcome is no dictionary of the right type",
    )
    _check_domains(domain.dictionary)
    step = _unsigned(batch.column(1))
    outcomes = outcome.dictionary.to_numpy()
    _check_outcomes(outcomes)
    ids = batch.column(names.index("event_id")) if "event_id" in names else None
    _require(ids is None or ids.type == pa.string(), RejectReason.SCHEMA, "event_id is no text")
    return PackedEvents(
        domain_array=domain.dictionary,
        domain_index=domain.indices.to_numpy(),
        first_time_ms=0,
        last_time_ms=_sum_of_steps(step),
        time_step=step,
        outcome_index=outcome.indices.to_numpy(),
        outcomes=outcomes,
        bytes_sent=_joined([_unsigned(batch.column(3 + i)) for i in range(width)], len(batch)),
        event_id_array=ids,
    )


def _read(stream: bytes) -> Any:
    """The one record batch of an IPC stream, validated to the last index; raises ColumnsError."""
    try:
        with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
            batch = reader.read_next_batch()
            batch.validate(full=True)
            if any(True for _ in reader):
                raise ColumnsError(RejectReason.SCHEMA, "more than one record batch")
    except (pa.ArrowException, OSError, StopIteration) as error:
        raise ColumnsError(RejectReason.SCHEMA, f"no Arrow stream: {str(error)[:200]}") from error
    _require(0 < len(batch) <= EVENTS_MAX, RejectReason.TOO_LARGE, f"{len(batch)} rows")
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        empty = name == "event_id" or column.null_count == 0
        _require(empty, RejectReason.SCHEMA, f"null in {name[:32]}")
    return batch


def _indexed(column: Any, values: Any) -> bool:
    """True for a dictionary column of `values` without nulls, by an index of one or two bytes."""
    kind = column.type
    return (
        pa.types.is_dictionary(kind)
        and kind.value_type == values
        and kind.index_type in (pa.uint8(), pa.uint16())
        and column.dictionary.null_count == 0
        and len(column.dictionary) <= EVENTS_MAX
    )


def _unsigned(column: Any) -> Array:
    """A primitive unsigned column as numpy, without a copy."""
    _require(
        pa.types.is_unsigned_integer(column.type), RejectReason.SCHEMA, f"a column of {column.type}"
    )
    values: Array = column.to_numpy(zero_copy_only=True)
    return values


def _check_domains(names: Any) -> None:
    """Refuse a dictionary with a name longer than a domain can be."""
    _require(len(names) > 0, RejectReason.SCHEMA, "no domains")
    offsets = np.frombuffer(names.buffers()[1], dtype=np.int32)
    lengths = np.diff(offsets[names.offset : names.offset + len(names) + 1])
    longest = int(lengths.max())
    _require(longest <= DOMAIN_BYTES_MAX, RejectReason.HOST_TOO_LONG, f"a name of {longest} bytes")


def _check_outcomes(outcomes: Array) -> None:
    """Refuse statuses above 599 and cache codes that do not exist."""
    _require(len(outcomes) > 0, RejectReason.SCHEMA, "no outcomes")
    status, _, cache = unpack_outcome(outcomes)
    _require(int(status.max()) <= STATUS_MAX, RejectReason.STATUS, f"status {int(status.max())}")
    _require(int(cache.max()) <= 2, RejectReason.SCHEMA, f"cache code {int(cache.max())}")


def _sum_of_steps(step: Array) -> int:
    """The sum of unsigned differences, exact; the first must be 0."""
    _require(int(step[0]) == 0, RejectReason.CLOCK, "the first time is not the header's")
    if step.dtype.itemsize == 8:
        _require(int(step.max()) < TIME_MS_END, RejectReason.CLOCK, "a time far in the future")
        return int(sum(step.tolist()))
    return int(step.sum(dtype=np.uint64))


def _joined(planes: list[Array], count: int) -> Array:
    """Byte planes, least significant first, as one unsigned column of the narrowest type."""
    _require(
        all(plane.dtype == np.uint8 for plane in planes), RejectReason.SCHEMA, "a wide byte plane"
    )
    if len(planes) == 1:
        return planes[0]
    size = 1 << max(len(planes) - 1, 0).bit_length()
    joined = np.zeros((count, size), dtype=np.uint8)
    for number, plane in enumerate(planes):
        joined[:, number] = plane
    values: Array = joined.reshape(-1).view(f"<u{size}")
    if len(planes) == 7:
        top = int(values.max())
        _require(top <= BYTES_SENT_MAX, RejectReason.BYTES, f"bytes_sent {top}")
    if len(planes) >= 6:
        _check_sum(values)
    return values


_COUNTER_COLUMNS: Final = (
    "domain",
    "bucket_ms",
    "class_code",
    "requests",
    "bytes_sent",
    *(f"status_{digit}xx" for digit in range(6)),
    "cache_hits",
)


def counters_to_stream(counters: CounterColumns) -> bytes:
    """`counters`, checked, as an Arrow IPC stream; raises ColumnsError naming the rule broken."""
    check_counters(counters)
    domain = pa.DictionaryArray.from_arrays(
        pa.array(counters.domain_index.astype(np.uint16)),
        pa.array(counters.domains, type=pa.string()),
    )
    numbers = [counters.bucket_ms, counters.requests, counters.bytes_sent]
    bucket, requests, bytes_sent = (pa.array(column.astype(np.int64)) for column in numbers)
    statuses = [
        pa.array(np.ascontiguousarray(counters.status_requests[:, digit])) for digit in range(6)
    ]
    kind = pa.array(counters.class_code.astype(np.uint8))
    hits = pa.array(counters.cache_hits.astype(np.int64))
    arrays = [domain, bucket, kind, requests, bytes_sent, *statuses, hits]
    return _stream(pa.record_batch(arrays, names=list(_COUNTER_COLUMNS)))


def counters_from_stream(stream: bytes) -> CounterColumns:
    """The counters in an IPC stream, every column checked; raises ColumnsError."""
    batch = _read(stream)
    _require(
        batch.schema.names == list(_COUNTER_COLUMNS), RejectReason.SCHEMA, "other counter columns"
    )
    kinds = [column.type for column in batch.columns[1:]]
    wanted = [pa.uint8() if name == "class_code" else pa.int64() for name in _COUNTER_COLUMNS[1:]]
    _require(kinds == wanted, RejectReason.SCHEMA, "counter columns of other types")
    domain = batch.column(0)
    _require(_indexed(domain, pa.string()), RejectReason.SCHEMA, "domain is no dictionary of text")
    _check_domains(domain.dictionary)
    values = [column.to_numpy() for column in batch.columns[1:]]
    counters = CounterColumns(
        domains=tuple(domain.dictionary.to_pylist()),
        domain_index=domain.indices.to_numpy().astype(np.int32),
        bucket_ms=values[0],
        class_code=values[1],
        requests=values[2],
        bytes_sent=values[3],
        status_requests=np.column_stack(values[4:10]),
        cache_hits=values[10],
    )
    check_counters(counters)
    return counters


def check_counters(counters: CounterColumns) -> None:
    """Refuse counters that no events could have made."""
    count = len(counters)
    _require(0 < count <= EVENTS_MAX, RejectReason.TOO_LARGE, f"{count} counter rows")
    _in_range(counters.bucket_ms, TIME_MS_END - 1, RejectReason.CLOCK, "bucket")
    aligned = not np.any(counters.bucket_ms % BUCKET_MS)
    _require(aligned, RejectReason.CLOCK, "a bucket that begins off the 5 minutes")
    _in_range(counters.domain_index, len(counters.domains) - 1, RejectReason.SCHEMA, "domain index")
    _in_range(counters.class_code, 2, RejectReason.SCHEME, "class code")
    _in_range(counters.requests, SUM_MAX - 1, RejectReason.SCHEMA, "requests")
    _in_range(counters.bytes_sent, SUM_MAX - 1, RejectReason.BYTES, "bytes_sent")
    _in_range(counters.status_requests, SUM_MAX - 1, RejectReason.STATUS, "requests of a status")
    _check_sum(counters.requests)
    _check_sum(counters.bytes_sent)
    agree = np.array_equal(counters.status_requests.sum(axis=1), counters.requests)
    _require(agree, RejectReason.STATUS, "statuses that do not add up to the requests")
    _in_range(counters.cache_hits, SUM_MAX - 1, RejectReason.SCHEMA, "cache hits")
    _require(
        not np.any(counters.cache_hits > counters.requests),
        RejectReason.SCHEMA,
        "hits above requests",
    )
