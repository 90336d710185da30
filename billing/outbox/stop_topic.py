"""The stop list as a compacted Kafka topic: key the domain, value why it is stopped, null when not.

What was sent last stands in HOME/suspended/kafka.json, written after the broker has it: a crash in
between sends the same values again, which changes nothing for a reader. Where that file is lost the
topic itself is read, or a name in it that has paid since would stay stopped for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import orjson

from billing.outbox import stop_list
from billing.outbox.settings import StopListSettings, read_delivery
from edge.durable import FileLock, write_atomically
from edge.errors import EdgetollError
from edge.kafka.link import hush, why
from edge.terminal import warn

STOP_SECONDS = 5


class NotSent(EdgetollError):
    """The broker did not take the changes; the next round sends them again."""

    exit_code = 75


def publish_changes(home: Path, settings: StopListSettings) -> int:
    """Send what changed in the file since the last time; returns how many names it was.

    One sender at a time, each with the file as it is then: a slow one never sends an older list
    after a newer one. Busy: another sender did not leave in time. NotSent: the broker refused.
    """
    folder = home.joinpath(settings.folder)
    with FileLock(
        folder / "kafka.lock", "stop list", wait_seconds=2 * settings.request_timeout_seconds
    ):
        path = folder / "kafka.json"
        before = orjson.loads(path.read_bytes()) if path.exists() else _lost(home, settings)
        after = stop_list.read_file(folder / "domains.json")
        changes = changed(before, after)
        if changes:
            asyncio.run(_send(settings.below(home), changes))
        if changes or not path.exists():
            write_atomically(path, orjson.dumps(after, option=orjson.OPT_SORT_KEYS))
    return len(changes)


def follow(home: Path) -> None:
    """Bring the topic up to the file at the end of a command, where a broker is set.

    What the command recorded stands whether the broker answers or not: then a person is warned, and
    the next round of the daemon sends it.
    """
    settings = read_delivery(home).stop_list
    if settings.kafka is None or not (home.joinpath(settings.folder) / "domains.json").exists():
        return  # without a file nothing has been stopped yet, or the next look writes it anew
    try:
        publish_changes(home, settings)
    except EdgetollError as error:
        warn(f"the stop list is written, but not yet in topic {settings.topic}: {error.message}")


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """Per name the new value, None where it is no longer stopped; unchanged names are left out."""
    gone = {name: None for name in before if name not in after}
    new = {name: value for name, value in after.items() if before.get(name) != value}
    return {**gone, **new}


def _lost(home: Path, settings: StopListSettings) -> dict[str, object]:
    """What stands in the topic, where nothing here says it: a first start, or a lost file.

    Somebody who may only write cannot know: told so, and goes on as at a first start.
    """
    from aiokafka.errors import TopicAuthorizationFailedError

    try:
        return asyncio.run(_read(settings.below(home)))
    except TopicAuthorizationFailedError:
        warn(
            f"topic {settings.topic} may not be read, so names that stand in it from before stay:"
            " allow this user to read it"
        )
        return {}


async def _read(settings: StopListSettings) -> dict[str, object]:
    """The last value of each name in the topic; raises NotSent, or that it may not be read."""
    from aiokafka import AIOKafkaConsumer
    from aiokafka.errors import (
        KafkaError,
        TopicAuthorizationFailedError,
        UnknownTopicOrPartitionError,
    )

    hush()
    assert settings.kafka is not None, "asked only when a broker is set"
    options = settings.options_for(settings.kafka)
    consumer = AIOKafkaConsumer(settings.topic, **options, auto_offset_reset="earliest")
    found: dict[str, object] = {}
    try:
        async with asyncio.timeout(settings.request_timeout_seconds):
            await consumer.start()
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found |= {one.key.decode(): _value(one.value) for one in records if one.key}
    except UnknownTopicOrPartitionError:
        return {}
    except TopicAuthorizationFailedError:
        raise
    except (KafkaError, OSError) as error:
        raise _not_sent(settings, error) from error
    finally:
        with suppress(Exception):
            await asyncio.wait_for(consumer.stop(), STOP_SECONDS)
    return {name: value for name, value in found.items() if value is not None}


def _value(raw: bytes | None) -> object:
    """What a message says of its name; what nobody of us wrote is something to be replaced."""
    if raw is None:
        return None
    try:
        return orjson.loads(raw)
    except ValueError:
        return raw.hex()


async def _send(settings: StopListSettings, changes: dict[str, object]) -> None:
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
        raise _not_sent(settings, error) from error
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), STOP_SECONDS)


def _not_sent(settings: StopListSettings, error: Exception) -> NotSent:
    return NotSent(
        f"the broker at {settings.kafka} did not take the stop list: {why(error)}",
        "nothing is lost, the next round sends it again; the files in"
        f" {settings.folder} are up to date. Else correct [billing.delivery.stop_list]",
    )
