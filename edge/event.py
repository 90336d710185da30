"""One request, as an edge saw it: the record, its billing class, and what makes one impossible.

Source of the field list and of the billing class: DESIGN 3.1. No field may name a person: no
address, path, query, cookie or user agent ever enters an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edge.reasons import Reason

Scheme = Literal["http", "https"]
Transport = Literal["tcp", "quic"]
Cache = Literal["hit", "miss"]
BillingClass = Literal["http", "https", "quic"]

CLASSES: Final[tuple[BillingClass, ...]] = ("http", "https", "quic")
"""Billing classes by their code: `CLASSES[class_code]`."""

CACHES: Final[tuple[Cache | None, ...]] = (None, "hit", "miss")
"""Cache states by their code: `CACHES[cache_code]`."""

SCHEME_NAMES: Final[dict[str, Scheme]] = {
    "http": "http",
    "ws": "http",
    "grpc": "http",
    "h2c": "http",
    "https": "https",
    "wss": "https",
    "grpcs": "https",
    "h2": "https",
    "h3": "https",
    "quic": "https",
}
"""What logs call the two schemes, in small letters: one table for all formats."""

DOMAIN_BYTES_MAX: Final = 253
LABEL_BYTES_MAX: Final = 63
EVENT_ID_BYTES_MAX: Final = 256
STATUS_MAX: Final = 999
"""Statuses have three digits; an origin chooses them, and web servers pass 600 to 999 on (E4)."""
STATUS_CLASSES: Final = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "other")
"""Classes of statuses by their code: the first digit up to 5, and one for 600 to 999."""
BYTES_SENT_MAX: Final = 1 << 50
BUCKET_MS: Final = 5 * 60 * 1000
DAY_MS: Final = 86_400_000
TIME_MS_MIN: Final = 946_684_800_000
"""2000-01-01T00:00:00Z: an earlier clock was never set (DESIGN 3.5)."""
AHEAD_MS_MAX: Final = DAY_MS
"""How far ahead of now an event's clock may be before it is absurd (DESIGN 3.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    """One request whose head was parsed at an edge; HTTP/2 and HTTP/3: one per stream.

    `time_ms` is when the request ended, UTC milliseconds by the edge's clock. `domain` is the raw
    or canonical Host; what cannot be attributed is still counted. `scheme` and `transport` are
    those of the viewer's connection, from the listener, never from a forwarded header.
    `bytes_sent` counts head and body sent to the viewer.
    """

    time_ms: int
    domain: str
    scheme: Scheme
    transport: Transport
    status: int
    bytes_sent: int
    cache: Cache | None = None
    event_id: str | None = None


def billing_class(scheme: Scheme, transport: Transport) -> BillingClass:
    """The one class an event is billed under: quic, else https, else http (DESIGN 3.1).

    Nothing else decides it: the codes in batches are worked out from here (batch/records.py).
    """
    if transport == "quic":
        return "quic"
    return "https" if scheme == "https" else "http"


def absurd_time(time_ms: int, now_ms: int) -> bool:
    """True for a clock before 2000 or more than a day ahead of `now_ms` (UTC ms, FAULTS A12)."""
    return time_ms < TIME_MS_MIN or time_ms > now_ms + AHEAD_MS_MAX


def _whole(value: object) -> bool:
    """True for an int that is not a bool: True is not one byte (FAULTS D9)."""
    return isinstance(value, int) and not isinstance(value, bool)


def reject_reason(event: RequestEvent, now_ms: int) -> Reason | None:
    """The first reason, in Reason's order, why `event` cannot be counted; None if it can.

    A bad domain is no reason: such an event counts as unattributed (FAULTS D2, D4, D5).
    """
    if not _types_fit(event):
        return Reason.SCHEMA
    if absurd_time(event.time_ms, now_ms):
        return Reason.CLOCK
    if event.scheme not in ("http", "https") or event.transport not in ("tcp", "quic"):
        return Reason.SCHEME
    if not 0 <= event.status <= STATUS_MAX:
        return Reason.STATUS
    if not 0 <= event.bytes_sent <= BYTES_SENT_MAX:
        return Reason.BYTES
    return None


def _types_fit(event: RequestEvent) -> bool:
    """True when every field has its type, whatever a caller without a type checker passed."""
    numbers = _whole(event.time_ms) and _whole(event.status) and _whole(event.bytes_sent)
    texts = isinstance(event.scheme, str) and isinstance(event.transport, str)
    return (
        numbers
        and texts
        and isinstance(event.domain, str | bytes)
        and event.cache in CACHES
        and (event.event_id is None or _id_fits(event.event_id))
    )


def _id_fits(event_id: object) -> bool:
    """True for a text id of 1 to EVENT_ID_BYTES_MAX characters that UTF-8 can carry."""
    if not isinstance(event_id, str) or not 0 < len(event_id) <= EVENT_ID_BYTES_MAX:
        return False
    try:
        return len(event_id.encode()) <= EVENT_ID_BYTES_MAX
    except UnicodeEncodeError:
        return False
