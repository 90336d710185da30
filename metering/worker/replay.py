"""`edgetoll metering replay`: batches from quarantine go to Kafka again once they can be counted.

What was refused for want of a key, by an older edgetoll or by a wrong clock may be countable today.
It is sent to the partition it came from, so that it stands in the log like any other batch: the
worker counts it by its identity, once, however often it is sent, and a rebuild finds it there too.
Files that were sent move to quarantine/replayed/; what would be refused again stays where it is.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.batch.codec import DecodeError, decode_header
from edge.batch.signature import Registry, read_registry, verify
from edge.durable import fsync_folder
from edge.errors import EdgetollError, InputError
from edge.kafka.link import hush, why
from metering.counting.batches import readable
from metering.counting.quarantine import FOLDER
from metering.settings import load
from metering.sources.kafka.settings import MeteringKafka, at_bootstrap

SENT = "replayed"
STOP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A batch in quarantine that can be counted now."""

    path: Path
    data: bytes
    edge_id: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote:
    """What is noted beside a unit in quarantine: where it came from, and why it was refused."""

    partition: str
    reason: str


class ReplayUnfinished(EdgetollError):
    """The broker did not take everything; what it took counts once, the rest waits."""

    exit_code = 75


def replay(
    home: Path, *, bootstrap: str | None, reason: str | None, now_ms: int
) -> dict[str, dict[str, int]]:
    """Send what can be counted now; the numbers `sent` and `left`, each by why it was refused.

    `reason` None: whatever the reason. Raises ReplayUnfinished; then running it again is right.
    """
    settings = load(home)
    registry = read_registry(home / settings.keys_file) if settings.keys_file else None
    link = at_bootstrap(settings.kafka, bootstrap).below(home)
    found: list[Kept] = []
    left: Counter[str] = Counter()
    for path, note in _notes(home, reason):
        kept = _sendable(path, note, registry, now_ms)
        if kept is None:
            left[note.reason] += 1
        else:
            found.append(kept)
    if found:
        asyncio.run(_send(link, found))
    folder = home / FOLDER / SENT
    for kept in found:
        folder.mkdir(exist_ok=True)
        for name in (kept.path, kept.path.with_suffix(".json")):
            name.rename(folder / name.name)
    if found:
        fsync_folder(folder)
    sent = Counter(kept.path.name.rpartition("-")[0] for kept in found)
    return {"sent": dict(sent), "left": dict(left)}


def _notes(home: Path, reason: str | None) -> Iterator[tuple[Path, KeptNote]]:
    """Each unit kept in quarantine, with what is noted of it."""
    for path in sorted((home / FOLDER).glob("*.batch")):
        raw = json.loads(path.with_suffix(".json").read_bytes())
        note = KeptNote(partition=str(raw["partition"]), reason=str(raw["reason"]))
        if reason in (None, note.reason):
            yield path, note


def _sendable(path: Path, note: KeptNote, registry: Registry | None, now_ms: int) -> Kept | None:
    """The unit, when it is a batch of a Kafka partition that would not be refused now."""
    if not note.partition.isdecimal():
        raise InputError(
            f"{path.name} was read in place, from the spool",
            "only what came over Kafka can be sent again",
        )
    data = path.read_bytes()
    try:
        header = decode_header(data)
        if registry is not None:
            verify(header, data, registry, now_ms)
        _, refused = readable(header, data, now_ms)
    except (DecodeError, ValueError):
        return None
    if refused:
        return None
    return Kept(path=path, data=data, edge_id=header.edge_id, partition=int(note.partition))


async def _send(link: MeteringKafka, found: list[Kept]) -> None:
    """Send all of it, and return once the broker has it; raises ReplayUnfinished."""
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    hush()
    producer = AIOKafkaProducer(
        **link.client_options(), enable_idempotence=True, acks="all", max_request_size=4 << 20
    )
    try:
        await producer.start()
        for kept in found:
            await producer.send_and_wait(
                link.topic, kept.data, key=kept.edge_id.encode(), partition=kept.partition
            )
    except (KafkaError, OSError) as error:
        raise ReplayUnfinished(
            f"the broker at {link.bootstrap} did not take the batches: {why(error)}",
            "run it again once the broker answers: nothing is counted twice",
        ) from error
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), STOP_S)
