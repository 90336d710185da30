"""No line is lost when a log moves while nobody looks; what is lost holds the promise (E2)."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.batch.codec import decode_header
from edge.logs.followed import LET_GO_MS, Log
from edge.logs.formats.shipped import FORMATS
from edge.logs.refused_lines import RejectedLines
from edge.logs.rotation import files_of
from edge.logs.streams import Writer
from edge.logs.tail import Tailer, TailOptions
from edge.spool.segment import read_frames
from tests.edge.logs.reading import NOW_MS, examples, nginx_lines, open_spool
from tests.edge.logs.test_tail import append, log, seen

__all__ = ["log"]


@contextmanager
def agent(
    folder: Path,
    log: Path,
    *,
    rotated: tuple[str, ...] = (),
    options: TailOptions | None = None,
    now_ms: int = NOW_MS,
) -> Iterator[Tailer]:
    """A tailer over `log`, as a fresh process would make it."""
    with open_spool(folder / "spool") as spool:
        writer = Writer(spool, RejectedLines(folder / "spool"))
        logs = [Log(path=log, form=FORMATS["nginx"], rotated=rotated)]
        tailer = Tailer(writer, spool.positions(), logs, now_ms=lambda: now_ms, options=options)
        with closing(tailer):
            tailer.begin("beginning")
            yield tailer


def packed(pack: Callable[[bytes], bytes], ending: str) -> Callable[[Path], Path]:
    """A rotation that renames, packs at once and removes what it packed."""

    def rotate(log: Path) -> Path:
        target = log.with_name(log.name + ending)
        target.write_bytes(pack(log.read_bytes()))
        log.unlink()
        return target

    return rotate


def renamed(name: str) -> Callable[[Path], Path]:
    """A rotation that renames within the folder, or into a folder beside it."""

    def rotate(log: Path) -> Path:
        target = log.parent / name
        target.parent.mkdir(exist_ok=True)
        return log.rename(target)

    return rotate


def shifted(log: Path) -> Path:
    """Numbers shift up, as logrotate does it."""
    for number in (3, 2, 1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    return log.rename(log.with_name(f"{log.name}.1"))


def removed(log: Path) -> Path:
    """Somebody removes the log; a server that has it open writes on."""
    log.unlink()
    return log


def copied_and_cut(name: str) -> Callable[[Path], Path]:
    """copytruncate: the copy under `name`, and the log cut to nothing."""

    def rotate(log: Path) -> Path:
        target = log.parent / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(log, target)
        os.truncate(log, 0)
        return target

    return rotate


NAMED = {
    "numeric": renamed("access.log.1"),
    "shift": shifted,
    "dateext": renamed("access.log-20261130"),
    "dateext with hour": renamed("access.log-20261130-04"),
    "date behind underscore": renamed("access.log_20261130"),
    "dots": renamed("access.log.2026.11.30"),
    "old": renamed("access.log.old"),
    "bak": renamed("access.log.bak"),
    "old with number": renamed("access.log.old.2"),
    "prev": renamed("access.log.prev"),
    "Caddy": renamed("access-2026-11-30T04-20-00.123.log"),
    "Caddy by size": renamed("access-2026-11-30T04-20-00.123-size.log"),
    "date before the suffix": renamed("access_20261130.log"),
    "gzip at once": packed(gzip.compress, "-20261130.gz"),
    "gzip of a number at once": packed(gzip.compress, ".1.gz"),
}
"""Rotations whose names say what they are."""
HIDDEN = {
    "another word": renamed("archived-access.txt"),
    "no suffix": renamed("20261130"),
    "another stem": renamed("www.example.com.20261130.log"),
    "a temporary name": renamed(".access.log.swap"),
    "xz at once": packed(lzma.compress, ".1.xz"),
}
"""Rotations whose names say nothing, in the folder of the log."""
AWAY = {
    "olddir": renamed("old/access.log-20261130"),
    "olddir and another name": renamed("old/20261130.log"),
}
"""Rotations into another folder."""
GONE = {
    "removed": removed,
}
"""Rotations that leave nothing to read."""
COPIED = {
    "copytruncate": copied_and_cut("access.log.1"),
    "copytruncate to old": copied_and_cut("access.log.old"),
    "copytruncate to another name": copied_and_cut("copy-of-it"),
}


@pytest.mark.parametrize("kind", [*NAMED, *HIDDEN, *AWAY, *GONE])
def test_e2_what_is_written_before_and_after_a_move_is_read_from_the_open_file(
    kind: str, tmp_path: Path, log: Path
) -> None:
    """The server has the file open as well, and writes on until it is told to reopen."""
    rotate = (NAMED | HIDDEN | AWAY | GONE)[kind]
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        assert tailer.cycle().at_end
        with open(log, "a") as server:
            append(log, nginx_lines(10, 15))
            rotate(log)
            zipped = "at once" in kind
            if not zipped:
                server.write(nginx_lines(15, 18))
                server.flush()
            append(log, nginx_lines(20, 30))
            tailer.cycle()
            if not zipped:
                server.write(nginx_lines(18, 20))
        last = tailer.cycle()
        assert (last.at_end, last.problems) == (True, [])
    expected = [*range(15), *range(20, 30)] if zipped else range(30)
    assert seen(tmp_path) == list(expected)


@pytest.mark.parametrize("kind", [*NAMED, *HIDDEN, *COPIED])
def test_e2_after_a_restart_a_begun_file_is_found_by_its_content_in_the_folder(
    kind: str, tmp_path: Path, log: Path
) -> None:
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
    append(log, nginx_lines(10, 18))
    (NAMED | HIDDEN | COPIED)[kind](log)
    append(log, nginx_lines(18, 30))
    with agent(tmp_path, log) as tailer:
        tailer.cycle()
        last = tailer.cycle()
        assert (last.at_end, last.problems) == (True, [])
    assert seen(tmp_path) == list(range(30))


@pytest.mark.parametrize("kind", [*AWAY, *GONE])
def test_e2_what_cannot_be_found_holds_the_promise_until_it_is_found_or_given_up(
    kind: str, tmp_path: Path, log: Path
) -> None:
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
    append(log, nginx_lines(10, 18))
    (AWAY | GONE)[kind](log)
    append(log, nginx_lines(18, 30))
    for _ in range(2):
        with agent(tmp_path, log) as tailer:
            for _ in range(3):
                cycle = tailer.cycle()
                assert cycle.at_end is False
                assert "cannot be found any more" in cycle.problems[0]
                assert "--rotated" in cycle.problems[0]
    assert seen(tmp_path) == [*range(10), *range(18, 30)], "what is there is read meanwhile"
    if kind in AWAY:
        with agent(tmp_path, log, rotated=(f"{log.parent}/old/*",)) as tailer:
            assert tailer.cycle().at_end
        assert seen(tmp_path) == list(range(30))
        return
    with agent(tmp_path, log, options=TailOptions(give_up=True)) as tailer:
        cycle = tailer.cycle()
        assert cycle.at_end
        assert "given up" in cycle.notes[0], "what is given up is said"
    with agent(tmp_path, log) as tailer:
        assert tailer.cycle().at_end


@pytest.mark.parametrize("where", ["away", "nowhere"])
def test_e2_a_log_that_is_cut_while_it_is_followed_is_missed_unless_its_copy_is_found(
    where: str, tmp_path: Path, log: Path
) -> None:
    rotated = (f"{log.parent}/old/*",)
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
        append(log, nginx_lines(10, 18))
        if where == "away":
            copied_and_cut("old/copy")(log)
        else:
            os.truncate(log, 0)
        append(log, nginx_lines(18, 30))
        assert tailer.cycle().at_end is False
    with agent(tmp_path, log, rotated=rotated) as tailer:
        assert tailer.cycle().at_end is (where == "away")
    assert seen(tmp_path) == (list(range(30)) if where == "away" else [*range(10), *range(18, 30)])


def test_e2_a_file_that_nobody_writes_to_any_more_is_let_go(tmp_path: Path, log: Path) -> None:
    later = NOW_MS + 2 * LET_GO_MS
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
        renamed("old/1")(log)
        append(log, nginx_lines(10, 20))
        tailer.cycle()
        assert len(tailer.followed[0].open) == 2
    (tmp_path / "later").mkdir()
    with agent(tmp_path, log, now_ms=later, rotated=(f"{log.parent}/old/*",)) as tailer:
        tailer.cycle()
        assert len(tailer.followed[0].open) == 1
        assert len(tailer.followed[0].streams()) == 1
    shutil.rmtree(log.parent / "old")
    with agent(tmp_path, log) as tailer:
        assert tailer.cycle().at_end, "it was read to its end and let go: nobody misses it"


def test_e2_an_archive_packed_while_the_agent_was_away_holds_the_promise(
    tmp_path: Path, log: Path
) -> None:
    """Two rotations while away: the file between was never begun, so only its time tells."""
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
    shifted(log)
    append(log, nginx_lines(10, 20))
    between = packed(lzma.compress, "-2.xz")(log)
    append(log, nginx_lines(20, 30))
    away = TailOptions(written_ms=between.stat().st_mtime_ns // 1_000_000 - 5)
    with agent(tmp_path, log, options=away) as tailer:
        for _ in range(2):
            cycle = tailer.cycle()
            assert (cycle.at_end, "access.log-2.xz was packed" in str(cycle.problems)) == (
                False,
                True,
            )
        (log.parent / "access.log-2").write_bytes(lzma.decompress(between.read_bytes()))
        between.unlink()
        assert tailer.cycle().at_end
    assert seen(tmp_path) == list(range(30))
    before = TailOptions(written_ms=NOW_MS * 10)
    packed(lzma.compress, "-3.xz")(log.with_name("access.log-2"))
    log.touch()
    with agent(tmp_path, log, options=before) as tailer:
        tailer.cycle()
        assert "was packed" not in str(tailer.cycle().problems), "that one was read before"


@pytest.mark.parametrize("ending", ["-20261130.tar.gz", ".1.tgz", "-1.tar", ".1.tar.zst", ".1.gpg"])
def test_e2_an_archive_that_a_read_log_was_put_into_is_not_counted_once_more(
    ending: str, tmp_path: Path, log: Path
) -> None:
    """The lines of a tar can be read, but for the first; a log that is still begun is missed."""
    with agent(tmp_path, log) as tailer:
        append(log, nginx_lines(0, 10))
        tailer.cycle()
    rotated = shifted(log)
    append(log, nginx_lines(10, 20))
    with agent(tmp_path, log, now_ms=NOW_MS + 10 * LET_GO_MS) as tailer:
        tailer.cycle()
        assert tailer.cycle().at_end
    log.with_name(f"access.log{ending}").write_bytes(b"access.log.1" + rotated.read_bytes())
    rotated.unlink()
    with agent(tmp_path, log) as tailer:
        tailer.cycle()
        last = tailer.cycle()
    assert seen(tmp_path) == list(range(20))
    assert last.at_end or "cannot be found" in last.problems[0]


def test_e2_a_file_that_was_half_read_and_then_moved_is_missed(tmp_path: Path, log: Path) -> None:
    """The agent dies in the middle of a rotated file, which then goes to another folder."""
    rotated = log.with_name("access.log.1")
    rotated.write_text(nginx_lines(0, 30_000))
    append(log, nginx_lines(30_000, 30_010))
    calls = iter([False] * 2 + [True] * 100)
    with open_spool(tmp_path / "spool") as spool:
        writer = Writer(spool, RejectedLines(tmp_path / "spool"))
        logs = [Log(path=log, form=FORMATS["nginx"])]
        tailer = Tailer(
            writer, spool.positions(), logs, now_ms=lambda: NOW_MS, stopping=lambda: next(calls)
        )
        tailer.begin("beginning")
        tailer.cycle()
        tailer.close()
    assert 0 < len(seen(tmp_path)) < 30_000
    (log.parent / "old").mkdir()
    rotated.rename(log.parent / "old" / "1")
    with agent(tmp_path, log) as tailer:
        assert tailer.cycle().at_end is False
    with agent(tmp_path, log, rotated=(f"{log.parent}/old/*",)) as tailer:
        assert tailer.cycle().at_end
    assert seen(tmp_path) == list(range(30_010))


def test_e2_files_of_another_log_that_is_followed_are_not_taken_for_rotated_ones(
    tmp_path: Path,
) -> None:
    names = ("access.log", "access-2.log", "access.log.1", "access-2-20261130.log", "access-3.log")
    for name in names:
        (tmp_path / name).write_text(name)
    others = [tmp_path / "access-2.log"]
    found = files_of(tmp_path / "access.log", others=others)
    assert {each.path.name for each in found} == {"access.log", "access.log.1", "access-3.log"}


def test_e2_a_file_whose_name_is_no_text_stops_no_agent(log: Path) -> None:
    (log.parent / os.fsdecode(b"access.log.\xff")).write_text(nginx_lines(50, 60))
    assert [each.path for each in files_of(log, others=[], rotated=[str(log) + ".*"])] == [log]


@pytest.mark.parametrize("log_bytes", [b"", b"\x1f"])
def test_e2_an_archive_that_is_empty_at_first_is_read_when_it_is_whole(
    log_bytes: bytes, tmp_path: Path, log: Path
) -> None:
    zipped = log.with_name("access.log.1.gz")
    zipped.write_bytes(log_bytes)
    with agent(tmp_path, log) as tailer:
        tailer.cycle()
        with open(zipped, "r+b") as file:
            file.write(gzip.compress(nginx_lines(0, 50).encode()))
        tailer.cycle()
        assert tailer.cycle().at_end
    assert seen(tmp_path) == list(range(50))
    assert RejectedLines(tmp_path / "spool").counts() == {}


def test_e2_a_held_promise_travels_with_its_reason(tmp_path: Path) -> None:
    with open_spool(tmp_path / "spool") as spool:
        spool.heartbeat(1000)
        spool.heartbeat(0, held="access.log is not there")
        spool.heartbeat(2000)
    headers = [decode_header(frame.payload) for frame in read_frames(tmp_path / "spool")]
    assert [(header.watermark_ms, header.held) for header in headers] == [
        (1000, ""),
        (1000, "access.log is not there"),
        (2000, ""),
    ]


MOVES = [
    "numeric",
    "old",
    "Caddy",
    "another word",
    "no suffix",
    "gzip of a number at once",
    "copytruncate to another name",
]


@settings(max_examples=examples(25))
@given(
    story=st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(1, 9)),
            st.tuples(st.sampled_from(["cycle", "restart", "move"]), st.integers(0, 6)),
        ),
        max_size=20,
    )
)
def test_e2_whatever_moves_in_whatever_order_each_line_is_read_once(
    story: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("story")
    log = folder / "logs" / "access.log"
    log.parent.mkdir()
    log.touch()
    written = moves = 0
    steps = iter([*story, ("write", 1), ("cycle", 0), ("cycle", 0)])
    more, last = True, None
    while more:
        more = False
        with agent(folder, log) as tailer:
            for what, amount in steps:
                if what == "restart":
                    more = True
                    break
                if what == "write":
                    append(log, nginx_lines(written, written + amount))
                    written += amount
                elif what == "cycle":
                    last = tailer.cycle()
                elif log.stat().st_size:
                    tailer.cycle()  # so that every file is begun: names that say nothing need it
                    append(log, nginx_lines(written, written + 2))
                    written += 2
                    moves += 1
                    target = (NAMED | HIDDEN | COPIED)[MOVES[amount]](log)
                    ending = ".gz" if target.name.endswith(".gz") else ""
                    word = "x" if MOVES[amount] in HIDDEN else "access.log."
                    # Never the name a later move takes first: it would remove this file.
                    target.rename(target.with_name(f"{word}{10 + moves}{ending}"))
                    log.touch()
    assert last is not None
    assert (last.at_end, last.problems) == (True, [])
    assert seen(folder) == list(range(written))
