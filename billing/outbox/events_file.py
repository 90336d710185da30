"""A file that gets one JSON line per event: id, kind, account, version, and the body others get.

The line is fsynced before the event counts as delivered; a crash in between writes it again, with
the same id. A torn last line (power cut) is closed first, so that the next line stands alone.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from billing.outbox.webhook import Attempt, AttemptResult


def append(path: Path, lines: list[bytes]) -> Attempt:
    """Append whole lines and make them durable; a full or read-only disk is a failed attempt."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            data = (b"\n" if torn else b"") + b"".join(lines)
            if os.write(descriptor, data) != len(data):
                raise OSError("short write")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return Attempt(result=AttemptResult.FAILED, answer=str(error)[:200])
    return Attempt(result=AttemptResult.DELIVERED, answer="written")


def line(*, event_id: str, kind: str, account_id: str, version: int, body: str) -> bytes:
    """One event as a line."""
    document = {
        "id": event_id,
        "kind": kind,
        "account_id": account_id,
        "version": version,
        "event": orjson.loads(body),
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n"
