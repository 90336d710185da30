"""`edge status`: what the spools of a home say of themselves, read without their writers.

Made for the person who is called at night: does an agent write this spool, when did it last, how
far does its promise reach, what is not read yet, what was refused, and is there room on the disk.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from edge.agent.read_twice import told
from edge.agent.report import read_report
from edge.batch.records import SourcePosition
from edge.durable import lock_holder
from edge.errors import EdgetollError, InputError
from edge.instants import from_ms
from edge.logs.positions import StreamPosition
from edge.logs.refused_lines import RejectedLines
from edge.spool.recovery import Recovered, recover
from edge.spool.segment import read_acknowledged, segment_path, segments, spool_folders
from edge.spool.state import SpoolStatus


def edge_statuses(home: Path, now: datetime) -> list[dict[str, object]]:
    """One document per spool under `home`, by name. Raises InputError where there is no home."""
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    found: list[dict[str, object]] = []
    read: dict[str, list[SourcePosition]] = {}
    for folder in spool_folders(home):
        try:
            state = recover(folder, folder.name)
            found.append(_status(folder, state, now))
            read[folder.name] = list(state.positions.values())
        except (EdgetollError, OSError) as error:  # must not hide the others
            found.append({"edge_id": folder.name, "problems": [str(error)]})
    twice = told(read)
    for document in found:
        document["read_twice"] = twice.get(str(document["edge_id"]), [])
    return found


def _status(folder: Path, state: Recovered, now: datetime) -> dict[str, object]:
    promise = from_ms(state.watermark_ms) if state.watermark_ms else None
    written = _written_at(folder)
    rejected = RejectedLines(folder)
    disk = shutil.disk_usage(folder)
    logs = _logs(state)
    report = read_report(folder)
    return {
        "edge_id": folder.name,
        "region": state.region or None,
        "writer": lock_holder(folder / "writer.lock"),
        "written_at": written,
        "written_seconds_ago": _seconds(now, written),
        "epoch": state.epoch,
        "batches": state.sequence + 1,
        "watermark": promise,
        "watermark_seconds_ago": _seconds(now, promise),
        "sources": len(state.positions),
        "events": sum(stream.events for stream in logs),
        "logs": [_log(stream) for stream in logs],
        "unacknowledged_bytes": _unacknowledged(folder),
        "spool_bytes": sum(segment_path(folder, name).stat().st_size for name in segments(folder)),
        "disk_free_bytes": disk.free,
        "disk_free_percent": 100 * disk.free // max(disk.total, 1),
        "damaged_frames": state.damaged_frames,
        "refused": rejected.counts(),
        "rejected": str(rejected.folder),
        "held": list(report.held),
        "repeated_ids": report.repeated_ids,
        "nul_bytes": report.nul_bytes,
        "examples": report.examples,
        "problems": [
            *_damage(
                folder, state.bytes_cut, state.damaged_frames, durable_lost=state.lost_durable
            ),
            *rejected.damage(),
        ],
    }


def damage_of(status: SpoolStatus, folder: Path) -> list[str]:
    """What a spool found broken when it was opened, a line each (FAULTS A2, A3, A8)."""
    return _damage(
        folder, status.bytes_cut, status.damaged_frames, durable_lost=status.durable_bytes_lost
    )


def _damage(folder: Path, cut: int, damaged: int, *, durable_lost: bool) -> list[str]:
    found = []
    if durable_lost:
        found.append(
            f"{folder}: batches that were durable are gone. A new epoch begins; metering shows the"
            " gap. Files that only those batches told of would be counted again if imported again"
        )
    if damaged:
        frames = f"{damaged} damaged frames are" if damaged > 1 else "a damaged frame is"
        found.append(f"{folder}: {frames} passed over; metering keeps the bytes")
    if cut:
        found.append(f"{folder}: a torn tail of {cut} bytes is cut; its lines are read again")
    return found


def written_ms(folder: Path) -> int | None:
    """When a batch was last made durable, UTC ms; None if never."""
    try:
        return (folder / "durable").stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return None


def _written_at(folder: Path) -> datetime | None:
    """The same as a time."""
    found = written_ms(folder)
    return None if found is None else from_ms(found)


def _seconds(now: datetime, then: datetime | None) -> int | None:
    return None if then is None else int((now - then).total_seconds())


def _logs(state: Recovered) -> list[StreamPosition]:
    streams = [StreamPosition.from_source(each) for each in state.positions.values()]
    return sorted((each for each in streams if each), key=lambda each: (each.name, each.generation))


def _log(stream: StreamPosition) -> dict[str, object]:
    return {
        "name": stream.name,
        "format": stream.form,
        "offset": stream.offset,
        "lines": stream.lines,
        "events": stream.events,
        "refused": stream.refused,
    }


def _unacknowledged(folder: Path) -> int:
    """Bytes of segments that metering has not acknowledged yet."""
    acknowledged = read_acknowledged(folder)
    unread = 0
    for segment in segments(folder):
        size = segment_path(folder, segment).stat().st_size
        if acknowledged is None or segment > acknowledged.position.segment:
            unread += size
        elif segment == acknowledged.position.segment:
            unread += max(0, size - acknowledged.position.offset)
    return unread
