"""Time on the edge's side: the clock, RFC 3339, and UTC milliseconds, in one place.

Only commands and agents ask the clock; decisions take the time as an argument.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from edge.errors import InputError


def now() -> datetime:
    """The time of this machine, UTC. Only commands ask; decisions take time as an argument."""
    return datetime.now(UTC)


def now_ms() -> int:
    """The time of this machine, UTC ms."""
    return time.time_ns() // 1_000_000


def to_ms(at: datetime) -> int:
    """UTC ms of an aware time, exact."""
    passed = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000


def from_ms(time_ms: int) -> datetime:
    """The aware time of UTC ms."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)


def parse_time(text: str) -> datetime:
    """RFC 3339, or a UTC date with or without a time (`2026-10-01T12:30`), as aware UTC."""
    try:
        parsed = datetime.fromisoformat(text.strip().upper())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(f"«{text}» is not a time", "write it like 2026-10-01T12:30:00Z") from error


def utc_text(time_ms: int) -> str:
    """UTC ms as people read them, to the second."""
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
