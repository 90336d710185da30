"""One measured process: a worker, a bare fetch, or the plain baseline. Prints one JSON line.

    python bench/kafka/child.py KIND HOME HOST:PORT TOPIC PARTITIONS

It says «ready» once everything is imported and connected, and begins when a line comes in.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edgetoll import settle


def begin() -> tuple[float, float]:
    """Wait for the start; gives (time, CPU seconds) then."""
    print("ready", flush=True)
    sys.stdin.readline()
    return time.time(), cpu()


def cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> int:
    """Most memory this process had at once; ru_maxrss would count what it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def done(started: tuple[float, float], **more: Any) -> None:
    """Print what was measured."""
    peak = peak_mb()
    spent = {"began": started[0], "ended": time.time(), "cpu": cpu() - started[1]}
    print(json.dumps({**spent, "peak_mb": peak, **more}), flush=True)


def worker(home: Path, address: str, partitions: str) -> None:
    """Our worker: everything there is, committed in DuckDB; then the hours closed."""
    from metering.counting.json_events import JsonIntake
    from metering.counting.quarantine import Quarantine
    from metering.settings import load
    from metering.sources.kafka.settings import at_bootstrap, worker_name
    from metering.sources.kafka.source import KafkaSource
    from metering.worker.process import wall_clock
    from metering.worker.worker import Worker

    settings = load(home)
    source = KafkaSource(at_bootstrap(settings.kafka, address), partitions, alarm=print)
    keep = Quarantine(home, 1 << 30).keep
    messages = JsonIntake.for_topic(4000, source.retention_ms, keep)
    name = worker_name(partitions)
    made = Worker(
        home,
        source,
        settings,
        clock=wall_clock,
        messages=messages,
        store_name=f"usage{name}.duckdb",
    )
    made.live.name = name
    started = begin()
    made.start()
    taken = time.time() - started[0]
    while made.step(0.0) or not source.caught_up():
        pass
    made.flush()
    counted = sum(owned.state.events.accepted for owned in made._partitions.values())
    rows = made.store.connection.execute("SELECT sum(requests), sum(bytes_sent) FROM usage")
    requests, size = rows.fetchone() or (0, 0)
    committed = time.time()
    done(
        started,
        events=int(requests or 0),
        bytes_sent=int(size or 0),
        counted=counted,
        taken_s=taken,
    )
    made.close_due(final=True)
    print(json.dumps({"closing_s": time.time() - committed}), flush=True)
    made.stop()


async def consume(address: str, topic: str, partitions: str, each: Any) -> None:
    """Fetch all records of some partitions with aiokafka, as a worker does."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    low, _, high = partitions.partition("-")
    numbers = range(int(low), int(high or low) + 1)
    parts = [TopicPartition(topic, number) for number in numbers]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address, fetch_max_bytes=16 << 20, max_partition_fetch_bytes=4 << 20
    )
    await consumer.start()
    ends = await consumer.end_offsets(parts)
    consumer.assign(parts)
    for part in parts:
        consumer.seek(part, 0)
    started = begin()
    left = {part for part in parts if ends[part] > 0}
    while left:
        for part, records in (await consumer.getmany(timeout_ms=200, max_records=20_000)).items():
            each(records)
            if records[-1].offset + 1 >= ends[part]:
                left.discard(part)
    done(started, events=each.events, bytes_sent=each.size)
    await consumer.stop()


class Bare:
    """Only looks at how long each value is: what fetching alone costs."""

    events = 0
    size = 0

    def __call__(self, records: list[Any]) -> None:
        self.events += len(records)
        self.size += sum(len(record.value) for record in records)


class Plain:
    """The baseline: JSON, a dict of counts, nothing durable, nothing exactly once."""

    def __init__(self) -> None:
        self.events = 0
        self.size = 0
        self.counts: Counter[tuple[int, str, str]] = Counter()

    def __call__(self, records: list[Any]) -> None:
        for record in records:
            event = json.loads(record.value)
            self.counts[event["time"] // 300_000, event["domain"], event["scheme"]] += 1
            self.size += event["bytes_sent"]
        self.events += len(records)


def main() -> None:
    """Do what the arguments say, in a process prepared as the program's own."""
    settle()
    kind, home, address, topic, partitions = sys.argv[1:6]
    if kind == "worker":
        worker(Path(home), address, partitions)
    else:
        asyncio.run(consume(address, topic, partitions, Bare() if kind == "bare" else Plain()))


if __name__ == "__main__":
    main()
