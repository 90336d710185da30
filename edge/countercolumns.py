"""Counters as an uncompressed Arrow IPC stream, and back, checked; events: edge/columns.py."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from edge.batch import EVENTS_MAX, CounterColumns
from edge.columns import (
    SUM_MAX,
    TIME_MS_END,
    check_sum,
    in_range,
    names_bytes,
    names_from,
    one_batch_stream,
    read_stream,
    require,
)
from edge.event import BUCKET_MS, RejectReason

_COUNTER_COLUMNS: Final = (
    "domain",
    "bucket_ms",
    "class_code",
    "requests",
    "bytes_sent",
    *(f"status_{digit}xx" for digit in range(6)),
    "cache_hits",
)
_COUNTER_TYPES: Final = {"domain": pa.uint16(), "class_code": pa.uint8()}


def counters_to_stream(counters: CounterColumns) -> bytes:
    """`counters`, checked, as an Arrow IPC stream; raises ColumnsError naming the rule broken."""
    check_counters(counters)
    domain = pa.array(counters.domain_index.astype(np.uint16))
    numbers = [counters.bucket_ms, counters.requests, counters.bytes_sent]
    bucket, requests, bytes_sent = (pa.array(column.astype(np.int64)) for column in numbers)
    statuses = [
        pa.array(np.ascontiguousarray(counters.status_requests[:, digit])) for digit in range(6)
    ]
    kind = pa.array(counters.class_code.astype(np.uint8))
    hits = pa.array(counters.cache_hits.astype(np.int64))
    arrays = [domain, bucket, kind, requests, bytes_sent, *statuses, hits]
    fields = zip(_COUNTER_COLUMNS, arrays, strict=True)
    schema = pa.schema(
        [pa.field(name, array.type) for name, array in fields],
        {b"domains": names_bytes(counters.domains)},
    )
    return one_batch_stream(pa.record_batch(arrays, schema=schema))


def counters_from_stream(stream: bytes) -> CounterColumns:
    """The counters in an IPC stream, every column checked; raises ColumnsError."""
    batch = read_stream(stream)
    require(
        batch.schema.names == list(_COUNTER_COLUMNS), RejectReason.SCHEMA, "other counter columns"
    )
    kinds = [column.type for column in batch.columns]
    wanted = [_COUNTER_TYPES.get(name, pa.int64()) for name in _COUNTER_COLUMNS]
    require(kinds == wanted, RejectReason.SCHEMA, "counter columns of other types")
    nulls = sum(column.null_count for column in batch.columns)
    require(nulls == 0, RejectReason.SCHEMA, "nulls in counters")
    domain, *values = (column.to_numpy() for column in batch.columns)
    counters = CounterColumns(
        domains=names_from((batch.schema.metadata or {}).get(b"domains")),
        domain_index=domain.astype(np.int32),
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
    require(0 < count <= EVENTS_MAX, RejectReason.TOO_LARGE, f"{count} counter rows")
    in_range(counters.bucket_ms, TIME_MS_END - 1, RejectReason.CLOCK, "bucket")
    aligned = not np.any(counters.bucket_ms % BUCKET_MS)
    require(aligned, RejectReason.CLOCK, "a bucket that begins off the 5 minutes")
    in_range(counters.domain_index, len(counters.domains) - 1, RejectReason.SCHEMA, "domain index")
    in_range(counters.class_code, 2, RejectReason.SCHEME, "class code")
    in_range(counters.requests, SUM_MAX - 1, RejectReason.SCHEMA, "requests")
    in_range(counters.bytes_sent, SUM_MAX - 1, RejectReason.BYTES, "bytes_sent")
    in_range(counters.status_requests, SUM_MAX - 1, RejectReason.STATUS, "requests of a status")
    check_sum(counters.requests)
    check_sum(counters.bytes_sent)
    agree = np.array_equal(counters.status_requests.sum(axis=1), counters.requests)
    require(agree, RejectReason.STATUS, "statuses that do not add up to the requests")
    in_range(counters.cache_hits, SUM_MAX - 1, RejectReason.SCHEMA, "cache hits")
    require(
        not np.any(counters.cache_hits > counters.requests),
        RejectReason.SCHEMA,
        "hits above requests",
    )
