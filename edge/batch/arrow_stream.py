"""One table as an Arrow IPC stream: a schema, one record batch, no compression inside.

Any Arrow implementation reads what is written here. Reading is our own, since the batch is the unit
of everything after it: the schema message repeats from batch to batch and is understood once, and
of the record batch only lengths and offsets are looked at, each held against the bytes there are.
Nothing is allocated by what a stream claims: Arrow itself would decompress buffers to any size they
announce (FAULTS 5.2), so a stream that is compressed inside is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from edge.batch.records import EVENTS_MAX, Array

DType = np.dtype[np.generic]

_CONTINUATION: Final = 0xFFFFFFFF
_SCHEMA, _RECORD_BATCH = 1, 3
_SCHEMA_BYTES_MAX: Final = 1 << 16
_COLUMNS_MAX: Final = 32
_TABLES_MAX: Final = 8
_TEXT: Final[DType] = np.dtype(object)
_NUMBERS: Final[dict[pa.DataType, DType]] = {
    pa.uint8(): np.dtype("<u1"),
    pa.uint16(): np.dtype("<u2"),
    pa.uint32(): np.dtype("<u4"),
    pa.uint64(): np.dtype("<u8"),
    pa.int64(): np.dtype("<i8"),
    pa.string(): _TEXT,
}


class ArrowStreamError(ValueError):
    """The bytes are no stream of one schema and one uncompressed record batch of known types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of one length: `numbers` share memory with the stream, `texts` are Arrow arrays.

    `tables` are small blobs that travel with the record batch, such as a dictionary.
    """

    rows: int
    numbers: dict[str, Array]
    texts: dict[str, pa.StringArray]
    tables: dict[bytes, bytes]


def write_stream(
    numbers: Mapping[str, Array], tables: Mapping[bytes, bytes], texts: Mapping[str, pa.StringArray]
) -> bytes:
    """The columns as an IPC stream."""
    arrays: list[pa.Array[pa.Scalar[pa.DataType]]] = [
        *(pa.array(column) for column in numbers.values()),
        *texts.values(),
    ]
    batch = pa.record_batch(arrays, names=[*numbers, *texts])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch, custom_metadata=tables)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def read_stream(stream: bytes) -> Table:
    """The table in an IPC stream; raises ArrowStreamError for anything that is not quite one."""
    try:
        kind, schema_end, body_end = _message(stream, 0)
        if kind != _SCHEMA or schema_end != body_end:
            raise ArrowStreamError("no schema where the stream begins")
        columns = _columns(stream[:schema_end])
        kind, body, end = _message(stream, schema_end)
        if kind != _RECORD_BATCH:
            raise ArrowStreamError("no record batch after the schema")
        if len(stream) != end + 8 or struct.unpack_from("<II", stream, end) != (_CONTINUATION, 0):
            raise ArrowStreamError("more than one record batch, or no end")
        return _table(stream[schema_end + 8 : body], memoryview(stream)[body:end], columns)
    except (struct.error, pa.ArrowException, OSError, UnicodeError) as error:
        raise ArrowStreamError(f"not an Arrow stream: {str(error)[:100]}") from error


def buffers_of(stream: bytes) -> list[int]:
    """Where the buffers of a stream of `write_stream` begin, in order, but for empty ones."""
    _, schema_end, _ = _message(stream, 0)
    _, body, _ = _message(stream, schema_end)
    message = stream[schema_end + 8 : body]
    (root,) = struct.unpack_from("<I", message)
    vector = _field(message, _follow(message, _field(message, root, 2)), 2)
    (count,) = struct.unpack_from("<I", message, _follow(message, vector))
    spans = _pairs(message, vector, count)
    return [body + at for at, size in zip(spans[::2], spans[1::2], strict=True) if size]


def _message(stream: bytes, start: int) -> tuple[int, int, int]:
    """(kind, where the body begins, where it ends) of the message at `start`."""
    mark, size = struct.unpack_from("<Ii", stream, start)
    body = start + 8 + size
    if mark != _CONTINUATION or size <= 0 or body > len(stream):
        raise ArrowStreamError("no message where one should begin")
    root = start + 8 + int(struct.unpack_from("<I", stream, start + 8)[0])
    kind_at, length_at = _field(stream, root, 1), _field(stream, root, 3)
    if not start < kind_at < body:
        raise ArrowStreamError("a message of no kind")
    length = int(struct.unpack_from("<q", stream, length_at)[0]) if length_at else 0
    if length < 0 or body + length > len(stream):
        raise ArrowStreamError("a body beyond the end")
    return stream[kind_at], body, body + length


@lru_cache(maxsize=256)
def _columns(schema: bytes) -> tuple[tuple[str, DType], ...]:
    """(name, type) of each column of a schema message."""
    if len(schema) > _SCHEMA_BYTES_MAX:
        raise ArrowStreamError("a long schema")
    read = pa.ipc.read_schema(pa.py_buffer(schema))
    types = [_NUMBERS.get(kind) for kind in read.types]
    if None in types or len(set(read.names)) != len(types) or not 0 < len(types) <= _COLUMNS_MAX:
        raise ArrowStreamError(f"columns of other types, or twice: {str(read.names)[:100]}")
    return tuple((name, kind) for name, kind in zip(read.names, types, strict=True) if kind)


def _table(message: bytes, body: memoryview, columns: tuple[tuple[str, DType], ...]) -> Table:
    """The record batch of a message and its body."""
    (root,) = struct.unpack_from("<I", message)
    batch = _follow(message, _field(message, root, 2))
    rows_at = _field(message, batch, 0)
    rows = int(struct.unpack_from("<q", message, rows_at)[0]) if rows_at else 0
    if not 0 < rows <= EVENTS_MAX:
        raise ArrowStreamError(f"{rows} rows")
    if _field(message, batch, 3):
        raise ArrowStreamError("a record batch that is compressed inside")
    nodes = _pairs(message, _field(message, batch, 1), len(columns))
    wanted = sum(3 if kind is _TEXT else 2 for _, kind in columns)
    buffers = _pairs(message, _field(message, batch, 2), wanted)
    numbers: dict[str, Array] = {}
    texts: dict[str, pa.StringArray] = {}
    place = 0
    for (name, kind), length, nulls in zip(columns, nodes[::2], nodes[1::2], strict=True):
        if length != rows:
            raise ArrowStreamError("columns of different lengths")
        spans = buffers[2 * place : 2 * place + (6 if kind is _TEXT else 4)]
        place += len(spans) // 2
        if kind is _TEXT:
            texts[name] = _text(body, spans, rows, nulls)
        elif nulls:
            raise ArrowStreamError("nulls in a column of numbers")
        else:
            data = _span(body, spans[2], spans[3], rows * kind.itemsize)
            numbers[name] = np.frombuffer(data, dtype=kind, count=rows)
    tables = _tables(message, _field(message, root, 4))
    return Table(rows=rows, numbers=numbers, texts=texts, tables=tables)


def _span(body: memoryview, offset: int, length: int, least: int) -> memoryview:
    """A buffer of the body, at least `least` bytes long."""
    if not (0 <= offset <= len(body) and least <= length <= len(body) - offset):
        raise ArrowStreamError("a buffer outside its body")
    return body[offset : offset + length]


def _text(body: memoryview, spans: tuple[int, ...], rows: int, nulls: int) -> pa.StringArray:
    """A column of texts, every offset of it checked by Arrow."""
    validity, offsets, data = (
        pa.py_buffer(_span(body, spans[n], spans[n + 1], 0)) for n in (0, 2, 4)
    )
    if offsets.size < 4 * (rows + 1) or not 0 <= nulls <= rows:
        raise ArrowStreamError("a column of texts without offsets")
    if nulls and validity.size < (rows + 7) // 8:
        raise ArrowStreamError("a column of texts without its nulls")
    buffers = [validity if nulls else None, offsets, data]
    column = pa.Array.from_buffers(pa.string(), rows, buffers)
    column.validate(full=True)
    assert isinstance(column, pa.StringArray), "made of texts"
    return column


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


def _follow(data: bytes, place: int) -> int:
    """Where the offset at `place` leads."""
    if not place:
        raise ArrowStreamError("a field is missing")
    return place + int(struct.unpack_from("<I", data, place)[0])


def _pairs(data: bytes, place: int, count: int) -> tuple[int, ...]:
    """The vector of `count` pairs of int64 at `place`, flat."""
    start = _follow(data, place)
    if struct.unpack_from("<I", data, start)[0] != count:
        raise ArrowStreamError("more or fewer buffers than the columns have")
    return struct.unpack_from(f"<{2 * count}q", data, start + 4)


def _tables(data: bytes, place: int) -> dict[bytes, bytes]:
    """The blobs that travel with a record batch."""
    if not place:
        return {}
    start = _follow(data, place)
    (count,) = struct.unpack_from("<I", data, start)
    if count > _TABLES_MAX:
        raise ArrowStreamError("too many tables")
    entries = [_follow(data, start + 4 + 4 * number) for number in range(count)]
    return {
        _string(data, _follow(data, _field(data, entry, 0))): _string(
            data, _follow(data, _field(data, entry, 1))
        )
        for entry in entries
    }


def _string(data: bytes, start: int) -> bytes:
    """The bytes of a string."""
    (length,) = struct.unpack_from("<I", data, start)
    if length > len(data) - start - 4:
        raise ArrowStreamError("a string beyond its message")
    return data[start + 4 : start + 4 + length]
