"""The fast way through a block of `nginx-tsv`: typed columns at once, if every line is sound.

pyarrow reads the block straight into dictionaries, decimals and integers, which takes half the time
of reading texts and judging them. It refuses a block for one odd line, and so does this reader: it
answers None, and the careful reader (edge/formats/nginx_tsv.py) says which line it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from edge.batch import EventColumns
from edge.domain import canonical_domain
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, STATUS_MAX, TIME_MS_MIN
from edge.formats.block import Parsed
from edge.formats.refine import HIT_WORDS, MISS_WORDS

NAMES = ["time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id"]
_WORD = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    "time": pa.decimal128(18, 3),
    "host": _WORD,
    "scheme": _WORD,
    "protocol": _WORD,
    "status": _WORD,
    "bytes_sent": pa.int64(),
    "cache": _WORD,
}
_PARSE = pc.ParseOptions(
    delimiter="\t",
    quote_char=False,
    escape_char=False,
    newlines_in_values=False,
    ignore_empty_lines=False,
)
_CONVERT = pc.ConvertOptions(
    column_types=_TYPES, include_columns=list(_TYPES), check_utf8=False, strings_can_be_null=False
)


def parse_sound(block: bytes, now_ms: int, unescape: Callable[[str], str]) -> Parsed | None:
    """The events of `block` if each of its lines is one, else None."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    # pyarrow takes spaces around numbers, and hexadecimal ones; no line of this format has them.
    if len(block) < 2 or any(odd in block for odd in (b" ", b"\t0x", b"\t0X")):
        return None
    read = pc.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=NAMES)
    source: Any = pa.BufferReader(block)
    try:
        table = pc.read_csv(
            source, read_options=read, parse_options=_PARSE, convert_options=_CONVERT
        )
        if table.num_rows != lines:
            return None
        return _columns({name: _whole(table.column(name)) for name in _TYPES}, now_ms, unescape)
    except (pa.ArrowInvalid, UnicodeDecodeError, ValueError):
        return None


def _whole(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _columns(found: dict[str, Any], now_ms: int, unescape: Callable[[str], str]) -> Parsed | None:
    """The typed columns of a table, or None where a value is out of range. Raises ValueError."""
    if any(found[name].null_count for name in ("time", "bytes_sent")):
        return None
    time_ms = _unscaled(found["time"])
    size = found["bytes_sent"].to_numpy()
    if time_ms.min() < TIME_MS_MIN or time_ms.max() > now_ms + AHEAD_MS_MAX:
        return None
    if size.min() < 0 or size.max() > BYTES_SENT_MAX:
        return None
    https = _looked_up(found["scheme"], {"http": 0, "https": 1}.__getitem__)
    statuses = _looked_up(found["status"], _status)
    quic = _looked_up(found["protocol"], lambda text: int(text.startswith("HTTP/3")))
    names: dict[str, int] = {}
    index = _looked_up(
        found["host"], lambda raw: names.setdefault(_domain(raw, unescape), len(names))
    )
    unattributable = int((index == names[""]).sum()) if "" in names else 0
    columns = EventColumns(
        domains=tuple(names),
        domain_index=index,
        time_ms=time_ms,
        carrier=np.where(quic == 1, 3 - https, https).astype(np.uint8),
        status=statuses.astype(np.uint16),
        cache=_looked_up(found["cache"], _cache).astype(np.uint8),
        bytes_sent=size,
    )
    rows = np.arange(len(size), dtype=np.int64)
    return Parsed(columns=columns, rows=rows, unattributable=unattributable)


def _unscaled(column: Any) -> Any:
    """The milliseconds behind decimals of three places: the low halves of their 128 bits.

    A value beyond 64 bits has no place in 18 digits, which the type allows.
    """
    words = np.frombuffer(column.buffers()[1], dtype="<i8")
    start = 2 * column.offset
    return words[start : start + 2 * len(column) : 2].copy()


def _looked_up(column: Any, value_of: Callable[[str], int]) -> Any:
    """`value_of` each row, worked out once per distinct text; int32."""
    values = [_checked(value_of, text) for text in column.dictionary.to_pylist()]
    return np.array(values, dtype=np.int32)[column.indices.to_numpy(zero_copy_only=False)]


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


def _cache(text: str) -> int:
    return 1 if text in HIT_WORDS else 2 if text in MISS_WORDS else 0
