"""The payload of a batch: columns, compressed, without an identity yet."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import Final

import zstandard
from zstandard import COMPRESSOBJ_FLUSH_BLOCK

from edge.batch import packing as columns_of
from edge.batch import packing_counters
from edge.batch.arrow_stream import buffers_of
from edge.batch.header import LIMITS, DecodeError, Limits, require
from edge.batch.packing import ColumnsError
from edge.batch.records import EVENTS_MAX, CounterColumns, EventColumns, Kind
from edge.errors import InputError
from edge.event import BUCKET_MS
from edge.reasons import Reason

LEVEL: Final = 1
BLOCK_BYTES: Final = 2048
"""A smaller column shares its block with the next one."""


class BatchTooLarge(InputError):
    """The columns break no rule but do not fit one batch: send them as two."""


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
    sha256=hashlib.sha256(b"").hexdigest(),
    events=0,
    requests=0,
    first_time_ms=0,
    last_time_ms=0,
)


class _ThreadTools(threading.local):
    """A compressor and a decompressor for each thread: making them costs as much as using them."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=LIMITS.raw_bytes)


_tools: Final = _ThreadTools()


def pack_events(columns: EventColumns) -> Payload:
    """The payload of `columns`; raises InputError for values no event may have, BatchTooLarge."""
    try:
        packed = columns_of.pack(columns)
        stream = columns_of.to_stream(packed)
    except ColumnsError as error:
        raise _unusable(error) from error
    return _payload(
        stream,
        kind="events",
        counts=(len(packed), len(packed)),
        times=(packed.first_time_ms, packed.last_time_ms),
    )


def pack_counters(counters: CounterColumns) -> Payload:
    """The payload of `counters`; raises InputError for impossible values, BatchTooLarge."""
    try:
        stream = packing_counters.counters_to_stream(counters)
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
    if error.reason is Reason.TOO_LARGE:
        return BatchTooLarge(str(error), "send fewer events in one batch")
    return InputError(f"{error.reason.value}: {error}", "these values cannot be in a batch")


def _payload(
    stream: bytes, *, kind: Kind, counts: tuple[int, int], times: tuple[int, int]
) -> Payload:
    """`stream` compressed; raises BatchTooLarge when a decoder's limits would refuse it."""
    data = _compressed(stream)
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


def _compressed(stream: bytes) -> bytes:
    """`stream` as one frame with a block for each larger column: each has statistics of its own,
    and what is noise is stored as it is.
    """
    frame = _tools.compressor.compressobj(size=len(stream))
    parts: list[bytes] = []
    begin = 0
    for end in [*buffers_of(stream), len(stream)]:
        if end - begin >= BLOCK_BYTES or end == len(stream):
            parts += frame.compress(stream[begin:end]), frame.flush(COMPRESSOBJ_FLUSH_BLOCK)
            begin = end
    return b"".join((*parts, frame.flush()))


def _raw_bytes_allowed(compressed: int, limits: Limits) -> int:
    """How many bytes a payload of `compressed` bytes may decompress to."""
    return min(limits.raw_bytes, max(limits.raw_bytes_free, limits.ratio * compressed))


def split(content: EventColumns | CounterColumns | Payload) -> list[Payload]:
    """`content` as payloads that each fit one batch; raises InputError for impossible values."""
    if isinstance(content, Payload):
        return [content]
    if isinstance(content, CounterColumns):
        return [pack_counters(content)]
    if len(content) <= EVENTS_MAX:
        try:
            return [pack_events(content)]
        except BatchTooLarge:
            if len(content) == 1:
                raise
    half = min(EVENTS_MAX, (len(content) + 1) // 2)
    return [*split(content.slice(0, half)), *split(content.slice(half, len(content)))]


def unpack(payload: memoryview, raw_size: int, limits: Limits) -> bytes:
    """The stream in a payload; raises DecodeError before anything beyond the limits is made."""
    try:
        size = zstandard.frame_content_size(payload)
        require(0 <= size <= limits.raw_bytes, f"{size} bytes", Reason.TOO_LARGE)
        allowed = _raw_bytes_allowed(len(payload), limits)
        require(size <= allowed, f"{size} bytes in {len(payload)}", Reason.RATIO)
        require(size == raw_size, "size differs from the header's", Reason.CHECKSUM)
        return _tools.decompressor.decompress(payload, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DecodeError(Reason.CHECKSUM, f"payload of a batch: {error}") from error
