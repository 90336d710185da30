"""What a spool's writer finds on disk when it opens: where to go on, and what a crash left behind.

The state is in the last segment: its header has the positions of all sources, its batches move them
on. Beyond the published durable end a torn tail is cut to the last whole unit (FAULTS A2): nobody
can have read it, so its sequence numbers are free. Before that end nothing is ever cut: what does
not read there is damage (FAULTS A3), and if bytes are missing there, the disk lost what it had
promised, and a new epoch begins that names the last sequence of the old one (decision 0102).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from edge.batch.codec import DecodeError, decode_header, position_from
from edge.batch.records import BatchHeader, SourcePosition
from edge.durable import FileLock
from edge.errors import ConflictError, Corrupt, LockRefused
from edge.spool.durable_end import DurableEnd, read_durable_end
from edge.spool.segment import (
    BATCH,
    HEADER,
    Acknowledged,
    RawFrame,
    SegmentHeader,
    header_in,
    raw_frames,
    read_acknowledged,
    segment_path,
    segments,
)
from edge.spool.state import no_room, refusal


@dataclass(slots=True, kw_only=True)
class Recovered:
    """The state of a spool as found. `segment` is None when there is nothing to go on with.

    `sequence` is the last one used in `epoch`, -1 for none. `end` is where the segment goes on.
    `lost_durable` says that bytes once published as durable are gone. `stillborn`: empty segments.
    """

    epoch: int | None = None
    previous_epoch: tuple[int, int] | None = None
    sequence: int = -1
    watermark_ms: int = 0
    region: str = ""
    """Where the edge stood when it last sent events."""
    positions: dict[str, SourcePosition] = field(default_factory=dict)
    segment: str | None = None
    end: int = 0
    bytes_cut: int = 0
    damaged_frames: int = 0
    lost_durable: bool = False
    stillborn: list[str] = field(default_factory=list)
    is_new: bool = False
    """Whether there was nothing of a spool in the folder."""

    def forget_begun(self, folder: Path) -> None:
        """Remove what was begun of a new spool on a disk that refused: an edge that never wrote a
        batch must not look like one whose batches are lost (E12, E13).
        """
        begun = (folder / "durable", folder / "epoch.json", *folder.glob("*.seg"))
        for path in begun if self.is_new else ():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFile:
    """The file epoch.json: one spool's epoch, and the one before it with its last sequence."""

    edge_id: str
    epoch: int
    previous_epoch: tuple[int, int] | None


def epoch_bytes(file: EpochFile) -> bytes:
    """`file` as JSON."""
    document = {
        "format": 1,
        "edge_id": file.edge_id,
        "epoch": file.epoch,
        "previous_epoch": file.previous_epoch,
    }
    return orjson.dumps(document) + b"\n"


def read_epoch(folder: Path) -> EpochFile | None:
    """The epoch of the spool in `folder`, or None; raises Corrupt for an unreadable file."""
    try:
        document = orjson.loads((folder / "epoch.json").read_bytes())
        previous = document["previous_epoch"]
        return EpochFile(
            edge_id=str(document["edge_id"]),
            epoch=int(document["epoch"]),
            previous_epoch=None if previous is None else (int(previous[0]), int(previous[1])),
        )
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise Corrupt(
            f"{folder / 'epoch.json'} cannot be read",
            "remove it if its segments are whole: the epoch is in each segment's header too",
        ) from error


def writer_lock(folder: Path, edge_id: str) -> FileLock:
    """The lock of the one who writes this spool, taken. Raises Busy, LockRefused, SpoolFull."""
    try:
        return FileLock(folder / "writer.lock", f"the agent of edge {edge_id}").__enter__()
    except LockRefused as error:
        what = f"the spool {folder} cannot be opened"
        if isinstance(error.__cause__, OSError) and no_room(error.__cause__):
            raise refusal(what, error.__cause__) from error
        raise LockRefused(f"{what}: {error.message}", error.hint, error.errno) from error


def recover(folder: Path, edge_id: str) -> Recovered:
    """The state of the spool in `folder`, nothing being changed. Raises ConflictError, Corrupt."""
    file = read_epoch(folder)
    if file is not None and file.edge_id != edge_id:
        raise ConflictError(
            f"the spool {folder.name} belongs to edge {file.edge_id}, not {edge_id}",
            "give each edge a spool of its own",
        )
    end = read_durable_end(folder)
    state = Recovered()
    if file is not None:
        state.epoch, state.previous_epoch = file.epoch, file.previous_epoch
    names = segments(folder)
    state.is_new = not (file or names or (folder / "durable").exists())
    for segment in _to_replay(folder, names, state):
        _replay(folder, segment, state, end)
    if end is not None:
        _compare(state, end)
    acknowledged = _acknowledged(folder)
    if acknowledged is not None and acknowledged.epoch == state.epoch:
        state.lost_durable |= acknowledged.sequence > state.sequence
        state.sequence = max(state.sequence, acknowledged.sequence)
    return state


def _acknowledged(folder: Path) -> Acknowledged | None:
    """What the consumer has; a file it left unreadable does not keep the edge from working."""
    try:
        return read_acknowledged(folder)
    except Corrupt:
        return None


def _to_replay(folder: Path, names: list[str], state: Recovered) -> list[str]:
    """The segments to replay: from the last one with a whole header, all if none has one.

    A last segment without a single whole frame was born in the crash: it is left out, and named in
    `state.stillborn` for the writer to remove.
    """
    for place in range(len(names) - 1, -1, -1):
        kinds = [frame.kind for frame in _frames(folder, names[place])]
        if kinds and kinds[0] == HEADER:
            return [name for name in names[place:] if name not in state.stillborn]
        if not any(kinds) and len(names) - 1 - place == len(state.stillborn):
            state.stillborn.append(names[place])
    return [name for name in names if name not in state.stillborn]


def _frames(folder: Path, segment: str) -> Iterator[RawFrame]:
    """All frames of a segment, one at a time."""
    with open(segment_path(folder, segment), "rb") as file:
        yield from raw_frames(file.fileno(), 0, os.fstat(file.fileno()).st_size)


def _replay(folder: Path, segment: str, state: Recovered, end: DurableEnd | None) -> None:
    """Move `state` over the frames of one segment, as far as they may be kept."""
    size = segment_path(folder, segment).stat().st_size
    published = end.offset if end is not None and end.segment == segment else 0
    units = [frame.end for frame in _frames(folder, segment) if frame.kind and not frame.flags]
    keep = max(max(units, default=0), min(published, size))
    for frame in _frames(folder, segment):
        if frame.start >= keep:
            break
        _apply(frame, state)
    state.segment, state.end = segment, keep
    state.bytes_cut = size - keep


def _apply(frame: RawFrame, state: Recovered) -> None:
    """Move `state` over one frame; a damaged one may still have a whole batch header."""
    begins = header_in(frame)
    if begins is not None:
        _begin(begins, state)
        return
    state.damaged_frames += frame.kind != BATCH
    header = _batch_header(frame.payload)
    if header is None or (state.epoch is not None and header.epoch != state.epoch):
        return
    state.sequence = max(state.sequence, header.sequence)
    state.watermark_ms = max(state.watermark_ms, header.watermark_ms)
    if header.kind != "heartbeat":
        state.region = header.region
    for position in header.sources:
        state.positions[position.source] = position


def _begin(header: SegmentHeader, state: Recovered) -> None:
    """Take over a segment's header."""
    if state.epoch is None or state.epoch == header.epoch:
        state.epoch = header.epoch
        state.previous_epoch = header.previous_epoch
        state.sequence = header.next_sequence - 1
    state.watermark_ms = max(state.watermark_ms, header.watermark_ms)
    state.region = header.region or state.region
    for entry in header.positions:
        position = position_from(entry)
        state.positions[position.source] = position


def _batch_header(payload: bytes) -> BatchHeader | None:
    """The header of a batch whose frame may be damaged, or None."""
    try:
        return decode_header(payload)
    except DecodeError:
        return None


def _compare(state: Recovered, end: DurableEnd) -> None:
    """Hold what was found against what had been published."""
    if state.epoch == end.epoch and end.sequence >= state.sequence:
        state.sequence = end.sequence
        for entry in end.moved:
            position = position_from(entry)
            state.positions[position.source] = position
    behind = state.segment is None or state.segment < end.segment
    short = state.segment == end.segment and state.end < end.offset
    state.lost_durable = behind or short
