"""The durable spool of one edge: what is appended here is counted once, whatever happens after.

    append = write + commit: frames first, one fsync, then the durable end is published.

A source position travels in the batch that holds its lines, so a crash neither skips nor repeats
one. One process writes a spool (a lock names it); any number read it (edge/segment.py).

- Disk full: nothing of the batch stays, the state is as before, SpoolFull is raised (FAULTS A4).
- fsync fails: that segment is never trusted again; what it had not made durable is written anew,
  with the same identities, to the next segment (FAULTS A5).
- An epoch survives restarts. A lost spool, or lost durable bytes, begin a new one (FAULTS A2, A8).
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson

from edge.batch import EVENTS_MAX, CounterColumns, EventColumns, SourcePosition
from edge.codec import (
    HEARTBEAT,
    BatchTooLarge,
    Payload,
    Signer,
    pack_counters,
    pack_events,
    position_document,
    seal,
)
from edge.durable import FileLock
from edge.errors import EdgetollError
from edge.recovery import EpochFile, Recovered, epoch_bytes, read_epoch, recover
from edge.segment import (
    BATCH,
    CONTINUED,
    HEADER,
    Fence,
    SpoolPosition,
    fence_bytes,
    frame_bytes,
    read_acknowledged,
    segment_name,
    segment_path,
    segments,
)
from edge.spooldisk import Disk

Content = EventColumns | CounterColumns | Payload
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MOVED_MAX: Final = 256
_STAGED_BYTES_MAX: Final = 16 << 20


class SpoolFull(EdgetollError):
    """The disk has no room; nothing was appended. Try again later, or coalesce to counters."""


class SpoolBroken(EdgetollError):
    """The disk fails; nothing was appended. Alarm; the spool may be opened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolOptions:
    """How a spool keeps its files."""

    segment_bytes: int = 64 << 20
    """A segment that has reached this size is followed by a new one."""
    keep_ms: int = 72 * 3_600_000
    """How long acknowledged segments stay (DESIGN 3.2)."""
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
class _Staged:
    """What has been written since the last commit; the state to be, and its bytes."""

    next_sequence: int
    watermark_ms: int
    positions: dict[str, SourcePosition] = field(default_factory=dict)
    units: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes written since the last commit."""
        return sum(map(len, self.units))


class Spool:
    """The writing side of one edge's spool. Not for use by several threads at once."""

    def __init__(self, folder: Path, edge_id: str, region: str, state: Recovered) -> None:
        """Use Spool.open()."""
        self.folder = folder
        self.edge_id = edge_id
        self.region = region
        self._found = state
        self._options = SpoolOptions()
        self._disk = Disk()
        self._signer: Signer | None = None
        self._lock: FileLock | None = None
        self._epoch = 0
        self._previous_epoch: tuple[int, int] | None = None
        self._next_sequence = 0
        self._watermark_ms = state.watermark_ms
        self._positions = dict(state.positions)
        self._moved: dict[str, SourcePosition] = {}
        self._staged = _Staged(next_sequence=0, watermark_ms=state.watermark_ms)
        self._number = 0
        self._descriptor = -1
        self._fence_descriptor = -1
        self._offset = 0
        self._durable_offset: int | None = None
        self._poisoned = True
        self._segments_poisoned = 0
        self._disk_full = False
        self._segment_since_ms: int | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        edge_id: str,
        region: str,
        *,
        random64: Callable[[], int],
        options: SpoolOptions | None = None,
        disk: Disk | None = None,
        signer: Signer | None = None,
    ) -> Self:
        """Open the spool of `edge_id` in `folder`, recovering what a crash left.

        `random64` gives 64 random bits; it is asked only when a new epoch begins. Raises Busy when
        another process writes this spool, ConflictError when it belongs to another edge.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "writer.lock", f"the agent of edge {edge_id}")
        lock.__enter__()
        spool = None
        try:
            spool = cls(folder, edge_id, region, recover(folder, edge_id))
            spool._signer, spool._options = signer, options or spool._options
            spool._disk = disk or spool._disk
            spool._start(random64)
        except BaseException:
            if spool is not None:
                spool._close_files()
            lock.__exit__(None, None, None)
            raise
        spool._lock = lock
        return spool

    def _start(self, random64: Callable[[], int]) -> None:
        """Go on where the last writer stopped, or begin an epoch."""
        found = self._found
        for segment in found.stillborn:
            self._disk.unlink(segment_path(self.folder, segment))
        names = segments(self.folder)
        self._number = int(names[-1]) if names else 0
        self._fence_descriptor = self._disk.open(self.folder / "durable")
        if found.segment is not None:
            self._durable_offset = found.end
        if found.epoch is None or found.lost_durable:
            previous = None if found.epoch is None else (found.epoch, found.sequence)
            self._begin_epoch(random64(), previous)
            return
        self._epoch, self._previous_epoch = found.epoch, found.previous_epoch
        self._next_sequence = found.sequence + 1
        self._unstage()
        if read_epoch(self.folder) is None:
            self._write_epoch()
        if found.segment is None:
            self._rotate()
        else:
            self._resume(found)
        self.commit()

    def _resume(self, found: Recovered) -> None:
        """Go on in the segment found, cut to its last whole unit."""
        assert found.segment == segment_name(self._number)
        self._descriptor = self._disk.open(segment_path(self.folder, found.segment))
        self._offset = found.end
        if found.bytes_cut:
            self._disk.truncate(self._descriptor, found.end)
        self._poisoned = False
        self._moved = dict(found.positions)

    def begin_epoch(self, random64: int) -> int:
        """End the present epoch and begin a new one, durable before its first batch.

        Needed when the spool moves to another partition, or when its identity was cloned.
        """
        self.commit()
        self._begin_epoch(random64, (self._epoch, self._next_sequence - 1))
        return self._epoch

    def _begin_epoch(self, random64: int, previous: tuple[int, int] | None) -> None:
        """Make a new epoch durable, then begin a segment for it."""
        self._epoch = (random64 & ((1 << 63) - 1)) or 1
        self._previous_epoch = previous
        self._next_sequence = 0
        self._unstage()
        self._write_epoch()
        self._rotate()
        self._publish()

    def _write_epoch(self) -> None:
        """Make the epoch durable."""
        file = EpochFile(
            edge_id=self.edge_id, epoch=self._epoch, previous_epoch=self._previous_epoch
        )
        self._disk.replace(self.folder / "epoch.json", epoch_bytes(file))

    def append(
        self, content: Content, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Append and make durable: (epoch, last sequence) once no crash can lose it."""
        identity = self.write(content, watermark_ms, sources)
        self.commit()
        return identity

    def heartbeat(
        self, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Append a batch without events, which moves the watermark (and, if given, sources)."""
        return self.append(HEARTBEAT, watermark_ms, sources)

    def write(
        self, content: Content, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Write without fsync; nothing counts before commit(). Returns (epoch, last sequence).

        Columns too large for one batch become several that stand or fall together; the source
        positions travel in the last. A `watermark_ms` behind an earlier one changes nothing: a
        promise is not taken back. Raises SpoolFull or SpoolBroken (this content was not written;
        what was written before it stands), InputError (values no batch may hold).
        """
        staged = self._staged
        if self._poisoned:
            self._recommit()
        payloads = pack(content)
        watermark_ms = max(watermark_ms, staged.watermark_ms)
        frames = []
        for place, payload in enumerate(payloads):
            last = place == len(payloads) - 1
            batch = self._seal(
                payload,
                staged.next_sequence + place,
                watermark_ms if last else staged.watermark_ms,
                sources if last else (),
            )
            frames.append(frame_bytes(BATCH, batch, 0 if last else CONTINUED))
        self._put(b"".join(frames))
        staged.next_sequence += len(payloads)
        staged.watermark_ms = watermark_ms
        staged.positions.update((position.source, position) for position in sources)
        identity = self._epoch, staged.next_sequence - 1
        if staged.size > _STAGED_BYTES_MAX:
            self.commit()
        return identity

    def _seal(
        self,
        payload: Payload,
        sequence: int,
        watermark_ms: int,
        sources: tuple[SourcePosition, ...],
    ) -> bytes:
        """`payload` as the batch `sequence` of this spool."""
        return seal(
            payload,
            edge_id=self.edge_id,
            region=self.region,
            epoch=self._epoch,
            sequence=sequence,
            watermark_ms=watermark_ms,
            sources=sources,
            previous_epoch=self._previous_epoch if sequence == 0 else None,
            signer=self._signer,
        )

    def _put(self, unit: bytes) -> None:
        """Write one unit of frames at the end, or leave no trace of it."""
        try:
            self._disk.write(self._descriptor, unit, self._offset)
        except OSError as error:
            try:
                self._disk.truncate(self._descriptor, self._offset)
            except OSError:
                self._poison()
            raise self._failure(error) from error
        self._offset += len(unit)
        self._staged.units.append(unit)
        self._disk_full = False

    def _failure(self, error: OSError) -> EdgetollError:
        """The error to raise for a disk that refused."""
        self._disk_full = error.errno in FULL
        if self._disk_full:
            return SpoolFull(
                f"no room for the spool of {self.edge_id}: {error.strerror}",
                "free space; what was not appended is still with its source",
            )
        return SpoolBroken(
            f"the spool of {self.edge_id} cannot be written: {error.strerror}",
            "check the disk; what was not appended is still with its source",
        )

    def commit(self) -> None:
        """One fsync for all that was written, then publish the durable end.

        Raises SpoolFull or SpoolBroken when that failed on two segments: then everything written
        since the last commit is not appended, and the caller still has it.
        """
        if self._poisoned:
            self._recommit()
        try:
            self._disk.sync(self._descriptor)
        except OSError:
            self._poison()
            self._recommit()
        self._publish()
        if self._offset >= self._options.segment_bytes:
            # The batch is durable; the segment grows until a new one can be made.
            with contextlib.suppress(SpoolFull, SpoolBroken):
                self._rotate()

    def _poison(self) -> None:
        """Never trust this segment again: after a failed fsync lost pages look clean."""
        self._poisoned = True
        self._segments_poisoned += 1

    def _recommit(self) -> None:
        """Write what is staged to a new segment, same identities, fsynced; else unstage it all."""
        try:
            self._rotate()
        except (SpoolFull, SpoolBroken):
            self._unstage()
            raise

    def _unstage(self) -> None:
        """Forget what was written since the last commit."""
        self._staged = _Staged(next_sequence=self._next_sequence, watermark_ms=self._watermark_ms)

    def _rotate(self) -> None:
        """Begin a new segment with all positions, and what is staged; durable with its name."""
        number = self._number + 1
        path = segment_path(self.folder, segment_name(number))
        data = frame_bytes(HEADER, self._header(number)) + b"".join(self._staged.units)
        descriptor = -1
        try:
            self._disk.unlink(path)  # what an earlier attempt may have left: never published
            descriptor = self._disk.create(path)
            self._disk.write(descriptor, data, 0)
            self._disk.sync(descriptor)
            self._disk.sync_folder(self.folder)
        except OSError as error:
            self._abandon(descriptor, path)
            raise self._failure(error) from error
        if self._descriptor >= 0:
            self._disk.close(self._descriptor)
        self._descriptor, self._number, self._offset = descriptor, number, len(data)
        self._durable_offset = len(data)
        self._poisoned, self._segment_since_ms = False, None
        self._moved.clear()

    def _abandon(self, descriptor: int, path: Path) -> None:
        """Remove a segment that could not be begun, as far as the disk lets us."""
        try:
            if descriptor >= 0:
                self._disk.close(descriptor)
            self._disk.unlink(path)
        except OSError:
            pass

    def _header(self, number: int) -> bytes:
        """The header of segment `number`: the state before anything staged."""
        return orjson.dumps(
            {
                "format": 1,
                "edge_id": self.edge_id,
                "region": self.region,
                "segment": number,
                "epoch": self._epoch,
                "previous_epoch": self._previous_epoch,
                "next_sequence": self._next_sequence,
                "watermark_ms": self._watermark_ms,
                "previous_end": self._durable_offset,
                "positions": [position_document(p) for p in self._positions.values()],
            }
        )

    def _publish(self) -> None:
        """What is staged is durable: make it the state, and let readers see it."""
        staged = self._staged
        self._next_sequence, self._watermark_ms = staged.next_sequence, staged.watermark_ms
        self._positions.update(staged.positions)
        self._moved.update(staged.positions)
        self._durable_offset = self._offset
        self._unstage()
        moved = list(self._moved.values())[-_MOVED_MAX:]
        fence = Fence(
            segment=segment_name(self._number),
            offset=self._offset,
            epoch=self._epoch,
            sequence=self._next_sequence - 1,
            moved=tuple(position_document(position) for position in moved),
        )
        try:
            self._disk.write(self._fence_descriptor, fence_bytes(fence), 0)
        except OSError as error:
            self._failure(error)  # durable all the same; the next commit publishes it

    def positions(self) -> dict[str, SourcePosition]:
        """The durable position of each source, by its name: where its reader goes on."""
        return dict(self._positions)

    def status(self) -> SpoolStatus:
        """Where the spool stands."""
        return SpoolStatus(
            edge_id=self.edge_id,
            region=self.region,
            epoch=self._epoch,
            next_sequence=self._next_sequence,
            watermark_ms=self._watermark_ms,
            durable_end=SpoolPosition(
                segment=segment_name(self._number), offset=self._durable_offset or 0
            ),
            sources=len(self._positions),
            disk_full=self._disk_full,
            segments_poisoned=self._segments_poisoned,
            bytes_cut=self._found.bytes_cut,
            damaged_frames=self._found.damaged_frames,
            durable_bytes_lost=self._found.lost_durable,
        )

    def retention(self, now_ms: int) -> list[str]:
        """Delete segments acknowledged at least 72 h ago; returns their names.

        When each was first seen acknowledged is kept in retention.json. The segment in use is
        never deleted, whose header holds the positions of quiet sources too.
        """
        if self._segment_since_ms is None:
            self._segment_since_ms = now_ms
        elif now_ms - self._segment_since_ms >= self._options.rotate_ms and not self._poisoned:
            self.commit()
            self._rotate()
            self._publish()
        expired = expired_segments(self.folder, now_ms, self._options.keep_ms, self._disk)
        for segment in expired:
            self._disk.unlink(segment_path(self.folder, segment))
        if expired:
            self._disk.sync_folder(self.folder)
        return expired

    def close(self) -> None:
        """Commit what is written and give the lock back."""
        if self._lock is None:
            return
        try:
            self.commit()
        finally:
            self._close_files()
            self._lock.__exit__(None, None, None)
            self._lock = None

    def _close_files(self) -> None:
        """Close what is open."""
        for descriptor in (self._descriptor, self._fence_descriptor):
            if descriptor >= 0:
                self._disk.close(descriptor)
        self._descriptor = self._fence_descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def pack(content: Content) -> list[Payload]:
    """`content` as payloads that each fit one batch; raises InputError for impossible values."""
    if isinstance(content, Payload):
        return [content]
    if isinstance(content, CounterColumns):
        return [pack_counters(content)]
    if len(content) <= EVENTS_MAX:
        try:
            return [pack_events(content)]
        except BatchTooLarge:
            if len(content) == 1:
                raise
    half = min(EVENTS_MAX, (len(content) + 1) // 2)
    return [*pack(content.slice(0, half)), *pack(content.slice(half, len(content)))]


def expired_segments(folder: Path, now_ms: int, keep_ms: int, disk: Disk) -> list[str]:
    """Segments that have been acknowledged for `keep_ms`; notes in retention.json since when."""
    acknowledged = read_acknowledged(folder)
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
