"""The header of a batch: what it says of itself in JSON, its limits, and the rules it must keep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.batch.packing import SUM_MAX, TIME_MS_END
from edge.batch.records import EVENTS_MAX, BatchHeader, SourcePosition
from edge.errors import Corrupt
from edge.reasons import Reason

VERSION: Final = 1
NUMBER_END: Final = 1 << 63
"""Epochs, sequences and counts are below this."""

HELD_MAX: Final = 1000
"""Most characters of why a promise stands still."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_REGION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what a decoder takes; the defaults are the contract of FAULTS 5.2."""

    wire_bytes: int = 1 << 20
    header_bytes: int = 256 << 10
    raw_bytes: int = 16 << 20
    ratio: int = 50
    raw_bytes_free: int = 1 << 20
    """Below this size the ratio does not matter: steady traffic compresses beyond any ratio."""
    events: int = EVENTS_MAX


LIMITS: Final = Limits()


class DecodeError(Corrupt):
    """A batch that cannot be counted; `reason` names the first rule it breaks."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message, f"it is kept in quarantine as {reason.value}")
        self.reason = reason


def position_document(position: SourcePosition) -> dict[str, object]:
    """`position` as it stands in a header; empty texts are left out."""
    document: dict[str, object] = {"source": position.source, "offset": position.offset}
    if position.generation:
        document["generation"] = position.generation
    if position.fingerprint:
        document["fingerprint"] = position.fingerprint
    if position.detail:
        document["detail"] = position.detail
    return document


def position_from(document: object) -> SourcePosition:
    """The position in a header's document; raises DecodeError(schema)."""
    if not isinstance(document, dict):
        raise _not_a_batch("a source position is no object", Reason.SCHEMA)
    return SourcePosition(
        source=_text(document, "source", 4096),
        offset=_number(document, "offset"),
        generation=_number(document, "generation", 0),
        fingerprint=_text(document, "fingerprint", 4096, ""),
        detail=_text(document, "detail", 4096, ""),
    )


def require(fits: bool, message: str, reason: Reason = Reason.SCHEMA) -> None:
    """Raise DecodeError with `reason` unless `fits`."""
    if not fits:
        raise _not_a_batch(message, reason)


def _not_a_batch(message: str, reason: Reason) -> DecodeError:
    """The error for a header that breaks a rule."""
    return DecodeError(reason, f"not a batch that can be counted: {message}")


def _text(
    document: Mapping[str, object], key: str, longest: int, default: str | None = None
) -> str:
    """A text field of at most `longest` characters."""
    value = document.get(key, default)
    require(isinstance(value, str) and len(value) <= longest, f"{key} is missing or no short text")
    return str(value)


def _number(document: Mapping[str, object], key: str, default: int | None = None) -> int:
    """A whole number field from 0 to 2^63 - 1."""
    value = document.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < NUMBER_END:
        raise _not_a_batch(f"{key} is missing or no whole number", Reason.SCHEMA)
    return value


def header_from(document: object, signature: bytes | None) -> BatchHeader:
    """The header in `document`; unknown fields are ignored, wrong ones raise DecodeError."""
    if not isinstance(document, dict):
        raise _not_a_batch("the header is no object", Reason.SYNTAX)
    sources = document.get("sources", [])
    require(isinstance(sources, list), "sources is no list")
    previous = document.get("previous_epoch")
    if previous is not None:
        require(isinstance(previous, list | tuple) and len(previous) == 2, "previous_epoch")
        pair = dict(zip(("epoch", "sequence"), previous, strict=True))
        previous = (_number(pair, "epoch"), _number(pair, "sequence"))
    key_id = document.get("key_id")
    require(key_id is None or isinstance(key_id, str), "key_id is no text")
    kind = document.get("kind")
    if kind not in ("events", "counters", "heartbeat"):
        raise _not_a_batch("kind", Reason.VERSION)
    header = BatchHeader(
        version=VERSION,
        kind=kind,
        edge_id=_text(document, "edge_id", 128),
        region=_text(document, "region", 64),
        epoch=_number(document, "epoch"),
        sequence=_number(document, "sequence"),
        events=_number(document, "events"),
        requests=_number(document, "requests"),
        first_time_ms=_number(document, "first_time_ms"),
        last_time_ms=_number(document, "last_time_ms"),
        watermark_ms=_number(document, "watermark_ms"),
        payload_sha256=_text(document, "payload_sha256", 64),
        payload_size=_number(document, "payload_size"),
        raw_size=_number(document, "raw_size"),
        sources=tuple(position_from(source) for source in sources),
        previous_epoch=previous,
        held=_text(document, "held", HELD_MAX, ""),
        key_id=key_id,
        signature=signature,
    )
    _check_header(header)
    return header


def _check_header(header: BatchHeader) -> None:
    """Refuse a header whose fields contradict each other."""
    require(_NAME.match(header.edge_id) is not None, "edge_id")
    require(_REGION.match(header.region) is not None, "region")
    require(_SHA256.match(header.payload_sha256) is not None, "payload_sha256")
    require(header.first_time_ms <= header.last_time_ms < TIME_MS_END, "times", Reason.CLOCK)
    require(header.watermark_ms < TIME_MS_END, "watermark", Reason.CLOCK)
    require(header.requests < SUM_MAX, "requests")
    if header.kind == "heartbeat":
        require(header.events == 0 and header.payload_size == 0, "a heartbeat with a payload")
    else:
        require(header.events > 0, "an empty batch")
    if header.kind != "counters":
        require(header.requests == header.events, "requests")
