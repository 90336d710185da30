"""Step of the Kafka bench: from an event at the edge until SQL sees it, at a million a second.

Eight edges write their spools in real time, `edge ship` and `metering run` are the programs as a
person starts them, and a reader asks view usage_5min over and over. Every edge has a region of its
own, so that a sum of requests says how far that edge's events have come. The baseline is a plain
consumer of the same batches, which only notes when each arrives.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.kafka.table import ROOT, Bench
from billing.lake.query import connect
from edge.batch.codec import decode_header

RATE = 1_000_000
SECONDS = 30
POLL_S = 0.1
EDGES = 8

Batch = tuple[int, int, int, int, int]
"""Edge, events to its end, first and last time of an event, when the spool had it (UTC ms)."""


def latency(bench: Bench) -> None:
    """p50 and p99 over all events, for the whole way and for the baseline."""
    seconds = max(5, min(SECONDS, round(bench.scale * 120)))
    for kind in ("baseline: a plain consumer has the batch", "event → visible in usage_5min"):
        topic = bench.broker.create_topic(f"edgetoll.requests.latency{len(kind)}", EDGES)
        home = bench.home(f"latency{len(kind)}", topic)
        look = _sql if kind.startswith("event") else _plain
        found = look(bench, home, topic, seconds)
        p50, p99 = np.percentile(found, [50, 99])
        rate = f"p50 {p50 / 1000:.2f} s, p99 {p99 / 1000:.2f} s"
        note = f"{RATE:,} events/s for {seconds} s, batches of 0.2 s, spool fsynced, worst"
        bench.say(kind, rate, "", f"{note} {found.max() / 1000:.2f} s")


@contextmanager
def _running(*commands: list[str]) -> Iterator[None]:
    """These programs in the background, ended at the end."""
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    try:
        yield
        if any(one.poll() is not None for one in running):
            raise SystemExit("a program ended by itself")
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


@contextmanager
def _edges(home: Path, seconds: int) -> Iterator[subprocess.Popen[str]]:
    """The edges, connected and waiting for their start."""
    program = [sys.executable, str(ROOT / "bench" / "kafka" / "live_edges.py")]
    with subprocess.Popen(
        [*program, str(home), str(RATE), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as edges:
        assert edges.stdout is not None
        edges.stdout.readline()
        yield edges


def _begin(edges: subprocess.Popen[str]) -> None:
    assert edges.stdin is not None
    edges.stdin.write("go\n")
    edges.stdin.flush()


def _made(edges: subprocess.Popen[str]) -> list[Batch]:
    """What the edges wrote; once they have ended."""
    assert edges.stdout is not None
    text = edges.stdout.read()
    if edges.wait():
        raise SystemExit("the edges could not keep the rate")
    return [tuple(row) for row in json.loads(text)]


def _sql(bench: Bench, home: Path, topic: str, seconds: int) -> npt.NDArray[np.float64]:
    """Seen by SQL: the moment a query ended that held the batch's last event, in ms."""
    ship = bench.program("edge", "ship", home=home)
    count = bench.program("metering", "run", home=home)
    seen: list[tuple[float, dict[str, int]]] = []
    wanted = RATE * seconds // EDGES
    with _edges(home, seconds) as edges, _running(ship, count):
        _wait((home / "live" / "status.json").exists)
        _begin(edges)
        until = time.monotonic() + seconds + 60
        while not seen or min(seen[-1][1].values(), default=0) < wanted:
            if time.monotonic() > until or edges.poll():
                raise SystemExit("not every event became visible")
            seen.append(_look(home))
            time.sleep(POLL_S)
        made = _made(edges)
    times = np.array([at for at, _ in seen])
    counts = {
        number: np.array([found.get(f"R{number}", 0) for _, found in seen])
        for number in range(EDGES)
    }
    first = {
        number: times[np.searchsorted(counts[number], [row[1] for row in made if row[0] == number])]
        for number in range(EDGES)
    }
    return _spread(made, {number: iter(found.tolist()) for number, found in first.items()})


def _look(home: Path) -> tuple[float, dict[str, int]]:
    """(when the answer was there, requests by region)."""
    with connect(home, query="usage_5min") as connection:
        rows = connection.execute(
            "SELECT region, sum(requests)::BIGINT FROM usage_5min GROUP BY region"
        ).fetchall()
    return time.time() * 1000, dict(rows)


def _plain(bench: Bench, home: Path, topic: str, seconds: int) -> npt.NDArray[np.float64]:
    """Seen by a consumer: the moment the record was in its hands, in ms."""
    with _edges(home, seconds) as edges, _running(bench.program("edge", "ship", home=home)):
        time.sleep(3.0)  # until the shipper is connected
        _begin(edges)
        wanted = EDGES * seconds * 5
        arrived = asyncio.run(_consume(bench.broker.address, topic, wanted))
        made = _made(edges)
    return _spread(made, {number: iter(arrived[f"edge-{number}"]) for number in range(EDGES)})


async def _consume(address: str, topic: str, wanted: int) -> dict[str, list[float]]:
    """When each batch arrived, by edge."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    consumer = AIOKafkaConsumer(bootstrap_servers=address)
    await consumer.start()
    parts = [TopicPartition(topic, number) for number in range(EDGES)]
    consumer.assign(parts)
    for part in parts:
        consumer.seek(part, 0)
    arrived: dict[str, list[float]] = {}
    count = 0
    try:
        while count < wanted:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                now = time.time() * 1000
                for record in records:
                    arrived.setdefault(decode_header(record.value).edge_id, []).append(now)
                    count += 1
    finally:
        await consumer.stop()
    return arrived


def _spread(made: list[Batch], seen: dict[int, Iterator[float]]) -> npt.NDArray[np.float64]:
    """Latency in ms of twenty events of each batch, evenly from its first to its last."""
    found = []
    for number, _, first, last, _ in made:
        found.append(next(seen[number]) - np.linspace(first, last, 20))
    return np.concatenate(found)


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            raise SystemExit("the worker did not begin")
        time.sleep(0.05)
