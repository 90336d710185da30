"""What Kafka hands out, in the worker's words: units, and positions that name their topic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from edge.errors import Corrupt
from metering.sources.source import Message, SourceBatch

BATCH_MAGIC: Final = b"ETB"
DAMAGED_HEADER: Final = "edgetoll-damaged"
RUN_MESSAGES: Final = 20_000
"""Most JSON messages in one unit."""


class KafkaRecord(Protocol):
    """What aiokafka hands out, as far as it is looked at."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaPosition:
    """The next offset to read, of a topic known by its id."""

    topic_id: str
    offset: int

    def to_text(self) -> str:
        """As it is stored, such as `f8abb017…@1234`."""
        return f"{self.topic_id}@{self.offset}"

    @classmethod
    def from_text(cls, text: str) -> KafkaPosition:
        """The position in `text`; raises Corrupt."""
        topic_id, at, offset = text.partition("@")
        if not (topic_id and at and offset.isascii() and offset.isdigit()):
            raise Corrupt(
                f"{text[:80]!r} is no position in Kafka",
                "this store was written over another transport: use its own home",
            )
        return cls(topic_id=topic_id, offset=int(offset))


def partition_name(partition: int) -> str:
    """`007`: what closed files are named by."""
    return f"{partition:03d}"


def source_name(topic: str, partition: int) -> str:
    """`TOPIC:7`: what a position belongs to."""
    return f"{topic}:{partition}"


def units(records: Iterable[KafkaRecord], topic_id: str) -> Iterator[SourceBatch]:
    """Records of one partition, in order, as units; runs of single messages become one."""
    run: list[Message] = []
    last: KafkaRecord | None = None
    for record in records:
        value = record.value
        if value is not None and value[:3] != BATCH_MAGIC and not record.headers:
            run.append((record.key, value, ()))
            last = record
            if len(run) >= RUN_MESSAGES:
                yield _run(last, topic_id, run)
                run = []
            continue
        headers = dict(record.headers)
        if DAMAGED_HEADER not in headers and (value is None or value[:3] != BATCH_MAGIC):
            run.append((record.key, value or b"", record.headers))
            last = record
            continue
        if run and last is not None:
            yield _run(last, topic_id, run)
            run = []
        yield _batch(record, topic_id, headers.get(DAMAGED_HEADER))
    if run and last is not None:
        yield _run(last, topic_id, run)


def _position(record: KafkaRecord, topic_id: str) -> str:
    return KafkaPosition(topic_id=topic_id, offset=record.offset + 1).to_text()


def _run(last: KafkaRecord, topic_id: str, run: list[Message]) -> SourceBatch:
    return SourceBatch(
        partition=partition_name(last.partition),
        source=source_name(last.topic, last.partition),
        position_after=_position(last, topic_id),
        payload=None,
        messages=run,
    )


def _batch(record: KafkaRecord, topic_id: str, damaged: bytes | None) -> SourceBatch:
    problem = None if damaged is None else damaged.decode("utf-8", "replace")[:200]
    return SourceBatch(
        partition=partition_name(record.partition),
        source=source_name(record.topic, record.partition),
        position_after=_position(record, topic_id),
        payload=record.value if damaged is None else None,
        problem=problem,
        damaged=b"" if damaged is None else (record.value or b""),
    )


def unit_bytes(batch: SourceBatch) -> int:
    """About the memory a unit holds."""
    if batch.messages is not None:
        return sum(len(message[1]) + 200 for message in batch.messages)
    return len(batch.payload or batch.damaged) + 200
