"""The durable spool of one edge: what is appended here is counted once, whatever happens after.

    append = write + commit: frames first, one fsync, then the durable end is published.

A source position travels in the batch that holds its lines, so a crash neither skips nor repeats
one. One process writes a spool (a lock names it); any number read it (edge/spool/segment.py).

- Disk full: nothing of the batch stays, the state is as before, SpoolFull is raised (FAULTS A4).
- fsync fails: that segment is left; what it had not made durable goes to the next one (FAULTS A5).
- An epoch survives restarts. A lost spool, or lost durable bytes, begin a new one (FAULTS A2, A8).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import orjson

from edge.batch.codec import HEARTBEAT, Payload, Signer, position_document, seal, split
from edge.batch.records import CounterColumns, EventColumns, SourcePosition
from edge.durable import FileLock
from edge.errors import EdgetollError
from edge.spool.disk import Disk
from edge.spool.durable_end import MOVED_MAX, DurableEnd
from edge.spool.recovery import EpochFile, Recovered, epoch_bytes, read_epoch, recover, writer_lock
from edge.spool.retention import expired_segments, make_reserve, release_reserve
from edge.spool.segment import BATCH, CONTINUED, HEADER, frame_bytes, segment_path, segments
from edge.spool.segment_writer import SegmentWriter
from edge.spool.state import (
    SpoolBroken,
    SpoolFull,
    SpoolOptions,
    SpoolStatus,
    Staged,
    refusal,
)

__all__ = ["BatchContent", "Spool", "SpoolBroken", "SpoolFull", "SpoolOptions", "SpoolStatus"]

BatchContent = EventColumns | CounterColumns | Payload
_STAGED_BYTES_MAX: Final = 16 << 20


class Spool:
    """The writing side of one edge's spool. Not for use by several threads at once."""

    def __init__(self, folder: Path, edge_id: str, region: str, state: Recovered) -> None:
        """Use Spool.open()."""
        self.folder = folder
        self.edge_id = edge_id
        self.region = region
        self.region_before = state.region
        """Where the edge stood before; it stands there until events from `region` are written."""
        self._region = state.region or region
        self._held = ""
        self._found = state
        self._options = SpoolOptions()
        self._signer: Signer | None = None
        self._lock: FileLock | None = None
        self._writer: SegmentWriter
        self._epoch = 0
        self._previous_epoch: tuple[int, int] | None = None
        self._next_sequence = 0
        self._watermark_ms = state.watermark_ms
        self._positions = dict(state.positions)
        self._moved: dict[str, SourcePosition] = {}
        self._staged = Staged(next_sequence=0, watermark_ms=state.watermark_ms)
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
        another process writes this spool, ConflictError when it belongs to another edge, SpoolFull
        or SpoolBroken when the disk refuses.
        """
        with contextlib.ExitStack() as undo:
            lock = writer_lock(folder, edge_id)
            undo.push(lock)
            try:
                found = recover(folder, edge_id)
            except OSError as error:
                raise refusal(f"the spool {folder} cannot be opened", error) from error
            spool = cls(folder, edge_id, region, found)
            spool._signer, spool._options = signer, options or spool._options
            undo.callback(found.forget_begun, folder)
            try:
                spool._writer = SegmentWriter(folder, disk or Disk())
                undo.callback(spool._writer.close)
                spool._start(random64)
            except OSError as error:
                raise spool._failure(error) from error
            with contextlib.suppress(OSError):  # room for counters on a full disk, if there is any
                make_reserve(folder, spool._options.reserve_bytes, spool._writer.disk)
            spool._lock = lock
            undo.pop_all()
        return spool

    def _start(self, random64: Callable[[], int]) -> None:
        """Go on where the last writer stopped, or begin an epoch."""
        found, writer = self._found, self._writer
        for segment in found.stillborn:
            writer.disk.unlink(segment_path(self.folder, segment))
        names = segments(self.folder)
        # Later than any number of a spool that was wiped here: readers may know how far they were.
        writer.number = int(names[-1]) if names else self.folder.stat().st_ctime_ns // 1_000_000
        if found.segment is not None:
            writer.durable_offset = found.end
        self._epoch, self._previous_epoch = found.epoch or 0, found.previous_epoch
        self._next_sequence = found.sequence + 1
        self._unstage()
        if found.epoch is None or found.segment is None or found.lost_durable:
            self._begin_epoch(random64())
            return
        if read_epoch(self.folder) is None:
            self._write_epoch()
        writer.resume(writer.number, found.end, found.end + found.bytes_cut)
        self._moved = dict(found.positions)
        self.commit()

    def begin_epoch(self, random64: int) -> int:
        """End the present epoch and begin a new one, durable before its first batch; returns it.

        Needed when the spool moves to another partition, or when its identity was cloned.
        """
        self.commit()
        try:
            self._begin_epoch(random64)
        except OSError as error:
            raise self._failure(error) from error
        return self._epoch

    def _begin_epoch(self, random64: int) -> None:
        """Make a new epoch durable, then begin a segment for it.

        It names the epoch before it, or, where that never held a batch, the one before that.
        """
        if self._next_sequence > 0:
            self._previous_epoch = self._epoch, self._next_sequence - 1
        self._epoch = (random64 & ((1 << 63) - 1)) or 1
        self._next_sequence = 0
        self._unstage()
        self._write_epoch()
        self._writer.begin(self._header())
        self._moved.clear()
        self._publish()

    def _write_epoch(self) -> None:
        """Make the epoch durable."""
        file = EpochFile(
            edge_id=self.edge_id, epoch=self._epoch, previous_epoch=self._previous_epoch
        )
        self._writer.disk.replace(self.folder / "epoch.json", epoch_bytes(file))

    def append(
        self, content: BatchContent, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Append and make durable: (epoch, last sequence) once no crash can lose it.

        Raises as write() and commit() do; then nothing of `content` was appended.
        """
        try:
            identity = self.write(content, watermark_ms, sources)
            self.commit()
        except SpoolFull:
            counters = isinstance(content, CounterColumns)
            if not (counters and release_reserve(self.folder, self._writer.disk)):
                raise
            identity = self.write(content, watermark_ms, sources)
            self.commit()
        return identity

    def heartbeat(
        self, watermark_ms: int, sources: tuple[SourcePosition, ...] = (), *, held: str = ""
    ) -> tuple[int, int]:
        """A batch without events: moves the watermark and sources, or says why it is `held`."""
        self._held = held
        return self.append(HEARTBEAT, watermark_ms, sources)

    def write(
        self, content: BatchContent, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Write without fsync; nothing counts before commit(). Returns (epoch, last sequence).

        Columns too large for one batch become several that stand or fall together; the source
        positions travel in the last. A `watermark_ms` behind an earlier one changes nothing.
        Raises SpoolFull or SpoolBroken: then, as with commit(), nothing since the last commit is
        appended. Raises InputError for values no batch may hold: only this content is refused.
        """
        payloads = split(content)
        if self._writer.poisoned or self._staged.size > _STAGED_BYTES_MAX:
            self.commit()
        staged = self._staged
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
        unit = b"".join(frames)
        try:
            self._writer.put(unit)
        except OSError as error:
            self._unstage()
            with contextlib.suppress(OSError):
                self._writer.drop_staged()
            raise self._failure(error) from error
        self._disk_full = False
        staged.units.append(unit)
        staged.size += len(unit)
        staged.next_sequence += len(payloads)
        staged.watermark_ms = watermark_ms
        staged.positions.update((position.source, position) for position in sources)
        return self._epoch, staged.next_sequence - 1

    def _seal(
        self,
        payload: Payload,
        sequence: int,
        watermark_ms: int,
        sources: tuple[SourcePosition, ...],
    ) -> bytes:
        """`payload` as the batch `sequence` of this spool."""
        if payload.kind != "heartbeat":
            self._region = self.region
        return seal(
            payload,
            edge_id=self.edge_id,
            region=self._region,
            epoch=self._epoch,
            sequence=sequence,
            watermark_ms=watermark_ms,
            sources=sources,
            previous_epoch=self._previous_epoch if sequence == 0 else None,
            held=self._held if payload.kind == "heartbeat" else "",
            signer=self._signer,
        )

    def _failure(self, error: OSError) -> EdgetollError:
        """The error to raise for a disk that refused."""
        refused = refusal(f"the spool of {self.edge_id} cannot be written", error)
        self._disk_full = isinstance(refused, SpoolFull)
        return refused

    def commit(self) -> None:
        """One fsync for all that was written, then publish the durable end.

        A segment whose fsync fails is left, and what it had not made durable is written to the next
        one. Raises SpoolFull or SpoolBroken when that fails too: then everything written since the
        last commit is not appended, and the caller still has it.
        """
        writer = self._writer
        if not writer.poisoned:
            with contextlib.suppress(OSError):
                writer.sync()
        if writer.poisoned:
            self._write_anew()
        self._publish()
        if writer.offset >= self._options.segment_bytes:
            with contextlib.suppress(OSError):  # all is durable: this segment grows meanwhile
                self._next_segment()

    def _write_anew(self) -> None:
        """Write what is staged to a new segment, same identities, fsynced; else unstage it all."""
        try:
            self._writer.begin(self._header(), self._staged.units)
        except OSError as error:
            self._unstage()
            raise self._failure(error) from error
        self._moved.clear()

    def _next_segment(self) -> None:
        """Begin the next segment; nothing is staged. Raises OSError."""
        self._writer.begin(self._header())
        self._moved.clear()
        self._segment_since_ms = None
        self._publish()

    def _unstage(self) -> None:
        """Forget what was written since the last commit."""
        self._staged = Staged(next_sequence=self._next_sequence, watermark_ms=self._watermark_ms)

    def _header(self) -> bytes:
        """The header frame of the next segment: the state before anything staged."""
        document = {
            "format": 1,
            "edge_id": self.edge_id,
            "region": self._region,
            "epoch": self._epoch,
            "previous_epoch": self._previous_epoch,
            "next_sequence": self._next_sequence,
            "watermark_ms": self._watermark_ms,
            "previous_end": self._writer.durable_offset,
            "positions": [position_document(p) for p in self._positions.values()],
        }
        return frame_bytes(HEADER, orjson.dumps(document))

    def _publish(self) -> None:
        """What is staged is durable: make it the state, and let readers see it."""
        staged = self._staged
        self._next_sequence, self._watermark_ms = staged.next_sequence, staged.watermark_ms
        self._positions.update(staged.positions)
        self._moved.update(staged.positions)
        self._unstage()
        end = self._writer.durable_end
        moved = list(self._moved.values())[-MOVED_MAX:]
        durable_end = DurableEnd(
            segment=end.segment,
            offset=end.offset,
            epoch=self._epoch,
            sequence=self._next_sequence - 1,
            moved=tuple(position_document(position) for position in moved),
        )
        with contextlib.suppress(OSError):  # it is durable all the same; the next commit tells
            self._writer.publish(durable_end)

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
            durable_end=self._writer.durable_end,
            sources=len(self._positions),
            disk_full=self._disk_full,
            segments_poisoned=self._writer.poisonings,
            bytes_cut=self._found.bytes_cut,
            damaged_frames=self._found.damaged_frames,
            durable_bytes_lost=self._found.lost_durable,
        )

    def retention(self, now_ms: int) -> list[str]:
        """Delete segments acknowledged at least 72 h ago; returns their names.

        The segment in use is never deleted, whose header holds the positions of quiet sources too;
        one in use for an hour is followed by another. Raises SpoolFull or SpoolBroken.
        """
        try:
            return self._retention(now_ms)
        except OSError as error:
            raise self._failure(error) from error

    def _retention(self, now_ms: int) -> list[str]:
        """As retention(), raising OSError."""
        if self._segment_since_ms is None:
            self._segment_since_ms = now_ms
        elif now_ms - self._segment_since_ms >= self._options.rotate_ms:
            self.commit()
            self._next_segment()
        disk = self._writer.disk
        expired = expired_segments(self.folder, now_ms, self._options.keep_ms, disk)
        for segment in expired:
            disk.unlink(segment_path(self.folder, segment))
        if expired:
            disk.sync_folder(self.folder)
        make_reserve(self.folder, self._options.reserve_bytes, disk)
        return expired

    def close(self) -> None:
        """Commit what is written and give the lock back."""
        if self._lock is None:
            return
        try:
            self.commit()
        finally:
            self._writer.close()
            self._lock.__exit__(None, None, None)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
