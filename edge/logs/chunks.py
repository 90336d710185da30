"""A log's content in blocks of whole lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from edge.logs.content import Content
from edge.logs.unpacked import READ_BYTES

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
    length `end - start`. `hole`: nothing but NULs, which `data` leaves out. `open_end`: what stands
    at the end of the file has no line end: one line, a hole, or the beginning of a huge line.
    """

    data: bytes
    start: int
    end: int
    oversized: bool = False
    hole: bool = False
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
        known = b"" if content.packed else (window + carry)[-WINDOW_BYTES:]
        lines = b"" if carry else content.lines_at(offset, count)
        if lines:
            if content.read_at(offset - len(known), len(known)) != known:
                raise ContentChanged
            yield Chunk(data=lines, start=offset, end=offset + len(lines))
            window = (window + lines[-WINDOW_BYTES:])[-WINDOW_BYTES:]
            offset += len(lines)
            continue
        fresh = content.read_at(place - len(known), len(known) + count)
        if not fresh.startswith(known):
            raise ContentChanged
        if len(fresh) == len(known):
            break
        if len(carry) <= len(known):
            data, begin = fresh, len(known) - len(carry)
        else:
            data, begin = carry + fresh[len(known) :], 0
        cut = data.rfind(b"\n", begin) + 1
        if cut:
            lines = data[begin:cut]
            yield Chunk(data=lines, start=offset, end=offset + len(lines))
            window = data[max(0, cut - WINDOW_BYTES) : cut]
            offset += len(lines)
            carry = data[cut:]
        elif len(data) - begin > LINE_BYTES_MAX:
            chunk = _without_line_end(content, offset, data[begin:])
            yield chunk
            if chunk.open_end:
                return
            offset, carry, window = chunk.end, b"", b""
        else:
            carry = data[begin:]
    if carry:
        hole = not carry.strip(b"\0")
        data = b"" if hole else carry
        yield Chunk(data=data, start=offset, end=offset + len(carry), hole=hole, open_end=True)


def _without_line_end(content: Content, offset: int, data: bytes) -> Chunk:
    """What to make of more than LINE_BYTES_MAX of `data` without a line end, in bounded memory.

    A web server that goes on writing at its old place after its log was cut (copytruncate without
    O_APPEND) leaves a hole of NULs, of any size, in front of a record.
    """
    begins = len(data) - len(data.lstrip(b"\0"))
    if begins == len(data):
        found, end = _scan(content, offset + len(data), _first_byte)
        return Chunk(data=b"", start=offset, end=end, hole=True, open_end=not found)
    if begins:
        return Chunk(data=b"", start=offset, end=offset + begins, hole=True)
    found, end = _scan(content, offset + len(data), lambda block: block.find(b"\n"))
    end += found
    kept = data[:KEPT_BYTES_MAX]
    return Chunk(data=kept, start=offset, end=end, oversized=True, open_end=not found)


def _first_byte(block: bytes) -> int:
    """Where the first byte that is no NUL stands; -1 for none."""
    begins = len(block) - len(block.lstrip(b"\0"))
    return -1 if begins == len(block) else begins


def _scan(content: Content, offset: int, find: Callable[[bytes], int]) -> tuple[bool, int]:
    """(whether `find` finds anything at or behind `offset`, where, or where the content ends)."""
    offset = content.over_hole(offset)
    while data := content.read_at(offset, READ_BYTES):
        place = find(data)
        if place >= 0:
            return True, offset + place
        offset = content.over_hole(offset + len(data))
    return False, offset


def without_nuls(data: bytes) -> bytes:
    """`data` without the NULs in front of its lines and behind them."""
    if b"\0" not in data:
        return data
    return b"\n".join(line.strip(b"\0") for line in data.split(b"\n"))
