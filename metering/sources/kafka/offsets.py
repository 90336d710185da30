"""Where a worker may begin in Kafka, and when to cry: pure decisions over offsets and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import Corrupt
from metering.sources.kafka.units import KafkaPosition

RETENTION_SHARE = 4
"""Alarm when the oldest unread record has used up a quarter of the time it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a partition holds now: records from `begin` to before `end`."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one partition is read, and what its broker last told. Offsets; -1: not known."""

    partition: int
    reached: int
    stable: int = -1
    high: int = -1

    @property
    def behind(self) -> int:
        """Records that could be read and were not, as far as is known."""
        return max(self.stable - self.reached, 0)


class LostPosition(Corrupt):
    """Kafka does not have what the worker has to read next: a person decides."""


_RESEND = (
    "send again what the edges still keep (`edgetoll edge ship --resend`), then set"
    ' on_lost_position = "reread" in [metering.kafka]: nothing is counted twice, and what is'
    " missing is named in the certificates"
)


def start_offsets(
    topic: str,
    topic_id: str,
    spans: Mapping[int, Span],
    stored: Mapping[int, KafkaPosition],
    *,
    reread: bool = False,
) -> dict[int, int]:
    """The offset to begin at in each partition.

    A partition without a stored position begins at the first record kept, never at the end. Raises
    LostPosition for a topic that was made again (FAULTS B10), an offset beyond the end (B8) and one
    that retention has passed (B9), unless `reread` allows to begin anew at what there is.
    """
    starts: dict[int, int] = {}
    for partition, span in spans.items():
        position = stored.get(partition)
        if position is None:
            starts[partition] = span.begin
            continue
        problem = _problem(f"{topic}:{partition}", topic_id, span, position)
        if problem is None:
            starts[partition] = position.offset
        elif reread:
            starts[partition] = span.begin
        else:
            raise LostPosition(problem, _RESEND)
    return starts


def _problem(name: str, topic_id: str, span: Span, position: KafkaPosition) -> str | None:
    if position.topic_id != topic_id:
        return (
            f"{name} was deleted and made again: the stored offset {position.offset} is of topic"
            f" {position.topic_id}, the topic now is {topic_id}"
        )
    if position.offset > span.end:
        return (
            f"{name} ends at offset {span.end} and the worker has read to {position.offset}:"
            " Kafka lost acknowledged records"
        )
    if position.offset < span.begin:
        return (
            f"{name} begins at offset {span.begin} and the worker has to go on at"
            f" {position.offset}: retention deleted {span.begin - position.offset} records unread"
        )
    return None


def retention_alarm(topic: str, partition: int, unread_ms: int, retention_ms: int) -> str | None:
    """A line for a person when the oldest unread record, `unread_ms` old, will be deleted soon.

    None while less than a quarter of the retention is used up, or when it never ends (below 0).
    """
    if retention_ms < 0 or unread_ms * RETENTION_SHARE < retention_ms:
        return None
    return (
        f"{topic}:{partition} is read {unread_ms // 60_000} minutes late and Kafka keeps records"
        f" {retention_ms // 60_000} minutes: add workers, or lengthen retention.ms"
    )


def transaction_alarm(topic: str, place: Place) -> str | None:
    """A line when an open transaction hides records that are there (FAULTS B16)."""
    if place.stable < 0 or place.reached < place.stable or place.high <= place.stable:
        return None
    return (
        f"{topic}:{place.partition} has {place.high - place.stable} records behind an open"
        f" transaction at offset {place.stable}: abort it (kafka-transactions.sh abort);"
        " edgetoll itself uses none"
    )


def stuck(topic: str, reached: Mapping[int, int], ends: Mapping[int, int]) -> str | None:
    """Why a client without progress is stuck: a second client sees more than it ever got."""
    for partition, end in ends.items():
        if reached.get(partition, 0) < end:
            return (
                f"{topic}:{partition} has records to offset {end} and the client has stood at"
                f" {reached.get(partition, 0)}"
            )
    return None
