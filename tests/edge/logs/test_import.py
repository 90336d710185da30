"""`edge import`: each line once, whatever is repeated, renamed, zipped, grown or interrupted."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.batch.records import EventColumns, SourcePosition
from edge.errors import InputError
from edge.logs.formats.shipped import FORMATS
from edge.logs.importer import Importer
from edge.logs.positions import KnownStreams
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Writer
from edge.spool.spool import Spool, SpoolBroken
from tests.edge.logs.reading import (
    FIRST_MS,
    NOW_MS,
    examples,
    import_files,
    nginx_line,
    nginx_lines,
    open_spool,
    spool_content,
)
from tests.edge.logs.samples import CLOUDFRONT
from tests.edge.spool.disks import FailingDisk


def test_the_same_file_renamed_or_gzipped_adds_nothing(tmp_path: Path) -> None:
    text = nginx_lines(0, 1000)
    log, copy, zipped = (tmp_path / name for name in ("a.log", "b.txt", "c"))
    log.write_text(text)
    copy.write_text(text)
    zipped.write_bytes(gzip.compress(text.encode()))
    first = import_files(tmp_path / "spool", log)
    assert (first.lines, first.events, first.duplicates) == (1000, 1000, 0)
    again = import_files(tmp_path / "spool", log, copy, zipped)
    assert (again.files, again.lines, again.events, again.duplicates) == (3, 3000, 0, 3000)
    assert spool_content(tmp_path / "spool").events == 1000


def test_a_file_that_grew_is_continued_plain_and_gzipped(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for end, plain in ((10, True), (500, False), (501, True), (2000, False)):
        text = nginx_lines(0, end).encode()
        log.write_bytes(text if plain else gzip.compress(text))
        result = import_files(tmp_path / "spool", log)
        assert result.lines == end
    assert result.duplicates == 501
    content = spool_content(tmp_path / "spool")
    assert content.events == 2000
    assert sorted(content.times) == [1_789_999_000_123 + number for number in range(2000)]


def test_a_shorter_copy_of_what_was_imported_adds_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 5000))
    import_files(tmp_path / "spool", log)
    for count in (1, 2, 40, 4999):
        log.write_text(nginx_lines(0, count))
        result = import_files(tmp_path / "spool", log)
        assert (result.events, result.duplicates) == (0, count)


@pytest.mark.parametrize("count", [2, 3, 7, 31])
def test_a_small_file_that_differs_only_in_its_last_line_is_no_shorter_copy(
    count: int, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    one.write_text(nginx_lines(0, 40))
    two.write_text(nginx_lines(0, count - 1) + nginx_lines(3000, 3001))
    import_files(tmp_path / "spool", one)
    assert import_files(tmp_path / "spool", two).events == count
    again = import_files(tmp_path / "spool", two, one)
    assert (again.events, again.duplicates) == (0, count + 40)


def test_files_that_begin_alike_and_go_on_differently_are_two(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    for common in (1, 2, 30, 300):
        spool = tmp_path / f"spool{common}"
        one.write_text(nginx_lines(0, common) + nginx_lines(1000, 1400))
        two.write_text(nginx_lines(0, common) + nginx_lines(3000, 3500))
        import_files(spool, one, two)
        assert spool_content(spool).events == 2 * common + 900
        again = import_files(spool, two, one)
        assert (again.events, again.duplicates) == (0, 2 * common + 900)


def test_a_last_line_without_an_end_counts_if_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 10).rstrip("\n"))
    assert import_files(tmp_path / "spool", log).events == 10
    log.write_text(nginx_lines(0, 12))
    assert import_files(tmp_path / "spool", log).events == 2
    assert spool_content(tmp_path / "spool").events == 12


def test_a_half_last_line_is_left_and_read_when_the_file_has_grown(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for cut in (1, 50, 100):
        spool = tmp_path / f"spool{cut}"
        log.write_text(nginx_lines(0, 10) + nginx_line(10)[:cut])
        result = import_files(spool, log)
        assert (result.events, dict(result.skipped)) == (10, {"unterminated": 1})
        log.write_text(nginx_lines(0, 12))
        assert import_files(spool, log).events == 2
        assert spool_content(spool).events == 12


def test_a_gzip_that_is_cut_off_is_a_problem_and_what_it_holds_is_not_lost(tmp_path: Path) -> None:
    whole = gzip.compress(nginx_lines(0, 5000).encode())
    log = tmp_path / "a.log.gz"
    log.write_bytes(whole[: len(whole) // 2])
    result = import_files(tmp_path / "spool", log)
    assert 0 < result.events < 5000
    assert "cut off" in result.problems[0]
    log.write_bytes(whole)
    assert import_files(tmp_path / "spool", log).events == 5000 - result.events
    assert spool_content(tmp_path / "spool").events == 5000


def test_a_damaged_gzip_is_a_problem_and_the_next_file_is_read(tmp_path: Path) -> None:
    damaged, sound = tmp_path / "a.gz", tmp_path / "b.log"
    data = bytearray(gzip.compress(nginx_lines(0, 5000).encode()))
    data[20:40] = b"\xff" * 20
    damaged.write_bytes(data)
    sound.write_text(nginx_lines(9000, 9010))
    result = import_files(tmp_path / "spool", damaged, sound)
    assert len(result.problems) == 1
    assert result.files == 2
    assert spool_content(tmp_path / "spool").events == result.events >= 10


def test_e11_what_stands_in_a_gzip_before_its_damage_is_read_and_the_damage_told(
    tmp_path: Path,
) -> None:
    log = tmp_path / "a.gz"
    log.write_bytes(gzip.compress(nginx_lines(0, 5000).encode()) + b"no gzip")
    result = import_files(tmp_path / "spool", log)
    assert (result.events, len(result.problems)) == (5000, 1)
    assert "damaged gzip" in result.problems[0]


def test_gzip_of_several_members_is_one_content(tmp_path: Path) -> None:
    log = tmp_path / "a.gz"
    parts = [nginx_lines(0, 700), nginx_lines(700, 701), nginx_lines(701, 2000)]
    log.write_bytes(b"".join(gzip.compress(part.encode()) for part in parts) + b"\0" * 512)
    assert import_files(tmp_path / "spool", log).events == 2000


def test_a_cloudfront_file_is_continued_under_the_fields_it_ended_with(tmp_path: Path) -> None:
    lines = CLOUDFRONT.text.splitlines(keepends=True)
    log = tmp_path / "cf"
    for end in range(3, len(lines) + 1):
        log.write_bytes(gzip.compress("".join(lines[:end]).encode()))
        import_files(tmp_path / "spool", log, form="cloudfront")
    content = spool_content(tmp_path / "spool")
    assert content.events == len(CLOUDFRONT.events)
    assert content.bytes_sent == sum(event[4] for event in CLOUDFRONT.events)


def test_a_cloudfront_file_without_a_last_line_end_is_read_whole(tmp_path: Path) -> None:
    log = tmp_path / "cf"
    log.write_text("\n".join(CLOUDFRONT.text.splitlines()[:-1]))
    assert import_files(tmp_path / "spool", log, form="cloudfront").events == 3


def test_a_second_import_tells_lines_refused_before_apart(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 3) + "{broken\n" + nginx_lines(3, 5))
    first = import_files(tmp_path / "spool", log)
    assert (first.lines, first.events, dict(first.skipped)) == (6, 5, {"syntax": 1})
    again = import_files(tmp_path / "spool", log)
    assert (again.lines, again.events, again.duplicates) == (6, 0, 5)
    assert again.skipped == {"refused_before": 1}


def test_a_file_with_refused_lines_only_is_not_read_twice(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("{broken\n" * 5)
    import_files(tmp_path / "spool", log)
    again = import_files(tmp_path / "spool", log)
    assert again.skipped == {"refused_before": 5}


def test_empty_files_and_files_of_blank_lines_are_nothing(tmp_path: Path) -> None:
    empty, blank, zipped = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    empty.write_text("")
    blank.write_text("\n\n\n")
    zipped.write_bytes(gzip.compress(b""))
    result = import_files(tmp_path / "spool", empty, blank, zipped)
    assert (result.files, result.lines, result.problems) == (3, 0, [])


def test_a_missing_file_stops_the_import_before_anything_is_changed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 3))
    for bad in (tmp_path / "none.log", tmp_path):
        with pytest.raises(InputError):
            import_files(tmp_path / "spool", log, bad)
    assert spool_content(tmp_path / "spool").events == 0


class Killed(Exception):
    """Stands for the moment a process dies."""


class DyingSpool:
    """A spool that dies at the n-th call: before a batch is written, or before it is durable."""

    def __init__(self, spool: object, calls: int) -> None:
        self.spool = spool
        self.calls = calls

    def _count(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise Killed

    def write(
        self, content: EventColumns, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        self._count()
        return self.spool.append(content, watermark_ms, sources)  # type: ignore[attr-defined]

    def heartbeat(
        self, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        self._count()
        return self.spool.heartbeat(watermark_ms, sources)  # type: ignore[attr-defined]

    def commit(self) -> None:
        self._count()


@pytest.mark.parametrize("call", [0, 4, 6, 7, 8, 9, 10, 12])
def test_a4_a5_a_disk_that_refuses_one_write_of_an_import_passes_over_no_line(
    call: int, tmp_path: Path
) -> None:
    """Blocks wait in a queue to be written: those behind the one that failed must not go on."""
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 45_000))
    folder = tmp_path / "spool"
    disk = FailingDisk(call)
    with (
        suppress(SpoolBroken),
        Spool.open(folder, "e1", "DE", random64=lambda: 7, disk=disk) as spool,
    ):
        writer = Writer(spool, RejectedLines(folder))
        known = KnownStreams(spool.positions())
        Importer(writer, known, FORMATS["nginx"], now_ms=lambda: NOW_MS).run([log])
    result = import_files(folder, log)
    assert result.events + result.duplicates == 45_000
    assert sorted(spool_content(folder).times) == [FIRST_MS + n for n in range(45_000)]


@pytest.mark.parametrize("calls", range(12))
def test_an_import_that_dies_anywhere_is_finished_by_running_it_again(
    calls: int, tmp_path: Path
) -> None:
    """Blocks are 1 MiB at least, so three of them, one of which holds a refused line."""
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 7000) + "{broken\n" + nginx_lines(7000, 16000))
    folder = tmp_path / "spool"
    with open_spool(folder) as spool:
        writer = Writer(DyingSpool(spool, calls), RejectedLines(folder))
        known = KnownStreams(spool.positions())
        importer = Importer(writer, known, FORMATS["nginx"], now_ms=lambda: NOW_MS)
        with suppress(Killed):
            importer.run([log])
    before = spool_content(folder).events
    result = import_files(folder, log)
    assert result.events == 16000 - before
    assert result.lines == 16001
    content = spool_content(folder)
    assert sorted(content.times) == [1_789_999_000_123 + number for number in range(16000)]


@settings(max_examples=examples(10))
@given(
    cuts=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    unfinished=st.lists(st.integers(0, 150), min_size=6, max_size=6),
)
def test_however_a_file_grows_between_imports_each_line_counts_once(
    cuts: list[int], unfinished: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("grown")
    whole = nginx_lines(0, 400)
    log = folder / "a.log"
    for cut, extra in zip(sorted(cuts), unfinished, strict=False):
        place = len(nginx_lines(0, cut)) + extra
        log.write_text(whole[:place])
        import_files(folder / "spool", log)
    log.write_text(whole)
    import_files(folder / "spool", log)
    assert len(set(spool_content(folder / "spool").times)) == 400
    assert spool_content(folder / "spool").events == 400
