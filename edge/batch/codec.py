"""The wire form of a batch, version 1: a small header in clear, one zstd frame of Arrow columns.

    prefix     16 bytes: magic "ETB" and version, length and CRC-32 of the header, signature length
    header     JSON: identity, counts, times, watermark, source positions, hash of the payload
    signature  64 bytes of Ed25519 over the header, or nothing
    payload    one zstd frame around an uncompressed Arrow IPC stream (packing.py), or nothing

The header is read without touching the payload. Decoding is bounded before it begins (FAULTS 5.2):
1 MiB on the wire, 16 MiB and 50 times the compressed size (never less than 1 MiB) decompressed,
65,536 events. What breaks a rule raises DecodeError with a reason; nothing is guessed.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Final, Protocol, Required, TypedDict, Unpack

import orjson

from edge.batch.header import (
    HELD_MAX,
    LIMITS,
    VERSION,
    DecodeError,
    Limits,
    header_from,
    position_document,
    position_from,
    require,
)
from edge.batch.packing import ColumnsError, from_stream
from edge.batch.packing_counters import counters_from_stream
from edge.batch.payload import (
    HEARTBEAT,
    BatchTooLarge,
    Payload,
    pack_counters,
    pack_events,
    split,
    unpack,
)
from edge.batch.records import (
    BatchHeader,
    CounterColumns,
    EventColumns,
    PackedEvents,
    SourcePosition,
)
from edge.errors import InputError
from edge.event import BUCKET_MS
from edge.reasons import Reason

__all__ = [
    "HEARTBEAT",
    "LIMITS",
    "BatchTooLarge",
    "DecodeError",
    "Limits",
    "Payload",
    "Signer",
    "decode_counters",
    "decode_events",
    "decode_header",
    "decode_packed",
    "encode_counters",
    "encode_events",
    "encode_heartbeat",
    "pack_counters",
    "pack_events",
    "position_document",
    "position_from",
    "seal",
    "signed_part",
    "split",
]

MAGIC: Final = b"ETB"
SIGNATURE_BYTES: Final = 64
_PREFIX: Final = struct.Struct("<3sBIIHH")
_SIGNED: Final = b"edgetoll batch 1\n"


class Signer(Protocol):
    """Whoever signs batches: `key_id` names the public key, `sign` gives 64 bytes."""

    key_id: str

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature of `data`."""


class Identity(TypedDict, total=False):
    """The arguments of seal() by name."""

    edge_id: Required[str]
    region: Required[str]
    epoch: Required[int]
    sequence: Required[int]
    watermark_ms: Required[int]
    sources: tuple[SourcePosition, ...]
    previous_epoch: tuple[int, int] | None
    held: str
    signer: Signer | None


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
    held: str = "",
    signer: Signer | None = None,
) -> bytes:
    """`payload` with its identity: the bytes of one batch. Raises InputError for a bad name."""
    document: dict[str, object] = {
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
    if held:  # a field that decoders of before pass over
        document["held"] = held[:HELD_MAX]
    try:
        header_from(document, None)
    except DecodeError as error:
        raise InputError(error.message, "check the edge's name, region and numbers") from error
    header = orjson.dumps(document)
    if len(header) > LIMITS.header_bytes:
        raise BatchTooLarge(f"a header of {len(header)} bytes", "move fewer sources in one batch")
    signature = b"" if signer is None else signer.sign(_SIGNED + header)
    prefix = _PREFIX.pack(MAGIC, VERSION, len(header), zlib.crc32(header), len(signature), 0)
    return b"".join((prefix, header, signature, payload.data))


def encode_events(columns: EventColumns, **identity: Unpack[Identity]) -> bytes:
    """`columns` as one batch; `identity` as in seal()."""
    return seal(pack_events(columns), **identity)


def encode_counters(counters: CounterColumns, **identity: Unpack[Identity]) -> bytes:
    """`counters` as one batch; `identity` as in seal()."""
    return seal(pack_counters(counters), **identity)


def encode_heartbeat(**identity: Unpack[Identity]) -> bytes:
    """A batch without events, which only moves the watermark; `identity` as in seal()."""
    return seal(HEARTBEAT, **identity)


def decode_header(data: bytes, limits: Limits = LIMITS) -> BatchHeader:
    """What a batch says of itself, without decompressing; raises DecodeError."""
    size = len(data)
    require(size <= limits.wire_bytes, f"{size} bytes", Reason.TOO_LARGE)
    require(size >= _PREFIX.size and data[:3] == MAGIC, "no batch", Reason.SYNTAX)
    _, version, length, crc, signature_length, reserved = _PREFIX.unpack_from(data)
    require(version == VERSION, f"version {version}", Reason.VERSION)
    require(length <= limits.header_bytes, "a long header", Reason.TOO_LARGE)
    start = _PREFIX.size + length
    require(size >= start + signature_length, "cut short", Reason.SYNTAX)
    raw = data[_PREFIX.size : start]
    require(zlib.crc32(raw) == crc and reserved == 0, "a damaged header", Reason.CHECKSUM)
    require(signature_length in (0, SIGNATURE_BYTES), "signature", Reason.SIGNATURE)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DecodeError(Reason.SYNTAX, "the header of a batch is no JSON") from error
    signature = data[start : start + signature_length] or None
    header = header_from(document, signature)
    found = size - start - signature_length
    require(found == header.payload_size, "payload cut or grown", Reason.CHECKSUM)
    require(header.events <= limits.events, f"{header.events} events", Reason.TOO_LARGE)
    return header


def signed_part(data: bytes) -> bytes:
    """What the signature of a batch covers: its header, in which the hash of the payload stands."""
    length = _PREFIX.unpack_from(data)[2]
    return _SIGNED + data[_PREFIX.size : _PREFIX.size + length]


def decode_packed(
    header: BatchHeader, data: bytes, limits: Limits = LIMITS, *, verify_hash: bool = True
) -> PackedEvents:
    """The events of a batch as they travel: the form to count from. Raises DecodeError.

    `verify_hash=False` leaves out the SHA-256 of the payload (the zstd checksum still stands): only
    where the transport has proved the bytes and no signature rests on the hash.
    """
    require(header.kind == "events", f"a batch of {header.kind} holds no events")
    stream = _open(header, data, limits, verify_hash)
    try:
        packed = from_stream(stream)
    except ColumnsError as error:
        raise DecodeError(error.reason, f"columns of a batch: {error}") from error
    require(len(packed) == header.events, f"{len(packed)} events, {header.events} announced")
    span = header.last_time_ms - header.first_time_ms
    require(packed.last_time_ms == span, "times differ from the header's", Reason.CLOCK)
    return packed.starting(header.first_time_ms)


def decode_events(header: BatchHeader, data: bytes, limits: Limits = LIMITS) -> EventColumns:
    """The events of a batch as plain columns, in order of time. Raises DecodeError."""
    return decode_packed(header, data, limits).unpack()


def decode_counters(header: BatchHeader, data: bytes, limits: Limits = LIMITS) -> CounterColumns:
    """The counts of a batch of kind `counters`. Raises DecodeError."""
    require(header.kind == "counters", f"a batch of {header.kind} holds no counters")
    try:
        counters = counters_from_stream(_open(header, data, limits, True))
    except ColumnsError as error:
        raise DecodeError(error.reason, f"columns of a batch: {error}") from error
    require(len(counters) == header.events, "rows differ from the header's")
    require(int(counters.requests.sum()) == header.requests, "requests differ from the header's")
    first, last = int(counters.bucket_ms.min()), int(counters.bucket_ms.max()) + BUCKET_MS - 1
    times = (header.first_time_ms, header.last_time_ms)
    require((first, last) == times, "times differ from the header's", Reason.CLOCK)
    return counters


def _open(header: BatchHeader, data: bytes, limits: Limits, verify_hash: bool) -> bytes:
    """The decompressed payload, within the limits."""
    payload = memoryview(data)[len(data) - header.payload_size :]
    if verify_hash:
        same = hashlib.sha256(payload).hexdigest() == header.payload_sha256
        require(same, "the payload's hash differs", Reason.CHECKSUM)
    return unpack(payload, header.raw_size, limits)
