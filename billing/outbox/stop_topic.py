"""The stop list as a compacted Kafka topic: key the domain, value why it is stopped, null when not.

What was sent last stands in HOME/suspended/kafka.json, written after the broker has it: a crash in
between sends the same values again, which changes nothing for a reader.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from billing.outbox.settings import StopListSettings
from billing.outbox.stop_list import StoppedDomain
from edge.durable import write_atomically

SEND_SECONDS = 30


def publish_changes(
    home: Path, settings: StopListSettings, found: tuple[StoppedDomain, ...]
) -> int:
    """Send what changed since the last time; returns how many names it was."""
    path = home / settings.folder / "kafka.json"
    before: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    after = {one.domain: one.document() for one in found}
    changes = changed(before, after)
    if changes:
        assert settings.kafka is not None, "asked only when a broker is set"
        asyncio.run(_send(settings.kafka, settings.topic, changes))
        write_atomically(path, orjson.dumps(after, option=orjson.OPT_SORT_KEYS))
    return len(changes)


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Per name the new value, None where it is no longer stopped; unchanged names are left out."""
    gone = {name: None for name in before if name not in after}
    new = {name: value for name, value in after.items() if before.get(name) != value}
    return {**gone, **new}


async def _send(bootstrap: str, topic: str, changes: dict[str, Any]) -> None:
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=20
    )
    async with asyncio.timeout(SEND_SECONDS), producer:
        sent = [
            await producer.send(
                topic,
                key=name.encode(),
                value=None if value is None else orjson.dumps(value),
            )
            for name, value in sorted(changes.items())
        ]
        await asyncio.gather(*sent)
