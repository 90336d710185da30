"""Record batches that were compressed by a Kafka codec, unpacked within a bound (FAULTS B13).

aiokafka unpacks without one: a record of 1 MB can become 1 GiB. So the answer to a fetch passes
here first, and leaves with no compressed batch in it: each is unpacked to at most UNPACKED_MAX
bytes, or, where it is larger or damaged, replaced by one record that carries the compressed bytes
under the header `edgetoll-damaged`, for quarantine. Offsets, transactions and times stay.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
import zstandard

from metering.sources.kafka.units import DAMAGED_HEADER

UNPACKED_MAX: Final = 16 << 20
"""Bytes of records that one compressed batch may hold: as much as a batch of events may."""

_LENGTH: Final = struct.Struct(">i")
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, first and newest
time, producer id, epoch and sequence, number of records."""
_LENGTH_AT, _BODY_AT, _MAGIC_AT, _CRC_AT, _ATTRIBUTES_AT = 8, 12, 16, 17, 21
_OLD_ATTRIBUTES_AT: Final = 17
_CODEC: Final = 0x07
_LOG_APPEND_TIME: Final = 0x08
_XERIAL: Final = b"\x82SNAPPY\x00"


class Unusable(ValueError):
    """A compressed batch that is not unpacked; its text says why."""


def without_compression(records: bytes) -> bytes:
    """The record batches of one partition as a broker sent them, none of them compressed.

    A batch whose CRC is wrong, or that is cut short, stays as it is: aiokafka refuses the one and
    asks again for the other.
    """
    spans = list(_spans(records))
    if not any(_compressed(records, start) for start, _ in spans):
        return records
    parts: list[bytes] = []
    end = 0
    for start, end in spans:
        batch = records[start:end]
        parts.append(_plain(batch) if _compressed(records, start) else batch)
    return b"".join((*parts, records[end:]))


def _spans(records: bytes) -> list[tuple[int, int]]:
    """(start, end) of each whole batch."""
    found, start = [], 0
    while start + _ATTRIBUTES_AT + 2 <= len(records):
        length: int = _LENGTH.unpack_from(records, start + _LENGTH_AT)[0]
        end = start + _BODY_AT + length
        if length < 0 or end > len(records):
            break
        found.append((start, end))
        start = end
    return found


def _compressed(records: bytes, start: int) -> int:
    """The codec of the batch at `start`; 0: none."""
    if records[start + _MAGIC_AT] < 2:
        return records[start + _OLD_ATTRIBUTES_AT] & _CODEC
    return records[start + _ATTRIBUTES_AT + 1] & _CODEC


def _plain(batch: bytes) -> bytes:
    """A compressed batch as an uncompressed one."""
    if batch[_MAGIC_AT] < 2:
        offset = struct.unpack_from(">q", batch)[0]
        header = (offset, 0, 0, 2, 0, 0, 0, 0, 0, -1, -1, -1, 1)
        return _damaged(header, batch, "compressed in a record format before Kafka 0.11")
    if len(batch) < _HEADER.size or not _crc_fits(batch):
        return batch
    header = _HEADER.unpack_from(batch)
    codec = header[5] & _CODEC
    try:
        content = unpack(codec, batch[_HEADER.size :], UNPACKED_MAX)
    except (Unusable, zlib.error, zstandard.ZstdError, pa.ArrowException, OSError) as error:
        return _damaged(header, batch, f"codec {codec}: {str(error)[:150]}")
    return _sealed(header, header[12], content)


def _crc_fits(batch: bytes) -> bool:
    from aiokafka.record.util import calc_crc32c

    crc: int = struct.unpack_from(">I", batch, _CRC_AT)[0]
    return crc == int(calc_crc32c(batch[_ATTRIBUTES_AT:]))


def _sealed(header: tuple[Any, ...], count: int, content: bytes) -> bytes:
    """A batch with `header`, uncompressed, with `count` records in `content`."""
    from aiokafka.record.util import calc_crc32c

    length = _HEADER.size - _BODY_AT + len(content)
    attributes = header[5] & ~_CODEC
    made = bytearray(
        _HEADER.pack(header[0], length, header[2], 2, 0, attributes, *header[6:12], count)
    )
    made += content
    struct.pack_into(">I", made, _CRC_AT, int(calc_crc32c(bytes(made[_ATTRIBUTES_AT:]))))
    return bytes(made)


def _damaged(header: tuple[Any, ...], raw: bytes, why: str) -> bytes:
    """One record at the last offset of the batch, with the bytes nobody unpacks."""
    from aiokafka.record.default_records import DefaultRecordBatchBuilder

    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, len(raw) + 4096)
    builder.append(header[6], 0, None, raw, [(DAMAGED_HEADER, why.encode())])
    return _sealed(header, 1, bytes(builder.build())[_HEADER.size :])


def unpack(codec: int, data: bytes, most: int) -> bytes:
    """`data` unpacked to at most `most` bytes; raises Unusable, or the codec's own error."""
    reader: Callable[[int], bytes]
    if codec == 2:
        return _snappy(data, most)
    if codec == 1:
        tool = zlib.decompressobj(wbits=31)
        content = tool.decompress(data, most + 1)
        if len(content) <= most and not tool.eof:
            raise Unusable("cut short")
    elif codec in (3, 4):
        if codec == 3:
            reader = pa.input_stream(BytesIO(data), compression="lz4").read
        else:
            # The window is memory too: a frame may ask for one of 2 GiB.
            tool4 = zstandard.ZstdDecompressor(max_window_size=UNPACKED_MAX)
            reader = tool4.stream_reader(BytesIO(data), read_across_frames=False).read
        content = reader(most + 1)
    else:
        raise Unusable("unknown to Kafka 4.1")
    if len(content) > most:
        raise Unusable(f"more than {most} bytes in {len(data)}")
    return content


def _snappy(data: bytes, most: int) -> bytes:
    """One snappy block, or a run of them as Java frames it."""
    codec = pa.Codec("snappy")
    blocks, size = [data], 0
    if data[: len(_XERIAL)] == _XERIAL:
        blocks, at = [], 16
        while at + 4 <= len(data):
            length: int = _LENGTH.unpack_from(data, at)[0]
            if length < 0 or at + 4 + length > len(data):
                raise Unusable("a snappy block beyond the end")
            blocks.append(data[at + 4 : at + 4 + length])
            at += 4 + length
    made: list[bytes] = []
    for block in blocks:
        announced = _snappy_size(block)
        size += announced
        if size > most:
            raise Unusable(f"more than {most} bytes in {len(data)}")
        made.append(codec.decompress(block, announced, asbytes=True))
    return b"".join(made)


def _snappy_size(block: bytes) -> int:
    """The size a snappy block announces: a varint where it begins."""
    size = 0
    for place, byte in enumerate(block[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return size
    raise Unusable("no snappy block")


def bound_answers(client: Any) -> None:
    """Let every fetch answer of this aiokafka client pass through `without_compression`."""
    send = client.send

    async def bounded(node_id: Any, request: Any, **options: Any) -> Any:
        answer = await send(node_id, request, **options)
        if getattr(answer, "API_KEY", None) == 1:
            answer.topics = [
                (topic, [(*part[:-1], without_compression(part[-1])) for part in partitions])
                for topic, partitions in answer.topics
            ]
        return answer

    client.send = bounded
