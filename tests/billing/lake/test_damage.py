"""Damage to the lake is never a wrong total: readers refuse it, `check` is red, a run mends it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from billing.checks.red import CheckResult
from billing.commands.check import of_the_lake
from billing.lake import publish, query, version
from edge.errors import Corrupt
from tests.billing.homes import START, Use, close_hours, copied, make_home
from tests.billing.runner import published, rate

DAY = timedelta(days=1)
TOTALS = (
    "SELECT (SELECT sum(requests) FROM usage_daily), (SELECT sum(quantity) FROM charges),"
    " (SELECT sum(amount) FROM ledger_entries), (SELECT count(*) FROM accounts)"
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose lake has three versions, the last of which links files of those before."""
    home = make_home(tmp_path_factory.mktemp("sound"))
    for day in range(3):
        close_hours(home, START + day * DAY, 1, [Use(requests=100 + day)])
        rate(home)
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    """A copy with times of change and hard links as they were."""
    return copied(sound, tmp_path / "home")


def totals(home: Path) -> tuple[object, ...]:
    with query.connect(home, query=TOTALS) as connection:
        return tuple(connection.execute(TOTALS).fetchall()[0])


@pytest.fixture(scope="module")
def right(sound: Path) -> tuple[object, ...]:
    """What a reader of the sound home is told."""
    return totals(sound)


def red(home: Path) -> dict[str, CheckResult]:
    """What `edgetoll check` finds of the lake that is red."""
    return {one.check: one for one in of_the_lake(home) if one.is_red}


def folder(home: Path) -> Path:
    found = version.current(home)
    assert found is not None
    return found.folder


def keeping_times(path: Path, content: bytes) -> None:
    """Change a file as rot does: in place, its size and time of change as they were."""
    state = path.stat()
    with open(path, "rb+") as file:
        file.write(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def flip(path: Path, place: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    return bytes(content)


DATA: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut": lambda path: os.truncate(path, path.stat().st_size - 7),
    "emptied": lambda path: os.truncate(path, 0),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a link to its like": lambda path: (
        path.rename(path.parents[4] / "twin"),
        path.symlink_to(path.parents[4] / "twin"),
    ),
    "a bit flipped": lambda path: path.write_bytes(flip(path, path.stat().st_size // 3)),
    "a bit flipped by rot": lambda path: keeping_times(path, flip(path, path.stat().st_size // 3)),
    "its last byte flipped": lambda path: keeping_times(path, flip(path, -1)),
    "a folder in its place": lambda path: (path.unlink(), path.mkdir()),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
}
FILES = ("imported_files", "charges", "usage_5min", "domains", "account_states")


@pytest.mark.parametrize("kind", DATA)
def test_m1_a_damaged_file_is_refused_told_and_mended(kind: str, home: Path) -> None:
    right = totals(home)
    before = version.current(home)
    assert before is not None
    for table in FILES:
        path = before.paths(table)[0]
        kept = path.with_name("kept")
        os.rename(path, kept)
        shutil.copy2(kept, path)
        DATA[kind](path)
        with pytest.raises(Corrupt, match=path.name) as caught:
            query.connect(home, query="")
        assert caught.value.hint == version.MEND
        assert path.name in str(red(home)["lake_version_is_whole"].rows)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        os.rename(kept, path)
    assert red(home) == {}
    for table in set(FILES) - {"charges"}:  # whose file is the journal's own
        DATA[kind](before.paths(table)[0])
    rate(home)
    assert totals(home) == right
    assert red(home) == {}


def other_version(home: Path) -> Path:
    return min((home / "lake" / "versions").iterdir())


def swap_list(home: Path) -> None:
    shutil.copy(other_version(home) / "version.json", folder(home) / "version.json")


def swap_folder(home: Path) -> None:
    here, there = folder(home), other_version(home)
    here.rename(home / "away")
    there.rename(here)


def table_file(version: Path, table: str) -> Path:
    """The one file of a table."""
    (found,) = version.joinpath(table).glob("*.parquet")
    return found


def swap_tables(home: Path) -> None:
    here = folder(home)
    table_file(here, "plans").write_bytes(table_file(here, "domains").read_bytes())


def swap_file(home: Path) -> None:
    """An older version's file of the same table, which reads well and says less."""
    here, there = (table_file(one, "imported_files") for one in (folder(home), other_version(home)))
    shutil.copy(there, here)


def pointer(text: bytes) -> Callable[[Path], object]:
    return lambda home: (home / "lake" / "CURRENT").write_bytes(text)


def older_pointer(home: Path) -> None:
    path = home / "lake" / "CURRENT"
    path.write_bytes(path.read_bytes().replace(folder(home).name.encode(), b"00000001"))


def pointer_of_yesterday(home: Path) -> None:
    """An older copy of the pointer: its version is there, and whole."""
    old = sorted((home / "lake" / "versions").iterdir())[-2]
    seal = hashlib.sha256((old / "version.json").read_bytes()).hexdigest()
    (home / "lake" / "CURRENT").write_text(f"{old.name}\n{seal}\n", encoding="ascii")


def in_list(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def damage(home: Path) -> None:
        path = folder(home) / "version.json"
        path.write_bytes(change(path.read_bytes()))

    return damage


VERSION: dict[str, Callable[[Path], object]] = {
    "CURRENT gone": lambda home: (home / "lake" / "CURRENT").unlink(),
    "CURRENT blank": pointer(b""),
    "CURRENT a line end": pointer(b"\n"),
    "CURRENT of zeros": pointer(bytes(9)),
    "CURRENT of no version": pointer(b"00000099\n" + b"0" * 64 + b"\n"),
    "CURRENT without its hash": pointer(b"00000003\n"),
    "CURRENT of another version": older_pointer,
    "CURRENT of yesterday": pointer_of_yesterday,
    "CURRENT of words": pointer(b"../../closed now\n"),
    "CURRENT not text": pointer(b"\xff\xfe\x00"),
    "CURRENT a folder": lambda home: (
        (home / "lake" / "CURRENT").unlink(),
        (home / "lake" / "CURRENT").mkdir(),
    ),
    "list gone": lambda home: (folder(home) / "version.json").unlink(),
    "list blank": in_list(lambda _text: b""),
    "list cut": in_list(lambda text: text[: len(text) // 2]),
    "list without a file": in_list(lambda text: text.replace(b'"rows": 3', b'"rows": 2')),
    "list of another version": swap_list,
    "folder gone": lambda home: shutil.rmtree(folder(home)),
    "folder of another version": swap_folder,
    "a file of another version": swap_file,
    "a file of another table": swap_tables,
    "all versions gone": lambda home: shutil.rmtree(home / "lake" / "versions"),
    "lake gone": lambda home: shutil.rmtree(home / "lake"),
}


@pytest.mark.parametrize("kind", VERSION)
def test_m1_a_damaged_version_is_refused_told_and_mended(
    kind: str, home: Path, right: tuple[object, ...]
) -> None:
    VERSION[kind](home)
    with pytest.raises(Corrupt) as caught:
        query.connect(home, query="")
    assert "\n" not in caught.value.message
    assert caught.value.hint == version.MEND
    assert red(home).keys() & {"lake_version_is_whole", "lake_opens"}
    if kind == "CURRENT a folder":
        (home / "lake" / "CURRENT").rmdir()
    published(home)  # as every command does that changes money
    assert totals(home) == right
    assert red(home) == {}


def test_m1_a_publisher_at_work_or_killed_is_no_older_copy(home: Path) -> None:
    """A version whose list is still hidden was never shown: the pointer before it is right."""
    right = totals(home)
    (folder(home) / "version.json").rename(folder(home) / ".version.json")
    assert (totals(home), red(home)) == (right, {}), "killed after the swap of the pointer"
    rate(home)
    assert (folder(home) / "version.json").is_file()
    (folder(home) / "version.json").rename(folder(home) / ".version.json")
    pointer_of_yesterday(home)
    assert totals(home) != right, "killed before the swap: the version before is what there is"
    assert red(home) == {}
    rate(home)
    assert (totals(home), red(home)) == (right, {})


def test_m1_a_reader_that_looks_while_the_pointer_moves_gets_the_new_version(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = (home / "lake" / "CURRENT").read_bytes()
    pointer_of_yesterday(home)
    look = version._newest_shown

    def slow(home: Path) -> int:
        found = look(home)
        (home / "lake" / "CURRENT").write_bytes(newest)
        return found

    monkeypatch.setattr(version, "_newest_shown", slow)
    assert folder(home).name == "00000003"


def test_m1_a_file_that_no_version_lists_is_told_and_read_by_nobody(home: Path) -> None:
    right = totals(home)
    charges = folder(home) / "charges"
    shutil.copy(next(charges.glob("*.parquet")), charges / "00000900-00000901.parquet")
    assert totals(home) == right
    assert "00000900" in str(red(home)["lake_version_is_whole"].rows)


def test_m1_a_home_that_was_copied_file_by_file_is_whole(home: Path, tmp_path: Path) -> None:
    twin = tmp_path / "copied"
    shutil.copytree(home, twin, copy_function=shutil.copyfile)
    assert totals(twin) == totals(home)
    assert red(twin) == {}


def test_m1_a_hole_is_not_linked_on_to_later_versions(home: Path) -> None:
    first = version.current(home)
    assert first is not None
    for table in ("usage_5min", "charges"):
        first.paths(table)[0].unlink()
    close_hours(home, START + 3 * DAY, 1, [Use(requests=103)])
    rate(home)
    assert totals(home)[0] == 100 + 101 + 102 + 103
    assert red(home) == {}


def test_m1_rot_that_only_the_check_saw_is_mended_by_the_next_run(home: Path) -> None:
    """A file too large to be hashed at each opening: the check tells, and the next run mends."""
    right = totals(home)
    found = version.current(home)
    assert found is not None
    path = found.paths("usage_5min")[0]
    keeping_times(path, flip(path, path.stat().st_size // 3))
    assert version.wrong_with(found, found.of("usage_5min")[0], hashed=False) is None
    from billing.checks import red as page

    page.note_part(home, of_the_lake(home))
    rate(home)
    assert totals(home) == right
    assert red(home) == {}


def test_m1_rot_in_a_file_of_charges_is_the_journals_and_stops_the_next_run(home: Path) -> None:
    """It stands once: nothing can make it again, so it is restored, and then linked anew."""
    right = totals(home)
    found = version.current(home)
    assert found is not None
    path = found.paths("charges")[0]
    kept = path.read_bytes()
    keeping_times(path, flip(path, path.stat().st_size // 3))
    from billing.checks import red as page

    page.note_part(home, of_the_lake(home))
    with pytest.raises(Corrupt, match=path.name) as caught:
        rate(home)
    assert "restore journal/effects/" in str(caught.value.hint)
    restored = home / "journal" / "effects" / path.name
    restored.unlink()
    restored.write_bytes(kept)
    rate(home)
    assert totals(home) == right
    assert red(home) == {}


def test_m1_a_lake_that_another_program_laid_out_is_red_until_a_run_writes_it_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "layout", lambda: "that of the next release")
    (told,) = red(home).values()
    assert "another version of edgetoll wrote it" in str(told.rows)
    published(home)
    assert red(home) == {}
