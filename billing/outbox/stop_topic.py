"""The stop list as a compacted Kafka topic: key the domain, value why it is stopped, null when not.

What was sent last stands in HOME/suspended/kafka.json, written after the broker has it: a crash in
between sends the same values again, which changes nothing for a reader.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from billing.outbox import stop_list
from billing.outbox.settings import StopListSettings, read_delivery
from edge.console import warn
from edge.durable import FileLock, write_atomically
from edge.errors import EdgetollError
from edge.kafkalink import hush, why

STOP_SECONDS = 5


class NotSent(EdgetollError):
    """The broker did not take the changes; the next round sends them again."""

    exit_code = 75


def publish_changes(home: Path, settings: StopListSettings) -> int:
    """Send what changed in the file since the last time; returns how many names it was.

    One sender at a time, each with the file as it is then: a slow one never sends an older list
    after a newer one. Busy: another sender did not leave in time. NotSent: the broker refused.
    """
    folder = home / settings.folder
    with FileLock(
        folder / "kafka.lock", "stop list", wait_seconds=2 * settings.request_timeout_seconds
    ):
        path = folder / "kafka.json"
        before: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
        after = stop_list.read_file(folder / "domains.json")
        changes = changed(before, after)
        if changes:
            asyncio.run(_send(settings.below(home), changes))
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
    try:
        publish_changes(home, settings)
    except EdgetollError as error:
        warn(f"the stop list is written, but not yet in topic {settings.topic}: {error.message}")


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Per name the new value, None where it is no longer stopped; unchanged names are left out."""
    gone = {name: None for name in before if name not in after}
    new = {name: value for name, value in after.items() if before.get(name) != value}
    return {**gone, **new}


async def _send(settings: StopListSettings, changes: dict[str, Any]) -> None:
    """Send, and return once the broker has all of it; raises NotSent."""
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    hush()
    assert settings.kafka is not None, "asked only when a broker is set"
    producer = AIOKafkaProducer(
        **settings.options_for(settings.kafka), enable_idempotence=True, acks="all", linger_ms=20
    )
    try:
        async with asyncio.timeout(settings.request_timeout_seconds):
            await producer.start()
            sent = [
                await producer.send(
                    settings.topic,
                    key=name.encode(),
                    value=None if value is None else orjson.dumps(value),
                )
                for name, value in sorted(changes.items())
            ]
            await asyncio.gather(*sent)
    except (KafkaError, OSError) as error:
        raise NotSent(
            f"the broker at {settings.kafka} did not take the stop list: {why(error)}",
            "nothing is lost, the next round sends it again; the files in"
            f" {settings.folder} are up to date. Else correct [billing.delivery.stop_list]",
        ) from error
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), STOP_SECONDS)
