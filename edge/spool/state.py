"""What there is to say of a spool: its errors, its options, its status, what is staged in it."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Final

from edge.batch.records import SourcePosition
from edge.errors import EdgetollError
from edge.spool.segment import SpoolPosition

_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when there is no room."""


class SpoolFull(EdgetollError):
    """The disk has no room; nothing was appended. Try again later, or coalesce to counters."""


class SpoolBroken(EdgetollError):
    """The disk fails; nothing was appended. Alarm; the spool may be opened again."""


def no_room(error: OSError) -> bool:
    """Whether the system refused for want of room."""
    return error.errno in _DISK_FULL


def refusal(what: str, error: OSError) -> SpoolFull | SpoolBroken:
    """The error for a disk that refused: no room, or broken. `what` says what cannot be done."""
    reason = error.strerror or str(error)
    kept = "what was not taken is still with its source"
    if no_room(error):
        return SpoolFull(f"{what}: {reason}", f"free space; {kept}")
    return SpoolBroken(f"{what}: {reason}", f"check the disk and its permissions; {kept}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolOptions:
    """How a spool keeps its files."""

    segment_bytes: int = 64 << 20
    """A segment that has reached this size is followed by a new one."""
    keep_ms: int = 72 * 3_600_000
    """How long acknowledged segments stay (DESIGN 3.2)."""
    reserve_bytes: int = 1 << 20
    """Room kept for counters when the disk is full; 0 keeps none."""
    rotate_ms: int = 3_600_000
    """`retention` closes a segment older than this, so that quiet spools shrink too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStatus:
    """Where a spool stands, for people and monitors."""

    edge_id: str
    region: str
    epoch: int
    next_sequence: int
    watermark_ms: int
    durable_end: SpoolPosition
    sources: int
    disk_full: bool
    segments_poisoned: int
    bytes_cut: int
    damaged_frames: int
    durable_bytes_lost: bool


@dataclass(slots=True, kw_only=True)
class Staged:
    """What has been written since the last commit; the state to be, and its bytes."""

    next_sequence: int
    watermark_ms: int
    positions: dict[str, SourcePosition] = field(default_factory=dict)
    units: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes of `units`."""
