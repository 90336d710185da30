"""The published durable end of a spool: the file `durable`, beyond which nobody reads.

It is written in place, so that publishing never needs room on the disk; a checksum tells a torn
one, which is read again.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

_DURABLE: Final = struct.Struct("<4sII")
_DURABLE_MAGIC: Final = b"ETd1"
MOVED_MAX: Final = 100
"""So many of the positions that moved last are published with the end."""
DURABLE_END_BYTES: Final = 64 << 10
"""The file `durable` is this long from the start; a durable_end is far shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableEnd:
    """The published durable end of a spool, and the identity of the last batch before it.

    `sequence` is -1 while the epoch holds no batch. `moved` are source positions set since the last
    segment began, a second copy against damage.
    """

    segment: str
    offset: int
    epoch: int
    sequence: int
    moved: tuple[dict[str, object], ...] = ()


def durable_end_bytes(durable_end: DurableEnd) -> bytes:
    """`durable_end` as the content of the file `durable`."""
    body = orjson.dumps(
        [
            durable_end.segment,
            durable_end.offset,
            durable_end.epoch,
            durable_end.sequence,
            *durable_end.moved,
        ]
    )
    return _DURABLE.pack(_DURABLE_MAGIC, len(body), zlib.crc32(body)) + body


def read_durable_end(folder: Path) -> DurableEnd | None:
    """The published durable end, or None where none can be read (then nothing is read beyond)."""
    for _ in range(3):  # the writer replaces it in place: a torn read is read again
        try:
            data = (folder / "durable").read_bytes()
        except FileNotFoundError:
            return None
        if len(data) < _DURABLE.size:
            continue
        magic, length, crc = _DURABLE.unpack_from(data)
        body = data[_DURABLE.size : _DURABLE.size + length]
        if magic == _DURABLE_MAGIC and len(body) == length and zlib.crc32(body) == crc:
            try:
                return _from_values(orjson.loads(body))
            except orjson.JSONDecodeError:  # of no bytes too the checksum fits: zeros on the disk
                continue
    return None


def _from_values(values: object) -> DurableEnd | None:
    """The end in a body whose checksum fits; None for what no version of ours writes."""
    if not isinstance(values, list) or len(values) < 4:
        return None
    segment, *numbers = values[:4]
    moved = values[4:]
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in numbers)
    if not (isinstance(segment, str) and whole and all(isinstance(m, dict) for m in moved)):
        return None
    offset, epoch, sequence = numbers
    return DurableEnd(
        segment=segment, offset=offset, epoch=epoch, sequence=sequence, moved=tuple(moved)
    )
