"""Locks: held is said of what is held, and of nothing else."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edge.durable import FileLock
from edge.errors import Busy, LockRefused


def test_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "a.lock", "the first"),
        pytest.raises(Busy, match=rf"held by the first \(process {os.getpid()}"),
        FileLock(tmp_path / "a.lock", "the second"),
    ):
        pass


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOLCK, "No locks available"),
        (errno.EOPNOTSUPP, "not supported"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_lock_that_the_file_system_refuses_is_not_called_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    """The system call is what fails here: no file system of this machine refuses a lock."""

    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = FileLock(tmp_path / "a.lock", "somebody", wait_seconds=60)
    with pytest.raises(LockRefused, match=words) as caught, lock:
        pass
    assert "held" not in str(caught.value)
    assert caught.value.errno == number
    assert caught.value.exit_code == 1


def test_a_folder_in_the_place_of_a_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.lock").mkdir()
    with pytest.raises(LockRefused, match="Is a directory"), FileLock(tmp_path / "a.lock", "me"):
        pass


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("no folder")
    with (
        pytest.raises(LockRefused, match=r"spool/a\.lock cannot be taken"),
        FileLock(tmp_path / "spool" / "a.lock", "me"),
    ):
        pass


def test_without_a_descriptor_left_the_lock_is_not_called_held(tmp_path: Path) -> None:
    """In a process of its own, which may open nothing more."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    script = f"""
import resource, sys
from pathlib import Path
from edge.durable import FileLock
lock = FileLock(Path(sys.argv[1]), "me")
resource.setrlimit(resource.RLIMIT_NOFILE, (3, {hard}))
try:
    lock.__enter__()
except Exception as error:
    print(type(error).__name__, error)
"""
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.lock")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("LockRefused")
    assert "Too many open files" in told.stdout
    assert "ulimit" in told.stdout


def test_a_lock_is_given_back_even_where_its_note_cannot_be_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = FileLock(tmp_path / "a.lock", "me").__enter__()

    def refuse(_descriptor: int, _size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "ftruncate", refuse)
        lock.__exit__(None, None, None)
    with FileLock(tmp_path / "a.lock", "the next"):
        assert '"the next"' in (tmp_path / "a.lock").read_text()
