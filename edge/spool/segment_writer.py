"""The segment a spool is writing: frames at its end, one fsync, the published durable end.

It knows no batches, only bytes; what to write is the spool's to say (spool.py). A failed call
raises OSError and leaves the file as it was, or the segment `poisoned`: then nothing more goes into
it, since after a failed fsync the kernel may call pages clean that were never stored (FAULTS A5).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from edge.spool.disk import Disk
from edge.spool.durable_end import DURABLE_END_BYTES, DurableEnd, durable_end_bytes
from edge.spool.segment import SpoolPosition, segment_name, segment_path


class SegmentWriter:
    """The end of a spool's last segment. `number` 0: there is no segment yet."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self.disk = disk
        self.number = 0
        self.offset = 0
        self.durable_offset: int | None = None
        """Where the durable frames end; None when that is not known of the segment before."""
        self.poisoned = True
        self.poisonings = 0
        self._descriptor = -1
        self._durable_descriptor = disk.open(folder / "durable")
        size = disk.size(self._durable_descriptor)
        if size < DURABLE_END_BYTES:  # so that publishing never needs room
            disk.write(self._durable_descriptor, bytes(DURABLE_END_BYTES - size), size)

    @property
    def durable_end(self) -> SpoolPosition:
        """The place up to which everything is fsynced."""
        return SpoolPosition(segment=segment_name(self.number), offset=self.durable_offset or 0)

    def resume(self, number: int, end: int, size: int) -> None:
        """Go on in segment `number` of `size` bytes, cut to `end`."""
        self._descriptor = self.disk.open(segment_path(self.folder, segment_name(number)))
        if size > end:
            self.disk.truncate(self._descriptor, end)
        self.number, self.offset, self.poisoned = number, end, False

    def put(self, data: bytes) -> None:
        """Write `data` at the end, not yet durable."""
        self.disk.write(self._descriptor, data, self.offset)
        self.offset += len(data)

    def drop_staged(self) -> None:
        """Cut everything that is not durable; if even that fails, the segment is poisoned."""
        assert self.durable_offset is not None, "a segment that was begun or resumed has an end"
        try:
            self.disk.truncate(self._descriptor, self.durable_offset)
        except OSError:
            self._poison()
            raise
        self.offset = self.durable_offset

    def sync(self) -> None:
        """Make everything put durable."""
        try:
            self.disk.sync(self._descriptor)
        except OSError:
            self._poison()
            raise
        self.durable_offset = self.offset

    def _poison(self) -> None:
        """Never trust this segment again."""
        self.poisoned = True
        self.poisonings += 1

    def begin(self, header: bytes, units: Iterable[bytes] = ()) -> None:
        """Begin the next segment with `header` and `units`, durable together with its name."""
        number = self.number + 1
        path = segment_path(self.folder, segment_name(number))
        data = header + b"".join(units)
        descriptor = -1
        try:
            self.disk.unlink(path)  # what an earlier attempt may have left: never published
            descriptor = self.disk.create(path)
            self.disk.write(descriptor, data, 0)
            self.disk.sync(descriptor)
            self.disk.sync_folder(self.folder)
        except OSError:
            with contextlib.suppress(OSError):
                self._abandon(descriptor, path)
            raise
        if self._descriptor >= 0:
            self.disk.close(self._descriptor)
        self._descriptor, self.number = descriptor, number
        self.offset = self.durable_offset = len(data)
        self.poisoned = False

    def _abandon(self, descriptor: int, path: Path) -> None:
        """Remove a segment that could not be begun."""
        if descriptor >= 0:
            self.disk.close(descriptor)
        self.disk.unlink(path)

    def publish(self, end: DurableEnd) -> None:
        """Let readers see everything up to `end`, in place: it never needs room on the disk."""
        self.disk.write(self._durable_descriptor, durable_end_bytes(end), 0)

    def close(self) -> None:
        """Close what is open."""
        for descriptor in (self._descriptor, self._durable_descriptor):
            if descriptor >= 0:
                self.disk.close(descriptor)
        self._descriptor = self._durable_descriptor = -1
