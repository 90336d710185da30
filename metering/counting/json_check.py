"""The values of JSON events: what may be counted, and the first reason where not (D9 to D14).

Events are looked at one by one: those of messages laid out alike do not come here (json_columns).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeGuard

from edge.batch.records import CARRIER_CODE, CLASS_OF_CARRIER
from edge.domain import canonical_domains
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, CACHES, STATUS_MAX, TIME_MS_MIN
from edge.reasons import Reason
from metering.counting.json_parse import RawEvent
from metering.counting.json_trust import EVERYBODY, JsonTrust
from metering.hour import to_ms

TEXT_MAX: Final = 256
CLASS_CODES: Final[dict[tuple[str, str], int]] = {
    pair: int(CLASS_OF_CARRIER[code]) for pair, code in CARRIER_CODE.items()
}
CACHE_CODES: Final[dict[str | None, int]] = {cache: code for code, cache in enumerate(CACHES)}
Judged = tuple[str, str, int, str, str, str, int, int, str | None, str]
"""An event in the order of FIELDS whose values may be counted; its time is UTC ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Times between which an event can be judged, UTC ms, and who may report what."""

    window_start_ms: int
    now_ms: int
    trust: JsonTrust = EVERYBODY


@dataclass(slots=True)
class Checked:
    """Columns of events that may be counted, and the others by (reason, source)."""

    place: list[int] = field(default_factory=list)
    """Where each was in the input."""
    source: list[str] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    time_ms: list[int] = field(default_factory=list)
    domain: list[str] = field(default_factory=list)
    class_code: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    bytes_sent: list[int] = field(default_factory=list)
    cache: list[int] = field(default_factory=list)
    region: list[str] = field(default_factory=list)
    refused: list[tuple[int, Reason, str]] = field(default_factory=list)
    """(place in the input, reason, source or "?")."""


def check(events: Sequence[RawEvent], keys: Sequence[bytes | None], bounds: Bounds) -> Checked:
    """Judge `events` one by one, each sent under the message key of the same place."""
    checked = Checked()
    good: list[Judged] = []
    for place, (event, key) in enumerate(zip(events, keys, strict=True)):
        judged = _judge(event, key, bounds)
        if isinstance(judged, Reason):
            source = str(event[0]) if _text(event[0]) else "?"
            checked.refused.append((place, judged, source))
        else:
            checked.place.append(place)
            good.append(judged)
    if good:
        _add(checked, good)
    return checked


def _names_allowed(sources: Sequence[str], names: Sequence[str], trust: JsonTrust) -> bool:
    """Whether each source may report each of its names, as they are counted."""
    pairs = list(set(zip(sources, names, strict=True)))
    canonical = canonical_domains([name for _, name in pairs])
    return all(
        trust.may_report(source, name) for (source, _), name in zip(pairs, canonical, strict=True)
    )


def _text(value: object) -> TypeGuard[str]:
    """A text of 1 to TEXT_MAX characters."""
    return isinstance(value, str) and 0 < len(value) <= TEXT_MAX


def _whole(value: object) -> TypeGuard[int]:
    return type(value) is int


def _judge(event: RawEvent, key: bytes | None, bounds: Bounds) -> Judged | Reason:
    """The event with its time in ms, or the first reason against it in Reason's order."""
    source, event_id, time, domain, scheme, transport, status, size, cache, region = event
    if not (_text(source) and _text(event_id) and _text(region) and isinstance(domain, str)):
        return Reason.SCHEMA
    if not (_whole(status) and _whole(size) and _is_cache(cache)):
        return Reason.SCHEMA
    time_ms = milliseconds(time)
    if time_ms is None:
        return Reason.SCHEMA
    if (untrusted := bounds.trust.against(source)) is not None:
        return untrusted
    if not TIME_MS_MIN <= time_ms <= bounds.now_ms + AHEAD_MS_MAX:
        return Reason.CLOCK
    if isinstance(scheme, list | dict) or isinstance(transport, list | dict):
        return Reason.SCHEMA
    if not isinstance(scheme, str) or not isinstance(transport, str):
        return Reason.SCHEME
    if (scheme, transport) not in CLASS_CODES:
        return Reason.SCHEME
    if not 0 <= status <= STATUS_MAX:
        return Reason.STATUS
    if not 0 <= size <= BYTES_SENT_MAX:
        return Reason.BYTES
    if bounds.trust.names_are_listed and not _names_allowed((source,), (domain,), bounds.trust):
        return Reason.DOMAIN
    if source.encode() != key:
        return Reason.KEY
    if time_ms < bounds.window_start_ms:
        return Reason.UNCHECKABLE
    return source, event_id, time_ms, domain, scheme, transport, status, size, cache, region


def _is_cache(value: object) -> TypeGuard[str | None]:
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
        return to_ms(parsed)
    except OverflowError:
        return None


def _add(checked: Checked, events: Sequence[Judged]) -> None:
    source, event_id, time, domain, scheme, transport, status, size, cache, region = zip(
        *events, strict=True
    )
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
