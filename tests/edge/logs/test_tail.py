"""`edge tail`: each line once over rotation, truncation, compression, restarts and half lines."""

from __future__ import annotations

import errno
import gzip
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.logs.followed import Log
from edge.logs.formats.shipped import FORMATS
from edge.logs.refused_lines import RejectedLines
from edge.logs.rotation import files_of
from edge.logs.streams import Writer
from edge.logs.tail import Tailer
from edge.spool.disk import Disk
from edge.spool.spool import Spool, SpoolFull
from tests.edge.logs.reading import (
    FIRST_MS,
    NOW_MS,
    examples,
    nginx_lines,
    open_spool,
    spool_content,
)

LATER_MS = 4_000_000_000_000
"""A clock so late that every file of a test was last touched long ago."""


@contextmanager
def agent(
    folder: Path, log: Path, *, start: str | None = "beginning", now_ms: int = NOW_MS
) -> Iterator[Tailer]:
    """A tailer over `log` into the spool of `folder`, as a fresh process would make it."""
    with open_spool(folder / "spool") as spool:
        writer = Writer(spool, RejectedLines(folder / "spool"))
        logs = [Log(path=log, form=FORMATS["nginx"])]
        tailer = Tailer(writer, spool.positions(), logs, now_ms=lambda: now_ms)
        tailer.begin(start)
        yield tailer


def seen(folder: Path) -> list[int]:
    """The numbers of the lines in the spool, sorted."""
    return sorted(time - FIRST_MS for time in spool_content(folder / "spool").times)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An empty log."""
    path = tmp_path / "logs" / "access.log"
    path.parent.mkdir()
    path.touch()
    return path


_ticks = itertools.count(1)


def append(log: Path, text: str) -> None:
    """Write as a web server does, at the end, at the time that the tests call now."""
    with open(log, "a") as file:
        file.write(text)
    moment = NOW_MS * 1_000_000 + next(_ticks)
    os.utime(log, ns=(moment, moment))


def test_new_lines_are_read_once_over_restarts(tmp_path: Path, log: Path) -> None:
    for round_number in range(5):
        append(log, nginx_lines(round_number * 10, round_number * 10 + 10))
        with agent(tmp_path, log) as tailer:
            assert tailer.cycle().events == 10
            assert tailer.cycle().events == 0
    assert seen(tmp_path) == list(range(50))


def test_a_half_line_waits_for_its_end_and_holds_the_promise(tmp_path: Path, log: Path) -> None:
    whole = nginx_lines(0, 3)
    with agent(tmp_path, log) as tailer:
        append(log, whole[:-30])
        half = tailer.cycle()
        assert (half.events, half.at_end) == (2, False)
        append(log, whole[-30:])
        done = tailer.cycle()
        assert (done.events, done.at_end) == (1, True)
    assert seen(tmp_path) == [0, 1, 2]


def test_a_half_line_left_by_a_dead_server_does_not_hold_the_promise_for_ever(
    tmp_path: Path, log: Path
) -> None:
    append(log, nginx_lines(0, 3)[:-30])
    with agent(tmp_path, log, now_ms=LATER_MS) as tailer:
        cycle = tailer.cycle()
    assert (cycle.events, cycle.at_end) == (2, True)


@pytest.mark.parametrize("new_name", ["access.log.1", "access.log-20261123", "access-2026.log"])
def test_rename_rotation_reads_the_old_file_to_its_end_and_the_new_one(
    new_name: str, tmp_path: Path, log: Path
) -> None:
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
        append(log, nginx_lines(10, 15))
        rotated = log.rename(log.with_name(new_name))
        append(rotated, nginx_lines(15, 18))
        assert tailer.cycle().at_end is False
        append(log, nginx_lines(18, 30))
        append(rotated, nginx_lines(30, 32))
        assert tailer.cycle().at_end is True
    assert seen(tmp_path) == list(range(32))


def test_copytruncate_neither_repeats_nor_skips_what_was_copied(tmp_path: Path, log: Path) -> None:
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
        append(log, nginx_lines(10, 15))
        shutil.copy(log, log.with_name("access.log.1"))
        os.truncate(log, 0)
        append(log, nginx_lines(15, 40))
        assert tailer.cycle().events == 30
    assert seen(tmp_path) == list(range(40))


def test_copytruncate_that_grew_past_the_old_place_is_noticed(tmp_path: Path, log: Path) -> None:
    """Same inode, larger than before: only the content tells."""
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 3))
        tailer.cycle()
        inode = log.stat().st_ino
        os.truncate(log, 0)
        append(log, nginx_lines(100, 150))
        assert log.stat().st_ino == inode
        assert tailer.cycle().events == 50
    assert seen(tmp_path) == [0, 1, 2, *range(100, 150)]


def test_two_rotations_and_compression_while_the_agent_was_away(tmp_path: Path, log: Path) -> None:
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
    append(log, nginx_lines(10, 20))
    zipped = log.with_name("access.log.2.gz")
    zipped.write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    append(log.with_name("access.log.1"), nginx_lines(20, 50))
    append(log, nginx_lines(50, 60))
    with agent(tmp_path, log, start=None) as tailer:
        assert tailer.cycle().events == 50
    assert seen(tmp_path) == list(range(60))


def test_a_gzip_still_being_written_holds_the_promise_and_repeats_nothing(
    tmp_path: Path, log: Path
) -> None:
    append(log, nginx_lines(0, 3000))
    data = gzip.compress(log.read_bytes())
    log.write_text("")
    zipped = log.with_name("access.log.1.gz")
    with agent(tmp_path, log) as tailer:
        for size in (10, len(data) // 3, len(data) // 2, len(data) - 1):
            zipped.write_bytes(data[:size])
            assert tailer.cycle().at_end is False
        zipped.write_bytes(data)
        assert tailer.cycle().at_end is True
    assert seen(tmp_path) == list(range(3000))


def test_an_archive_read_before_is_known_without_inflating_it(tmp_path: Path, log: Path) -> None:
    append(log, nginx_lines(0, 3000))
    with agent(tmp_path, log) as tailer:
        tailer.cycle()
    data = bytearray(gzip.compress(log.read_bytes()))
    data[len(data) // 2] ^= 1  # whoever inflates the whole of it stumbles
    log.with_name("access.log.1.gz").write_bytes(data)
    log.write_text("")
    with agent(tmp_path, log) as tailer:
        cycle = tailer.cycle()
    assert (cycle.events, cycle.at_end, cycle.problems) == (0, True, [])


def test_inode_reuse_by_another_content_is_no_old_file(tmp_path: Path, log: Path) -> None:
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
        size = log.stat()
        log.write_text(nginx_lines(500, 510))
        os.utime(log, ns=(size.st_atime_ns, size.st_mtime_ns + 1))
        assert tailer.cycle().events == 10
    assert seen(tmp_path) == [*range(10), *range(500, 510)]


def test_without_a_state_where_to_start_must_be_said(tmp_path: Path, log: Path) -> None:
    with pytest.raises(InputError, match="nothing is known"), agent(tmp_path, log, start=None):
        pass


def test_from_end_passes_over_what_is_there_and_reads_what_comes(tmp_path: Path, log: Path) -> None:
    append(log, nginx_lines(0, 10) + "half")
    log.with_name("access.log.1").write_text(nginx_lines(900, 950))
    log.with_name("access.log.2.gz").write_bytes(gzip.compress(nginx_lines(800, 850).encode()))
    with agent(tmp_path, log, start="end") as tailer:
        assert tailer.cycle().events == 0
    log.write_text(nginx_lines(0, 10) + nginx_lines(10, 12))
    with agent(tmp_path, log, start="end") as tailer:
        assert tailer.cycle().events == 2
    assert seen(tmp_path) == [10, 11]


def test_from_end_on_an_empty_log_reads_what_comes_after_a_restart(
    tmp_path: Path, log: Path
) -> None:
    """The start is remembered, so `--from end` in a unit file does not skip lines again."""
    with agent(tmp_path, log, start="end"):
        pass
    append(log, nginx_lines(0, 5))
    with agent(tmp_path, log, start="end") as tailer:
        assert tailer.cycle().events == 5


def test_a_missing_log_holds_the_promise_and_is_named(tmp_path: Path, log: Path) -> None:
    log.unlink()
    with agent(tmp_path, log) as tailer:
        cycle = tailer.cycle()
    assert cycle.at_end is False
    assert cycle.problems == [f"{log} is not there"]


def test_names_that_rotation_does_not_make_are_left_alone(log: Path) -> None:
    for name in ("access.log.swp", "access.log~", "access.logx", "other.log.1", "access.log.1.xz"):
        log.with_name(name).write_text(nginx_lines(0, 1))
    log.with_name("access.log.10").write_text("")
    assert [each.path.name for each in files_of(log)] == ["access.log.10", "access.log"]


operation = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 30)),
    st.tuples(st.just("half"), st.integers(1, 150)),
    st.tuples(st.sampled_from(["rename", "copytruncate", "gzip", "cycle", "restart"]), st.just(0)),
)


class Server:
    """A web server and its logrotate, which know what they wrote."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.written = 0
        self.pending = ""
        self.rotations = 0
        log.touch()

    def do(self, what: str, amount: int) -> None:
        """One operation; a half line is finished by the next write to the same file."""
        if what == "write":
            append(self.log, self._next(amount))
        elif what == "half" and not self.pending:
            line = nginx_lines(self.written, self.written + 1)
            self.written += 1
            append(self.log, line[:amount])
            self.pending = line[amount:]
        elif what == "rename":
            self._finish()
            self.rotations += 1
            self.log.rename(self.log.with_name(f"access.log.{self.rotations}"))
            self.log.touch()
        elif what == "copytruncate":
            self._finish()
            self.rotations += 1
            shutil.copy(self.log, self.log.with_name(f"access.log.{self.rotations}"))
            os.truncate(self.log, 0)
        elif what == "gzip":
            for path in self.log.parent.glob("access.log.[0-9]*[0-9]"):
                zipped = path.with_name(path.name + ".gz")
                zipped.write_bytes(gzip.compress(path.read_bytes()))
                path.unlink()

    def _next(self, amount: int) -> str:
        first, self.written = self.written, self.written + amount
        text, self.pending = self.pending + nginx_lines(first, self.written), ""
        return text

    def _finish(self) -> None:
        append(self.log, self.pending)
        self.pending = ""


@settings(max_examples=examples(25))
@given(operations=st.lists(operation, max_size=25))
def test_whatever_the_server_and_rotation_do_each_line_is_read_once(
    operations: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("story")
    (folder / "logs").mkdir()
    server = Server(folder / "logs" / "access.log")
    story = iter(operations)
    more = True
    while more:
        with agent(folder, server.log) as tailer:
            more = False
            for what, amount in story:
                if what == "restart":
                    more = True
                    break
                if what == "cycle":
                    tailer.cycle()
                else:
                    server.do(what, amount)
    server.do("write", 1)
    with agent(folder, server.log) as tailer:
        tailer.cycle()
        last = tailer.cycle()
    assert last.at_end
    assert seen(folder) == list(range(server.written))


class FullDisk(Disk):
    """A disk without room while `full` is set."""

    full = False

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(descriptor, data, offset)


def test_a4_a_full_disk_loses_nothing_the_lines_wait_in_the_log(tmp_path: Path, log: Path) -> None:
    disk = FullDisk()
    folder = tmp_path / "spool"
    with Spool.open(folder, "e1", "DE", random64=lambda: 7, disk=disk) as spool:
        writer = Writer(spool, RejectedLines(folder))
        logs = [Log(path=log, form=FORMATS["nginx"])]
        tailer = Tailer(writer, spool.positions(), logs, now_ms=lambda: NOW_MS)
        tailer.begin("beginning")
        append(log, nginx_lines(0, 10))
        tailer.cycle()
        disk.full = True
        for start in (10, 20):
            append(log, nginx_lines(start, start + 10))
            with pytest.raises(SpoolFull):
                tailer.cycle()
        disk.full = False
        assert tailer.cycle().events == 20
    assert seen(tmp_path) == list(range(30))
