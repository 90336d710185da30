"""The bytes of a log file by offset: plain, or those inside a gzip file."""

from __future__ import annotations

import errno
import os
import stat
import zlib
from pathlib import Path
from typing import IO, Final, Self

from edge.errors import InputError

READ_BYTES: Final = 1 << 20
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
        try:
            self._know_kind()
        except InputError:
            self._file.close()
            raise
        self._rewind()

    def _know_kind(self) -> None:
        """Plain or gzip, by the first bytes; raises InputError for another compression."""
        start = os.pread(self._file.fileno(), _MAGIC_BYTES, 0)
        for magic, name in _UNREADABLE.items():
            if start.startswith(magic):
                raise InputError(
                    f"{self.path} is compressed with {name}, which is not read",
                    "unpack it first: only plain and gzip files are read",
                )
        self._kind_is_known = len(start) == _MAGIC_BYTES
        self.gzip = start.startswith(_GZIP_MAGIC)

    def look_again(self) -> None:
        """Of a file that was still too short when it was opened: see what it has become."""
        if not self._kind_is_known:
            self._know_kind()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def stat(self) -> os.stat_result:
        """What the system says of the open file, whatever its name is now."""
        return os.fstat(self._file.fileno())

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
            if not self._inflate(min(offset - self._position, READ_BYTES)):
                return b""
        parts: list[bytes] = []
        try:
            while count > 0 and (part := self._inflate(count)):
                parts.append(part)
                count -= len(part)
        except InputError:
            # What stands before the damage is taken; the next read, which begins there, meets it.
            if not parts:
                raise
        return b"".join(parts)

    def _read_plain(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(count) or b""
        while len(data) < count and (more := self._file.read(count - len(data))):
            data += more
        return data

    def over_hole(self, offset: int) -> int:
        """`offset`, or where the hole of a sparse file ends in which it lies: all NULs until there.

        Cheap: the file system knows. Where it does not tell, `offset`.
        """
        if self.gzip:
            return offset
        try:
            return os.lseek(self._file.fileno(), offset, os.SEEK_DATA)
        except OSError as error:
            # No data behind it; or a file system that does not know its holes.
            return max(offset, self.stored_size()) if error.errno == errno.ENXIO else offset

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
                    self._stored = self._file.read(READ_BYTES)
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
            self._stored += self._file.read(READ_BYTES)
            if not self._stored:
                self.cut_off = True
                return b""
