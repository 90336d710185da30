"""The stop list as a compacted Kafka topic: key the domain, value why it is stopped, null when not.

What was sent last stands in HOME/suspended/kafka.json, written after the broker has it: a crash in
between sends the same values again, which changes nothing for a reader.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from billing.outbox import stop_list
from billing.outbox.settings import StopListSettings, read_delivery
from edge.console import warn
from edge.durable import FileLock, write_atomically
from edge.errors import Busy

SEND_SECONDS = 30


def publish_changes(home: Path, settings: StopListSettings) -> int:
    """Send what changed in the file since the last time; returns how many names it was.

    One sender at a time, each with the file as it is then: a slow one never sends an older list
    after a newer one. Busy: another sender did not leave in time.
    """
    folder = home / settings.folder
    with FileLock(folder / "kafka.lock", "stop list", wait_seconds=2 * SEND_SECONDS):
        path = folder / "kafka.json"
        before: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
        after = stop_list.read_file(folder / "domains.json")
        changes = changed(before, after)
        if changes:
            assert settings.kafka is not None, "asked only when a broker is set"
            asyncio.run(_send(settings.kafka, settings.topic, changes))
            write_atomically(path, orjson.dumps(after, option=orjson.OPT_SORT_KEYS))
    return len(changes)


def follow(home: Path) -> None:
    """Bring the topic up to the file at the end of a command, where a broker is set.

    What the command recorded stands whether the broker answers or not: then a person is warned, and
    the next round of the daemon sends it.
    """
    settings = read_delivery(home).stop_list
    if settings.kafka is None:
        return
    from aiokafka.errors import KafkaError

    try:
        publish_changes(home, settings)
    except (KafkaError, OSError, TimeoutError, Busy) as error:
        why = str(error) or type(error).__name__
        warn(f"the stop list is written, but not yet in topic {settings.topic}: {why}")


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
