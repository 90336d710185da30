"""Which rows of usage a spool has counted: a file beside its segments, in step with its batches.

A record names the batch that holds its rows and is durable before that batch is. What a crash left
of a record whose batch never became durable is dropped at the next start, before its number is used
again.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Final

from edge.durable import write_atomically
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

    def __init__(self, folder: Path, epoch: int, next_sequence: int) -> None:
        """Reads what is there. `epoch` and `next_sequence` are where the spool stands: a record of
        a later batch is of one that was lost.
        """
        self._path = folder / FILE
        self._rows: dict[bytes, bytes] = {}
        data = self._path.read_bytes() if self._path.exists() else b""
        kept = 0
        while len(data) - kept >= _HEAD.size:
            record_epoch, sequence, count = _HEAD.unpack_from(data, kept)
            end = kept + _HEAD.size + 2 * _HASH * count
            if end > len(data) or (record_epoch == epoch and sequence >= next_sequence):
                break
            self._take(data[kept + _HEAD.size : end])
            kept = end
        if kept != len(data):
            write_atomically(self._path, data[:kept])

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

    def write(self, epoch: int, sequence: int, pairs: list[bytes]) -> None:
        """Make durable that the batch (epoch, sequence) holds these rows, before it is durable.

        Raises SpoolFull or SpoolBroken.
        """
        try:
            with open(self._path, "ab") as file:
                file.write(_HEAD.pack(epoch, sequence, len(pairs)) + b"".join(pairs))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise refusal(f"{self._path} cannot be written", error) from error
