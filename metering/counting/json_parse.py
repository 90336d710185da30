"""One Kafka message as JSON events: plain, or CloudEvents 1.0 structured, binary, batched.

Only form is judged here, strictly (FAULTS D13, D15): UTF-8 JSON, no key twice, bounded size and
depth. Values are judged in json_check. An event is a tuple in order of FIELDS.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from edge.reasons import Reason
from metering.sources.source import Message

FIELDS: Final = (
    "source",
    "id",
    "time",
    "domain",
    "scheme",
    "transport",
    "status",
    "bytes_sent",
    "cache",
    "region",
)
MESSAGE_BYTES_MAX: Final = 64 << 10
BATCHED_BYTES_MAX: Final = 1 << 20
BATCHED_EVENTS_MAX: Final = 10_000
DEPTH_MAX: Final = 16
VERSION: Final = 1
TYPE: Final = "edgetoll.request.v1"
"""The CloudEvents type; another one is another version."""
UNKNOWN_REGION: Final = "unknown"
_TELLING: Final = frozenset(("ce_specversion", "content-type"))
_BATCH_TYPE: Final = b"application/cloudevents-batch+json"

RawEvent = tuple[object, ...]
"""One event in the order of FIELDS; its values are judged in json_check."""

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A message that holds no readable events, and how many it counts for (at least one)."""

    reason: Reason
    events: int = 1


def is_plain(message: Message) -> bool:
    """Whether no header says how to read the value: it is what it says itself."""
    return not message[2] or not any(name.lower() in _TELLING for name, _ in message[2])


def events_of(message: Message) -> Sequence[RawEvent] | Unreadable:
    """The events of one message, in order."""
    _, value, headers = message
    if headers:
        named = {name.lower(): content for name, content in headers}
        if "ce_specversion" in named:
            return _binary(value, named)
        if named.get("content-type", b"").split(b";")[0].strip().lower() == _BATCH_TYPE:
            return _document(value, BATCHED_BYTES_MAX)
    return _document(value, MESSAGE_BYTES_MAX)


def _document(value: bytes, limit: int) -> Sequence[RawEvent] | Unreadable:
    """A plain event, a structured CloudEvent, or an array of CloudEvents."""
    if value[:1] == b"[":
        limit = BATCHED_BYTES_MAX
    if len(value) > limit:
        return Unreadable(reason=Reason.TOO_LARGE)
    parsed = _strict(value)
    if isinstance(parsed, Unreadable):
        return parsed
    if type(parsed) is dict:
        one = _one(parsed)
        return one if isinstance(one, Unreadable) else (one,)
    if type(parsed) is not list or not parsed:
        return Unreadable(reason=Reason.SCHEMA)
    if len(parsed) > BATCHED_EVENTS_MAX:
        return Unreadable(reason=Reason.TOO_LARGE, events=len(parsed))
    found = []
    for document in parsed:
        # One message is one fact: a batch with a bad member is refused whole, so that it can be
        # corrected and sent again under the same ids.
        one = _structured(document) if type(document) is dict else Unreadable(reason=Reason.SCHEMA)
        if isinstance(one, Unreadable):
            return Unreadable(reason=one.reason, events=len(parsed))
        found.append(one)
    return found


def _strict(value: bytes) -> object:
    """The JSON in `value`, or Unreadable: by orjson, by the slow parser where a key may repeat."""
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return Unreadable(reason=Reason.SYNTAX)
    # In a flat object without odd spacing, `":` occurs once per key; anything else is looked at.
    if type(parsed) is dict and value.count(b'":') == len(parsed):
        return parsed
    return parsed if _strictly_formed(value) else Unreadable(reason=Reason.SYNTAX)


def _strictly_formed(value: bytes) -> bool:
    """Whether no object repeats a key and nothing is nested deeper than DEPTH_MAX."""

    def unique(pairs: list[tuple[str, object]]) -> JsonObject:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a key twice")
        return made

    if value.count(b"[") + value.count(b"{") > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        return False
    try:
        json.loads(value, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return False
    return True


def _depth(value: bytes) -> int:
    """How deep arrays and objects nest; brackets within texts do not count."""
    depth = deepest = 0
    inside = escaped = False
    for byte in value:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _one(document: JsonObject) -> RawEvent | Unreadable:
    if "specversion" in document:
        return _structured(document)
    if document.get("version", VERSION) != VERSION:
        return Unreadable(reason=Reason.VERSION)
    try:
        return (
            document["source"],
            document["id"],
            document["time"],
            document["domain"],
            document["scheme"],
            document["transport"],
            document["status"],
            document["bytes_sent"],
            document.get("cache"),
            document.get("region", UNKNOWN_REGION),
        )
    except KeyError:
        return Unreadable(reason=Reason.SCHEMA)


def _structured(document: JsonObject) -> RawEvent | Unreadable:
    """A CloudEvent whose attributes stand beside `data`."""
    if document.get("specversion") != "1.0" or document.get("type") != TYPE:
        return Unreadable(reason=Reason.VERSION if "specversion" in document else Reason.SCHEMA)
    data = document.get("data")
    if type(data) is not dict:
        return Unreadable(reason=Reason.SCHEMA)
    attributes: JsonObject = {name: document[name] for name in ("id", "source") if name in document}
    time = document.get("time")
    if time is not None:
        attributes["time"] = time
    if "region" in document:
        attributes["region"] = document["region"]
    return _one({**data, **attributes, "version": data.get("version", VERSION)})


def _binary(value: bytes, headers: dict[str, bytes]) -> Sequence[RawEvent] | Unreadable:
    """A CloudEvent whose attributes are headers `ce_…` and whose data is the value."""
    if len(value) > MESSAGE_BYTES_MAX:
        return Unreadable(reason=Reason.TOO_LARGE)
    data = _strict(value)
    if isinstance(data, Unreadable):
        return data
    document = {"data": data}
    try:
        for name, content in headers.items():
            if name.startswith("ce_"):
                document[name[3:]] = content.decode("utf-8")
    except UnicodeDecodeError:
        return Unreadable(reason=Reason.SCHEMA)
    one = _structured(document)
    return one if isinstance(one, Unreadable) else (one,)
