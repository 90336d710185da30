"""What /metrics says, in Prometheus' families, and what keeps the daemon from being ready.

What can only be known with the store open is gathered once per round (`VitalSigns`); ages and what
metering publishes are computed when somebody asks, so that a hung round shows as growing ages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from billing.status.judge import unverified
from billing.status.signals import SIGNALS, Finding
from edge.errors import Corrupt
from edge.https.status import HttpsStatus, read_status
from edge.terminal import parse_time
from metering.status import MeteringStatus, files, read_file

EDGES_MAX = 500
"""More edges than this are summed up: label values must stay bounded."""
ROUND_MINUTES_MOST = 30
"""A round that takes longer than this hangs."""
Family = GaugeMetricFamily | CounterMetricFamily


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
    given_up: Mapping[str, int]
    """Events that nobody tries to send any more, by endpoint."""
    disabled: tuple[str, ...]
    stopped_domains: int
    next_delivery_at: datetime | None = None
    unowned_requests: int = 0
    held_hours: int = 0
    findings: tuple[Finding, ...] = ()
    """The signals that stand."""


@dataclass
class Board:
    """What the daemon's threads share; the lock keeps a scrape whole."""

    signs: VitalSigns | None = None
    failing: dict[str, str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, int] = field(default_factory=dict)
    """Milliseconds spent, by step."""
    begun_at: datetime | None = None
    round_at: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the daemon must leave; those who wait for others ask it."""
    lock: threading.Lock = field(default_factory=threading.Lock)


def read_statuses(home: Path) -> list[MeteringStatus]:
    """What each metering worker published last; one that cannot be read does not add up."""
    found = []
    for path in files(home):
        try:
            found.append(read_file(path))
        except Corrupt:
            found.append(MeteringStatus(adds_up=False))
    return found


def gauge(name: str, about: str, value: int) -> GaugeMetricFamily:
    """A family of one value."""
    return GaugeMetricFamily(f"edgetoll_{name}", about, value=value)


def counter(name: str, about: str, value: int) -> CounterMetricFamily:
    """A family of one value that only grows."""
    return CounterMetricFamily(f"edgetoll_{name}", about, value=value)


def gauges(name: str, about: str, label: str, values: Iterable[tuple[str, int]]) -> Family:
    """A family with one sample for each value of `label`."""
    made = GaugeMetricFamily(f"edgetoll_{name}", about, labels=[label])
    for key, value in values:
        made.add_metric([key], value)
    return made


def counters(name: str, about: str, label: str, values: Iterable[tuple[str, int]]) -> Family:
    """The same of what only grows; its samples end in `_total`."""
    made = CounterMetricFamily(f"edgetoll_{name}", about, labels=[label])
    for key, value in values:
        made.add_metric([key], value)
    return made


def metering_metrics(statuses: Sequence[MeteringStatus], *, now: datetime) -> Iterator[Family]:
    """Event-time lag, conservation, open and incomplete hours, gaps."""
    totals = {
        "accepted": sum(one.accepted for one in statuses),
        "duplicate": sum(one.duplicate for one in statuses),
        "quarantined": sum(one.quarantined for one in statuses),
    }
    for result, total in totals.items():
        name = f"edgetoll_events_{result}"
        yield CounterMetricFamily(name, f"Events read and {result}.", value=total)
    holds = all(one.adds_up for one in statuses)
    yield gauge("conservation_holds", "1: read = accepted + duplicate + quarantined.", int(holds))
    ages = [_age(one.fresh_at, now) for one in statuses]
    yield gauge(
        "metering_status_age_seconds", "Since metering last published.", max(ages, default=0)
    )
    edges = [edge for one in statuses for edge in one.edges]
    lags = [(edge.edge_id, _age(edge.watermark, now)) for edge in edges]
    if len(edges) > EDGES_MAX:
        lags = [("all", max(lag for _edge, lag in lags))]
    yield gauges("event_time_lag_seconds", "How far an edge's watermark is behind.", "edge", lags)
    gaps = sum(len(edge.gaps) for edge in edges)
    yield gauge("sequence_gaps", "Holes in the sequences of edges.", gaps)
    hours = [hour for one in statuses for hour in one.hours]
    begun = [parse_time(f"{hour.hour}:00") for hour in hours if hour.state == "open"]
    oldest = max((int((now - at).total_seconds()) for at in begun), default=0)
    yield gauge("oldest_open_hour_age_seconds", "Since the oldest open hour began.", max(0, oldest))
    incomplete = sum(1 for hour in hours if hour.state == "incomplete")
    yield gauge("incomplete_hours", "Hours closed without an edge.", incomplete)


def billing_metrics(board: Board, *, now: datetime) -> Iterator[Family]:
    """States, trust, deliveries, and how the daemon itself does."""
    signs = board.signs
    if signs is not None:
        yield gauges("accounts", "Accounts by state.", "state", signs.accounts.items())
        yield gauge("unverified", "1: no suspension begins now.", int(bool(signs.unverified)))
        yield gauge("runs_held", "Rating runs that wait for a person.", signs.runs_held)
        age = int((now - signs.usage_through).total_seconds()) if signs.usage_through else 0
        yield gauge("usage_rated_age_seconds", "Since the end of the last rated hour.", age)
        about = "Events waiting to be sent."
        yield gauges("deliveries_waiting", about, "endpoint", signs.waiting.items())
        about = "Events that were given up in the last week, or tell of a current state."
        yield gauges("deliveries_given_up", about, "endpoint", signs.given_up.items())
        off = [(name, 1) for name in signs.disabled]
        yield gauges("endpoint_disabled", "1: the endpoint is switched off.", "endpoint", off)
        yield gauge("stopped_domains", "Names on the stop list.", signs.stopped_domains)
        about = "Lately, for names that no account owns."
        yield gauge("unattributed_requests", about, signs.unowned_requests)
        yield gauge("held_hours", "Account-hours that no price could rate.", signs.held_hours)
        yield signal_family(signs.findings)
    failures = sorted(board.failures.items())
    yield counters("step_failures", "Failures of the daemon's steps.", "step", failures)
    spent = sorted(board.seconds.items())
    yield counters("step_milliseconds", "Time spent in the daemon's steps.", "step", spent)
    if board.round_at is not None:
        age = int((now - board.round_at).total_seconds())
        yield gauge("round_age_seconds", "Since the daemon's last round ended.", age)


def https_metrics(status: HttpsStatus, *, now: datetime) -> Iterator[Family]:
    """How this edge serves HTTPS: what is live and how soon it was, certificates, refusals."""
    domains = sorted(status.domains.items())
    if status.applied_at is None and not domains:
        return
    states = {"live": 0, "stopped": 0, "waiting": 0}
    for _name, one in domains:
        states["stopped" if one.stopped and one.state == "live" else one.state] += 1
    yield gauges("https_domains", "Domains of this edge by state.", "state", states.items())
    took = [one.seconds_to_live for _, one in domains if one.seconds_to_live is not None]
    about = "From wish to proof, the longest of each domain's last change."
    yield gauge("https_seconds_to_live", about, max(took, default=0))
    ends = [(name, (one.expires - now).days) for name, one in domains if one.expires is not None]
    if len(ends) > EDGES_MAX:
        ends = [("all", min(days for _, days in ends))]
    yield gauges("tls_days_to_expiry", "Whole days that a certificate lasts.", "domain", ends)
    yield counter("https_reloads", "Reloads of nginx.", status.reloads)
    yield counter("https_refused_applies", "Applies put back.", status.refused_applies)


def signal_family(findings: Sequence[Finding]) -> Family:
    """How often each signal of docs/operating.md stands; 0: it does not."""
    about = "What was not read, counted, billed, told or verified."
    made = GaugeMetricFamily("edgetoll_signal", about, labels=["signal", "severity"])
    for one in SIGNALS:
        count = sum(found.count for found in findings if found.signal is one)
        made.add_metric([one.name, one.severity.value], count)
    return made


def hangs(board: Board, *, now: datetime) -> str | None:
    """Why the daemon should be started again: its rounds end no more; None: they do."""
    since = board.round_at or board.begun_at
    if since is None or now - since <= timedelta(minutes=ROUND_MINUTES_MOST):
        return None
    return f"no round has ended since {since:%Y-%m-%dT%H:%M}Z"


def problems(board: Board, statuses: Sequence[MeteringStatus], *, now: datetime) -> list[str]:
    """What is wrong now, in words; nothing: the daemon is ready."""
    found = [f"{step}: {why}" for step, why in sorted(board.failing.items())]
    hanging = hangs(board, now=now)
    if hanging is not None:
        found.append(hanging)
    elif board.round_at is None:
        found.append("no round has ended yet")
    if not all(one.adds_up for one in statuses):
        found.append("conservation is broken: read is not accepted + duplicate + quarantined")
    why = None if board.signs is None else unverified(board.signs.unverified)
    if why is not None:
        found.append(f"unverified: {why}")
    return found


class HomeCollector(Collector):
    """All families of a home, made when they are asked for."""

    def __init__(self, home: Path, board: Board, *, clock: Callable[[], datetime]) -> None:
        self.home = home
        self.board = board
        self.clock = clock

    def collect(self) -> Iterator[Family]:
        """Every family, of one moment."""
        now = self.clock()
        statuses = read_statuses(self.home)
        with self.board.lock:
            wrong = problems(self.board, statuses, now=now)
            alive = hangs(self.board, now=now) is None
            found = [
                *metering_metrics(statuses, now=now),
                *billing_metrics(self.board, now=now),
                *https_metrics(read_status(self.home), now=now),
                gauge("healthy", "1: /healthz answers 200.", int(alive)),
                gauge("ready", "1: /readyz answers 200.", int(not wrong)),
            ]
        yield from found


def _age(text: str | None, now: datetime) -> int:
    return 0 if text is None else max(0, int((now - parse_time(text)).total_seconds()))
