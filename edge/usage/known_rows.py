"""Which rows of usage a spool has counted: a file beside its segments, in step with its batches.

A record is durable before the batch that holds its rows, and the file's length behind it travels in
that batch, as the position of a log does: what stands behind the length that the spool knows is of
a batch that never became durable, and is dropped at the next start.
"""

from __future__ import annotations

import hashlib
import os
import struct
from typing import Final

from edge.batch.records import SourcePosition
from edge.durable import write_atomically
from edge.errors import Corrupt
from edge.spool.spool import Spool
from edge.spool.state import refusal
from edge.usage.rows import UsageRow

FILE: Final = "usage-rows"
_HEAD: Final = struct.Struct("<QQI")
"""Epoch, sequence and how many rows follow."""
_HASH: Final = 16


def hash_of(text: str) -> bytes:
    """What stands for a key or a content."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH).digest()


class KnownRows:
    """The rows counted into one spool; one writer, the holder of the spool's lock."""

    def __init__(self, spool: Spool) -> None:
        """Reads what is there. Raises Corrupt where the file lacks rows that the spool holds."""
        self._path = spool.folder / FILE
        self._rows: dict[bytes, bytes] = {}
        data = self._path.read_bytes() if self._path.exists() else b""
        known = spool.positions().get(FILE)
        durable = known.offset if known is not None else 0
        place = 0
        while place < durable <= len(data):
            start = place + _HEAD.size
            _epoch, _sequence, count = _HEAD.unpack_from(data.ljust(start), place)
            place = start + 2 * _HASH * count
            self._take(data[start:place])
        if place != durable:
            raise Corrupt(
                f"{self._path} is damaged: it lacks rows that the spool has counted",
                "restore it from a backup: without it they would be counted again",
            )
        if len(data) > durable:
            write_atomically(self._path, data[:durable])

    def _take(self, pairs: bytes) -> None:
        for place in range(0, len(pairs), 2 * _HASH):
            key = pairs[place : place + _HASH]
            self._rows[key] = pairs[place + _HASH : place + 2 * _HASH]

    def same(self, row: UsageRow) -> bool | None:
        """Whether `row` was counted as it is (True) or with other numbers (False); None: never."""
        known = self._rows.get(hash_of(row.key))
        return None if known is None else known == hash_of(row.content())

    def add(self, row: UsageRow) -> bytes:
        """Know `row` from now on; what `write` wants of it."""
        pair = hash_of(row.key), hash_of(row.content())
        self._rows[pair[0]] = pair[1]
        return b"".join(pair)

    def write(self, epoch: int, sequence: int, pairs: list[bytes]) -> SourcePosition:
        """Make durable that the batch (epoch, sequence) is to hold these rows; the batch must carry
        what is returned. Raises SpoolFull or SpoolBroken.
        """
        try:
            with open(self._path, "ab") as file:
                file.write(_HEAD.pack(epoch, sequence, len(pairs)) + b"".join(pairs))
                file.flush()
                os.fsync(file.fileno())
                return SourcePosition(source=FILE, offset=file.tell())
        except OSError as error:
            raise refusal(f"{self._path} cannot be written", error) from error
