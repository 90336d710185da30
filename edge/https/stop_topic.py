"""The stop list on another machine than billing's: from the compacted topic into this edge's file.

The file is written only when all that the topic holds was read, so that a list is whole or the last
one stays. A topic that never held a message says nothing: nobody is stopped or released by it.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge.configfile import section
from edge.durable import write_atomically
from edge.errors import EdgetollError
from edge.https.settings import HttpsEdge
from edge.https.stop_list import stopped_name
from edge.instants import from_ms
from edge.kafka.link import KafkaLink, hush, why

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

AGAIN_SECONDS = 5
STOP_SECONDS = 5
LOOK_MS = 500


@dataclass(slots=True)
class TopicList:
    """What was read of the topic: per name its newest row. `newest`: when billing last said
    something.
    """

    rows: dict[str, object] = field(default_factory=dict)
    newest: datetime | None = None
    odd: set[str] = field(default_factory=set)
    """Names whose newest message nobody can read: what was said of them before holds."""

    def take(self, name: str, value: bytes | None, at: datetime) -> None:
        """One message: a row, or None where the name is no longer stopped."""
        self.newest = max(at, self.newest or at)
        self.odd.discard(name)
        if value is None:
            self.rows.pop(name, None)
            return
        try:
            row = json.loads(value)
            if stopped_name(row).domain != name:
                raise ValueError(name)
        except (ValueError, KeyError, TypeError):
            self.odd.add(name)
            return
        self.rows[name] = row

    def document(self) -> bytes:
        """The list as billing publishes it, once something was read."""
        assert self.newest is not None, "asked only after a message"
        rows = [self.rows[name] for name in sorted(self.rows)]
        as_of = f"{self.newest.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return json.dumps(
            {"format": 1, "as_of": as_of, "count": len(rows), "domains": rows}
        ).encode()


def follow(
    home: Path, edge: HttpsEdge, *, stop: threading.Event, say: Callable[[str], None]
) -> None:
    """Keep the file at the topic's state until `stop` is set; a broker that is away is said once
    and tried again, and the last file stays.
    """
    hush()
    said = ""
    while not stop.is_set():
        trouble = ""
        try:
            asyncio.run(_follow(home, edge, stop, say))
        except EdgetollError as error:
            trouble = str(error)
        except Exception as error:  # aiokafka's own and the system's: all mean the same here
            trouble = (
                f"the stop list does not come from topic {edge.stop_topic}: {why(error)};"
                " the last one is kept"
            )
        if trouble and trouble != said:
            say(trouble)
        said = trouble
        stop.wait(AGAIN_SECONDS)


async def _follow(
    home: Path, edge: HttpsEdge, stop: threading.Event, say: Callable[[str], None]
) -> None:
    from aiokafka import AIOKafkaConsumer

    link = section(home, "edge.kafka", KafkaLink).below(home)
    consumer = AIOKafkaConsumer(
        edge.stop_topic, **link.client_options(), auto_offset_reset="earliest"
    )
    found = TopicList()
    path = home / edge.stop_list
    try:
        async with asyncio.timeout(link.request_timeout_seconds):
            await consumer.start()
        is_new = False
        odd: set[str] = set()
        while not stop.is_set():
            for records in (await consumer.getmany(timeout_ms=LOOK_MS)).values():
                for one in records:
                    if one.key:
                        found.take(one.key.decode("utf-8", "replace"), one.value,
                                   from_ms(one.timestamp))  # fmt: skip
                        is_new = True
            if is_new and await _is_whole(consumer):
                write_atomically(path, found.document())
                is_new = False
            for name in sorted(found.odd - odd):
                say(f"topic {edge.stop_topic} has a message of {name} that is none of billing's")
            odd = set(found.odd)
    finally:
        with suppress(Exception):
            await asyncio.wait_for(consumer.stop(), STOP_SECONDS)


async def _is_whole(consumer: AIOKafkaConsumer) -> bool:
    """Whether everything that stands in the topic now was read."""
    places = consumer.assignment()
    ends = await consumer.end_offsets(places)
    return bool(places) and all([await consumer.position(one) >= end for one, end in ends.items()])
