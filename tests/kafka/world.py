"""What the Kafka tests share: shipping, counting and comparing with the generator's own totals."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.kafka.traffic import Key, Truth
from edge.shipping.loop import ShipOptions, Shipper
from edge.shipping.run import settings as edge_link
from metering.closed import list_closed, read_certificate
from metering.sources.kafka.settings import worker_name
from metering.worker import kafka_process
from tests.effort import PATIENCE_S


def ship(home: Path, bootstrap: str, **options: Any) -> Shipper:
    """Drain the spools of `home` to Kafka in this process; gives the shipper with its `said`."""
    said: list[str] = []

    async def main() -> Shipper:
        chosen = ShipOptions(**{"drain": True, "patience_s": 60.0, **options})
        shipper = Shipper(
            home, edge_link(home, bootstrap), chosen, jitter=lambda: 0.1, alarm=said.append
        )
        shipper.said = said  # type: ignore[attr-defined]
        await shipper.run()
        return shipper

    return asyncio.run(main())


@contextmanager
def shipping(home: Path, bootstrap: str, **options: Any) -> Iterator[Any]:
    """A shipper that goes on in a thread while the test does other things."""
    said: list[str] = []
    box: dict[str, Any] = {}
    ready = threading.Event()

    async def main() -> None:
        box["loop"] = asyncio.get_running_loop()
        chosen = ShipOptions(**{"backoff_s": (0.05, 0.5), **options})
        box["shipper"] = shipper = Shipper(
            home, edge_link(home, bootstrap), chosen, jitter=lambda: 0.1, alarm=said.append
        )
        shipper.said = said  # type: ignore[attr-defined]
        ready.set()
        await shipper.run()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait(PATIENCE_S)
    try:
        yield box["shipper"]
    finally:
        if thread.is_alive():
            box["loop"].call_soon_threadsafe(box["shipper"].stop)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Return once `condition()` holds; AssertionError after `timeout_s`."""
    tick = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        if condition():
            return
        tick.wait(0.02)
    raise AssertionError(f"did not happen within {timeout_s} s")


def count(home: Path, bootstrap: str, partitions: str | None = None) -> dict[str, Any]:
    """Drain the topic into the store of `home`; gives its published status."""
    kafka_process.run(home, bootstrap=bootstrap, partitions=partitions, drain=True)
    return status(home, partitions)


def status(home: Path, partitions: str | None = None) -> dict[str, Any]:
    """The published status."""
    document: dict[str, Any] = json.loads(
        (home / "live" / f"status{worker_name(partitions)}.json").read_text()
    )
    return document


def closed_usage(home: Path) -> tuple[Counter[Key], Counter[Key]]:
    """(requests, bytes) of all closed hours, all revisions, in the form of Truth."""
    requests: Counter[Key] = Counter()
    sizes: Counter[Key] = Counter()
    for file in list_closed(home):
        for row in pq.read_table(file.data_path).to_pylist():
            bucket_ms = int(
                (row["bucket"].timestamp() if row["bucket"].tzinfo else _utc(row)) * 1000
            )
            key = (bucket_ms, row["domain"], row["region"], row["class"])
            requests[key] += row["requests"]
            sizes[key] += row["bytes_sent"]
    return requests, sizes


def _utc(row: dict[str, Any]) -> float:
    from datetime import UTC

    stamp: float = row["bucket"].replace(tzinfo=UTC).timestamp()
    return stamp


def assert_equals(home: Path, truths: list[Truth]) -> None:
    """Closed hours hold exactly what the generator made, key by key."""
    requests: Counter[Key] = Counter()
    sizes: Counter[Key] = Counter()
    for truth in truths:
        requests.update(truth.requests)
        sizes.update(truth.bytes_sent)
    found_requests, found_sizes = closed_usage(home)
    assert +found_requests == +requests
    assert +found_sizes == +sizes


def certificates(home: Path) -> list[Any]:
    """Every certificate, by hour, partition, revision."""
    return [read_certificate(file.certificate_path) for file in list_closed(home)]


def send(bootstrap: str, topic: str, messages: list[tuple[Any, ...]], partition: int = 0) -> None:
    """Send (key, value[, headers]) to one partition of a topic, in order."""

    async def main() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=4 << 20
        )
        await producer.start()
        try:
            futures = [
                await producer.send(
                    topic,
                    message[1],
                    key=message[0],
                    partition=partition,
                    headers=message[2] if len(message) > 2 else [],
                )
                for message in messages
            ]
            await asyncio.gather(*futures)
        finally:
            await producer.stop()

    asyncio.run(main())


def records(bootstrap: str, topic: str) -> list[Any]:
    """Every record of a topic, partition by partition."""

    async def main() -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        await consumer.start()
        try:
            await consumer._client._wait_on_metadata(topic)
            numbers = sorted(consumer.partitions_for_topic(topic) or ())
            parts = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            found: list[Any] = []
            for part in parts:
                consumer.seek(part, 0)
            while any([await consumer.position(part) < ends[part] for part in parts]):
                got = await consumer.getmany(timeout_ms=200)
                for batch in got.values():
                    found += batch
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    return asyncio.run(main())
