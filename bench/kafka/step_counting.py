"""Steps of the Kafka bench: batches, and JSON messages, from the broker to the commit in DuckDB."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Final

from bench.kafka.load import Load, fill_spools, json_messages, packed
from bench.kafka.table import EDGES, ONE, TWO, Bench, exact
from bench.kafka.traffic import Shape

HOUR_S: Final = 3600
BATCHES: Final = 120
"""Distinct batches of an edge; then they repeat with new identities and later times."""
REPEATS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How eight edges send: `events` a batch, each edge `rate` events a second, time moving on."""

    events: int
    rate: int

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return f"batches of {self.events:,} ({self.rate:,}/s an edge)"

    @property
    def shape(self) -> Shape:
        """The traffic of one edge: 500 names, the k-th as busy as 1/k."""
        seconds = BATCHES * self.events / self.rate
        return Shape(batches=BATCHES, events=self.events, domains=500, hours=seconds / HOUR_S)


FLEETS: Final = (
    Fleet(events=20_000, rate=125_000),
    Fleet(events=50_000, rate=125_000),
    Fleet(events=20_000, rate=333),
)
"""A million events a second from eight edges, in two sizes of batch; and eight slow edges, whose
every batch is a minute: there every transaction holds many more rows for as many events."""


def batches(bench: Bench) -> None:
    """Spool → acknowledged, bare fetch, one worker, two workers; for each fleet."""
    for number, fleet in enumerate(FLEETS):
        _fleet(bench, fleet, f"fleet{number}")


def _fleet(bench: Bench, fleet: Fleet, name: str) -> None:
    topic = bench.broker.create_topic(f"edgetoll.requests.{name}", EDGES)
    home = bench.home(name, topic)
    rounds = max(1, round(bench.scale * 200_000_000 / EDGES / BATCHES / fleet.events))
    load = fill_spools(home, EDGES, rounds, packed(fleet.shape, 7), fleet.shape.span_ms)
    size = f"{load.wire_bytes / load.events:.2f} B/event on disk and wire"
    shipped = bench.ship(home)
    shutil.rmtree(home)
    bench.add(f"spool → acknowledged, {fleet.name}", load.events, "events", shipped, size)
    for shares, who in ((ONE, "one process"), (TWO, "two processes")):
        spent, _ = bench.children("bare", home, topic, shares)
        bare = load.events / spent.seconds
        note = f"baseline: the same bytes, only fetched, {who}"
        bench.add(f"bare fetch, {fleet.name}", load.events, "events", spent, note)
        for number in range(REPEATS):
            fresh = bench.home(f"{name}-{len(shares)}-{number}", topic)
            spent, told = bench.children("worker", fresh, topic, shares)
            exact(load, told)
            share = load.events / spent.seconds / bare
            peak = max(one["peak_mb"] for one in told)
            note = f"{share:.2f} of the bare fetch, {who}, peak {peak} MB"
            bench.add(f"Kafka → committed, {fleet.name}", load.events, "events", spent, note)
            shutil.rmtree(fresh)


def json_path(bench: Bench) -> None:
    """One JSON event per message: ours with one worker and two, and the plain consumer."""
    topic = bench.broker.create_topic("edgetoll.requests.json", EDGES)
    count = max(20_000, round(bench.scale * 2_000_000))
    size = _produce_json(bench.broker.address, topic, json_messages(count, 3))
    load = Load(batches=0, events=count, bytes_sent=size, wire_bytes=0)
    for shares, who in ((ONE, "one process"), (TWO, "two processes")):
        spent, _ = bench.children("plain", bench.scratch, topic, shares)
        note = f"{who}; nothing durable, nothing once"
        bench.add("baseline: aiokafka, json and a dict", count, "events", spent, note)
        base = count / spent.seconds
        fresh = bench.home(f"json-{len(shares)}", topic)
        spent, told = bench.children("worker", fresh, topic, shares)
        exact(load, told)
        ratio = f"{count / spent.seconds / base:.2f} of the baseline, {who}"
        bench.add("one JSON event a message → committed", count, "events", spent, ratio)


def _produce_json(address: str, topic: str, messages: list[tuple[bytes, bytes]]) -> int:
    from confluent_kafka import Producer

    producer = Producer(
        {"bootstrap.servers": address, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    )
    for key, value in messages:
        producer.produce(topic, value, key=key)
        producer.poll(0)
    producer.flush(120)
    return sum(json.loads(value)["bytes_sent"] for _, value in messages)
