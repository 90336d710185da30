"""Whether a spool folder can be read to its durable end, and if not, why: looked at, not changed.

A folder that cannot be read must never look like an edge with nothing to say (CASES E13): whoever
closes hours asks here who may still hold something for them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from edge.spool.durable_end import DurableEnd, read_durable_end
from edge.spool.segment import (
    BATCH,
    SpoolPosition,
    raw_frames,
    segment_path,
    segments,
)
from metering.sources.source import SourceState

SIGNS = ("epoch.json", "durable", "acknowledged.json", "reserve", "evidence", "agent.json")
"""Any of these, or a segment: somebody has begun a spool in the folder."""
SETTLED_S = 120
"""Frames beyond the durable end for so long are no longer on their way: their writer has died."""


def is_spool(folder: Path) -> bool:
    """Whether an edge has begun a spool here; a folder that may not be looked into counts."""
    try:
        names = os.listdir(folder)
    except NotADirectoryError:
        return False
    except OSError:
        return True
    return any(name in SIGNS or name.endswith(".seg") for name in names)


def state_of(folder: Path, position: SpoolPosition | None) -> SourceState:
    """How the spool in `folder` stands for a reader that has come to `position`."""
    try:
        end = read_durable_end(folder)
        problem = _problem(folder, position, end)
        since_ms = folder.stat().st_mtime_ns // 1_000_000
    except OSError as error:
        problem, end, since_ms = f"it cannot be looked into: {error.strerror}", None, 0
    last = None if end is None or end.sequence < 0 else (end.epoch, end.sequence)
    read = end is not None and _has_read(position, end)
    return SourceState(source=folder.name, problem=problem, since_ms=since_ms, last=last, read=read)


def _has_read(position: SpoolPosition | None, end: DurableEnd) -> bool:
    """Whether a reader at `position` has read everything before `end`."""
    if position is None:
        return False
    return (position.segment, position.offset) >= (end.segment, end.offset)


def _problem(folder: Path, position: SpoolPosition | None, end: DurableEnd | None) -> str | None:
    """Why not everything durable in the folder can be read; None: it can."""
    names = segments(folder)
    if end is None:
        return _without_end(folder, names)
    reached = position is not None and (position.segment, position.offset) > (
        end.segment,
        end.offset,
    )
    if reached and position is not None and position.segment in names:
        return f"`durable` ends at {end.segment}:{end.offset}, before what was read already"
    if not names:
        if end.sequence < 0 or _has_read(position, end):
            return None
        return f"its segments are gone, and batches up to {end.sequence} are not read"
    if end.segment not in names:
        return f"`durable` names segment {end.segment}, which is not there"
    size = segment_path(folder, end.segment).stat().st_size
    if size < end.offset and not _has_read(position, end):
        return f"segment {end.segment} ends at {size}, before its durable end {end.offset}"
    begun = names[-1] > end.segment and _age_s(segment_path(folder, names[-1])) >= SETTLED_S
    if begun or _batch_after(folder, end.segment, end.offset):
        return "frames lie beyond the durable end: start its agent, which makes them durable"
    return None


def _without_end(folder: Path, names: list[str]) -> str | None:
    """Why a folder without a `durable` that can be read cannot be trusted to be empty."""
    if (folder / "durable").exists():
        return "`durable` is damaged: what lies before the end it named is not read"
    if (folder / "acknowledged.json").exists() and not (folder / "epoch.json").exists():
        return "its epoch, its segments and its `durable` are gone"
    if names and (
        _batch_after(folder, names[-1], 0, settled=False)
        or _age_s(segment_path(folder, names[-1])) >= SETTLED_S
    ):
        return "`durable` is missing: its newest segment is not read"
    return None if names else "its segments and its `durable` are gone"


def _age_s(path: Path) -> float:
    """How long ago a file was written."""
    return time.time() - path.stat().st_mtime


def _batch_after(folder: Path, segment: str, offset: int, *, settled: bool = True) -> bool:
    """Whether a whole batch lies beyond `offset`; `settled`: and did so for some time."""
    path = segment_path(folder, segment)
    found = path.stat()
    if found.st_size <= offset or (settled and _age_s(path) < SETTLED_S):
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return any(raw.kind == BATCH for raw in raw_frames(descriptor, offset, found.st_size))
    finally:
        os.close(descriptor)
