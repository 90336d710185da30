"""The fast way through a block of nginx's lines: typed columns at once, if no line is odd.

pyarrow cuts the block at one character into dictionaries of words and texts of digits, which are
judged all at once. One odd line is enough for these readers to answer None, and the careful reader
of the format says which line it was.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc

from edge.batch.records import Array, EventColumns, carrier_codes
from edge.domain import canonical_domain, comparable_name
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, SCHEME_NAMES, STATUS_MAX, TIME_MS_MIN
from edge.logs.formats.block import Parsed
from edge.logs.formats.judge_lines import HIT_WORDS, MISS_WORDS, NO_SNI, QUIC_NAMES, repeated_rows

if TYPE_CHECKING:
    Column = pa.Array[pa.Scalar[pa.DataType]]

# Or a SIGTERM that comes while a block is read would end the agent with ArrowCancelled, not by its
# own handler at the end of the block.
pa.enable_signal_handlers(False)

NAMES: Final = ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id")
"""The values of nginx's two formats, in the order of DESIGN 3.3."""
NAMES_WITH_TLS: Final = (*NAMES, "sni", "tls")
"""The same and what is known of the TLS connection, as the shipped formats have it now."""
TLS_VERSION: Final = "^(TLS|SSL)v"
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_TEXT: Final = pa.string()
_READ: Final = {
    "time": _TEXT,
    "host": _WORD,
    "scheme": _WORD,
    "protocol": _WORD,
    "status": _WORD,
    "bytes_sent": _TEXT,
    "cache": _WORD,
    "id": _TEXT,
}
_READ_WITH_TLS: Final = _READ | {"sni": _WORD, "tls": _WORD}
_TIME: Final = pa.decimal128(18, 3)


def parse_fast_tsv(block: bytes, now_ms: int, unescape: Callable[[str], str]) -> Parsed | None:
    """The events of `block` if each of its lines is one of `nginx-tsv`, else None."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    end = block.find(b"\n")
    width = block.count(b"\t", 0, end if end >= 0 else len(block)) + 1
    names = {len(each): each for each in (NAMES, NAMES_WITH_TLS)}.get(width)
    if names is None:
        return None
    read = _READ if names is NAMES else _READ_WITH_TLS
    try:
        return _events(_cut(block, "\t", names, read, lines), now_ms, unescape)
    except (pa.ArrowInvalid, UnicodeDecodeError, ValueError):
        return None


def parse_fast_json(block: bytes, now_ms: int) -> Parsed | None:
    """The events of `block` if all its lines have the fields of its first, those of `nginx`, with
    `sni` and `tls` or without.

    Cut at its quotes, such a line is `{`, `time`, `:`, a value, `,`, `host`, … `}`: only the values
    may differ from line to line. That nothing else does proves that each line is such an object.
    """
    pieces = block[: block.find(b"\n")].decode("ascii", "replace").split('"')
    keys = pieces[1::4]
    younger = len(keys) == len(NAMES_WITH_TLS)
    wanted, read = (NAMES_WITH_TLS, _READ_WITH_TLS) if younger else (NAMES, _READ)
    between = ["{", *[":", ","] * (len(wanted) - 1), ":", "}"]
    if sorted(keys) != sorted(wanted) or pieces[::2] != between:
        return None
    # Escapes, other alphabets and control characters are for the careful reader.
    if b"\\" in block or not block.isascii() or not block.endswith(b"\n"):
        return None
    lines = int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) < ord(" ")))
    names = [
        pieces[place - 2] if place % 4 == 3 else f"piece {place}" for place in range(len(pieces))
    ]
    same = {name: piece for name, piece in zip(names, pieces, strict=True) if name not in wanted}
    try:
        found = _cut(block, '"', names, read | dict.fromkeys(same, _TEXT), lines)
        for name, piece in same.items():
            _require_always(found[name], piece)
        return _events(found, now_ms, str)
    except (pa.ArrowInvalid, UnicodeDecodeError, ValueError):
        return None


def _cut(
    block: bytes, mark: str, names: Sequence[str], read: dict[str, pa.DataType], lines: int
) -> dict[str, Column]:
    """The columns `read` of a block whose lines are values between marks.

    Raises ValueError or ArrowInvalid for a line with more or fewer values.
    """
    if len(block) < 2:
        raise ValueError("too short for a line")
    source = io.BytesIO(block)
    table = pc.read_csv(
        source,
        read_options=pc.ReadOptions(
            use_threads=False, block_size=len(block) + 1, column_names=list(names)
        ),
        parse_options=pc.ParseOptions(
            delimiter=mark,
            quote_char=False,
            escape_char=False,
            newlines_in_values=False,
            ignore_empty_lines=False,
        ),
        convert_options=pc.ConvertOptions(
            column_types=read,
            include_columns=list(read),
            check_utf8=False,
            strings_can_be_null=False,
        ),
    )
    if table.num_rows != lines:
        raise ValueError("line ends of another kind")
    return {name: _whole(table.column(name)) for name in read}


def _whole(column: pa.ChunkedArray[pa.Scalar[pa.DataType]]) -> Column:
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    assert isinstance(whole, pa.Array), "columns of a block are below 2 GiB"
    return whole


def _buffer(column: Column, number: int) -> memoryview:
    """One of a column's buffers; empty where there is none."""
    data = column.buffers()[number]
    return memoryview(data if data else b"")


def _require_always(texts: Column, expected: str) -> None:
    """Raise ValueError unless each of `texts` is `expected`."""
    bounds, characters = _characters(texts)
    same_length = np.array_equal(np.diff(bounds), np.full(len(texts), len(expected)))
    if not same_length or characters.tobytes() != expected.encode() * len(texts):
        raise ValueError("a line with other fields")


def _characters(texts: Column) -> tuple[Array, Array]:
    """(bounds of each text, the bytes of all of them)."""
    bounds = np.frombuffer(_buffer(texts, 1), dtype=np.int32)
    bounds = bounds[texts.offset : texts.offset + len(texts) + 1]
    characters = np.frombuffer(_buffer(texts, 2), dtype=np.uint8)
    return bounds, characters[bounds[0] : bounds[-1]]


def _events(found: dict[str, Column], now_ms: int, unescape: Callable[[str], str]) -> Parsed | None:
    """The events of the columns, or None where a value is out of range. Raises ValueError."""
    time_ms = _unscaled(_number(found["time"], _TIME, b"."))
    size = _number(found["bytes_sent"], pa.int64()).to_numpy()
    if time_ms.min() < TIME_MS_MIN or time_ms.max() > now_ms + AHEAD_MS_MAX:
        return None
    if size.min() < 0 or size.max() > BYTES_SENT_MAX:
        return None
    https = _looked_up(found["scheme"], _is_https)
    statuses = _looked_up(found["status"], _status)
    quic = _looked_up(found["protocol"], _quic)
    names: dict[str, int] = {}
    index = _looked_up(
        found["host"], lambda raw: names.setdefault(_domain(raw, unescape), len(names))
    )
    if "sni" in found and _any_differs(found, unescape):
        return None
    unattributable = int((index == names[""]).sum()) if "" in names else 0
    columns = EventColumns(
        domains=tuple(names),
        domain_index=index,
        time_ms=time_ms,
        carrier=carrier_codes(https, quic),
        status=statuses.astype(np.uint16),
        cache=_looked_up(found["cache"], _cache).astype(np.uint8),
        bytes_sent=size,
    )
    rows = np.arange(len(size), dtype=np.int64)
    ids = pl.Series("id", found["id"])
    return Parsed(
        columns=columns,
        rows=rows,
        unattributable=unattributable,
        repeated=repeated_rows(ids, rows),
        ids=ids,
    )


def _any_differs(found: dict[str, Column], unescape: Callable[[str], str]) -> bool:
    """Whether a line names another TLS server than its Host. Raises ValueError for odd versions."""
    _looked_up(found["tls"], _tls_version)
    names: dict[str, int] = {}

    def place_of(raw: str) -> int:
        if raw in NO_SNI:
            return -1
        return names.setdefault(comparable_name(unescape(raw)), len(names))

    servers, hosts = (_looked_up(found[column], place_of) for column in ("sni", "host"))
    return bool(((servers != hosts) & (servers >= 0) & (hosts >= 0)).any())


def _number(texts: Column, kind: pa.DataType, mark: bytes = b"") -> Column:
    """`texts` as numbers. Raises ValueError if anything but digits and `mark` stands in them.

    pyarrow would take signs, exponents, hexadecimal digits and spaces, which nginx never writes.
    """
    _, characters = _characters(texts)
    if characters[characters - np.uint8(ord("0")) > np.uint8(9)].tobytes().strip(mark):
        raise ValueError("a number with other characters")
    return texts.cast(kind)


def _unscaled(column: Column) -> Array:
    """The milliseconds behind decimals of three places: the low halves of their 128 bits.

    A value beyond 64 bits has no place in 18 digits, which the type allows.
    """
    words = np.frombuffer(_buffer(column, 1), dtype=np.int64)
    start = 2 * column.offset
    return words[start : start + 2 * len(column) : 2].copy()


def _looked_up(column: Column, value_of: Callable[[str], int]) -> Array:
    """`value_of` each row, worked out once per distinct text; int32."""
    assert isinstance(column, pa.DictionaryArray), "read as words"
    values = [_checked(value_of, str(text)) for text in column.dictionary.to_pylist()]
    places: Array = column.indices.to_numpy(zero_copy_only=False)
    return np.array(values, dtype=np.int32)[places]


def _checked(value_of: Callable[[str], int], text: str) -> int:
    try:
        return value_of(text)
    except KeyError as error:
        raise ValueError(text) from error


def _status(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > STATUS_MAX:
        raise ValueError(text)
    return int(text)


def _domain(raw: str, unescape: Callable[[str], str]) -> str:
    if not raw:
        raise ValueError("a line without a host")
    return canonical_domain(unescape(raw)) or ""


def _is_https(text: str) -> int:
    return int(SCHEME_NAMES[text.lower()] == "https")


def _tls_version(text: str) -> int:
    if text not in NO_SNI and not re.match(TLS_VERSION, text):
        raise ValueError(text)
    return 0


def _quic(text: str) -> int:
    return int(text.startswith("HTTP/3") or text in QUIC_NAMES)


def _cache(text: str) -> int:
    return 1 if text in HIT_WORDS else 2 if text in MISS_WORDS else 0
