"""The bytes of a log file by offset: plain, or those inside a packed file."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from typing import Final, Self

from edge.errors import InputError
from edge.logs.unpacked import (
    ARCHIVE_BYTES,
    NOT_PACKED,
    PACKED,
    READ_BYTES,
    Damaged,
    Documents,
    Forward,
    archive_of,
    is_documents,
)

_UNREADABLE: Final = {
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf'\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x1f\x9d": "compress (.Z)",
    b"LZIP\x01": "lzip",
    b"\xff\x06\x00\x00sNaPpY": "snappy",
}
_LINE_BYTES: Final = 16 << 10
"""Where so many bytes hold a line's end, it is found without reading what is before it."""
_MAGIC_BYTES: Final = max(map(len, (*PACKED, *_UNREADABLE)))
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Three bytes that some programs write in front of UTF-8 text; they are no part of the first line.
"""


class Content:
    """Bytes of a file by offset; of a packed file, the bytes inside it.

    `packed` has a value where they cannot be read in any order; `gzip` where that is gzip alone.
    """

    def __init__(self, path: Path, *, documents: bool = False, records: str = "") -> None:
        """`documents`: JSON that is not one object a line is read as if it were; `records` is the
        key of the list that holds the records, if any. Raises InputError.
        """
        self.path = path
        self._records = records
        self._documents = False
        self._inner: Forward | None = None
        self._cut_off = False
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise InputError(
                    f"{path} is no plain file", "write what it holds to a file first, and name that"
                )
            self._file: FileIO = open(path, "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror}", "check the path"
            ) from error
        try:
            self._know_kind()
            self._rewind()
            self._refuse_archive()
            self._documents = documents and is_documents(self._start(), records)
            if self._documents:
                self.gzip = False
            self._rewind()
        except InputError:
            self._file.close()
            raise

    def _know_kind(self) -> None:
        """Plain or packed, by the first bytes; raises InputError for what is not read."""
        start = os.pread(self._file.fileno(), _MAGIC_BYTES, 0)
        for magic, name in _UNREADABLE.items():
            if start.startswith(magic):
                raise InputError(
                    f"{self.path} is compressed with {name}, which is not read",
                    "unpack it first: plain files, gzip, zstd, bzip2, lz4 and xz are read",
                )
        self._kind_is_known = len(start) == _MAGIC_BYTES
        known = (found for magic, found in PACKED.items() if start.startswith(magic))
        self._kind, self._unpack = next(known, NOT_PACKED)
        self.gzip = self._kind == "gzip"

    def _refuse_archive(self) -> None:
        """InputError for an archive of several files, plain or packed."""
        try:
            start = self.read_at(0, ARCHIVE_BYTES)
        except InputError:  # damaged: told when it is read
            start = b""
        kind = archive_of(start)
        if kind:
            raise InputError(
                f"{self.path} is {'an' if kind == 'ar' else 'a'} {kind} archive, which is not read",
                "take its files out first (tar -xf FILE), and import them",
            )
        self._rewind()

    @property
    def packed(self) -> bool:
        """Whether the bytes are those inside something else."""
        return self._unpack is not None or self._documents

    @property
    def cut_off(self) -> bool:
        """Whether a packed file was seen to end early."""
        return self._cut_off or (self._inner is not None and self._inner.cut_off)

    def look_again(self) -> None:
        """Of a file that was still too short when it was opened: see what it has become."""
        if not self._kind_is_known:
            self._know_kind()
            self._rewind()

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
        if not self.packed:
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

    def lines_at(self, offset: int, count: int) -> bytes:
        """Whole lines from `offset` of a plain file, about `count` bytes, read where they stay; b""
        where they do not end there, or there are not so many.
        """
        place = offset + count - _LINE_BYTES
        if self.packed or place <= offset:
            return b""
        end = os.pread(self._file.fileno(), _LINE_BYTES, place).rfind(b"\n") + 1
        data = self._read_plain(offset, place - offset + end) if end else b""
        return data if data.endswith(b"\n") else b""

    def over_hole(self, offset: int) -> int:
        """`offset`, or where the hole of a sparse file ends in which it lies: all NULs until there.

        Cheap: the file system knows. Where it does not tell, `offset`.
        """
        if self.packed:
            return offset
        try:
            return os.lseek(self._file.fileno(), offset, os.SEEK_DATA)
        except OSError as error:
            # No data behind it; or a file system that does not know its holes.
            return max(offset, self.stored_size()) if error.errno == errno.ENXIO else offset

    def _start(self) -> bytes:
        """The first bytes; none where they are damaged, which is told when they are read."""
        try:
            return self.read_at(0, READ_BYTES)
        except InputError:
            return b""

    def _rewind(self) -> None:
        self._file.seek(0)
        self._position = 0
        self._is_damaged = False
        self._cut_off = self._cut_off or (self._inner is not None and self._inner.cut_off)
        self._inner = None if self._unpack is None else self._unpack(self._file)
        if self._documents:
            self._outer: Forward | None = Documents(self._unwrapped, self._records)
        else:
            self._outer = self._inner

    def _unwrapped(self, count: int) -> bytes:
        """The next bytes of the JSON documents."""
        return self._file.read(count) if self._inner is None else self._inner.read(count)

    def _inflate(self, count: int) -> bytes:
        """The next 1 to `count` bytes inside; b"" at the end."""
        assert self._outer is not None, "plain files are read in any order"
        try:
            if self._is_damaged:
                raise Damaged
            data = self._outer.read(count)
        except Damaged as error:
            self._is_damaged = True
            raise InputError(
                f"{self.path}: damaged {self._kind} after {self._position} bytes of content",
                "the lines before it are taken; import the file again when it is repaired",
            ) from error
        self._position += len(data)
        return data
