"""Metrics in Prometheus' text format and /healthz, served on 127.0.0.1 by the daemon.

What can only be known with the store open is gathered once per round (`VitalSigns`); ages and what
metering publishes are computed when somebody asks, so that a hung round shows as growing ages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from edge.terminal import parse_time

EDGES_MAX = 500
"""More edges than this are summed up: label values must stay bounded."""
STATUS_OLD_SECONDS = 120
POLL_SECONDS = timedelta(milliseconds=100).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalSigns:
    """What the last round found in the billing store."""

    at: datetime
    accounts: Mapping[str, int]
    """By state, ok included."""
    runs_held: int
    usage_through: datetime | None
    unverified: str | None
    waiting: Mapping[str, int]
    """Events waiting, by endpoint."""
    disabled: tuple[str, ...]
    stopped_domains: int
    next_delivery_at: datetime | None = None


@dataclass
class Board:
    """What the daemon's threads share; the lock keeps a scrape whole."""

    signs: VitalSigns | None = None
    failing: dict[str, str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, int] = field(default_factory=dict)
    """Milliseconds spent, by step."""
    round_at: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the daemon must leave; those who wait for others ask it."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric family with its samples (labels, value)."""

    name: str
    kind: str
    about: str
    samples: tuple[tuple[Mapping[str, str], int], ...]


def metric(
    name: str, about: str, value: int | Iterable[tuple[Mapping[str, str], int]], kind: str = "gauge"
) -> Metric:
    """A family of one value, or of labelled samples."""
    samples = (({}, value),) if isinstance(value, int) else tuple(value)
    return Metric(name=f"edgetoll_{name}", kind=kind, about=about, samples=samples)


def render(metrics: Iterable[Metric]) -> str:
    """The text that Prometheus reads."""
    lines: list[str] = []
    for one in metrics:
        lines += [f"# HELP {one.name} {one.about}", f"# TYPE {one.name} {one.kind}"]
        for labels, value in one.samples:
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{one.name}{{{inner}}} {value}" if inner else f"{one.name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def read_statuses(home: Path) -> list[dict[str, Any]]:
    """What each metering worker published last; an unreadable file is left out."""
    found = []
    for path in sorted((home / "live").glob("status*.json")):
        try:
            found.append(orjson.loads(path.read_bytes()))
        except (OSError, ValueError):
            continue
    return found


def metering_metrics(statuses: list[dict[str, Any]], *, now: datetime) -> Iterator[Metric]:
    """Event-time lag, conservation, open and incomplete hours, gaps."""
    for result in ("accepted", "duplicate", "quarantined"):
        total = sum(int(one.get(result, 0)) for one in statuses)
        yield metric(f"events_{result}_total", f"Events read and {result}.", total, "counter")
    holds = all(bool(one.get("adds_up", False)) for one in statuses)
    yield metric("conservation_holds", "1: read = accepted + duplicate + quarantined.", int(holds))
    ages = [_age(one.get("fresh_at"), now) for one in statuses]
    yield metric(
        "metering_status_age_seconds", "Since metering last published.", max(ages, default=0)
    )
    edges = [edge for one in statuses for edge in one.get("edges", [])]
    if len(edges) <= EDGES_MAX:
        lags = [({"edge": str(e["edge_id"])}, _age(e.get("watermark"), now)) for e in edges]
    else:
        lags = [({"edge": "all"}, max(_age(e.get("watermark"), now) for e in edges))]
    yield metric("event_time_lag_seconds", "How far an edge's watermark is behind.", lags)
    gaps = sum(len(e.get("gaps", [])) for e in edges)
    yield metric("sequence_gaps", "Holes in the sequences of edges.", gaps)
    hours = [hour for one in statuses for hour in one.get("hours", [])]
    begun = [parse_time(f"{h['hour']}:00") for h in hours if h.get("state") == "open"]
    oldest = max((int((now - at).total_seconds()) for at in begun), default=0)
    yield metric(
        "oldest_open_hour_age_seconds", "Since the oldest open hour began.", max(0, oldest)
    )
    incomplete = sum(1 for h in hours if h.get("state") == "incomplete")
    yield metric("incomplete_hours", "Hours closed without an edge.", incomplete)


def billing_metrics(board: Board, *, now: datetime) -> Iterator[Metric]:
    """States, trust, deliveries, and how the daemon itself does."""
    signs = board.signs
    if signs is not None:
        by_state = [({"state": state}, count) for state, count in signs.accounts.items()]
        yield metric("accounts", "Accounts by state.", by_state)
        yield metric("unverified", "1: no suspension begins now.", int(bool(signs.unverified)))
        yield metric("runs_held", "Rating runs that wait for a person.", signs.runs_held)
        age = int((now - signs.usage_through).total_seconds()) if signs.usage_through else 0
        yield metric("usage_rated_age_seconds", "Since the end of the last rated hour.", age)
        waiting = [({"endpoint": name}, count) for name, count in signs.waiting.items()]
        yield metric("deliveries_waiting", "Events waiting to be sent.", waiting)
        off = [({"endpoint": name}, 1) for name in signs.disabled]
        yield metric("endpoint_disabled", "1: the endpoint is switched off.", off)
        yield metric("stopped_domains", "Names on the stop list.", signs.stopped_domains)
    failures = [({"step": step}, count) for step, count in sorted(board.failures.items())]
    yield metric("step_failures_total", "Failures of the daemon's steps.", failures, "counter")
    spent = [({"step": step}, count) for step, count in sorted(board.seconds.items())]
    yield metric("step_milliseconds_total", "Time spent in the daemon's steps.", spent, "counter")
    if board.round_at is not None:
        age = int((now - board.round_at).total_seconds())
        yield metric("round_age_seconds", "Since the daemon's last round ended.", age)


def problems(board: Board, statuses: list[dict[str, Any]], *, now: datetime) -> list[str]:
    """What is wrong now, in words; nothing: healthy."""
    found = [f"{step}: {why}" for step, why in sorted(board.failing.items())]
    if board.round_at is None:
        found.append("no round has ended yet")
    elif now - board.round_at > timedelta(minutes=30):
        found.append(f"no round has ended since {board.round_at:%Y-%m-%dT%H:%M}Z")
    if not all(bool(one.get("adds_up", False)) for one in statuses):
        found.append("conservation is broken: read is not accepted + duplicate + quarantined")
    if board.signs is not None and board.signs.unverified:
        found.append(f"unverified: {board.signs.unverified}")
    return found


def _age(text: object, now: datetime) -> int:
    if not isinstance(text, str):
        return 0
    return max(0, int((now - parse_time(text)).total_seconds()))


@contextmanager
def serving(
    home: Path, board: Board, *, listen: str, clock: Callable[[], datetime]
) -> Iterator[int]:
    """Serve /metrics and /healthz at `listen` (HOST:PORT, port 0: any); yields the port."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    host, _, port = listen.rpartition(":")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            now = clock()
            statuses = read_statuses(home)
            with board.lock:
                wrong = problems(board, statuses, now=now)
                families = [
                    *metering_metrics(statuses, now=now),
                    *billing_metrics(board, now=now),
                    metric("healthy", "1: /healthz answers 200.", int(not wrong)),
                ]
            if self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4", render(families).encode())
            elif self.path == "/healthz":
                document = {"healthy": not wrong, "problems": wrong}
                status = 503 if wrong else 200
                self._answer(status, "application/json", orjson.dumps(document) + b"\n")
            else:
                self._answer(404, "text/plain", b"/metrics or /healthz\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Scrapes are not worth a line."""

    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
