"""The wire form of a batch, version 1: a small header in clear, one zstd frame of Arrow columns.

    prefix     16 bytes: magic "ETB" and version, length and CRC-32 of the header, signature length
    header     JSON: identity, counts, times, watermark, source positions, hash of the payload
    signature  64 bytes of Ed25519 over the header, or nothing
    payload    one zstd frame around an uncompressed Arrow IPC stream (edge/columns.py), or nothing

The header is read without touching the payload. Decoding is bounded before it begins (FAULTS 5.2):
1 MiB on the wire, 16 MiB and 50 times the compressed size (never less than 1 MiB) decompressed,
65,536 events. What breaks a rule raises DecodeError with a reason; nothing is guessed.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
import zstandard

from edge import columns as columns_of
from edge.batch import (
    EVENTS_MAX,
    BatchHeader,
    CounterColumns,
    EventColumns,
    Kind,
    PackedEvents,
    SourcePosition,
)
from edge.columns import SUM_MAX, TIME_MS_END, ColumnsError
from edge.errors import Corrupt, InputError
from edge.event import BUCKET_MS, RejectReason

VERSION: Final = 1
MAGIC: Final = b"ETB"
LEVEL: Final = 1
SIGNATURE_BYTES: Final = 64
_PREFIX: Final = struct.Struct("<3sBIIHH")
_SIGNED: Final = b"edgetoll batch 1\n"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_REGION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
NUMBER_END: Final = 1 << 63
_EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


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

    def __init__(self, reason: RejectReason, message: str) -> None:
        super().__init__(message, f"it is kept in quarantine as {reason.value}")
        self.reason = reason


class BatchTooLarge(InputError):
    """The columns are sound but do not fit one batch: send them as two."""


class Signer(Protocol):
    """Whoever signs batches: `key_id` names the public key, `sign` gives 64 bytes."""

    key_id: str

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature of `data`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A compressed payload that has no identity yet; may be made in any thread, in any order."""

    kind: Kind
    data: bytes
    raw_size: int
    sha256: str
    events: int
    requests: int
    first_time_ms: int
    last_time_ms: int


HEARTBEAT: Final = Payload(
    kind="heartbeat",
    data=b"",
    raw_size=0,
    sha256=_EMPTY_SHA256,
    events=0,
    requests=0,
    first_time_ms=0,
    last_time_ms=0,
)


def pack_events(columns: EventColumns) -> Payload:
    """The payload of `columns`; raises InputError for values no event may have, BatchTooLarge."""
    try:
        packed = columns_of.pack(columns)
    except ColumnsError as error:
        raise _unusable(error) from error
    return _payload(
        columns_of.to_stream(packed),
        kind="events",
        counts=(len(packed), len(packed)),
        times=(packed.first_time_ms, packed.last_time_ms),
    )


def pack_counters(counters: CounterColumns) -> Payload:
    """The payload of `counters`; raises InputError for impossible values, BatchTooLarge."""
    try:
        stream = columns_of.counters_to_stream(counters)
    except ColumnsError as error:
        raise _unusable(error) from error
    first = int(counters.bucket_ms.min())
    last = int(counters.bucket_ms.max()) + BUCKET_MS - 1
    return _payload(
        stream,
        kind="counters",
        counts=(len(counters), int(counters.requests.sum())),
        times=(first, last),
    )


def _unusable(error: ColumnsError) -> InputError:
    """The producer's error for columns that break a rule."""
    if error.reason is RejectReason.TOO_LARGE:
        return BatchTooLarge(str(error), "send fewer events in one batch")
    return InputError(f"{error.reason.value}: {error}", "these values cannot be in a batch")


def _payload(
    stream: bytes, *, kind: Kind, counts: tuple[int, int], times: tuple[int, int]
) -> Payload:
    """`stream` compressed; raises BatchTooLarge when a decoder's limits would refuse it."""
    data = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(stream)
    allowed = _raw_bytes_allowed(len(data), LIMITS)
    if len(stream) > allowed or len(data) > LIMITS.wire_bytes - LIMITS.header_bytes:
        raise BatchTooLarge(
            f"{len(stream)} bytes of columns, {len(data)} compressed", "send fewer events at once"
        )
    return Payload(
        kind=kind,
        data=data,
        raw_size=len(stream),
        sha256=hashlib.sha256(data).hexdigest(),
        events=counts[0],
        requests=counts[1],
        first_time_ms=times[0],
        last_time_ms=times[1],
    )


def _raw_bytes_allowed(compressed: int, limits: Limits) -> int:
    """How many bytes a payload of `compressed` bytes may decompress to."""
    return min(limits.raw_bytes, max(limits.raw_bytes_free, limits.ratio * compressed))


def seal(
    payload: Payload,
    *,
    edge_id: str,
    region: str,
    epoch: int,
    sequence: int,
    watermark_ms: int,
    sources: tuple[SourcePosition, ...] = (),
    previous_epoch: tuple[int, int] | None = None,
    signer: Signer | None = None,
) -> bytes:
    """`payload` with its identity: the bytes of one batch. Raises InputError for a bad name."""
    document: dict[str, Any] = {
        "kind": payload.kind,
        "edge_id": edge_id,
        "region": region,
        "epoch": epoch,
        "sequence": sequence,
        "events": payload.events,
        "requests": payload.requests,
        "first_time_ms": payload.first_time_ms,
        "last_time_ms": payload.last_time_ms,
        "watermark_ms": watermark_ms,
        "sources": [position_document(position) for position in sources],
        "previous_epoch": previous_epoch,
        "payload_sha256": payload.sha256,
        "payload_size": len(payload.data),
        "raw_size": payload.raw_size,
        "key_id": None if signer is None else signer.key_id,
    }
    try:
        _header(document, None)
    except DecodeError as error:
        raise InputError(error.message, "check the edge's name, region and numbers") from error
    header = orjson.dumps(document)
    if len(header) > LIMITS.header_bytes:
        raise BatchTooLarge(f"a header of {len(header)} bytes", "move fewer sources in one batch")
    signature = b"" if signer is None else signer.sign(_SIGNED + header)
    prefix = _PREFIX.pack(MAGIC, VERSION, len(header), zlib.crc32(header), len(signature), 0)
    return b"".join((prefix, header, signature, payload.data))


def encode_events(columns: EventColumns, **identity: Any) -> bytes:
    """`columns` as one batch; `identity` as in seal()."""
    return seal(pack_events(columns), **identity)


def encode_counters(counters: CounterColumns, **identity: Any) -> bytes:
    """`counters` as one batch; `identity` as in seal()."""
    return seal(pack_counters(counters), **identity)


def encode_heartbeat(**identity: Any) -> bytes:
    """A batch without events, which only moves the watermark; `identity` as in seal()."""
    return seal(HEARTBEAT, **identity)


def position_document(position: SourcePosition) -> dict[str, Any]:
    """`position` as it stands in a header; empty texts are left out."""
    document: dict[str, Any] = {"source": position.source, "offset": position.offset}
    if position.generation:
        document["generation"] = position.generation
    if position.fingerprint:
        document["fingerprint"] = position.fingerprint
    if position.detail:
        document["detail"] = position.detail
    return document


def position_from(document: Any) -> SourcePosition:
    """The position in a header's document; raises DecodeError(schema)."""
    _require(isinstance(document, dict), "a source position is no object")
    return SourcePosition(
        source=_text(document, "source", 4096),
        offset=_number(document, "offset"),
        generation=_number(document, "generation", 0),
        fingerprint=_text(document, "fingerprint", 4096, ""),
        detail=_text(document, "detail", 4096, ""),
    )


def _require(fits: bool, message: str, reason: RejectReason = RejectReason.SCHEMA) -> None:
    """Raise DecodeError with `reason` unless `fits`."""
    if not fits:
        raise DecodeError(reason, f"not a batch that can be counted: {message}")


def _text(document: dict[str, Any], key: str, longest: int, default: str | None = None) -> str:
    """A text field of at most `longest` characters."""
    value = document.get(key, default)
    _require(isinstance(value, str) and len(value) <= longest, f"{key} is missing or no short text")
    return str(value)


def _number(document: dict[str, Any], key: str, default: int | None = None) -> int:
    """A whole number field from 0 to 2^63 - 1."""
    value = document.get(key, default)
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < NUMBER_END
    _require(fits, f"{key} is missing or no whole number")
    return int(value)  # type: ignore[arg-type]


def decode_header(data: bytes, limits: Limits = LIMITS) -> BatchHeader:
    """What a batch says of itself, without decompressing; raises DecodeError."""
    size = len(data)
    _require(size <= limits.wire_bytes, f"{size} bytes", RejectReason.TOO_LARGE)
    _require(size >= _PREFIX.size and data[:3] == MAGIC, "no batch", RejectReason.SYNTAX)
    _, version, length, crc, signature_length, reserved = _PREFIX.unpack_from(data)
    _require(version == VERSION, f"version {version}", RejectReason.VERSION)
    _require(length <= limits.header_bytes, "a long header", RejectReason.TOO_LARGE)
    start = _PREFIX.size + length
    _require(size >= start + signature_length, "cut short", RejectReason.SYNTAX)
    raw = data[_PREFIX.size : start]
    _require(zlib.crc32(raw) == crc and reserved == 0, "a damaged header", RejectReason.CHECKSUM)
    _require(signature_length in (0, SIGNATURE_BYTES), "signature", RejectReason.SIGNATURE)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DecodeError(RejectReason.SYNTAX, "the header of a batch is no JSON") from error
    signature = data[start : start + signature_length] or None
    header = _header(document, signature)
    found = size - start - signature_length
    _require(found == header.payload_size, "payload cut or grown", RejectReason.CHECKSUM)
    _require(header.events <= limits.events, f"{header.events} events", RejectReason.TOO_LARGE)
    return header


def _header(document: Any, signature: bytes | None) -> BatchHeader:
    """The header in `document`; unknown fields are ignored, wrong ones raise DecodeError."""
    _require(isinstance(document, dict), "the header is no object", RejectReason.SYNTAX)
    sources = document.get("sources", [])
    _require(isinstance(sources, list), "sources is no list")
    previous = document.get("previous_epoch")
    if previous is not None:
        _require(isinstance(previous, list | tuple) and len(previous) == 2, "previous_epoch")
        pair = dict(zip(("epoch", "sequence"), previous, strict=True))
        previous = (_number(pair, "epoch"), _number(pair, "sequence"))
    key_id = document.get("key_id")
    _require(key_id is None or isinstance(key_id, str), "key_id is no text")
    header = BatchHeader(
        version=VERSION,
        kind=document.get("kind"),  # type: ignore[arg-type]
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
        key_id=key_id,
        signature=signature,
    )
    _check_header(header)
    return header


def _check_header(header: BatchHeader) -> None:
    """Refuse a header whose fields contradict each other."""
    _require(header.kind in ("events", "counters", "heartbeat"), "kind", RejectReason.VERSION)
    _require(_NAME.match(header.edge_id) is not None, "edge_id")
    _require(_REGION.match(header.region) is not None, "region")
    _require(_SHA256.match(header.payload_sha256) is not None, "payload_sha256")
    _require(header.first_time_ms <= header.last_time_ms < TIME_MS_END, "times", RejectReason.CLOCK)
    _require(header.watermark_ms < TIME_MS_END, "watermark", RejectReason.CLOCK)
    _require(header.requests < SUM_MAX, "requests")
    if header.kind == "heartbeat":
        _require(header.events == 0 and header.payload_size == 0, "a heartbeat with a payload")
    else:
        _require(header.events > 0, "an empty batch")
    if header.kind != "counters":
        _require(header.requests == header.events, "requests")


def decode_packed(
    header: BatchHeader, data: bytes, limits: Limits = LIMITS, *, verify_hash: bool = True
) -> PackedEvents:
    """The events of a batch as they travel: the form to count from. Raises DecodeError.

    `verify_hash=False` leaves out the SHA-256 of the payload (the zstd checksum still stands): only
    where the transport has proved the bytes and no signature rests on the hash.
    """
    _require(header.kind == "events", f"a batch of {header.kind} holds no events")
    stream = _open(header, data, limits, verify_hash)
    try:
        packed = columns_of.from_stream(stream)
    except ColumnsError as error:
        raise DecodeError(error.reason, f"columns of a batch: {error}") from error
    _require(len(packed) == header.events, f"{len(packed)} events, {header.events} announced")
    span = header.last_time_ms - header.first_time_ms
    _require(packed.last_time_ms == span, "times differ from the header's", RejectReason.CLOCK)
    return packed.starting(header.first_time_ms)


def decode_events(header: BatchHeader, data: bytes, limits: Limits = LIMITS) -> EventColumns:
    """The events of a batch as plain columns, in order of time. Raises DecodeError."""
    return decode_packed(header, data, limits).unpack()


def decode_counters(header: BatchHeader, data: bytes, limits: Limits = LIMITS) -> CounterColumns:
    """The counts of a batch of kind `counters`. Raises DecodeError."""
    _require(header.kind == "counters", f"a batch of {header.kind} holds no counters")
    try:
        counters = columns_of.counters_from_stream(_open(header, data, limits, True))
    except ColumnsError as error:
        raise DecodeError(error.reason, f"columns of a batch: {error}") from error
    _require(len(counters) == header.events, "rows differ from the header's")
    _require(int(counters.requests.sum()) == header.requests, "requests differ from the header's")
    first, last = int(counters.bucket_ms.min()), int(counters.bucket_ms.max()) + BUCKET_MS - 1
    times = (header.first_time_ms, header.last_time_ms)
    _require((first, last) == times, "times differ from the header's", RejectReason.CLOCK)
    return counters


def _open(header: BatchHeader, data: bytes, limits: Limits, verify_hash: bool) -> bytes:
    """The decompressed payload, within the limits."""
    payload = memoryview(data)[len(data) - header.payload_size :]
    if verify_hash:
        same = hashlib.sha256(payload).hexdigest() == header.payload_sha256
        _require(same, "the payload's hash differs", RejectReason.CHECKSUM)
    try:
        size = zstandard.frame_content_size(payload)
        _require(0 <= size <= limits.raw_bytes, f"{size} bytes", RejectReason.TOO_LARGE)
        allowed = _raw_bytes_allowed(len(payload), limits)
        _require(size <= allowed, f"{size} bytes in {len(payload)}", RejectReason.RATIO)
        _require(size == header.raw_size, "size differs from the header's", RejectReason.CHECKSUM)
        decompressor = zstandard.ZstdDecompressor(max_window_size=limits.raw_bytes)
        return decompressor.decompress(payload, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DecodeError(RejectReason.CHECKSUM, f"payload of a batch: {error}") from error
