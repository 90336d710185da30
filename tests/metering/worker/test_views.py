"""The views hours and quarantine over metering's files, and what a missing file says."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from billing.commands import check
from billing.lake.query import connect
from edge.errors import Corrupt
from metering.closed import list_closed
from metering.status import live_files, read, seal_of, verify
from tests.metering.world import HOUR, T0, Edge, Event, World


def test_hours_and_quarantine_say_what_metering_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge, mute = Edge(), Edge(edge_id="mute", epoch=9)
    world.drain(
        edge.batch(Event(), Event(at=T0 + HOUR), promise=T0 + HOUR),
        mute.batch(Event(at=T0 + HOUR)),
        b"rubbish",
    )
    with connect(tmp_path, query="hours quarantine") as connection:
        hours = connection.execute(
            "SELECT strftime(hour, '%dT%H'), state, accepted, missing_edges FROM hours ORDER BY 1"
        ).fetchall()
        reasons = connection.execute("SELECT reason, records FROM quarantine").fetchall()
    assert hours == [("01T00", "closed", 1, []), ("01T01", "open", 2, ["edge-1", "mute"])]
    assert reasons == [("syntax", 1)]


def test_a_deleted_closed_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drain(Edge().batch(Event(), promise=T0 + HOUR))
    (file,) = list_closed(tmp_path)
    file.data_path.unlink()
    shutil.rmtree(tmp_path / "live")
    with pytest.raises(Corrupt, match=r"hour=2026-11-01T00/partition=spool.r0.parquet"):
        connect(tmp_path)


@pytest.fixture(scope="module")
def live_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two hours still open, published twice; `before` has what was there at first."""
    home = tmp_path_factory.mktemp("live")
    world, edge = World(home), Edge()
    world.drain(edge.batch(Event(), Event(at=T0 + HOUR), promise=T0))
    for more in (1, 2):
        shutil.copytree(home / "live", home / "before", dirs_exist_ok=True)
        world.drain(edge.batch(Event(at=T0 + more), promise=T0), b"rubbish" * more)
    return home


LIVE = ("partition=spool.parquet", "hours.parquet", "quarantine.parquet")


@pytest.mark.parametrize("name", LIVE)
def test_issue_11_live_usage_that_was_damaged_is_refused_and_red(
    name: str, live_home: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(live_home, tmp_path / "home")
    path = home / "live" / name
    whole = path.read_bytes()
    flipped = [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 40)
    ]
    for content in (*flipped, whole[:-9], b"", bytes(len(whole)), whole + b"\n"):
        path.write_bytes(content)
        with pytest.raises(Corrupt, match=name) as caught:
            live_files(home, name.partition(".")[0])
        assert "edgetoll metering run" in caught.value.hint
    path.write_bytes(whole)
    seal = seal_of(path)
    known = seal.read_bytes()
    for content in (b"", b"\n", bytes(len(known)), known[:-9]):
        seal.write_bytes(content)
        with pytest.raises(Corrupt, match=name):
            live_files(home, name.partition(".")[0])
    seal.write_bytes(known)
    path.unlink()
    with pytest.raises(Corrupt, match=name):
        connect(home)
    assert [one.is_red for one in check.live(home)] == [True]
    path.write_bytes(whole)
    assert [one.is_red for one in check.live(home)] == [False]
    path.unlink()
    World(home).drain()
    connect(home).close()
    assert path.is_file()


def test_issue_11_live_usage_of_earlier_or_of_another_home_is_refused(tmp_path: Path) -> None:
    home, copies = tmp_path / "home", []
    for place in (tmp_path / "other", home):
        world, edge = World(place), Edge()
        for more in range(3):
            world.drain(edge.batch(Event(at=T0 + more, domain=f"{place.name}.example"), promise=T0))
            copies.append((place / "live" / LIVE[0]).read_bytes())
    assert len({*copies}) == 6
    for number, content in enumerate(copies):
        (home / "live" / LIVE[0]).write_bytes(content)
        if number < 5:
            with pytest.raises(Corrupt, match="is not what metering wrote"):
                connect(home)
        else:
            connect(home).close()


def test_issue_11_a_reader_meets_no_false_alarm_while_live_is_replaced(live_home: Path) -> None:
    """Killed between the seal and the file, or read in between: both contents are known."""
    path = live_home / "live" / LIVE[0]
    seal = live_home / "live" / f"{LIVE[0]}.sha256"
    now, next_one = path.read_bytes(), b"what is about to be"
    hashes = [hashlib.sha256(one).hexdigest().encode() for one in (now, next_one)]
    kept = seal.read_bytes()
    seal.write_bytes(b"\n".join(hashes))
    verify(path)
    path.write_bytes(next_one)
    verify(path)
    path.write_bytes(now)
    seal.write_bytes(kept)
    verify(path)


def test_issue_11_a_status_that_was_damaged_is_not_believed(
    live_home: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(live_home, tmp_path / "home")
    path = home / "live" / "status.json"
    whole = path.read_bytes()
    right, refused = read(home), 0
    for place in range(0, len(whole), 23):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert read(home) == right, "what does not matter, as a space"
        except Corrupt:
            refused += 1
            (one,) = check.live(home)
            assert one.is_red
            assert "status.json" in one.what
    assert refused * 23 > len(whole) // 2
