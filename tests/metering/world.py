"""A small world for tests of metering: edges, a source in memory, a clock."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from edge.batch.codec import encode_events, encode_heartbeat
from edge.batch.records import EventColumns
from edge.event import CLASSES
from metering.closed import list_closed, read_certificate, verify
from metering.counting.flush import Flush
from metering.settings import MeteringSettings
from metering.sources.source import Covered, SourceBatch, SourceState
from metering.worker import checks
from metering.worker.status import Drained
from metering.worker.worker import Worker

HOUR = 3_600_000
T0 = 1_793_491_200_000
"""2026-11-01T00:00:00Z, the beginning of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One request of a test; `kind` is the carrier code, 1 for https."""

    at: int = T0
    domain: str = "a.example.com"
    kind: int = 1
    status: int = 200
    size: int = 100
    cache: int = 0


def columns(events: Iterable[Event]) -> EventColumns:
    """Events as plain columns."""
    rows = list(events)
    names = tuple(dict.fromkeys(event.domain for event in rows))
    place = {name: number for number, name in enumerate(names)}
    return EventColumns(
        domains=names,
        domain_index=np.array([place[event.domain] for event in rows], dtype=np.int32),
        time_ms=np.array([event.at for event in rows], dtype=np.int64),
        carrier=np.array([event.kind for event in rows], dtype=np.uint8),
        status=np.array([event.status for event in rows], dtype=np.uint16),
        cache=np.array([event.cache for event in rows], dtype=np.uint8),
        bytes_sent=np.array([event.size for event in rows], dtype=np.int64),
    )


@dataclass(slots=True)
class Edge:
    """An edge that numbers its batches from 0."""

    edge_id: str = "edge-1"
    region: str = "de"
    epoch: int = 7
    next_sequence: int = 0
    previous: tuple[int, int] | None = None

    def batch(self, *events: Event, promise: int = 0) -> bytes:
        """The next batch, with these events."""
        return encode_events(columns(events), **self._identity(promise))

    def heartbeat(self, promise: int) -> bytes:
        """The next batch, empty, which promises nothing earlier than `promise` (UTC ms)."""
        return encode_heartbeat(**self._identity(promise))

    def _identity(self, promise: int) -> dict[str, Any]:
        first = self.next_sequence == 0
        identity = {
            "edge_id": self.edge_id,
            "region": self.region,
            "epoch": self.epoch,
            "sequence": self.next_sequence,
            "watermark_ms": promise,
            "previous_epoch": self.previous if first else None,
        }
        self.next_sequence += 1
        return identity


@dataclass(slots=True)
class MemorySource:
    """A transport in memory: a list of units that is never shortened (a Source)."""

    units: list[bytes | None] = field(default_factory=list)
    partition: str = "spool"
    acknowledged: dict[str, Covered] = field(default_factory=dict)
    at: int = 0
    name: str = "memory"
    edge_states: list[SourceState] = field(default_factory=list)

    def partitions(self) -> tuple[str, ...]:
        return (self.partition,)

    def seek(self, positions: Mapping[str, str]) -> None:
        self.at = int(positions.get(self.name, "0"))

    def fetch(self, max_batches: int, timeout_s: float) -> list[SourceBatch]:
        found = []
        for unit in self.units[self.at : self.at + max_batches]:
            self.at += 1
            found.append(
                SourceBatch(
                    partition=self.partition,
                    source=self.name,
                    position_after=str(self.at),
                    payload=unit,
                    problem="damaged frame" if unit is None else None,
                    damaged=b"rubbish" if unit is None else b"",
                )
            )
        return found

    def caught_up(self) -> bool:
        return self.at >= len(self.units)

    def end_positions(self) -> dict[str, str]:
        return {self.name: str(len(self.units))}

    def states(self) -> list[SourceState]:
        return self.edge_states

    def acknowledge(self, covered: Mapping[str, Covered]) -> None:
        self.acknowledged.update(covered)

    def committed(self, positions: Mapping[str, str]) -> None:
        """Nobody watches."""

    def close(self) -> None:
        """Nothing is open."""


class Interruption:
    """Takes no messages; does `action` inside each transaction (a MessageIntake)."""

    windows = ()

    def __init__(self, action: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
        self.action = action

    def take(self, flush: Flush, batch: SourceBatch, now_ms: int) -> None:
        raise AssertionError("batches only")

    def settle(self, flushes: object, connection: duckdb.DuckDBPyConnection, now_ms: int) -> None:
        self.action(connection)


class World:
    """A home, a source in memory and a clock that only moves when told to."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.home = home
        self.home.mkdir(parents=True, exist_ok=True)
        self.source = MemorySource()
        self.now = T0 + 10 * HOUR
        self.settings = MeteringSettings(**{"threads": 1, **settings})

    def worker(
        self, source: MemorySource | None = None, *, store_name: str = "usage.duckdb"
    ) -> Worker:
        """A started worker; the caller stops it."""
        worker = Worker(
            self.home,
            source or self.source,
            self.settings,
            clock=lambda: self.now,
            store_name=store_name,
        )
        worker.start()
        return worker

    def drain(self, *units: bytes | None) -> Drained:
        """Add units to the source and drain it with a new worker."""
        self.source.units.extend(units)
        worker = self.worker()
        try:
            return worker.drain()
        finally:
            worker.stop()

    def status(self) -> dict[str, Any]:
        """live/status.json."""
        document: dict[str, Any] = json.loads((self.home / "live" / "status.json").read_bytes())
        return document

    def states(self) -> dict[str, str]:
        """The state of each hour that status.json lists, `DDTHH` -> state."""
        return {hour["hour"][8:]: hour["state"] for hour in self.status()["hours"]}

    def closed(self) -> Counter[tuple[int, str | None, str]]:
        """Requests by (bucket ms, domain, class) over all closed files, each verified."""
        found: Counter[tuple[int, str | None, str]] = Counter()
        for file in list_closed(self.home):
            verify(file)
            rows = duckdb.execute(
                "SELECT epoch_ms(bucket), domain, class, requests FROM read_parquet($path)",
                {"path": str(file.data_path)},
            ).fetchall()
            for bucket, domain, kind, requests in rows:
                found[bucket, domain, kind] += requests
        return found

    def files(self) -> dict[str, bytes]:
        """Name and bytes of every closed data file."""
        return {
            str(file.data_path.relative_to(self.home)): file.data_path.read_bytes()
            for file in list_closed(self.home)
        }

    def certificates(self) -> list[Any]:
        """Every certificate, by its number."""
        found = [read_certificate(file.certificate_path) for file in list_closed(self.home)]
        return sorted(found, key=lambda one: one.number)

    def broken(self) -> list[Any]:
        """The checks of metering that return rows."""
        return [found for found in checks.run(self.home) if found.rows]

    def forget_store(self) -> None:
        """Delete usage.duckdb, as if its disk were lost."""
        for path in self.home.glob("usage.duckdb*"):
            path.unlink()


def counted(events: Iterable[Event]) -> Counter[tuple[int, str | None, str]]:
    """The oracle: requests by (bucket ms, domain, class), by a naive loop."""
    found: Counter[tuple[int, str | None, str]] = Counter()
    for event in events:
        kind = CLASSES[(0, 1, 2, 2)[event.kind]]
        found[event.at // 300_000 * 300_000, event.domain or None, kind] += 1
    return found
