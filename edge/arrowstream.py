"""A look at an Arrow IPC stream before Arrow reads it: one schema, one batch, no compression.

Arrow decompresses the buffers of a record batch to whatever size they claim, without a bound, so
a stream that says it is compressed inside must never reach it (FAULTS 5.2). Only the few fields of
the flatbuffer messages that say so are read here; Arrow itself verifies the rest.
"""

from __future__ import annotations

import struct
from typing import Final

_CONTINUATION: Final = 0xFFFFFFFF
_SCHEMA, _RECORD_BATCH = 1, 3
_MESSAGES_MAX: Final = 4


class ArrowStreamError(ValueError):
    """The bytes are no stream of one schema and one uncompressed record batch."""


def check_stream(stream: bytes) -> None:
    """Raise ArrowStreamError unless `stream` is one schema, then one uncompressed record batch."""
    try:
        kinds = _kinds(stream)
    except struct.error as error:
        raise ArrowStreamError("a message is cut short") from error
    if kinds != [_SCHEMA, _RECORD_BATCH]:
        raise ArrowStreamError(f"messages {kinds}, not one schema and one record batch")


def _kinds(stream: bytes) -> list[int]:
    """The kinds of the messages in the stream, which must end with its end."""
    kinds: list[int] = []
    offset = 0
    while len(kinds) < _MESSAGES_MAX:
        mark, size = struct.unpack_from("<Ii", stream, offset)
        if mark != _CONTINUATION or size < 0:
            raise ArrowStreamError("no message where one should begin")
        offset += 8
        if size == 0:
            break
        if offset + size > len(stream):
            raise ArrowStreamError("a message beyond the end")
        kind, body = _message(stream[offset : offset + size])
        kinds.append(kind)
        offset += size + body
    if offset != len(stream):
        raise ArrowStreamError("bytes after the end, or none where a body should be")
    return kinds


def _message(data: bytes) -> tuple[int, int]:
    """(kind, length of the body) of one flatbuffer Message; its record batch is not compressed."""
    (root,) = struct.unpack_from("<I", data)
    kind_at, header_at, body_at = (_field(data, root, number) for number in (1, 2, 3))
    kind = data[kind_at] if 0 < kind_at < len(data) else 0
    (body,) = struct.unpack_from("<q", data, body_at) if body_at else (0,)
    if body < 0:
        raise ArrowStreamError("a body of negative length")
    if kind == _RECORD_BATCH:
        if not header_at:
            raise ArrowStreamError("a record batch without a header")
        (step,) = struct.unpack_from("<I", data, header_at)
        if _field(data, header_at + step, 3):
            raise ArrowStreamError("a record batch that is compressed inside")
    return kind, body


def _field(data: bytes, table: int, number: int) -> int:
    """Where field `number` of a flatbuffer table lies; 0 when it is absent."""
    (back,) = struct.unpack_from("<i", data, table)
    vtable = table - back
    if vtable < 0:
        raise ArrowStreamError("a table outside its message")
    (size,) = struct.unpack_from("<H", data, vtable)
    if 4 + 2 * number >= size:
        return 0
    (place,) = struct.unpack_from("<H", data, vtable + 4 + 2 * number)
    return table + int(place) if place else 0
