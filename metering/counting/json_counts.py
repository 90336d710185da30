"""What JSON events add up to: one row per (5 minutes, region, domain, class), by columns."""

from __future__ import annotations

import numpy as np

from edge.batch.records import Array, CounterColumns, exact_sums, status_classes
from edge.event import BUCKET_MS, CLASSES, STATUS_CLASSES
from metering.counting.flush import Flush, refuse_endless
from metering.counting.json_columns import JsonColumns
from metering.hour import HOUR_MS


def count(events: JsonColumns, owner: Array, flushes: list[Flush]) -> None:
    """Count events into the flushes of their owners, with the sources that promise nothing."""
    if not len(events):
        return
    if int(events.bytes_sent.max()) * len(events) >= 1 << 63:
        refuse_endless(sum(events.bytes_sent.tolist()))
    bucket = events.time_ms // BUCKET_MS
    cells = _cells(
        (owner, len(flushes)),
        (events.region.codes, len(events.region.names)),
        (bucket - int(bucket.min()), int(bucket.max() - bucket.min()) + 1),
        (events.domain.codes, len(events.domain.names)),
        (events.class_code, len(CLASSES)),
    )
    found, row = np.unique(cells, return_inverse=True)
    counts = _sums(events, row, len(found))
    one = np.empty(len(found), dtype=np.int64)  # an event of each row
    one[row] = np.arange(len(row))
    together = owner[one].astype(np.int64) * len(events.region.names) + events.region.codes[one]
    begins = np.flatnonzero(np.diff(together, prepend=-1)).tolist()
    for begin, end in zip(begins, [*begins[1:], len(found)], strict=True):
        place = one[begin:end]
        names, domain = np.unique(events.domain.codes[place], return_inverse=True)
        flushes[int(owner[place[0]])].count(
            CounterColumns(
                domains=tuple(events.domain.names[name] for name in names.tolist()),
                bucket_ms=bucket[place] * BUCKET_MS,
                domain_index=domain.astype(np.int32),
                class_code=events.class_code[place],
                requests=counts[0][begin:end],
                bytes_sent=counts[1][begin:end],
                status_requests=counts[2][begin:end],
                cache_hits=counts[3][begin:end],
            ),
            events.region.names[int(events.region.codes[place[0]])],
        )
    _note_sources(events, owner, flushes)


def _cells(*columns: tuple[Array, int]) -> Array:
    """One number for the values of some columns, each below its end; it rises as they do."""
    cell = np.zeros(len(columns[0][0]), dtype=np.int64)
    size = 1
    for codes, end in columns:
        if size * end >= 1 << 62:
            cell = np.unique(cell, return_inverse=True)[1]
            size = len(cell)
        cell = cell * end + codes
        size *= end
    return cell


def _sums(events: JsonColumns, row: Array, rows: int) -> tuple[Array, Array, Array, Array]:
    """Requests, bytes, requests by class of status and cache hits of each row."""
    classes = len(STATUS_CLASSES)
    by_status = row * classes + status_classes(events.status)
    return (
        np.bincount(row, minlength=rows),
        exact_sums(row, events.bytes_sent, rows),
        np.bincount(by_status, minlength=rows * classes).reshape(rows, classes),
        np.bincount(row[events.cache == 1], minlength=rows),
    )


def _note_sources(events: JsonColumns, owner: Array, flushes: list[Flush]) -> None:
    """Hour and source of each event, for certificates."""
    hour = events.time_ms // HOUR_MS
    cells = _cells(
        (owner, len(flushes)),
        (hour - int(hour.min()), int(hour.max() - hour.min()) + 1),
        (events.source.codes, len(events.source.names)),
    )
    found, row = np.unique(cells, return_inverse=True)
    one = np.empty(len(found), dtype=np.int64)
    one[row] = np.arange(len(row))
    for place in one.tolist():
        source = events.source.names[int(events.source.codes[place])]
        flushes[int(owner[place])].unproven.add((int(hour[place]) * HOUR_MS, source))
