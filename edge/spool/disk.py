"""The few things a spool asks of a disk, in one place, so that tests can make each of them fail.

Every call may raise OSError. Nothing is durable before `sync` (content) and `sync_folder` (names).
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.durable import fsync_folder, write_atomically


class Disk:
    """The real disk."""

    def create(self, path: Path) -> int:
        """A new empty file, open for reading and writing; an existing name is an error."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def open(self, path: Path) -> int:
        """An existing file, open for reading and writing; created if it does not exist."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """All of `data` at `offset`."""
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written

    def size(self, descriptor: int) -> int:
        """The size of the file."""
        return os.fstat(descriptor).st_size

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Make the content durable. After an error the descriptor must not be trusted again."""
        os.fdatasync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close the file."""
        os.close(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in `folder` durable."""
        fsync_folder(folder)

    def unlink(self, path: Path) -> None:
        """Remove a name; a missing one is fine."""
        path.unlink(missing_ok=True)

    def replace(self, path: Path, data: bytes) -> None:
        """Put `data` in the place of `path`, atomically and durably."""
        write_atomically(path, data)
