"""Section [metering.kafka]: the connection, and how a worker reads. Every value has a default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.errors import InputError
from edge.kafka.link import KafkaLink


class MeteringKafka(KafkaLink):
    """How a worker reads a topic."""

    group: str | None = "edgetoll"
    """Where Kafka's own committed offsets go, for monitors only. None: nowhere."""
    fetch_bytes: int = Field(default=16 << 20, ge=1 << 20)
    """Most bytes of one fetch."""
    queue_bytes: int = Field(default=32 << 20, ge=1 << 20)
    """Most bytes fetched and not yet counted; beyond it fetching waits."""
    stuck_after_seconds: float = Field(default=60, gt=0)
    """The broker has more and none of it came for so long: the worker ends, to be restarted."""
    retention_hours: float | None = Field(default=None, gt=0)
    """How long the topic keeps records, for the alarm; None: what the broker says, else 7 days."""
    on_lost_position: Literal["stop", "reread"] = "stop"
    """What to do when Kafka no longer has the stored position: stop for a person, or read again
    all the topic still has, which counts nothing twice and shows what is missing as gaps."""
    json_window_days: float = Field(default=7, gt=0)
    """How long the ids of JSON events are known; never shorter than the topic's retention."""


def at_bootstrap(settings: MeteringKafka, bootstrap: str | None) -> MeteringKafka:
    """The same settings; `bootstrap` (--kafka), where given, replaces the address."""
    return settings if bootstrap is None else settings.model_copy(update={"bootstrap": bootstrap})


def chosen_partitions(text: str | None, count: int) -> tuple[int, ...]:
    """`0-3,7` as numbers, rising; None means all `count` of the topic. Raises InputError."""
    if text is None:
        return tuple(range(count))
    chosen: set[int] = set()
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not (low.isdecimal() and (high.isdecimal() if dash else True)):
            raise InputError(f"«{text}» names no partitions", "write it like 0-3,7")
        chosen.update(range(int(low), int(high if dash else low) + 1))
    beyond = sorted(number for number in chosen if number >= count)
    if beyond or not chosen:
        raise InputError(
            f"the topic has partitions 0 to {count - 1}, not {beyond or text}",
            "choose among those with --partitions",
        )
    return tuple(sorted(chosen))


def worker_name(partitions: str | None) -> str:
    """What keeps files of several workers in one home apart, such as `-0-3`."""
    if partitions is None:
        return ""
    return "-" + partitions.replace(" ", "").replace(",", "_")
