"""What a file is that is no log of ours, in a sentence that says what to do about it (E3).

Asked only where not a line of a file could be read: a wrong guess here costs nothing.
"""

from __future__ import annotations

import re
from typing import Final

from edge.logs.unpacked import PACKED

_NO_HOST: Final = (
    "it holds neither the Host nor the scheme of a request. Where all its lines are of one host and"
    " one listener: --format combined (or common) --host NAME --scheme http or https. Better log"
    " both, with deploy/nginx/edgetoll-log.conf, or your own format by --log-format"
)
_HINT: Final = "It is read with --log-format, or by a mapping (--format MAPPING.toml)"
_COMBINED: Final = re.compile(
    rb'^(?P<first>\S+) \S+ \S+ \[\d{1,2}/[A-Za-z]{3}/\d{4}:[^\]]*\] "[^"\n]*" \S+ \S+', re.MULTILINE
)
_VIRTUAL_HOST: Final = re.compile(
    rb'^\S+:\d+ \S+ \S+ \S+ \[\d{1,2}/[A-Za-z]{3}/\d{4}:[^\]]*\] "', re.MULTILINE
)
_SYSLOG: Final = re.compile(
    rb"^(<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ \S+: )", re.MULTILINE
)
_PREFIXED: Final = re.compile(rb'^[ -+\--z|-~\x1b\x1e]{1,200}\{"', re.MULTILINE)
_DOCKER: Final = re.compile(rb'\{"log":\s*"')
_LEVEL: Final = re.compile(rb"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(error|warn|crit|notice|info)\]")
_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def what_it_is(start: bytes) -> str | None:
    """What `start`, the first bytes of a file, looks like; None for no idea."""
    if not start:
        return None
    encoding = _wide_text(start)
    if encoding:
        return (
            f"it is {encoding} text, which is not read. Convert it:"
            f" iconv -f {encoding} -t UTF-8 FILE > FILE.utf8"
        )
    if start.startswith(tuple(PACKED)):
        return "it is packed twice: unpack it once, and import that"
    if b"\n" not in start and start.count(b"\r") > 1 and not _is_binary(start):
        return (
            "its lines end with a carriage return alone. Convert it:"
            " tr '\\r' '\\n' < FILE > FILE.unix"
        )
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return "it is one JSON array: it is read by a format or a mapping of JSON logs"
    if re.match(rb"\{\s*(\n|$)", text):
        return "it is JSON over several lines: it is read by a format or a mapping of JSON logs"
    if _VIRTUAL_HOST.search(start):
        return (
            "it looks like Apache's `vhost_combined` log, which lacks the scheme: --format"
            " vhost-combined with --scheme http, https or port"
        )
    if _COMBINED.search(start):
        return f"it looks like the stock `combined` or `common` log of nginx or Apache: {_NO_HOST}"
    if _LEVEL.search(start):
        return "it looks like nginx's error log; requests stand in its access log"
    if text[:1] == b"<" and not text.startswith((b"<1", b"<2")):
        return "it looks like HTML or XML, not like a log"
    if _SYSLOG.search(start) or _PREFIXED.search(start):
        return (
            "it looks like syslog or a container's log: the server's own lines stand behind a"
            " prefix. They are read by a mapping with after_prefix = true"
        )
    if _DOCKER.match(text):
        return (
            "it is a container's log: the server's own lines stand inside its field `log`. Take"
            " them out: jq -j .log FILE > FILE.log"
        )
    if _is_binary(start):
        return "it is no text: perhaps a database, a packed or an encrypted file"
    if b"\r" in start and b"\n" not in start:
        return (
            "its lines end with carriage returns alone. Convert it: tr '\\r' '\\n' < FILE > FILE.lf"
        )
    if text[:1] != b"{" and text.count(b",") >= 3 * max(text.count(b"\n"), 1):
        return f"it looks like CSV. {_HINT}"
    return None


def _wide_text(start: bytes) -> str | None:
    """The name of an encoding of two or four bytes a letter; None for none."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    head = start[: 4096 - 4096 % 4]
    places = [head[place::4].count(0) * 4 for place in range(4)]
    full = [count > len(head) * 0.8 for count in places]
    if len(head) < 16:
        return None
    if full in ([False, True, True, True], [True, True, True, False]):
        return "UTF-32"
    if full == [False, True, False, True]:
        return "UTF-16LE"
    if full == [True, False, True, False]:
        return "UTF-16BE"
    return None


def _is_binary(start: bytes) -> bool:
    """Whether a share of the bytes are control characters, as in no text."""
    control = sum(start.count(byte) for byte in range(32) if byte not in (9, 10, 13, 27))
    return control * 20 > len(start)
