"""To which partition each epoch of a spool goes, for life; and what shipping last met.

`spool/EDGE/kafka.json` is durable before the first batch of an epoch is sent: deduplication is per
partition, so an epoch that wandered could be counted twice (DESIGN 3.2, FAULTS B11). Its presence
also tells a reader in place that this spool is somebody else's to count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import orjson

from edge.durable import write_atomically
from edge.errors import ConflictError, Corrupt, InputError
from edge.spool.segment import read_acknowledged

BINDING = "kafka.json"
STATUS = "shipping.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The topic, its id, and the partition of each epoch."""

    topic: str
    topic_id: str
    partitions: dict[int, int] = field(default_factory=dict)

    def with_epoch(self, epoch: int, partition: int) -> Binding:
        """The same, with one more epoch bound."""
        bound = {**self.partitions, epoch: partition}
        return Binding(topic=self.topic, topic_id=self.topic_id, partitions=bound)

    def to_bytes(self) -> bytes:
        """The file's content."""
        epochs = {str(epoch): partition for epoch, partition in self.partitions.items()}
        document = {"topic": self.topic, "topic_id": self.topic_id, "epochs": epochs}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def read_binding(folder: Path) -> Binding | None:
    """The binding of a spool; None before its first batch went to Kafka. Raises Corrupt."""
    path = folder / BINDING
    try:
        document = orjson.loads(path.read_bytes())
        return Binding(
            topic=document["topic"],
            topic_id=document["topic_id"],
            partitions={int(e): int(p) for e, p in document["epochs"].items()},
        )
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Corrupt(
            f"{path} cannot be read: {error}",
            "restore it: it says to which partition this spool's batches went",
        ) from error


def write_binding(folder: Path, binding: Binding) -> None:
    """Make the binding durable; only then may a batch be sent by it."""
    write_atomically(folder / BINDING, binding.to_bytes())


def bind_topic(folder: Path, topic: str, topic_id: str) -> Binding:
    """The binding to use for `topic`, which exists as `topic_id` now.

    Refuses a spool that was read in place, or that is bound to another topic or to one that has
    been deleted and made again since: what was acknowledged went with it.
    """
    found = read_binding(folder)
    if found is None:
        if read_acknowledged(folder) is not None:
            raise ConflictError(
                f"the spool {folder.name} was read in place: its batches are counted there",
                "go on with `edgetoll metering run`, or give the edge a new name for Kafka",
            )
        return Binding(topic=topic, topic_id=topic_id)
    if found.topic != topic:
        raise ConflictError(
            f"the spool {folder.name} goes to topic {found.topic}, not to {topic}",
            "an edge stays with its topic: correct `topic` in [edge.kafka]",
        )
    if found.topic_id != topic_id:
        raise ConflictError(
            f"topic {topic} was deleted and made again: batches of {folder.name} that Kafka had"
            " acknowledged are gone from it",
            "send everything the spool still keeps to the new topic: edgetoll edge ship --resend",
        )
    return found


def rebind_topic(folder: Path, topic: str, topic_id: str) -> Binding:
    """`--resend`: accept the topic as it is now; epochs keep their partition numbers."""
    found = read_binding(folder)
    if found is None:
        return bind_topic(folder, topic, topic_id)
    if found.topic != topic:
        raise InputError(
            f"the spool {folder.name} goes to topic {found.topic}, not to {topic}",
            "an edge stays with its topic: correct `topic` in [edge.kafka]",
        )
    rebound = Binding(topic=topic, topic_id=topic_id, partitions=found.partitions)
    write_binding(folder, rebound)
    return rebound
