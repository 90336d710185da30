"""Events, columns and spools the edge's tests are made of; everything seeded."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.batch.codec import decode_events, decode_header
from edge.batch.records import EventColumns
from edge.event import RequestEvent
from edge.spool.segment import read_frames
from edge.spool.spool import Spool, SpoolOptions
from tests.effort import THOROUGH

NOON_MS = 1_767_268_800_000
"""2026-01-01T12:00:00Z."""

IDENTITY: dict[str, Any] = {
    "edge_id": "fra-1",
    "region": "DE",
    "epoch": 77,
    "sequence": 3,
    "watermark_ms": NOON_MS,
}


def some(values: Sequence[int], step: int) -> Sequence[int]:
    """All of `values` when thorough, else each `step`-th and the last."""
    return values if THOROUGH else [*values[::step], values[-1]]


def columns(count: int = 10, seed: int = 1, span_ms: int = 2_000, **other: Any) -> EventColumns:
    """`count` seeded events within `span_ms` from noon, in no order of time."""
    random_ = np.random.default_rng(seed)
    names = tuple(f"www{n}.example" for n in range(min(count, 40)))
    made: dict[str, Any] = {
        "domains": names,
        "domain_index": random_.integers(0, len(names), count).astype(np.int32),
        "time_ms": NOON_MS + random_.integers(0, span_ms, count).astype(np.int64),
        "carrier": random_.integers(0, 4, count).astype(np.uint8),
        "status": random_.choice([0, 200, 206, 304, 404, 599, 600, 999], count).astype(np.uint16),
        "cache": random_.integers(0, 3, count).astype(np.uint8),
        "bytes_sent": random_.lognormal(9, 2, count).astype(np.int64),
    }
    return EventColumns(**(made | other))


def rows(events: EventColumns) -> list[tuple[Any, ...]]:
    """The events one by one, sorted: what must survive any way they are carried."""
    ids = events.event_ids or [None] * len(events)
    table = zip(
        events.time_ms.tolist(),
        [events.domains[index] for index in events.domain_index.tolist()],
        events.carrier.tolist(),
        events.status.tolist(),
        events.cache.tolist(),
        events.bytes_sent.tolist(),
        [event_id or "" for event_id in ids],
        strict=True,
    )
    return sorted(table)


def counted(events: EventColumns) -> dict[tuple[int, str, int], list[int]]:
    """Requests, bytes, requests by status digit and hits per key, counted one by one."""
    counts: dict[tuple[int, str, int], list[int]] = {}
    for time_ms, domain, carrier, status, cache, bytes_sent, _ in rows(events):
        key = (time_ms // 300_000 * 300_000, domain, min(carrier, 2))
        row = counts.setdefault(key, [0] * 10)
        row[0] += 1
        row[1] += bytes_sent
        row[2 + min(status // 100, 6)] += 1
        row[9] += cache == 1
    return counts


def event(number: int = 0, **other: Any) -> RequestEvent:
    """One sound event, `number` ms after noon."""
    made: dict[str, Any] = {
        "time_ms": NOON_MS + number,
        "domain": "www.example",
        "scheme": "https",
        "transport": "tcp",
        "status": 200,
        "bytes_sent": 1000 + number,
        "cache": "hit",
    }
    return RequestEvent(**(made | other))


def seeded(seed: int = 1) -> Callable[[], int]:
    """A source of 64 random bits for epochs."""
    source = random.Random(seed)
    return lambda: source.getrandbits(64)


def open_spool(folder: Path, seed: int = 1, **other: Any) -> Spool:
    """The spool of edge fra-1 in `folder`, without a reserve unless options say otherwise."""
    other.setdefault("options", SpoolOptions(reserve_bytes=0))
    return Spool.open(folder, "fra-1", "DE", random64=seeded(seed), **other)


def spooled(folder: Path) -> list[tuple[int, int, int]]:
    """(epoch, sequence, events) of every sound batch a reader of the spool gets."""
    headers = [
        decode_header(frame.payload)
        for frame in read_frames(folder, max_bytes=1 << 40)
        if not frame.damaged
    ]
    return [(header.epoch, header.sequence, header.events) for header in headers]


def spooled_rows(folder: Path) -> list[tuple[Any, ...]]:
    """Every event a reader of the spool gets, sorted."""
    found: list[tuple[Any, ...]] = []
    for frame in read_frames(folder, max_bytes=1 << 40):
        header = decode_header(frame.payload)
        if header.kind == "events":
            found += rows(decode_events(header, frame.payload))
    return sorted(found)
