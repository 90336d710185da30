"""Step of the Kafka bench: what a worker holds when a million names are active in an hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.kafka.load import Packed, fill_spools
from bench.kafka.table import Bench, exact
from bench.kafka.traffic import HOUR_MS, Shape
from bench.kafka.traffic import batches as columns_of
from edge.batch.codec import pack_events

NAMES_A_PART = 20_000


def memory(bench: Bench) -> None:
    """Batches of all-new names; the peak of the whole process."""
    domains = max(NAMES_A_PART, round(min(bench.scale, 1.0) * 1_000_000))
    topic = bench.broker.create_topic("edgetoll.requests.names", 1)
    home = bench.home("names", topic)
    parts = [one for number in range(domains // NAMES_A_PART) for one in _all_new(number)]
    load = fill_spools(home, 1, 1, parts, HOUR_MS)
    bench.ship(home)
    spent, told = bench.children("worker", bench.home("names-count", topic), topic, ["0"])
    exact(load, told)
    note = f"peak {told[0]['peak_mb']} MB resident with {domains:,} domains in one hour"
    bench.add("memory: batches of all-new names", load.events, "events", spent, note)


def _all_new(number: int) -> list[Packed]:
    """Two batches over an hour, whose 20,000 names nobody else uses, each name twice."""
    shape = Shape(batches=1, events=2 * NAMES_A_PART, domains=NAMES_A_PART, hours=1)
    made = []
    for columns, _ in columns_of(shape, number):
        names = tuple(f"n{number}-{place}.example.com" for place in range(NAMES_A_PART))
        half = np.arange(NAMES_A_PART, dtype=np.int32)
        index = np.concatenate([half, half])
        named = replace(columns, domains=names, domain_index=index)
        for part in (named.slice(0, NAMES_A_PART), named.slice(NAMES_A_PART, 2 * NAMES_A_PART)):
            made.append(Packed(payload=pack_events(part), bytes_sent=int(part.bytes_sent.sum())))
    return made
