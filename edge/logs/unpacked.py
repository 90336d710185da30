"""What stands inside packed files, read forward in bounded memory: gzip, zstd, bzip2, lz4, xz; and
JSON documents and Parquet as JSON lines.
"""

from __future__ import annotations

import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from io import FileIO, RawIOBase
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import orjson

if TYPE_CHECKING:
    import pyarrow as pa

READ_BYTES: Final = 1 << 20
RECORD_BYTES_MAX: Final = 16 << 20
"""A longer JSON document is passed on as it stands: it is a line too long to be read."""
_XZ_MEMORY: Final = 256 << 20
_ROWS: Final = 4096
_STEP: Final = 64 << 10
"""What one read of pyarrow's gives at most: where it meets damage, so much before it is lost."""


class Damaged(Exception):
    """The packed bytes are no such stream from here on."""


class Forward(Protocol):
    """Bytes that can be read once, from the start."""

    cut_off: bool
    """Whether the packed bytes end before their stream does."""

    def read(self, count: int) -> bytes:
        """The next 1 to `count` bytes; b"" at the end. Raises Damaged, or OSError."""
        ...


class _Gzip:
    """A gzip of one or more members."""

    def __init__(self, file: FileIO) -> None:
        self.cut_off = False
        self._file = file
        self._inflater = zlib.decompressobj(wbits=31)
        self._stored = b""

    def read(self, count: int) -> bytes:
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
                raise Damaged from error
            self._stored = self._inflater.unconsumed_tail
            if data:
                return data
            if self._inflater.eof:
                continue
            self._stored += self._file.read(READ_BYTES)
            if not self._stored:
                self.cut_off = True
                return b""


class _Xz:
    """An xz of one or more streams."""

    def __init__(self, file: FileIO) -> None:
        self.cut_off = False
        self._file = file
        self._stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        self._fresh = True

    def read(self, count: int) -> bytes:
        while True:
            if self._stream.eof:
                rest = self._stream.unused_data.lstrip(b"\0") or self._file.read(READ_BYTES)
                if not rest.strip(b"\0"):
                    return b""
                self._stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            elif self._stream.needs_input:
                rest = self._file.read(READ_BYTES)
                if not rest:
                    self.cut_off = True
                    return b""
            else:
                rest = b""
            try:
                data = self._stream.decompress(rest, count)
            except lzma.LZMAError as error:
                raise Damaged from error
            if data:
                return data


class _KeptOpen(RawIOBase):
    """A file that its reader does not close."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """As the file's own."""
        return self._file.read(size)

    def close(self) -> None:
        """Whoever opened the file closes it."""


class _ByArrow:
    """zstd, lz4 (frames) and bzip2, as pyarrow unpacks them."""

    def __init__(self, file: FileIO, codec: Literal["zstd", "lz4", "bz2"]) -> None:
        import pyarrow as pa

        self.cut_off = False
        self._stream = pa.CompressedInputStream(pa.PythonFile(_KeptOpen(file), "r"), codec)

    def read(self, count: int) -> bytes:
        try:
            return bytes(self._stream.read(min(count, _STEP)))
        except OSError as error:
            if "Truncated" not in str(error):
                raise Damaged from error
            self.cut_off = True
            return b""


class _ParquetRows:
    """The rows of a Parquet file as JSON lines."""

    def __init__(self, file: FileIO) -> None:
        self.cut_off = False
        self._lines = _parquet_lines(file)
        self._ready = b""

    def read(self, count: int) -> bytes:
        if not self._ready:
            self._ready = next(self._lines, b"")
        data, self._ready = self._ready[:count], self._ready[count:]
        return data


def _parquet_lines(file: FileIO) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=_ROWS):
            names = batch.schema.names
            columns = [_values(column) for column in batch.columns]
            yield b"".join(
                orjson.dumps(
                    dict(zip(names, row, strict=True)), default=_plain, option=orjson.OPT_NAIVE_UTC
                )
                + b"\n"
                for row in zip(*columns, strict=True)
            )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Damaged from error


def _values(column: pa.Array[Any]) -> list[object]:
    """The values of a column. Of times what is finer than a microsecond is cut; what Python has no
    value for, a day of the year 270000 say, is absent, and its line is judged so.
    """
    kind = _without_nanoseconds(column.type)
    if kind != column.type:
        column = column.cast(kind, safe=False)
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):
        return [_value(one) for one in column]


def _value(one: pa.Scalar[Any]) -> object:
    try:
        return one.as_py()
    except (ValueError, OverflowError):
        return None


def _without_nanoseconds(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_list(kind):
        return pa.list_(_without_nanoseconds(kind.value_type))
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    return pa.duration("us") if kind == pa.duration("ns") else kind


def _plain(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


PACKED: Final[dict[bytes, tuple[str, Callable[[FileIO], Forward]]]] = {
    b"\x1f\x8b": ("gzip", _Gzip),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda file: _ByArrow(file, "zstd")),
    b"\x04\x22\x4d\x18": ("lz4", lambda file: _ByArrow(file, "lz4")),
    b"\xfd7zXZ\x00": ("xz", _Xz),
    b"BZh": ("bzip2", lambda file: _ByArrow(file, "bz2")),
    b"PAR1": ("Parquet", _ParquetRows),
}
"""What a packed file begins with: its name, and what reads it."""
NOT_PACKED: Final[tuple[str, Callable[[FileIO], Forward] | None]] = ("", None)

ARCHIVE_BYTES: Final = 512
"""How much of a file tells whether it holds others: the first block of a tar."""
_CPIO: Final = re.compile(rb"07070[127][0-9A-Fa-f]{6}")


def archive_of(start: bytes) -> str:
    """What kind of archive begins with `start`; blank: none. Its files would be read as one log,
    but for their first lines, which stand behind what the archive says of them.
    """
    if start.startswith(b"!<arch>\n"):
        return "ar"
    if _CPIO.match(start) and b"\0" in start:
        return "cpio"
    return "tar" if len(start) >= ARCHIVE_BYTES and _is_tar(start[:ARCHIVE_BYTES]) else ""


def _is_tar(block: bytes) -> bool:
    """Whether a block is the head of a file in a tar: of its newer forms, or by its checksum."""
    if block[257:262] == b"ustar":
        return True
    told = block[148:156].strip(b" \0")
    counted = sum(block[:148]) + 8 * ord(" ") + sum(block[156:])
    return re.fullmatch(rb"[0-7]+", told) is not None and int(told, 8) == counted


_ARRAY: Final = re.compile(rb"\s*\[\s*[\]{]")
_SPREAD: Final = re.compile(rb"\s*\{[ \t\r]*\n")
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]"]', re.DOTALL)
_BETWEEN: Final = re.compile(rb"[\s,\[\]]*")
_APART: Final = re.compile(rb"[\s,]*")


def is_documents(start: bytes, records: str) -> bool:
    """Whether JSON does not stand one object a line: an array, objects over several lines, or
    objects that hold the records in a list under the key `records`.
    """
    if _ARRAY.match(start) or _SPREAD.match(start):
        return True
    first = start.lstrip().split(b"\n", 1)[0]
    return bool(records) and first.startswith(b"{") and _holder(records).search(first) is not None


def _holder(records: str) -> re.Pattern[bytes]:
    return re.compile(b'"' + re.escape(records.encode()) + rb'"\s*:\s*\[')


class Documents:
    """The objects of JSON documents, one a line."""

    def __init__(self, inner: Callable[[int], bytes], records: str) -> None:
        """`inner` reads on; `records`: the key of the list that holds the records, if any."""
        self.cut_off = False
        self._inner = inner
        self._records = records
        self._holder = _holder(records) if records else None
        self._text = b""
        self._ready = b""

    def read(self, count: int) -> bytes:
        """The next bytes of lines; see `Forward`."""
        while not self._ready:
            fresh = self._inner(READ_BYTES)
            self._text += fresh
            self._ready = self._lines(last=not fresh)
            if not fresh and not self._ready:
                return b""
        data, self._ready = self._ready[:count], self._ready[count:]
        return data

    def _lines(self, *, last: bool) -> bytes:
        """The whole objects in the text so far, as lines; what is left waits."""
        found: list[bytes] = []
        text, place = self._text, 0
        while True:
            place = _behind(_BETWEEN, text, place)
            if place >= len(text):
                break
            end = _end_of(text, place) if text[place : place + 1] == b"{" else _garbage(text, place)
            if end is None and not last and len(text) - place <= RECORD_BYTES_MAX:
                break
            end = len(text) if end is None else end
            found += self._records_of(text[place:end])
            place = end
        self._text = text[place:]
        return b"".join(found)

    def _records_of(self, document: bytes) -> list[bytes]:
        line = document.replace(b"\n", b" ").replace(b"\r", b" ").strip()
        holder = self._holder.search(line) if self._holder is not None else None
        if holder is None:
            return [line + b"\n"]
        try:
            inside = orjson.loads(line).get(self._records)
        except (orjson.JSONDecodeError, AttributeError):
            return [line + b"\n"]
        if not isinstance(inside, list):
            return [line + b"\n"]
        if not all(isinstance(record, dict) for record in inside):
            return [orjson.dumps(record) + b"\n" for record in inside]
        records = _as_they_stand(inside, line, holder)
        return [line + b"\n"] if records is None else [record + b"\n" for record in records]


def _as_they_stand(
    records: list[object], text: bytes, holder: re.Match[bytes]
) -> list[bytes] | None:
    """The text of each of `records`, in the list that begins behind `holder`: an object that is
    read and written again has lost a key that stood in it twice. None: there are two such lists.
    """
    found: list[bytes] = []
    place = holder.end()
    for record in records:
        place = _behind(_APART, text, place)
        own = orjson.dumps(record)
        if not text.startswith(own, place):
            own = text[place : _end_of(text, place) or place] if text[place] == ord("{") else b""
            if not own or orjson.loads(own) != record:
                return None
        found.append(own)
        place += len(own)
    ended = text[_behind(_APART, text, place)] == ord("]")
    return found if ended and holder.re.search(text, place) is None else None


def _behind(pattern: re.Pattern[bytes], text: bytes, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _end_of(text: bytes, start: int) -> int | None:
    """Where the object that begins at `start` ends; None where it does not yet."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark == b'"':
            return None  # a string without its end
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def _garbage(text: bytes, start: int) -> int | None:
    """Where a line that is no object ends."""
    end = text.find(b"\n", start)
    return None if end < 0 else end + 1
