"""Logs from folders, patterns and stores: each object once, the newest last."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.logs.formats.shipped import FORMATS
from edge.logs.importer import ImportResult
from edge.objects.importing import ObjectImporter, keep_on
from edge.objects.places import LogObject, is_plain, objects_of
from edge.objects.taken import FILE
from tests.edge.logs.reading import NOW_MS, nginx_lines, open_spool, spool_content


def take(folder: Path, *names: str) -> ImportResult:
    with open_spool(folder) as spool:
        importer = ObjectImporter(spool, FORMATS["nginx"], "DE", now_ms=lambda: NOW_MS)
        return importer.run(objects_of(names))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three logs, one of them packed and in a folder of its own; the second is the oldest."""
    folder = tmp_path / "logs"
    (folder / "2026").mkdir(parents=True)
    for number, name in enumerate(("b.log", "a.log", "2026/c.log.gz")):
        data = nginx_lines(number * 10, number * 10 + 10).encode()
        path = folder / name
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        os.utime(path, (1_700_000_000 + (number - 1) % 3, 1_700_000_000 + (number - 1) % 3))
    (folder / ".hidden").write_text("no log")
    return folder


def test_a_folder_is_its_files_once_and_the_newest_comes_last(logs: Path, tmp_path: Path) -> None:
    found = objects_of([str(logs), str(logs / "a.log")])
    assert [each.name.rpartition("/")[2] for each in found] == ["a.log", "c.log.gz", "b.log"]
    first = take(tmp_path / "spool", str(logs))
    assert (first.files, first.lines, first.events) == (3, 30, 30)
    again = take(tmp_path / "spool", str(logs))
    assert (again.files, again.events, again.notes) == (0, 0, ["3 objects were taken before"])
    assert spool_content(tmp_path / "spool").events == 30


def test_a_lost_list_costs_a_second_look_and_counts_nothing_twice(
    logs: Path, tmp_path: Path
) -> None:
    take(tmp_path / "spool", f"{logs}/*.log")
    (tmp_path / "spool" / FILE).unlink()
    again = take(tmp_path / "spool", f"{logs}/**/*.log*")
    assert (again.files, again.events, again.duplicates) == (3, 10, 20)


def test_an_object_that_grew_is_gone_on_with_and_one_that_was_not_understood_tried_again(
    logs: Path, tmp_path: Path
) -> None:
    (logs / "odd.log").write_text("not of this format\n")
    first = take(tmp_path / "spool", str(logs))
    assert (first.events, len(first.not_understood)) == (30, 1)
    with open(logs / "b.log", "a") as file:
        file.write(nginx_lines(50, 52))
    (logs / "odd.log").write_text(nginx_lines(90, 95))
    again = take(tmp_path / "spool", str(logs))
    assert (again.files, again.events, again.duplicates) == (2, 7, 10)


def test_a_store_is_read_through_its_file_system_and_a_packed_object_stays_packed(
    logs: Path, tmp_path: Path
) -> None:
    """The same way as s3://, by the one store that needs no server."""
    found = objects_of([f"file://{logs}/2026", f"file://{logs}/b"])
    assert [each.name for each in found] == [f"{logs}/2026/c.log.gz", f"{logs}/b.log"]
    with found[0].local() as path:
        assert path.read_bytes() == (logs / "2026/c.log.gz").read_bytes()
    assert not path.exists(), "the copy is gone"
    assert take(tmp_path / "spool", f"file://{logs}").events == 30


def test_an_object_that_cannot_be_fetched_is_a_problem_and_the_others_are_taken(
    logs: Path, tmp_path: Path
) -> None:
    store = objects_of([f"file://{logs}"])[0].store
    gone = LogObject(name=f"{logs}/gone.log", size=5, modified_ns=0, store=store)
    with open_spool(tmp_path / "spool") as spool:
        importer = ObjectImporter(spool, FORMATS["nginx"], "DE", now_ms=lambda: NOW_MS)
        result = importer.run([gone, *objects_of([f"{logs}/*.log"])])
    assert (result.events, len(result.problems)) == (20, 1)
    assert "gone.log cannot be read" in result.problems[0]


def test_what_is_not_there_is_an_error_before_there_is_a_spool(logs: Path) -> None:
    assert is_plain([str(logs / "a.log"), "nowhere"])
    assert not is_plain([str(logs)])
    for name in (f"{logs}/*.none", str(logs / "none"), f"file://{logs}/none/x"):
        with pytest.raises(InputError):
            objects_of([name])


def test_what_appears_is_taken_and_a_place_that_is_away_is_tried_again(
    logs: Path, tmp_path: Path
) -> None:
    stop, seen = threading.Event(), list[object]()

    def tell(found: ImportResult | InputError) -> None:
        """After each look something happens outside; after the third it is enough."""
        seen.append(found.events if isinstance(found, ImportResult) else found.message)
        if len(seen) == 1:
            logs.rename(tmp_path / "away")
        elif len(seen) == 2:
            (tmp_path / "away").rename(logs)
            (logs / "d.log").write_text(nginx_lines(70, 74))
        else:
            stop.set()

    with open_spool(tmp_path / "spool") as spool:
        importer = ObjectImporter(spool, FORMATS["nginx"], "DE", now_ms=lambda: NOW_MS)
        keep_on(importer, [str(logs)], stop=stop, poll_seconds=0.001, tell=tell)
    assert (seen[0], seen[2]) == (30, 4)
    assert "cannot be read" in str(seen[1])
