"""Structured logs: one JSON object per line on standard error, control characters escaped."""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime

import orjson


def log(event: str, *, trace: bool = False, **fields: object) -> None:
    """Write one line: the time, what happened, and its ids. `trace`: add the current exception."""
    document: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event": event,
        **fields,
    }
    if trace:
        document["trace"] = traceback.format_exc(limit=20)
    sys.stderr.write(orjson.dumps(document, default=str).decode() + "\n")
    sys.stderr.flush()
