"""Disks that fail on purpose: full, refusing the n-th call, losing what was not synced."""

from __future__ import annotations

import errno
import os
import random
import shutil
from pathlib import Path

from edge.spool.disk import Disk


class QuickDisk(Disk):
    """The real disk without waiting for it: for tests that only kill, cut or flip."""

    def sync(self, descriptor: int) -> None:
        """Nothing: the page cache outlives a killed process."""

    def sync_folder(self, folder: Path) -> None:
        """Nothing."""

    def replace(self, path: Path, data: bytes) -> None:
        """Atomic, not durable."""
        hidden = path.with_name(f".{path.name}")
        hidden.write_bytes(data)
        os.replace(hidden, path)


class FullDisk(QuickDisk):
    """A disk with `room` bytes left; what fits of a write is written, then ENOSPC."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        grows = max(offset + len(data) - self.size(descriptor), 0)
        if grows > self.room:
            super().write(descriptor, data[: len(data) - grows + self.room], offset)
            self.room = 0
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(descriptor, data, offset)
        self.room -= grows

    def truncate(self, descriptor: int, size: int) -> None:
        self.room += max(self.size(descriptor) - size, 0)
        super().truncate(descriptor, size)

    def unlink(self, path: Path) -> None:
        if path.exists():
            self.room += path.stat().st_size
        super().unlink(path)

    def replace(self, path: Path, data: bytes) -> None:
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(data)
        super().replace(path, data)


class FailingDisk(QuickDisk):
    """A disk whose calls `first` to `first + count - 1` raise EIO (calls are counted from 0)."""

    def __init__(self, first: int, count: int = 1) -> None:
        self.calls = 0
        self.first = first
        self.count = count

    def _call(self) -> None:
        number, self.calls = self.calls, self.calls + 1
        if self.first <= number < self.first + self.count:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def create(self, path: Path) -> int:
        self._call()
        return super().create(path)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        self._call()
        super().write(descriptor, data, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        self._call()
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self._call()

    def sync_folder(self, folder: Path) -> None:
        self._call()

    def unlink(self, path: Path) -> None:
        self._call()
        super().unlink(path)

    def replace(self, path: Path, data: bytes) -> None:
        self._call()
        super().replace(path, data)


class PowerCutDisk(QuickDisk):
    """Remembers what is durable. `cut` makes the folder one that a power cut may leave: of what was
    not synced each file keeps all, nothing or a torn part, each name is there or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.synced: dict[str, bytes] = {}
        self.names: set[str] = set()
        self.unlinked: dict[str, bytes] = {}
        self._paths: dict[int, Path] = {}
        for path in folder.iterdir():
            if path.is_file():
                self.synced[path.name] = path.read_bytes()
                self.names.add(path.name)

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        self._paths[descriptor] = path
        return descriptor

    def open(self, path: Path) -> int:
        descriptor = super().open(path)
        self._paths[descriptor] = path
        return descriptor

    def sync(self, descriptor: int) -> None:
        path = self._paths[descriptor]
        self.synced[path.name] = path.read_bytes()

    def sync_folder(self, folder: Path) -> None:
        self.names = {path.name for path in folder.iterdir() if path.is_file()}
        self.unlinked.clear()

    def unlink(self, path: Path) -> None:
        if path.exists() and path.name in self.names:
            self.unlinked[path.name] = self.synced.get(path.name, b"")
        super().unlink(path)

    def replace(self, path: Path, data: bytes) -> None:
        super().replace(path, data)
        self.synced[path.name] = data
        self.names.add(path.name)

    def cut(self, target: Path, chance: random.Random) -> None:
        """Write to `target` one of the states the disk may be in after the power went."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for path in sorted(self.folder.iterdir()):
            if path.is_file() and (path.name in self.names or chance.random() < 0.5):
                content = self._content(path, chance)
                (target / path.name).write_bytes(content)
        for name, content in self.unlinked.items():
            if chance.random() < 0.5:
                (target / name).write_bytes(content)

    def _content(self, path: Path, chance: random.Random) -> bytes:
        """The synced content with all, nothing or a torn part of what was written since."""
        old, new = self.synced.get(path.name, b""), path.read_bytes()
        kind = chance.choice(["old", "new", "torn", "zeros"])
        if kind == "old" or old == new:
            return old
        if kind == "new":
            return new
        pairs = enumerate(zip(old, new, strict=False))
        common = next((n for n, (a, b) in pairs if a != b), min(len(old), len(new)))
        place = chance.randint(common, max(len(new), common))
        if kind == "torn":
            return new[:place] + old[place:]
        return new[:place] + bytes(max(len(new) - place, 0))
