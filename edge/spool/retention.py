"""Segments that may go, and the room kept for counters.

Acknowledged first, deleted 72 h later (DESIGN 3.3, FAULTS A7). A file of a megabyte, `reserve`, is
given up when the disk is full, so that exact counters still find room (FAULTS A4).
"""

from __future__ import annotations

from pathlib import Path

import orjson

from edge.errors import Corrupt
from edge.spool.disk import Disk
from edge.spool.segment import read_acknowledged, segments


def expired_segments(folder: Path, now_ms: int, keep_ms: int, disk: Disk) -> list[str]:
    """Segments that have been acknowledged for `keep_ms`; notes in retention.json since when."""
    try:
        acknowledged = read_acknowledged(folder)
    except Corrupt:
        acknowledged = None  # nothing is deleted; metering's next checkpoint writes it anew
    if acknowledged is None:
        return []
    notes = folder / "retention.json"
    try:
        since = orjson.loads(notes.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        since = {}  # the wait begins anew: late, never early
    past = [name for name in segments(folder)[:-1] if name < acknowledged.position.segment]
    seen = {name: int(since.get(name, now_ms)) for name in past}
    if seen != since:
        disk.replace(notes, orjson.dumps(seen))
    return [name for name in past if now_ms - seen[name] >= keep_ms]


def make_reserve(folder: Path, size: int, disk: Disk) -> None:
    """Keep `size` bytes for a full disk, if they are not kept yet. Raises OSError."""
    path = folder / "reserve"
    if size and not path.exists():
        disk.replace(path, b"\x5a" * size)


def release_reserve(folder: Path, disk: Disk) -> bool:
    """Give the room back; False when there was none. Raises OSError."""
    path = folder / "reserve"
    if not path.exists():
        return False
    disk.unlink(path)
    return True
