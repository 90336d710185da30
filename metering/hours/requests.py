"""What people ask of a worker, as immutable files in HOME/requests: waive, retire, expect.

The files are the state: a worker reads all of them before each round of closing, so asking is
durable at once, survives the loss of usage.duckdb, and needs no running worker.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edge.durable import create_exclusively
from edge.errors import Corrupt
from metering.closed import Waiver, hour_text, parse_hour
from metering.hour import Expectation, to_ms

FOLDER = "requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """All requests of a home together. Of two about one thing, the later one holds."""

    waivers: dict[tuple[str, int], Waiver] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)
    expected: tuple[Expectation, ...] = ()


def waive(home: Path, edge_id: str, hour: datetime, *, reason: str, by: str, at: datetime) -> Path:
    """Ask to close an hour without the promise of an edge."""
    return _write(
        home,
        {"kind": "waive", "edge_id": edge_id, "hour": hour_text(hour), "reason": reason, "by": by},
        at,
    )


def retire(home: Path, edge_id: str, on: datetime, *, at: datetime) -> Path:
    """Ask not to expect an edge in hours that begin at `on` or later."""
    return _write(home, {"kind": "retire", "edge_id": edge_id, "on": on.isoformat()}, at)


def expect(home: Path, edge_id: str, region: str, since: datetime, *, at: datetime) -> Path:
    """Ask to wait for an edge in hours from `since` on; undoes a retirement asked for before."""
    document = {"kind": "expect", "edge_id": edge_id, "region": region, "since": since.isoformat()}
    return _write(home, document, at)


def read(home: Path) -> Requests:
    """Every request so far, in the order they were made; Corrupt names a file that is none."""
    waivers: dict[tuple[str, int], Waiver] = {}
    retired: dict[str, int] = {}
    expected: dict[str, Expectation] = {}
    for path in _files(home):
        try:
            document = json.loads(path.read_bytes())
            edge_id = document["edge_id"]
            if document["kind"] == "waive":
                hour_ms = to_ms(parse_hour(document["hour"]))
                waivers[edge_id, hour_ms] = Waiver(
                    edge_id=edge_id,
                    by=document["by"],
                    reason=document["reason"],
                    at=document["at"],
                )
            elif document["kind"] == "retire":
                retired[edge_id] = to_ms(datetime.fromisoformat(document["on"]))
            else:
                retired.pop(edge_id, None)
                expected[edge_id] = Expectation(
                    edge_id=edge_id,
                    region=document["region"],
                    from_ms=to_ms(datetime.fromisoformat(document["since"])),
                )
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt(f"{path} is no request: {error}", "remove or restore it") from error
    return Requests(waivers=waivers, retired=retired, expected=tuple(expected.values()))


class RequestBook:
    """The requests of a home, read again only when one was added: the files never change."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._seen: tuple[int, int] | None = None
        self._requests = Requests()

    def all(self) -> Requests:
        """Every request so far; raises Corrupt as `read` does."""
        folder = self.home / FOLDER
        # A clock tick may hold two changes: the number of names tells them apart.
        seen = (folder.stat().st_mtime_ns, len(os.listdir(folder))) if folder.is_dir() else (0, 0)
        if seen != self._seen:
            self._requests = read(self.home)
            self._seen = seen
        return self._requests


def _files(home: Path) -> Iterable[Path]:
    folder = home / FOLDER
    return sorted(folder.glob("[0-9]*.json")) if folder.is_dir() else []


def _write(home: Path, document: dict[str, str], at: datetime) -> Path:
    """Write a request once: the same one again is the same file."""
    stamp = at.strftime("%Y%m%dT%H%M%S%fZ")
    text = json.dumps({**document, "at": at.isoformat()}, sort_keys=True, indent=1) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    path = home / FOLDER / f"{stamp}-{document['kind']}-{digest}.json"
    with suppress(FileExistsError):
        create_exclusively(path, text.encode())
    return path
