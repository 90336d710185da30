"""The fast way through a block of nginx's lines, if no line is odd.

All lines are walked at once, and what has few words is judged once for each of them. One odd line
is enough for these readers to answer None, and the careful reader of the format says which it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from edge.batch.records import Array, EventColumns, carrier_codes
from edge.domain import canonical_domain, comparable_name
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, SCHEME_NAMES, STATUS_MAX, TIME_MS_MIN
from edge.logs.formats.block import Parsed
from edge.logs.formats.judge_lines import HIT_WORDS, MISS_WORDS, NO_SNI, QUIC_NAMES, repeated_rows
from edge.logs.walking.walk import (
    OddLine,
    Values,
    Walk,
    Words,
    bounds_of,
    milliseconds,
    numbers,
    pieces_of,
)

NAMES: Final = ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id")
"""The values of nginx's two formats, in the order of DESIGN 3.3."""
NAMES_WITH_TLS: Final = (*NAMES, "sni", "tls")
"""The same and what is known of the TLS connection, as the shipped formats have it now."""
TLS_VERSION: Final = "^(TLS|SSL)v"


def parse_fast_tsv(block: bytes, now_ms: int, unescape: Callable[[str], str]) -> Parsed | None:
    """The events of `block` if each of its lines is one of `nginx-tsv`, else None."""
    width = block.count(b"\t", 0, block.find(b"\n") + 1) + 1
    names = {len(each): each for each in (NAMES, NAMES_WITH_TLS)}.get(width)
    if names is None:
        return None
    between = [b"", *[b"\t"] * (width - 1), b"\n"]
    return _parsed(block, names, between, now_ms, unescape, tabs=True)


def parse_fast_json(block: bytes, now_ms: int) -> Parsed | None:
    """The events of `block` if all its lines have the fields of its first, those of `nginx`, with
    `sni` and `tls` or without.

    Such a line is `{"time":"`, a value, `","host":"`, … `"}`: only the values may differ from line
    to line. That nothing else does proves that each line is such an object.
    """
    pieces = block[: block.find(b"\n")].decode("ascii", "replace").split('"')
    keys = tuple(pieces[1::4])
    wanted = NAMES_WITH_TLS if len(keys) == len(NAMES_WITH_TLS) else NAMES
    around = ["{", *[":", ","] * (len(wanted) - 1), ":", "}"]
    # Escapes are for the careful reader.
    if sorted(keys) != sorted(wanted) or pieces[::2] != around or b"\\" in block:
        return None
    between = [f'","{key}":"'.encode() for key in keys]
    between[0] = b'{"' + between[0].removeprefix(b'","')
    return _parsed(block, keys, [*between, b'"}\n'], now_ms, str, tabs=False)


def _parsed(
    block: bytes,
    names: Sequence[str],
    between: Sequence[bytes],
    now_ms: int,
    unescape: Callable[[str], str],
    *,
    tabs: bool,
) -> Parsed | None:
    """The events of `block`, whose values `names` stand between literals; None for an odd line."""
    parts: list[_Piece] = []
    judge = _Judge(now_ms, unescape)
    try:
        for begin, end in pieces_of(block):
            lines = bounds_of(block, begin, end)
            if lines.tabs != (len(lines.ends) * (len(names) - 1) if tabs else 0):
                raise OddLine("more or fewer values")
            if lines.odd.any():
                raise OddLine("other bytes")
            walk = Walk(block, lines.starts, lines.ends)
            found: dict[str, Values] = {}
            for name, before, behind in zip(names, between[:-1], between[1:], strict=True):
                walk.require(before)
                found[name] = walk.take(behind[:1])
            walk.require(between[-1][:-1])
            walk.end()
            parts.append(judge.piece(walk, found))
    except OddLine:
        return None
    return judge.parsed(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What the lines of a piece hold, in the types of event columns; and their ids."""

    time_ms: Array
    bytes_sent: Array
    domain: Array
    carrier: Array
    status: Array
    cache: Array
    ids: pl.Series
    hashed_ids: Words


class _Judge:
    """Makes events of the values of a block, each distinct word once."""

    def __init__(self, now_ms: int, unescape: Callable[[str], str]) -> None:
        self._end_ms = now_ms + AHEAD_MS_MAX
        self._unescape = unescape
        self._domains: dict[str, int] = {}
        self._hosts: dict[str, int] = {}

    def piece(self, walk: Walk, found: dict[str, Values]) -> _Piece:
        """The columns of a piece. Raises OddLine where a value is out of range."""
        time_ms, size = milliseconds(found["time"]), numbers(found["bytes_sent"])
        if int(time_ms.min()) < TIME_MS_MIN or int(time_ms.max()) > self._end_ms:
            raise OddLine("a time out of range")
        if int(size.max()) > BYTES_SENT_MAX:
            raise OddLine("bytes out of range")

        def looked_up(name: str, value_of: Callable[[str], int]) -> Array:
            """`value_of` each line, worked out once per distinct text."""
            texts, index = walk.texts(found[name])
            return np.array([value_of(text) for text in texts], dtype=np.int32)[index]

        if "sni" in found:
            _require_same_names(looked_up, self._unescape)
        return _Piece(
            time_ms=time_ms,
            bytes_sent=size,
            domain=looked_up("host", self._domain_of),
            carrier=carrier_codes(looked_up("scheme", _is_https), looked_up("protocol", _quic)),
            status=looked_up("status", _status).astype(np.uint16),
            cache=looked_up("cache", _cache).astype(np.uint8),
            ids=walk.series(found["id"]),
            hashed_ids=found["id"].hashed(),
        )

    def _domain_of(self, host: str) -> int:
        place = self._hosts.get(host)
        if place is None:
            if not host:
                raise OddLine("a line without a host")
            name = canonical_domain(self._unescape(host)) or ""
            place = self._hosts[host] = self._domains.setdefault(name, len(self._domains))
        return place

    def parsed(self, parts: list[_Piece]) -> Parsed:
        """The events of all pieces of a block."""
        domain = np.concatenate([part.domain for part in parts])
        rows = np.arange(len(domain), dtype=np.int64)
        nobody = self._domains.get("")
        ids = pl.concat([part.ids for part in parts])
        hashes = np.sort(np.concatenate([part.hashed_ids for part in parts]))
        return Parsed(
            columns=EventColumns(
                domains=tuple(self._domains),
                domain_index=domain,
                time_ms=np.concatenate([part.time_ms for part in parts]),
                carrier=np.concatenate([part.carrier for part in parts]),
                status=np.concatenate([part.status for part in parts]),
                cache=np.concatenate([part.cache for part in parts]),
                bytes_sent=np.concatenate([part.bytes_sent for part in parts]),
            ),
            rows=rows,
            unattributable=0 if nobody is None else int((domain == nobody).sum()),
            # Equal ids have equal hashes.
            repeated=repeated_rows(ids, rows) if (hashes[1:] == hashes[:-1]).any() else rows[:0],
            ids=ids,
        )


def _require_same_names(
    looked_up: Callable[[str, Callable[[str], int]], Array], unescape: Callable[[str], str]
) -> None:
    """Raise OddLine where a line names another TLS server than its Host, or an odd version."""
    looked_up("tls", _tls_version)
    names: dict[str, int] = {}

    def place_of(raw: str) -> int:
        if raw in NO_SNI:
            return -1
        return names.setdefault(comparable_name(unescape(raw)), len(names))

    servers, hosts = looked_up("sni", place_of), looked_up("host", place_of)
    if ((servers != hosts) & (servers >= 0) & (hosts >= 0)).any():
        raise OddLine("another name than the connection's")


def _status(text: str) -> int:
    if not text.isdigit() or int(text) > STATUS_MAX:
        raise OddLine(text)
    return int(text)


def _is_https(text: str) -> int:
    scheme = SCHEME_NAMES.get(text.lower())
    if scheme is None:
        raise OddLine(text)
    return int(scheme == "https")


def _tls_version(text: str) -> int:
    if text not in NO_SNI and not re.match(TLS_VERSION, text):
        raise OddLine(text)
    return 0


def _quic(text: str) -> int:
    return int(text.startswith("HTTP/3") or text in QUIC_NAMES)


def _cache(text: str) -> int:
    return 1 if text in HIT_WORDS else 2 if text in MISS_WORDS else 0
