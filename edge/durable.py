"""Files that survive a crash: atomic replacement, exclusive creation, locks that name owners, and
small JSON files that say themselves whether they are as they were written.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from edge.errors import Busy, LockRefused


def fsync_folder(path: Path) -> None:
    """Make the names in folder `path` durable (a file's own fsync does not cover its name)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_hidden(path: Path, data: bytes) -> Path:
    """Write `data` beside `path` under a hidden name, fsynced; the pid keeps two writers apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(hidden, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            hidden.unlink()
        raise
    return hidden


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: a reader, or a crash, finds the old or the new content whole."""
    hidden = _write_hidden(path, data)
    os.replace(hidden, path)
    fsync_folder(path.parent)


def create_exclusively(path: Path, data: bytes) -> None:
    """Create `path` whole or not at all; raises FileExistsError when the name is taken.

    link() is the one call that both refuses an existing name and never shows half a file.
    """
    hidden = _write_hidden(path, data)
    try:
        os.link(hidden, path)
    finally:
        os.unlink(hidden)
    fsync_folder(path.parent)


def sha256_file(path: Path | int) -> str:
    """The SHA-256 of a file's content, in hex, read in blocks of 1 MiB; of a path, or of a
    descriptor that stays open.
    """
    digest = hashlib.sha256()
    with open(path, "rb", closefd=not isinstance(path, int)) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


_LOCK_HINTS: Final = {
    errno.EACCES: "run the command as the user who owns that folder, or give this one access",
    errno.EPERM: "run the command as the user who owns that folder, or give this one access",
    errno.EROFS: "the file system is read-only: mount it for writing, or use another folder",
    errno.ENOSPC: "free space on that disk",
    errno.EDQUOT: "free space on that disk",
    errno.ENOLCK: "this file system gives no locks (a network share, often): use a local disk",
    errno.EOPNOTSUPP: "this file system gives no locks (a network share, often): use a local disk",
    errno.ENOTDIR: "a file stands where a folder should be: correct the path",
    errno.EISDIR: "a folder stands where the lock should be: remove it",
    errno.EEXIST: "a file stands where a folder should be: correct the path",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}
"""What to do about a lock that the system refuses, by its reason."""


def _holder(note: bytes) -> str:
    """Who holds a lock, by the note in it, for people."""
    try:
        found = json.loads(note)
        return f"{found['owner']} (process {found['pid']}: {found['command']})"
    except (ValueError, KeyError, TypeError):
        return "another process"


class FileLock:
    """An advisory lock on `path` that names its owner; held until the process ends at the latest.

    Raises Busy, with the holder's pid and command, when another process (or another FileLock of
    this process) holds it and has not left within `wait_seconds`. Raises LockRefused, with the
    system's reason, when it cannot be taken though nobody holds it: waiting would not help.
    """

    def __init__(self, path: Path, owner: str, *, wait_seconds: float = 0) -> None:
        self.path = path
        self.owner = owner
        self.wait_seconds = wait_seconds
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        until = time.monotonic() + self.wait_seconds
        while True:
            try:
                return self._take()
            except Busy:
                if time.monotonic() >= until:
                    raise
            time.sleep(0.05)

    def _take(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._refused(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:  # the one answer that says it is held
            holder = _holder(os.read(descriptor, 4096))
            os.close(descriptor)
            raise Busy(
                f"{self.path.name} is held by {holder}",
                "wait for it to finish and run the command again",
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise self._refused(error) from error
        self._descriptor = descriptor
        note = {"owner": self.owner, "pid": os.getpid(), "command": " ".join(sys.argv[:4])}
        with contextlib.suppress(OSError):  # a full disk: held all the same, by nobody named
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(note).encode() + b"\n", 0)
        return self

    def _refused(self, error: OSError) -> LockRefused:
        """The error for a lock that the system refuses for another reason than a holder."""
        hint = _LOCK_HINTS.get(error.errno or 0, "check the disk and its permissions")
        reason = error.strerror or str(error)
        return LockRefused(f"the lock {self.path} cannot be taken: {reason}", hint, error.errno)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with contextlib.suppress(
                OSError
            ):  # the note may stay: who holds a lock is the kernel's
                os.ftruncate(descriptor, 0)
            os.close(descriptor)


_LOCKS = Path("/proc/locks")


def lock_holder(lock: Path) -> dict[str, object] | None:
    """Who holds a lock now, by its own note; None when nobody does.

    Asks the kernel's table, since trying the lock could refuse a process that starts meanwhile.
    """
    try:
        inode, note = lock.stat().st_ino, lock.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    try:
        held = [line.split() for line in _LOCKS.read_text().splitlines()]
        pids = [int(row[4]) for row in held if row[1] == "FLOCK" and row[5].endswith(f":{inode}")]
    except (OSError, ValueError, IndexError):
        pids = [os.getpid()] if note.strip() else []  # no such table here: believe the note
    if not pids:
        return None
    try:
        found: dict[str, object] = json.loads(note)
    except ValueError:
        found = {"pid": pids[0]}
    return found


SEAL = "content_sha256"
"""The last key of a sealed JSON file: the SHA-256 of all the rest."""


def sealed(content: Mapping[str, object]) -> bytes:
    """`content` as a JSON file with its hash; times as they are written in JSON."""
    whole = dict(content) | {SEAL: _sum_of(json.loads(json.dumps(content, default=_text)))}
    return json.dumps(whole, default=_text, indent=1, ensure_ascii=False).encode() + b"\n"


def unsealed(data: bytes) -> dict[str, object]:
    """The content of such a file; ValueError where it is not as it was written, or is no JSON
    object. A file of an earlier edgetoll has no hash and is believed.
    """
    try:
        content = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON") from error
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    digest = content.pop(SEAL, None)
    if digest is not None and digest != _sum_of(content):
        raise ValueError("it is not as it was written")
    return content


def _sum_of(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
