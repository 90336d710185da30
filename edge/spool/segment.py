"""The spool on disk and how to read it: frames in segments, a published durable end.

    spool/EDGE/00000001790000000000.seg   frames, oldest segment first
               durable                    where the fsynced frames end: nobody reads beyond
               epoch.json                 the epoch, durable before its first batch
               acknowledged.json          what the consumer has made its own; segments go 72 h later

A frame is 20 bytes of head (magic, kind, flags, length, CRC-32 of the payload, CRC-32 of the head)
and its payload. The first frame of a segment is its header with the positions of all sources; the
others are batches. A damaged frame is handed out as such and reading goes on at the next whole head
(FAULTS A3): never is the rest of a segment dropped in silence.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from edge.durable import write_atomically
from edge.errors import Corrupt, InputError
from edge.spool.durable_end import DurableEnd, read_durable_end

SUFFIX: Final = ".seg"
HEADER: Final = 1
BATCH: Final = 2
CONTINUED: Final = 1
"""Flag: the next frame belongs to the same unit; a unit is kept whole or cut whole."""

FRAME_BYTES_MAX: Final = 64 << 20
"""A longer length is damage: batches are at most 1 MiB, headers hold some 100,000 positions."""

READ_BYTES: Final = 8 << 20
_MAGIC: Final = b"\xf5ETs"
_HEAD: Final = struct.Struct("<4sBBHII")
_CRC: Final = struct.Struct("<I")
HEAD_BYTES: Final = _HEAD.size + _CRC.size


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SpoolPosition:
    """A place in a spool folder: the next byte to read of a segment."""

    segment: str
    offset: int

    def to_text(self) -> str:
        """The position as text, such as `00000001790000000000:4096`."""
        return f"{self.segment}:{self.offset}"

    @classmethod
    def from_text(cls, text: str) -> SpoolPosition:
        """The position in `text`; raises InputError."""
        segment, colon, offset = text.partition(":")
        if not (colon and segment.isascii() and segment.isdigit() and len(segment) == 20):
            raise InputError(f"{text[:80]!r} is no position in a spool", "use SEGMENT:OFFSET")
        if not (offset.isascii() and offset.isdigit()):
            raise InputError(f"{text[:80]!r} is no position in a spool", "use SEGMENT:OFFSET")
        return cls(segment=segment, offset=int(offset))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One batch as it lies in the spool, or a damaged stretch of bytes in its place.

    `payload` of a damaged frame is the raw bytes (the first MiB of them), for quarantine.
    """

    position: SpoolPosition
    position_after: SpoolPosition
    payload: bytes
    damaged: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrame:
    """A frame of any kind in one file; `kind` is 0 where the bytes are damaged."""

    start: int
    end: int
    kind: int
    flags: int
    payload: bytes
    reason: str | None = None


class _FrameHead(NamedTuple):
    """What stands before the payload of a frame; `crc` is the payload's."""

    kind: int
    flags: int
    length: int
    crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHeader:
    """The first frame of a segment: the state before it.

    `positions` are those of all sources. `previous_end` is where the segment before ends durably.
    """

    epoch: int
    previous_epoch: tuple[int, int] | None
    next_sequence: int
    watermark_ms: int
    previous_end: int | None
    positions: tuple[object, ...]
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What the consumer has made its own: batches to (epoch, sequence), bytes to `position`."""

    epoch: int
    sequence: int
    position: SpoolPosition


def frame_bytes(kind: int, payload: bytes, flags: int = 0) -> bytes:
    """`payload` framed."""
    head = _HEAD.pack(_MAGIC, kind, flags, 0, len(payload), zlib.crc32(payload))
    return b"".join((head, _CRC.pack(zlib.crc32(head)), payload))


def segment_name(number: int) -> str:
    """The name of segment `number`, sortable as text."""
    return f"{number:020d}"


def segment_path(folder: Path, segment: str) -> Path:
    """The file of a segment."""
    return folder / f"{segment}{SUFFIX}"


def segments(folder: Path) -> list[str]:
    """Names of the segments in `folder`, oldest first."""
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []
    stems = [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]
    return sorted(stem for stem in stems if len(stem) == 20 and stem.isdigit())


def raw_frames(descriptor: int, start: int, end: int) -> Iterator[RawFrame]:
    """Frames and damaged stretches of an open segment file between two offsets, in order."""
    offset = start
    while offset < end:
        head = _whole_head(os.pread(descriptor, HEAD_BYTES, offset), offset, end)
        if head is None:
            resumed = _next_head(descriptor, offset + 1, end)
            raw = os.pread(descriptor, min(resumed - offset, 1 << 20), offset)
            yield RawFrame(
                start=offset, end=resumed, kind=0, flags=0, payload=raw, reason="damaged frame head"
            )
            offset = resumed
            continue
        after = offset + HEAD_BYTES + head.length
        payload = os.pread(descriptor, head.length, offset + HEAD_BYTES)
        if len(payload) == head.length and zlib.crc32(payload) == head.crc:
            yield RawFrame(
                start=offset, end=after, kind=head.kind, flags=head.flags, payload=payload
            )
        else:
            yield RawFrame(
                start=offset,
                end=after,
                kind=0,
                flags=head.flags,
                payload=payload[: 1 << 20],
                reason="damaged frame payload",
            )
        offset = after


def _whole_head(data: bytes, offset: int, end: int) -> _FrameHead | None:
    """The head in `data` if its own CRC fits and its frame ends before `end`."""
    if len(data) < HEAD_BYTES or data[:4] != _MAGIC:
        return None
    if _CRC.unpack_from(data, _HEAD.size)[0] != zlib.crc32(data[: _HEAD.size]):
        return None
    _, kind, flags, _, length, crc = _HEAD.unpack_from(data)
    if length > FRAME_BYTES_MAX or offset + HEAD_BYTES + length > end:
        return None
    return _FrameHead(kind=kind, flags=flags, length=length, crc=crc)


def _next_head(descriptor: int, start: int, end: int) -> int:
    """The offset of the next whole head at or after `start`, or `end`."""
    offset = start
    while offset < end:
        block = os.pread(descriptor, min(1 << 20, end - offset), offset)
        if not block:
            return end
        found = block.find(_MAGIC)
        while found >= 0:
            place = offset + found
            if _whole_head(os.pread(descriptor, HEAD_BYTES, place), place, end) is not None:
                return place
            found = block.find(_MAGIC, found + 1)
        offset += max(len(block) - len(_MAGIC) + 1, 1)
    return end


def segment_header(folder: Path, segment: str) -> SegmentHeader | None:
    """The header of a segment, or None while it has no whole one."""
    try:
        descriptor = os.open(segment_path(folder, segment), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        for frame in raw_frames(descriptor, 0, os.fstat(descriptor).st_size):
            return header_in(frame)
    finally:
        os.close(descriptor)
    return None


def header_in(frame: RawFrame) -> SegmentHeader | None:
    """The header in a header frame; None for any other frame, and for one that holds no header."""
    if frame.kind != HEADER:
        return None
    try:
        document = orjson.loads(frame.payload)
        previous = document.get("previous_epoch")
        return SegmentHeader(
            epoch=int(document["epoch"]),
            previous_epoch=None if previous is None else (int(previous[0]), int(previous[1])),
            next_sequence=int(document["next_sequence"]),
            watermark_ms=int(document["watermark_ms"]),
            previous_end=document.get("previous_end"),
            positions=tuple(document["positions"]),
            region=str(document.get("region", "")),
        )
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None


def read_frames(
    folder: Path, position: SpoolPosition | None = None, max_bytes: int = READ_BYTES
) -> Iterator[Frame]:
    """Batches of the spool in `folder` from `position` (None: the oldest kept) to the durable end.

    Ends after `max_bytes` of payload (at least one frame), or at the durable end: what is written
    but not yet durable is "not yet", and a later call begins at the last `position_after`. A
    segment that is gone was acknowledged (FAULTS A7): reading goes on with the one after. A
    position behind all segments is of a spool that was wiped: this one is read from its beginning.
    """
    durable_end = read_durable_end(folder)
    names = segments(folder)
    if position is not None and names and position.segment > names[-1]:
        position = None
    taken = 0
    for place, segment in enumerate(names):
        if position is not None and segment < position.segment:
            continue
        if durable_end is not None and segment > durable_end.segment:
            return
        start = position.offset if position is not None and segment == position.segment else 0
        end = _readable_end(folder, segment, names[place + 1 : place + 2], durable_end)
        for frame in _frames_of(folder, segment, start, end):
            yield frame
            taken += len(frame.payload)
            if taken >= max_bytes:
                return


def _readable_end(
    folder: Path, segment: str, following: list[str], durable_end: DurableEnd | None
) -> int | None:
    """Where the durable frames of a segment end; None: at the end of the file."""
    if durable_end is not None and durable_end.segment == segment:
        return durable_end.offset
    if not following:
        return 0
    header = segment_header(folder, following[0])
    return None if header is None else header.previous_end


def _frames_of(folder: Path, segment: str, start: int, end: int | None) -> Iterator[Frame]:
    """Batches and damaged stretches of one segment."""
    try:
        descriptor = os.open(segment_path(folder, segment), os.O_RDONLY)
    except FileNotFoundError:
        return  # acknowledged and deleted since the listing
    try:
        size = os.fstat(descriptor).st_size
        for raw in raw_frames(descriptor, start, size if end is None else min(end, size)):
            if raw.kind == HEADER:
                continue
            yield Frame(
                position=SpoolPosition(segment=segment, offset=raw.start),
                position_after=SpoolPosition(segment=segment, offset=raw.end),
                payload=raw.payload,
                damaged=raw.kind != BATCH,
                reason=raw.reason if raw.kind != BATCH else None,
            )
    finally:
        os.close(descriptor)


def spool_folders(home: Path) -> list[Path]:
    """The spool folder of each edge under `home`, by name."""
    root = home / "spool"
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if (path / "epoch.json").is_file())


def end_position(folder: Path) -> SpoolPosition | None:
    """The durable end of a spool: where a reader that has read everything stands."""
    durable_end = read_durable_end(folder)
    return (
        None
        if durable_end is None
        else SpoolPosition(segment=durable_end.segment, offset=durable_end.offset)
    )


def acknowledge(folder: Path, epoch: int, sequence: int, position: SpoolPosition) -> None:
    """Record, durably, that everything before `position` is the consumer's own now.

    Only what a checkpoint covers may be acknowledged (DESIGN 3.3): the edge deletes it 72 h later.
    """
    document = {"epoch": epoch, "sequence": sequence, "position": position.to_text()}
    write_atomically(folder / "acknowledged.json", orjson.dumps(document) + b"\n")


def read_acknowledged(folder: Path) -> Acknowledged | None:
    """What has been acknowledged; None if nothing. Raises Corrupt for an unreadable file."""
    try:
        document = orjson.loads((folder / "acknowledged.json").read_bytes())
        return Acknowledged(
            epoch=int(document["epoch"]),
            sequence=int(document["sequence"]),
            position=SpoolPosition.from_text(document["position"]),
        )
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, InputError) as error:
        raise Corrupt(
            f"{folder / 'acknowledged.json'} cannot be read",
            "nothing is deleted; the next checkpoint of metering writes it anew",
        ) from error
