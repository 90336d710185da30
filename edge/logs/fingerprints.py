"""What identifies a log file: its content, since neither its name nor its inode does.

Rotation renames, copytruncate and the file system reuse names and inodes. What stays is the first
data line, windows of bytes at growing distances, and the window that ends where reading stopped.
All of them lie in the position that travels with the lines (DESIGN 3.3), and checking them costs a
dozen small reads, whatever the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from edge.logs.chunks import WINDOW_BYTES, Chunk, read_chunks
from edge.logs.content import BYTE_ORDER_MARK, Content
from edge.logs.unpacked import READ_BYTES

HEAD_BYTES_MAX: Final = 64 << 10
MARKS: Final = tuple(256 * 4**power for power in range(16))
"""Distances from the start at which a window is remembered: 256 B, 1 KiB, 4 KiB, … 256 GiB."""
EARLY_BYTES: Final = 8192
_EARLY_LINES: Final = 32


def digest(data: bytes) -> str:
    """A 128-bit fingerprint of `data`, in hex."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def mark_digest(data: bytes) -> str:
    """A shorter one: a position holds up to sixteen, and a spool one position per file."""
    return digest(data)[:16]


def head_of(content: Content, *, whole: bool = False) -> str | None:
    """The fingerprint of the first data line (one that is neither blank nor a `#` line).

    None while there is no such line with its end; `whole` takes a last line without an end too.
    """
    offset, in_comment = 0, False
    while data := content.read_at(offset, HEAD_BYTES_MAX):
        start = len(BYTE_ORDER_MARK) if not offset and data.startswith(BYTE_ORDER_MARK) else 0
        if in_comment:
            start = data.find(b"\n") + 1 or len(data)
            in_comment = not data[:start].endswith(b"\n")
        while start < len(data):
            end = data.find(b"\n", start)
            line = data[start:] if end < 0 else data[start:end]
            if end < 0 and len(data) < HEAD_BYTES_MAX and not whole:
                return None
            if line.strip() and not line.startswith(b"#"):
                return digest(line.rstrip(b"\r"))
            in_comment = end < 0 and line.startswith(b"#")
            start = len(data) if end < 0 else end + 1
        offset += len(data)
    return None


def directives_before(content: Content, offset: int, *, head: bool = False) -> list[bytes]:
    """The lines that begin with `#` before `offset`, in order; `head`: the first line of all."""
    found: list[bytes] = []
    if offset == 0:
        return found
    for chunk in read_chunks(content, 0, [4 << 20]):
        data = chunk.data[: offset - chunk.start]
        data = data if chunk.start else data.removeprefix(BYTE_ORDER_MARK)
        if head:
            found = [line for line in data.split(b"\n") if line.strip()][:1]
            break
        found += [line for line in data.split(b"\n") if line.startswith(b"#")]
        if chunk.end >= offset:
            break
    return found


def early_lines(start: bytes) -> str:
    """Four hex digits for each of the first lines of a content: a hash of all up to its end.

    Windows lie far apart for a small file that must be told from the beginning of another.
    """
    running, found = hashlib.blake2b(digest_size=2), []
    for line in start[:EARLY_BYTES].split(b"\n")[:-1][:_EARLY_LINES]:
        running.update(line + b"\n")
        found.append(running.hexdigest())
    return "".join(found)


def starts_alike(content: Content, early: str) -> bool:
    """Whether the first lines of `content` are those of `early`, as far as both go."""
    mine = early_lines(content.read_at(0, EARLY_BYTES))
    return mine[: len(early)] == early[: len(mine)]


class StoredHash:
    """SHA-256 of a plain file, taken along while it is read from its start to its end."""

    def __init__(self) -> None:
        self._running = hashlib.sha256()
        self._size = 0

    def feed(self, chunk: Chunk) -> None:
        """Take what was read; one that does not hold all its bytes ends the taking along."""
        if chunk.start == self._size and len(chunk.data) == chunk.end - chunk.start:
            self._running.update(chunk.data)
            self._size = chunk.end

    def of(self, content: Content) -> tuple[str, int] | None:
        """(hash in hex, size) of the file of `content`; None where not all of it was taken."""
        whole = not content.packed and content.stored_size() == self._size
        return (self._running.hexdigest(), self._size) if whole else None


class Trail:
    """What will identify the content read so far. `feed` every byte, in order."""

    def __init__(
        self,
        offset: int = 0,
        marks: tuple[str, ...] = (),
        window: bytes = b"",
        start: bytes = b"",
    ) -> None:
        self.offset = offset
        self.marks = list(marks)
        self._window = window
        self._start = start
        self.early = early_lines(start)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the content."""
        while len(self.marks) < len(MARKS):
            mark = MARKS[len(self.marks)]
            if mark > self.offset + len(data):
                break
            self.marks.append(mark_digest(self._ending(data[: mark - self.offset])))
        if len(self._start) < EARLY_BYTES:
            self._start = (self._start + data[:EARLY_BYTES])[:EARLY_BYTES]
            self.early = early_lines(self._start)
        self._window = self._ending(data)
        self.offset += len(data)

    def fingerprint(self) -> str:
        """Of the window that ends here."""
        return digest(self._window)

    @property
    def window(self) -> bytes:
        """The bytes before this place, at most WINDOW_BYTES of them."""
        return self._window

    def _ending(self, data: bytes) -> bytes:
        if len(data) >= WINDOW_BYTES:
            return data[-WINDOW_BYTES:]
        return (self._window + data)[-WINDOW_BYTES:]

    @classmethod
    def resume(cls, content: Content, offset: int, marks: tuple[str, ...]) -> Trail:
        """The trail of a file whose content up to `offset` was read before."""
        start = content.read_at(0, min(offset, EARLY_BYTES))
        return cls(offset, marks, _window_at(content, offset), start)


def marks_of(content: Content, offset: int) -> tuple[str, ...]:
    """The marks that reading up to `offset` would have left."""
    return tuple(mark_digest(_window_at(content, mark)) for mark in MARKS if mark <= offset)


def _window_at(content: Content, end: int) -> bytes:
    start = max(0, end - WINDOW_BYTES)
    return content.read_at(start, end - start)


def agrees(content: Content, offset: int, fingerprint: str, marks: tuple[str, ...]) -> bool | None:
    """Whether `content` begins with what a position at `offset` was read from.

    True: it does, and reaches `offset`. None: it does as far as it goes, but ends before `offset`.
    False: it is other content.
    """
    for alike in begins_alike(content, marks):
        if not alike:
            return alike
    window = _window_at(content, offset)
    if len(window) < min(offset, WINDOW_BYTES):
        return None
    return digest(window) == fingerprint


def begins_alike(content: Content, marks: tuple[str, ...]) -> Iterator[bool | None]:
    """For each mark, whether `content` has that window there; None where it ends before it."""
    for mark, expected in zip(MARKS, marks, strict=False):
        window = _window_at(content, mark)
        short = len(window) < min(mark, WINDOW_BYTES)
        yield None if short else mark_digest(window) == expected


def end_of_lines(content: Content) -> tuple[int, str, tuple[str, ...]]:
    """(offset behind the last line that has an end, fingerprint there, marks) of a plain file."""
    end = content.stored_size()
    while end:
        start = max(0, end - READ_BYTES)
        place = content.read_at(start, end - start).rfind(b"\n")
        if place >= 0:
            end = start + place + 1
            break
        end = start
    return end, digest(_window_at(content, end)), marks_of(content, end)
