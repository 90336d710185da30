"""A log file as a stream of content: plain or gzip, in blocks of whole lines, known by content.

What identifies a file is neither its name nor its inode (rotation renames, copytruncate and the
file system reuse them) but its first data line, windows of bytes at growing distances, and the
window that ends where reading stopped. All of them lie in the position that travels with the lines
(DESIGN 3.3), and checking them costs a dozen small reads, whatever the size.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from edge.errors import InputError

LINE_BYTES_MAX: Final = 16 << 20
"""A longer line is refused, unread: with its newline it would not fit in memory for long."""
KEPT_BYTES_MAX: Final = 4096
"""How much of a refused line is kept."""
HEAD_BYTES_MAX: Final = 64 << 10
WINDOW_BYTES: Final = 4096
MARKS: Final = tuple(256 * 4**power for power in range(16))
"""Distances from the start at which a window is remembered: 256 B, 1 KiB, 4 KiB, … 256 GiB."""
EARLY_BYTES: Final = 8192
_EARLY_LINES: Final = 32
_READ_BYTES: Final = 1 << 20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_UNREADABLE: Final = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
}
_MAGIC_BYTES: Final = max(len(magic) for magic in _UNREADABLE)
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Three bytes that some programs write in front of UTF-8 text; they are no part of the first line.
"""


class Content:
    """Bytes of a file by offset; of a gzip file, the bytes inside it. `cut_off`: the gzip ends
    early.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut_off = False
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise InputError(
                    f"{path} is no plain file", "write what it holds to a file first, and name that"
                )
            self._file: IO[bytes] = open(path, "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror}", "check the path"
            ) from error
        start = self._file.read(_MAGIC_BYTES)
        for magic, name in _UNREADABLE.items():
            if start.startswith(magic):
                self._file.close()
                raise InputError(
                    f"{path} is compressed with {name}, which is not read",
                    "unpack it first: only plain and gzip files are read",
                )
        self.gzip = start.startswith(_GZIP_MAGIC)
        self._rewind()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def stored_size(self) -> int:
        """Bytes of the file on disk."""
        return os.fstat(self._file.fileno()).st_size

    def trailer_size(self) -> int:
        """The content's size modulo 2^32, as the last member of a gzip file states it."""
        data = self._file_end(4)
        return int.from_bytes(data, "little")

    def _file_end(self, count: int) -> bytes:
        size = self.stored_size()
        return os.pread(self._file.fileno(), count, max(0, size - count))

    def stored_offset(self) -> int:
        """Bytes read of the file on disk so far, for progress."""
        return self._file.tell()

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer only at the end. Cheap when read in order."""
        if not self.gzip:
            return self._read_plain(offset, count)
        if offset < self._position:
            self._rewind()
        while self._position < offset:
            if not self._inflate(min(offset - self._position, _READ_BYTES)):
                return b""
        parts = []
        while count > 0 and (part := self._inflate(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _read_plain(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(count) or b""
        while len(data) < count and (more := self._file.read(count - len(data))):
            data += more
        return data

    def _rewind(self) -> None:
        self._file.seek(0)
        self._position = 0
        self._inflater = zlib.decompressobj(wbits=31)
        self._stored = b""

    def _inflate(self, count: int) -> bytes:
        """The next 1 to `count` bytes inside a gzip of one or more members; b"" at the end."""
        while True:
            if self._inflater.eof:
                self._stored = self._inflater.unused_data.lstrip(b"\0")
                if not self._stored:
                    self._stored = self._file.read(_READ_BYTES)
                if not self._stored:
                    return b""
                self._inflater = zlib.decompressobj(wbits=31)
            try:
                data = self._inflater.decompress(self._stored, count)
            except zlib.error as error:
                raise InputError(
                    f"{self.path}: damaged gzip after {self._position} bytes of content",
                    "the lines before it are taken; import the file again when it is repaired",
                ) from error
            self._stored = self._inflater.unconsumed_tail
            if data:
                self._position += len(data)
                return data
            if self._inflater.eof:
                continue
            self._stored += self._file.read(_READ_BYTES)
            if not self._stored:
                self.cut_off = True
                return b""


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
        count = max(target_bytes[0] - len(carry), _READ_BYTES)
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
    while data := content.read_at(offset, _READ_BYTES):
        place = data.find(b"\n")
        if place >= 0:
            return offset + place + 1
        offset += len(data)
    return None


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
    data = content.read_at(0, HEAD_BYTES_MAX)
    start = len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0
    while start < len(data):
        end = data.find(b"\n", start)
        line = data[start:] if end < 0 else data[start:end]
        if end < 0 and len(data) < HEAD_BYTES_MAX and not whole:
            return None
        if line.strip() and not line.startswith(b"#"):
            return digest(line.rstrip(b"\r"))
        if end < 0:
            return None
        start = end + 1
    return None


def directives_before(content: Content, offset: int) -> list[bytes]:
    """The lines that begin with `#` before `offset`, in order."""
    found: list[bytes] = []
    if offset == 0:
        return found
    for chunk in read_chunks(content, 0, [4 << 20]):
        data = chunk.data[: offset - chunk.start]
        data = data if chunk.start else data.removeprefix(BYTE_ORDER_MARK)
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
        start = max(0, end - _READ_BYTES)
        place = content.read_at(start, end - start).rfind(b"\n")
        if place >= 0:
            end = start + place + 1
            break
        end = start
    return end, digest(_window_at(content, end)), marks_of(content, end)
