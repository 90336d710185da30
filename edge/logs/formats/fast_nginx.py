"""The fast way through a block of nginx's lines, if no line is odd.

All lines are walked at once, and what has few words is judged once for each of them. One odd line
is enough for these readers to answer None, and the careful reader of the format says which it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from edge.batch.records import EventColumns, carrier_codes
from edge.domain import canonical_domain
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, SCHEME_NAMES, STATUS_MAX, TIME_MS_MIN
from edge.logs.formats.block import Parsed
from edge.logs.formats.judge_lines import (
    HIT_WORDS,
    MISS_WORDS,
    NO_SNI,
    QUIC_NAMES,
    repeated_rows,
    sni_differs,
)
from edge.logs.walking.program import Kind, LineForm, ValueForm
from edge.logs.walking.walk import OddLine, Walked, walked

NAMES: Final = ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id")
"""The values of nginx's two formats, in the order of DESIGN 3.3."""
NAMES_WITH_TLS: Final = (*NAMES, "sni", "tls")
"""The same and what is known of the TLS connection, as the shipped formats have it now."""
TLS_VERSION: Final = "^(TLS|SSL)v"
_KINDS: Final[dict[str, Kind]] = {"time": "seconds", "bytes_sent": "number", "id": "id"}
"""What the values are; the others are words."""


def parse_fast_tsv(block: bytes, now_ms: int, unescape: Callable[[str], str]) -> Parsed | None:
    """The events of `block` if each of its lines is one of `nginx-tsv`, else None."""
    width = block.count(b"\t", 0, block.find(b"\n") + 1) + 1
    names = {len(each): each for each in (NAMES, NAMES_WITH_TLS)}.get(width)
    if names is None:
        return None
    return _parsed(block, _form(names, [b"", *[b"\t"] * (width - 1)], b"\t", b""), now_ms, unescape)


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
    if sorted(keys) != sorted(wanted) or pieces[::2] != around:
        return None
    between = [f'","{key}":"'.encode() for key in keys]
    between[0] = b'{"' + between[0].removeprefix(b'","')
    # Escapes are for the careful reader: a value does not go on behind a backslash.
    return _parsed(block, _form(keys, between, b'"\\', b'"}'), now_ms, str)


def _form(names: Sequence[str], between: Sequence[bytes], marks: bytes, last: bytes) -> LineForm:
    """Lines whose values `names` stand behind literals, and end before a mark."""
    steps = [
        ValueForm(literal=literal, name=name, kind=_KINDS.get(name, "word"), marks=marks)
        for name, literal in zip(names, between, strict=True)
    ]
    return LineForm(steps=tuple(steps), last=last)


def _parsed(
    block: bytes, form: LineForm, now_ms: int, unescape: Callable[[str], str]
) -> Parsed | None:
    """The events of `block`, whose lines are of `form`; None for an odd line."""
    try:
        found = walked(form, block)
        if found.odd.any():
            return None
        return _Judge(now_ms, unescape).parsed(found)
    except OddLine:
        return None


class _Judge:
    """Makes events of the values of a block, each distinct word once."""

    def __init__(self, now_ms: int, unescape: Callable[[str], str]) -> None:
        self._end_ms = now_ms + AHEAD_MS_MAX
        self._unescape = unescape
        self._domains: dict[str, int] = {}

    def parsed(self, found: Walked) -> Parsed:
        """The events. Raises OddLine where a value is out of range."""
        time_ms, size = found.numbers("time"), found.numbers("bytes_sent")
        if int(time_ms.min()) < TIME_MS_MIN or int(time_ms.max()) > self._end_ms:
            raise OddLine("a time out of range")
        if int(size.max()) > BYTES_SENT_MAX:
            raise OddLine("bytes out of range")
        if "sni" in found:
            _require_same_names(found, self._unescape)
        domain = found.looked_up("host", self._domain_of)
        rows = np.arange(len(domain), dtype=np.int64)
        nobody = self._domains.get("")
        ids, hashes = found.series("id"), np.sort(found.hashes("id"))
        https, quic = found.looked_up("scheme", _is_https), found.looked_up("protocol", _quic)
        return Parsed(
            columns=EventColumns(
                domains=tuple(self._domains),
                domain_index=domain,
                time_ms=time_ms,
                carrier=carrier_codes(https, quic),
                status=found.looked_up("status", _status).astype(np.uint16),
                cache=found.looked_up("cache", _cache).astype(np.uint8),
                bytes_sent=size,
            ),
            rows=rows,
            unattributable=0 if nobody is None else int((domain == nobody).sum()),
            # Equal ids have equal hashes.
            repeated=repeated_rows(ids, rows) if (hashes[1:] == hashes[:-1]).any() else rows[:0],
            ids=ids,
            physical=len(rows),
        )

    def _domain_of(self, host: str) -> int:
        if not host:
            raise OddLine("a line without a host")
        name = canonical_domain(self._unescape(host)) or ""
        return self._domains.setdefault(name, len(self._domains))


def _require_same_names(found: Walked, unescape: Callable[[str], str]) -> None:
    """Raise OddLine where a line names another TLS server than its Host, or an odd version."""
    found.looked_up("tls", _tls_version)
    texts: dict[str, int] = {}

    def place_of(text: str) -> int:
        return texts.setdefault(text, len(texts))

    hosts = found.looked_up("host", place_of)
    servers = found.looked_up("sni", lambda text: -1 if text in NO_SNI else place_of(text))
    others = (servers != hosts) & (servers >= 0)
    if others.any():  # two spellings of one name, perhaps
        spelt = list(map(unescape, texts))
        pairs = set(zip(servers[others].tolist(), hosts[others].tolist(), strict=True))
        if any(sni_differs(spelt[server], spelt[host]) for server, host in pairs):
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
