"""`edge status`: what the spools of a home say of themselves, read without their writers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from edge.codec import DecodeError, decode_header
from edge.intake import StreamPosition
from edge.recovery import recover
from edge.rejected import RejectedLines
from edge.segment import read_acknowledged, read_frames, segment_path, segments, spool_folders


def edge_statuses(home: Path) -> list[dict[str, object]]:
    """One document per spool under `home`, by name."""
    return [_status(folder) for folder in spool_folders(home)]


def _status(folder: Path) -> dict[str, object]:
    state = recover(folder, folder.name)
    acknowledged = read_acknowledged(folder)
    unread = 0
    for segment in segments(folder):
        size = segment_path(folder, segment).stat().st_size
        if acknowledged is None or segment > acknowledged.position.segment:
            unread += size
        elif segment == acknowledged.position.segment:
            unread += max(0, size - acknowledged.position.offset)
    streams = [StreamPosition.from_source(each) for each in state.positions.values()]
    moment = datetime.fromtimestamp(state.watermark_ms / 1000, UTC) if state.watermark_ms else None
    rejected = RejectedLines(folder)
    return {
        "edge_id": folder.name,
        "region": _region(folder),
        "epoch": state.epoch,
        "batches": state.sequence + 1,
        "watermark": moment.isoformat().replace("+00:00", "Z") if moment else None,
        "sources": len(state.positions),
        "events": sum(stream.events for stream in streams if stream),
        "unacknowledged_bytes": unread,
        "damaged_frames": state.damaged_frames,
        "refused": rejected.counts(),
        "rejected": str(rejected.folder),
    }


def _region(folder: Path) -> str | None:
    """The region in the newest batch that can be found at the start of the newest segments."""
    for frame in read_frames(folder, None, 1):
        try:
            return decode_header(frame.payload).region
        except DecodeError:
            return None
    return None
