"""What was wrong with one refused line, in words for the person who has to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge.event import AHEAD_MS_MAX, SCHEME_NAMES, TIME_MS_MIN
from edge.instants import utc_text
from edge.reasons import Reason

_SHOWN_MAX: Final = 60
_NEEDED: Final = {
    "raw_time": "time",
    "host": "host",
    "scheme": "scheme",
    "status": "status",
    "bytes": "bytes",
}
"""The columns an event cannot be without, and what they are called where no format says more."""
_YEAR_10000_MS: Final = 253_402_300_800_000


def shown(value: object, longest: int = _SHOWN_MAX) -> str:
    """`value` in guillemets, cut short, with what could drive a terminal escaped."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    short = text[:longest]
    if not short.isprintable():
        short = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in short
        )[: 2 * longest]
    return f"«{short}…»" if len(text) > longest else f"«{short}»"


def why_refused(reason: Reason, line: Mapping[str, object], fields: Mapping[str, str]) -> str:
    """What was wrong with `line` (a row of the judges' table), by the format's own names."""

    def name(column: str) -> str:
        return fields.get(column) or _NEEDED.get(column, column)

    if reason is Reason.SCHEMA:
        lacking = [name(column) for column in _NEEDED if line.get(column) is None]
        return f"no {', no '.join(lacking)}" if lacking else "a field is missing"
    if reason is Reason.CLOCK:
        return _why_clock(line, name("raw_time"), name("duration"))
    if reason is Reason.SCHEME:
        known = ", ".join(SCHEME_NAMES)
        return f"{name('scheme')} {shown(line.get('scheme'))} is none of {known}"
    if reason is Reason.STATUS:
        return f"{name('status')} {shown(line.get('status'))} is no number from 0 to 999"
    if reason is Reason.BYTES:
        return f"{name('bytes')} {shown(line.get('bytes'))} is no number from 0 to 2^50"
    return f"TLS server name {shown(line.get('sni'))}, {name('host')} {shown(line.get('host'))}"


def _why_clock(line: Mapping[str, object], time_name: str, duration_name: str) -> str:
    """What was wrong with the time: not read, or far off."""
    raw, time_ms = line.get("raw_time"), line.get("time_ms")
    if not isinstance(time_ms, int):
        if line.get("duration") is not None and line.get("start_ms") is not None:
            return f"{duration_name} {shown(line['duration'])} cannot be read"
        return f"{time_name} {shown(raw)} cannot be read"
    if time_ms < TIME_MS_MIN:
        return f"{time_name} {shown(raw)} is before 2000"
    if time_ms >= _YEAR_10000_MS:
        return f"{time_name} {shown(raw)} is beyond the year 9999: is its unit right?"
    days = AHEAD_MS_MAX // 86_400_000
    return f"{time_name} {shown(raw)} is {utc_text(time_ms)}, more than {days} day ahead"
