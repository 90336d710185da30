"""The values of JSON events: what may be counted, and the first reason where not (D9 to D14).

Events are checked by columns; only where a column holds something odd is each event looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from edge.batch.records import CARRIER_CODE, CLASS_OF_CARRIER
from edge.domain import canonical_domains
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, STATUS_MAX, TIME_MS_MIN
from edge.reasons import Reason
from metering.counting.json_parse import RawEvent

TEXT_MAX: Final = 256
CLASS_CODES: Final = {pair: int(CLASS_OF_CARRIER[code]) for pair, code in CARRIER_CODE.items()}
CACHE_CODES: Final[dict[Any, int]] = {None: 0, "hit": 1, "miss": 2}
UNCHECKABLE: Final = "uncheckable"
WRONG_KEY: Final = "key"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Times between which an event can be judged, UTC ms."""

    window_start_ms: int
    now_ms: int


@dataclass(slots=True)
class Checked:
    """Columns of events that may be counted, and the others by (reason, source)."""

    source: list[str] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    time_ms: list[int] = field(default_factory=list)
    domain: list[str] = field(default_factory=list)
    class_code: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    bytes_sent: list[int] = field(default_factory=list)
    cache: list[int] = field(default_factory=list)
    region: list[str] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    """(place in the input, reason, source or "?")."""


def check(events: Sequence[RawEvent], keys: Sequence[bytes | None], bounds: Bounds) -> Checked:
    """Judge `events`, each sent under the message key of the same place."""
    checked = Checked()
    if not events:
        return checked
    columns = list(zip(*events, strict=True))
    if _all_good(columns, keys, bounds):
        _add(checked, columns)
        return checked
    good: list[RawEvent] = []
    for place, (event, key) in enumerate(zip(events, keys, strict=True)):
        judged = _judge(event, key, bounds)
        if isinstance(judged, str):
            source = event[0] if _text(event[0]) else "?"
            checked.refused.append((place, judged, source))
        else:
            good.append(judged)
    if good:
        _add(checked, list(zip(*good, strict=True)))
    return checked


def _all_good(columns: list[Any], keys: Sequence[bytes | None], bounds: Bounds) -> bool:
    """Whether every event of these columns may be counted, without looking at single ones."""
    source, event_id, time, domain, scheme, transport, status, size, cache, region = columns
    for numbers in (time, status, size):
        if set(map(type, numbers)) != {int}:
            return False
    for texts in (source, event_id, domain, region):
        if set(map(type, texts)) != {str}:
            return False
    try:
        known = set(zip(scheme, transport, strict=True)) <= CLASS_CODES.keys()
        known = known and set(cache) <= CACHE_CODES.keys()
    except TypeError:  # a list or an object, where a word belongs
        return False
    pairs = set(zip(source, keys, strict=True))
    return (
        known
        and min(time) >= max(bounds.window_start_ms, TIME_MS_MIN)
        and max(time) <= bounds.now_ms + AHEAD_MS_MAX
        and min(status) >= 0
        and max(status) <= STATUS_MAX
        and min(size) >= 0
        and max(size) <= BYTES_SENT_MAX
        and min(map(len, event_id)) > 0
        and max(map(len, event_id)) <= TEXT_MAX
        and all(_text(name) and name.encode() == key for name, key in pairs)
        and all(map(_text, set(region)))
    )


def _text(value: object) -> bool:
    """A text of 1 to TEXT_MAX characters."""
    return isinstance(value, str) and 0 < len(value) <= TEXT_MAX


def _whole(value: object) -> bool:
    return type(value) is int


def _judge(event: RawEvent, key: bytes | None, bounds: Bounds) -> RawEvent | str:
    """The event with its time in ms, or the first reason against it in Reason's order."""
    source, event_id, time, domain, scheme, transport, status, size, cache, region = event
    texts = _text(source) and _text(event_id) and _text(region) and isinstance(domain, str)
    if not (texts and _whole(status) and _whole(size)) or not _is_cache(cache):
        return Reason.SCHEMA.value
    time_ms = milliseconds(time)
    if time_ms is None:
        return Reason.SCHEMA.value
    if not TIME_MS_MIN <= time_ms <= bounds.now_ms + AHEAD_MS_MAX:
        return Reason.CLOCK.value
    try:
        if (scheme, transport) not in CLASS_CODES:
            return Reason.SCHEME.value
    except TypeError:
        return Reason.SCHEMA.value
    if not 0 <= status <= STATUS_MAX:
        return Reason.STATUS.value
    if not 0 <= size <= BYTES_SENT_MAX:
        return Reason.BYTES.value
    if source.encode() != key:
        return WRONG_KEY
    if time_ms < bounds.window_start_ms:
        return UNCHECKABLE
    return source, event_id, time_ms, domain, scheme, transport, status, size, cache, region


def _is_cache(value: object) -> bool:
    return value is None or (isinstance(value, str) and value in CACHE_CODES)


def milliseconds(time: object) -> int | None:
    """UTC ms of an event's time: whole ms, or RFC 3339 with a zone; else None, never a guess."""
    if type(time) is int:
        return time
    if not isinstance(time, str) or len(time) > 40 or time[10:11] not in ("T", "t", " "):
        return None
    text = time
    if text[17:19] == "60":
        # A leap second belongs to the minute it ends (FAULTS E5).
        text = f"{text[:17]}59.999{text[19:].lstrip('.0123456789')}"
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        return None
    try:
        passed = parsed - _EPOCH
    except OverflowError:
        return None
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000


def _add(checked: Checked, columns: list[Any]) -> None:
    source, event_id, time, domain, scheme, transport, status, size, cache, region = columns
    distinct = list(dict.fromkeys(domain))
    names = dict(zip(distinct, canonical_domains(distinct), strict=True))
    checked.source += source
    checked.id += event_id
    checked.time_ms += time
    checked.domain += [names[name] or "" for name in domain]
    checked.class_code += map(CLASS_CODES.__getitem__, zip(scheme, transport, strict=True))
    checked.status += status
    checked.bytes_sent += size
    checked.cache += map(CACHE_CODES.__getitem__, cache)
    checked.region += region
