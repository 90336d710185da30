"""Counters as an uncompressed Arrow IPC stream, and back, checked; events: packing.py."""

from __future__ import annotations

from typing import Final

import numpy as np

from edge.batch.arrow_stream import write_stream
from edge.batch.packing import (
    SUM_MAX,
    TIME_MS_END,
    check_sum,
    in_range,
    names_bytes,
    names_from,
    read_table,
    require,
)
from edge.batch.records import EVENTS_MAX, STATUS_COLUMNS, Array, CounterColumns
from edge.event import BUCKET_MS
from edge.reasons import Reason

_TYPES: Final = {
    "domain": "uint16",
    "bucket_ms": "int64",
    "class_code": "uint8",
    "requests": "int64",
    "bytes_sent": "int64",
    **dict.fromkeys(STATUS_COLUMNS[:-1], "int64"),
    "cache_hits": "int64",
}
_OTHER: Final = STATUS_COLUMNS[-1]
"""A column since statuses go to 999, and only in batches that hold such requests: without them a
batch is what it always was, and a decoder of before reads it (E4).
"""


def counters_to_stream(counters: CounterColumns) -> bytes:
    """`counters`, checked, as an Arrow IPC stream; raises ColumnsError naming the rule broken."""
    check_counters(counters)
    columns: dict[str, Array] = {
        "domain": counters.domain_index.astype(np.uint16),
        "bucket_ms": counters.bucket_ms.astype(np.int64),
        "class_code": counters.class_code.astype(np.uint8),
        "requests": counters.requests.astype(np.int64),
        "bytes_sent": counters.bytes_sent.astype(np.int64),
    }
    for place, name in enumerate(STATUS_COLUMNS):
        columns[name] = np.ascontiguousarray(counters.status_requests[:, place])
    if not columns[_OTHER].any():
        del columns[_OTHER]
    columns["cache_hits"] = counters.cache_hits.astype(np.int64)
    return write_stream(columns, {b"domains": names_bytes(counters.domains)}, {})


def counters_from_stream(stream: bytes) -> CounterColumns:
    """The counters in an IPC stream, every column checked; raises ColumnsError."""
    table = read_table(stream)
    values = table.numbers
    kinds = {name: str(column.dtype) for name, column in values.items()}
    others = values.pop(_OTHER, np.zeros(table.rows, dtype=np.int64))
    known = kinds == _TYPES or kinds == _TYPES | {_OTHER: "int64"}
    require(known and not table.texts, Reason.SCHEMA, "other counter columns")
    counters = CounterColumns(
        domains=names_from(table.tables.get(b"domains")),
        domain_index=values["domain"].astype(np.int32),
        bucket_ms=values["bucket_ms"],
        class_code=values["class_code"],
        requests=values["requests"],
        bytes_sent=values["bytes_sent"],
        status_requests=np.column_stack([*(values[name] for name in STATUS_COLUMNS[:-1]), others]),
        cache_hits=values["cache_hits"],
    )
    check_counters(counters)
    return counters


def check_counters(counters: CounterColumns) -> None:
    """Refuse counters that no events could have made."""
    count = len(counters)
    require(0 < count <= EVENTS_MAX, Reason.TOO_LARGE, f"{count} counter rows")
    in_range(counters.bucket_ms, TIME_MS_END - 1, Reason.CLOCK, "bucket")
    aligned = not np.any(counters.bucket_ms % BUCKET_MS)
    require(aligned, Reason.CLOCK, "a bucket that begins off the 5 minutes")
    in_range(counters.domain_index, len(counters.domains) - 1, Reason.SCHEMA, "domain index")
    in_range(counters.class_code, 2, Reason.SCHEME, "class code")
    in_range(counters.requests, SUM_MAX - 1, Reason.SCHEMA, "requests")
    in_range(counters.bytes_sent, SUM_MAX - 1, Reason.BYTES, "bytes_sent")
    in_range(counters.status_requests, SUM_MAX - 1, Reason.STATUS, "requests of a status")
    check_sum(counters.requests)
    check_sum(counters.bytes_sent)
    agree = np.array_equal(counters.status_requests.sum(axis=1), counters.requests)
    require(agree, Reason.STATUS, "statuses that do not add up to the requests")
    in_range(counters.cache_hits, SUM_MAX - 1, Reason.SCHEMA, "cache hits")
    require(
        not np.any(counters.cache_hits > counters.requests),
        Reason.SCHEMA,
        "hits above requests",
    )
