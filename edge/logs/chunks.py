"""A log's content in blocks of whole lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge.logs.content import READ_BYTES, Content

LINE_BYTES_MAX: Final = 16 << 20
"""A longer line is refused, unread: with its newline it would not fit in memory for long."""
KEPT_BYTES_MAX: Final = 4096
"""How much of a refused line is kept."""
WINDOW_BYTES: Final = 4096
"""How much of what stands before a place identifies it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Whole lines from `start` to `end` of a file's content.

    `oversized`: instead of lines, the beginning of one line longer than LINE_BYTES_MAX, whole
    length `end - start`. `open_end`: the last line of the file, which has no line end.
    """

    data: bytes
    start: int
    end: int
    oversized: bool = False
    open_end: bool = False


class ContentChanged(Exception):
    """The bytes before the place where reading went on are not those that were read before.

    The file was truncated and has grown again (copytruncate): find out anew what it holds.
    """


def read_chunks(
    content: Content, start: int, target_bytes: list[int], window: bytes = b""
) -> Iterator[Chunk]:
    """The lines from `start` on, in chunks of about `target_bytes[0]`, which the caller may change.

    The last line, if it has no end, comes as a chunk of its own with `open_end`. `window` is what
    stands before `start`; each read takes what was read last along and raises ContentChanged when
    it is not the same any more.
    """
    carry = b""
    offset = start
    while True:
        place = offset + len(carry)
        count = max(target_bytes[0] - len(carry), READ_BYTES)
        known = b"" if content.gzip else (window + carry)[-WINDOW_BYTES:]
        fresh = content.read_at(place - len(known), len(known) + count)
        if not fresh.startswith(known):
            raise ContentChanged
        fresh = fresh[len(known) :]
        if not fresh:
            break
        data = carry + fresh
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Chunk(data=data[:cut], start=offset, end=offset + cut)
            window = data[max(0, cut - WINDOW_BYTES) : cut]
            offset += cut
            carry = data[cut:]
        elif len(data) > LINE_BYTES_MAX:
            end = _line_end(content, offset + len(data))
            if end is None:
                return
            yield Chunk(data=data[:KEPT_BYTES_MAX], start=offset, end=end, oversized=True)
            offset, carry, window = end, b"", b""
        else:
            carry = data
    if carry:
        yield Chunk(data=carry, start=offset, end=offset + len(carry), open_end=True)


def _line_end(content: Content, offset: int) -> int | None:
    """Offset after the next line end at or behind `offset`, in bounded memory; None if none."""
    while data := content.read_at(offset, READ_BYTES):
        place = data.find(b"\n")
        if place >= 0:
            return offset + place + 1
        offset += len(data)
    return None
