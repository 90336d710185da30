"""Traffic with a known total: batches by seed, and an auditor that counts them without our code.

Used by the benchmarks and by the Kafka tests: the generator's totals are what the pipeline must
reach, to the unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge.batch.records import EventColumns
from edge.spool.spool import Spool

HOUR_MS = 3_600_000
START_MS = 1_790_000_000_000 // HOUR_MS * HOUR_MS
"""2026-09-21T14:00 UTC, the start of the first hour."""

Key = tuple[int, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one edge sends: `batches` of `events`, over `hours`, among `domains`.

    It begins `first_hour` hours after START_MS. An edge that is not `open_handed` promises nothing:
    every watermark is 0.
    """

    batches: int = 10
    events: int = 200
    domains: int = 20
    hours: float = 2
    first_hour: int = 0
    open_handed: bool = True

    @property
    def span_ms(self) -> int:
        """How much time it covers."""
        return round(self.hours * HOUR_MS)


@dataclass(slots=True)
class Truth:
    """Requests and bytes per (5-minute bucket, domain, region, class), counted one by one."""

    requests: Counter[Key] = field(default_factory=Counter)
    bytes_sent: Counter[Key] = field(default_factory=Counter)

    def add(self, columns: EventColumns, region: str) -> None:
        """Count events the slow and plain way."""
        names = {0: "http", 1: "https", 2: "quic", 3: "quic"}
        rows = zip(
            columns.time_ms.tolist(),
            columns.domain_index.tolist(),
            columns.carrier.tolist(),
            columns.bytes_sent.tolist(),
            strict=True,
        )
        for time_ms, place, carrier, size in rows:
            key = (time_ms // 300_000 * 300_000, columns.domains[place], region, names[carrier])
            self.requests[key] += 1
            self.bytes_sent[key] += size

    @property
    def total(self) -> tuple[int, int]:
        """(requests, bytes) of everything."""
        return sum(self.requests.values()), sum(self.bytes_sent.values())


def batches(shape: Shape, seed: int) -> Iterator[tuple[EventColumns, int]]:
    """(columns, watermark in ms) of each batch; the last watermark ends the last hour."""
    rng = np.random.default_rng(seed)
    span = shape.span_ms
    names = tuple(f"d{number}.example.com" for number in range(shape.domains))
    # A few names have most of the traffic, as real ones do.
    weights = 1.0 / np.arange(1, shape.domains + 1)
    cumulative = np.cumsum(weights / weights.sum())
    for number in range(shape.batches):
        start = START_MS + shape.first_hour * HOUR_MS
        low = start + span * number // shape.batches
        high = start + span * (number + 1) // shape.batches
        picked = np.searchsorted(cumulative, rng.random(shape.events)).astype(np.int32)
        columns = EventColumns(
            domains=names,
            domain_index=np.minimum(picked, shape.domains - 1),
            time_ms=np.sort(rng.integers(low, high, shape.events)),
            carrier=rng.choice(np.array([0, 1, 1, 1, 2], dtype=np.uint8), shape.events),
            status=rng.choice(np.array([200, 200, 200, 206, 304, 404], np.uint16), shape.events),
            cache=rng.choice(np.array([1, 1, 2], dtype=np.uint8), shape.events),
            bytes_sent=rng.lognormal(9.0, 1.6, shape.events).astype(np.int64),
        )
        yield columns, high if shape.open_handed else 0


def fill(home: Path, edge_id: str, region: str, shape: Shape, seed: int) -> Truth:
    """Append the traffic of one edge to its spool, durably; gives its exact counts."""
    truth = Truth()
    rng = np.random.default_rng(seed + 1)
    folder = home / "spool" / edge_id
    with Spool.open(
        folder, edge_id, region, random64=lambda: int(rng.integers(1, 1 << 62))
    ) as spool:
        for columns, watermark in batches(shape, seed):
            spool.write(columns, watermark)
            truth.add(columns, region)
        spool.commit()
    return truth
