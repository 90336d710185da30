"""Large known traffic: a few batches, sealed over and over with new identities.

Making columns is slow and not what is measured; sealing a packed payload anew is fast, and each
sealed batch is another batch to whoever counts it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.kafka.traffic import START_MS, Shape, batches
from edge.batch.codec import Payload, pack_events
from edge.spool.spool import Spool

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was appended: exact totals, and the bytes of all batches."""

    batches: int
    events: int
    bytes_sent: int
    wire_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A payload and what it counts for."""

    payload: Payload
    bytes_sent: int


def packed(shape: Shape, seed: int) -> list[Packed]:
    """The distinct batches of `shape`, packed."""
    return [
        Packed(payload=pack_events(columns), bytes_sent=int(columns.bytes_sent.sum()))
        for columns, _ in batches(shape, seed)
    ]


def fill_spools(home: Path, edges: int, rounds: int, parts: list[Packed], span_ms: int) -> Load:
    """Append every part `rounds` times to the spool of each of `edges` edges.

    Each round is `span_ms` later than the one before, so that time moves on as it does at an edge.
    The names are such that each edge goes to a partition of its own, of as many partitions.
    """
    rng = np.random.default_rng(1)
    size = 0
    for name in spread_names(edges):
        folder = home / "spool" / name
        with Spool.open(
            folder, folder.name, "DE", random64=lambda: int(rng.integers(1, 1 << 62))
        ) as spool:
            for place in range(rounds):
                for part in parts:
                    spool.write(_later(part.payload, place * span_ms), 0)
            spool.heartbeat(START_MS + rounds * span_ms)
        size += sum(path.stat().st_size for path in folder.glob("*.seg"))
    times = edges * rounds
    return Load(
        batches=times * len(parts),
        events=times * sum(part.payload.events for part in parts),
        bytes_sent=times * sum(part.bytes_sent for part in parts),
        wire_bytes=size,
    )


def spread_names(count: int) -> list[str]:
    """Names of edges, the n-th of which a topic of `count` partitions takes into partition n."""
    from aiokafka.partitioner import murmur2

    found: dict[int, str] = {}
    numbers = itertools.count()
    while len(found) < count:
        name = f"edge-{next(numbers)}"
        found.setdefault((int(murmur2(name.encode())) & 0x7FFFFFFF) % count, name)
    return [found[partition] for partition in range(count)]


def _later(payload: Payload, by_ms: int) -> Payload:
    """The same events at later times: a payload holds differences, its header the first time."""
    first, last = payload.first_time_ms + by_ms, payload.last_time_ms + by_ms
    return replace(payload, first_time_ms=first, last_time_ms=last)


def json_messages(count: int, seed: int) -> list[tuple[bytes, bytes]]:
    """(key, value) of plain JSON events of a few sources."""
    import orjson

    rng = np.random.default_rng(seed)
    sources = [f"cdn-{letter}" for letter in "abcdefgh"]
    picked = rng.integers(0, len(sources), count)
    domains = rng.integers(0, 500, count)
    times = START_MS + rng.integers(0, HOUR_MS, count)
    sizes = rng.lognormal(9.0, 1.6, count).astype(np.int64)
    made: list[tuple[bytes, bytes]] = []
    for number in range(count):
        source = sources[picked[number]]
        document: dict[str, Any] = {
            "id": f"req-{number:012d}",
            "source": source,
            "time": int(times[number]),
            "domain": f"d{domains[number]}.example.com",
            "scheme": "https",
            "transport": "tcp",
            "status": 200,
            "bytes_sent": int(sizes[number]),
            "cache": "hit",
            "region": "DE",
        }
        made.append((source.encode(), orjson.dumps(document)))
    return made
