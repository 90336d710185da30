"""The identity of a Kafka topic: its id changes when it is deleted and made again (FAULTS B10).

Metadata version 12 is the first that tells the id; aiokafka 0.14 stops at 5, so its messages are
spelled out here. Shared with metering (decision 0401).
"""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import TYPE_CHECKING

from aiokafka.protocol import types
from aiokafka.protocol.api import Request, RequestStruct, Response

if TYPE_CHECKING:
    from aiokafka.client import AIOKafkaClient


class Uuid(types.AbstractType):  # type: ignore[misc]
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        """The bytes, as they are."""
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        """The next 16 bytes."""
        return uuid.UUID(bytes=data.read(16))


_TEXT = types.CompactString("utf-8")
_TAGS = ("tags", types.TaggedFields)
_NUMBERS = types.CompactArray(types.Int32)
_BROKER = (
    ("node_id", types.Int32),
    ("host", _TEXT),
    ("port", types.Int32),
    ("rack", _TEXT),
    _TAGS,
)
_PARTITION = (
    ("error_code", types.Int16),
    ("partition", types.Int32),
    ("leader", types.Int32),
    ("leader_epoch", types.Int32),
    ("replicas", _NUMBERS),
    ("isr", _NUMBERS),
    ("offline", _NUMBERS),
    _TAGS,
)
_TOPIC = (
    ("error_code", types.Int16),
    ("topic", _TEXT),
    ("topic_id", Uuid),
    ("is_internal", types.Boolean),
    ("partitions", types.CompactArray(*_PARTITION)),
    ("operations", types.Int32),
    _TAGS,
)


class _Answer(Response):  # type: ignore[misc]
    """Metadata response, version 12."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = types.Schema(
        ("throttle_time_ms", types.Int32),
        ("brokers", types.CompactArray(*_BROKER)),
        ("cluster_id", _TEXT),
        ("controller_id", types.Int32),
        ("topics", types.CompactArray(*_TOPIC)),
        _TAGS,
    )


class _Asked(RequestStruct):  # type: ignore[misc]
    """Metadata request, version 12."""

    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Answer
    SCHEMA = types.Schema(
        ("topics", types.CompactArray(("topic_id", Uuid), ("topic", _TEXT), _TAGS)),
        ("allow_auto_topic_creation", types.Boolean),
        ("include_topic_operations", types.Boolean),
        _TAGS,
    )


class _Question(Request[_Asked]):  # type: ignore[misc]
    """The builder that aiokafka's connection wants."""

    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self.topic = topic

    def build(self, request_struct_class: type[_Asked]) -> _Asked:
        """The request as aiokafka sends it."""
        return request_struct_class([(uuid.UUID(int=0), self.topic, {})], False, False, {})


async def topic_identity(client: AIOKafkaClient, topic: str) -> tuple[str, int]:
    """(id as 32 hex digits, number of partitions) of `topic`, as the broker says now.

    ("", 0) when there is none. `client` is a started aiokafka client; raises its errors.
    """
    answer = await client.send(client.get_random_node(), _Question(topic))
    for error_code, _name, topic_id, _internal, partitions, *_ in answer.topics:
        if error_code == 0 and topic_id.int:
            return topic_id.hex, len(partitions)
    return "", 0
