"""A spool that cannot be read is never taken for an edge with nothing to say (E13)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.spool.spool import Spool, SpoolFull
from metering.closed import list_closed, read_certificate
from metering.hours import requests
from metering.settings import MeteringSettings
from metering.sources.spool import SpoolSource
from metering.status import MeteringStatus, read
from metering.worker import losses
from metering.worker.status import Drained
from metering.worker.worker import Worker
from tests.edge.spool.disks import FullDisk
from tests.metering.world import HOUR, T0, Edge, Event, World, columns

EVENTS = 20


def spooled(home: Path, edge: str, *, promise: int = T0 + HOUR, begin: int = 0) -> Path:
    """A spool with two batches of this edge, the second one with its promise; its folder."""
    folder = home / "spool" / edge
    epoch = sum(edge.encode())
    with Spool.open(folder, edge, "de", random64=lambda: epoch + begin) as spool:
        spool.append(columns(Event(at=T0 + n) for n in range(EVENTS)), watermark_ms=T0)
        spool.append(columns([Event(at=T0 + EVENTS)]), watermark_ms=promise)
    return folder


def drained(home: Path, now: int = T0 + 2 * HOUR) -> tuple[MeteringStatus, Drained]:
    """One drain of a real worker over the spools of a home."""
    worker = Worker(home, SpoolSource(home), MeteringSettings(threads=1), clock=lambda: now)
    try:
        worker.start()
        met = worker.drain()
    finally:
        worker.stop()
    return read(home), met


def no_segment_no_epoch(folder: Path) -> None:
    """The example of E13."""
    spoil_durable(folder)
    (folder / "epoch.json").unlink()
    remove_segments(folder)


def spoil_durable(folder: Path) -> None:
    """One bit of the published end differs."""
    data = bytearray((folder / "durable").read_bytes())
    data[13] ^= 1
    (folder / "durable").write_bytes(bytes(data))


def remove_segments(folder: Path) -> None:
    """Every segment is gone."""
    for path in folder.glob("*.seg"):
        path.unlink()


def cut_segments(folder: Path) -> None:
    """The segments end in the middle of their first batch."""
    for path in folder.glob("*.seg"):
        os.truncate(path, path.stat().st_size // 3)


def blank_segments(folder: Path) -> None:
    """The segments hold zeros of the same length."""
    for path in folder.glob("*.seg"):
        path.write_bytes(bytes(path.stat().st_size))


def only_acknowledged_is_left(folder: Path) -> None:
    """Of a spool whose batches were once acknowledged nothing else is left."""
    for path in [*folder.iterdir()]:
        path.unlink()
    (folder / "acknowledged.json").write_bytes(b"{}")


def only_the_epoch_is_left(folder: Path) -> None:
    """What names the epoch is all that is left."""
    for path in [*folder.iterdir()]:
        if path.name != "epoch.json":
            path.unlink()


def only_what_is_beside_is_left(folder: Path) -> None:
    """Every file is gone but the room that was kept for counters."""
    for path in [*folder.iterdir()]:
        if path.name != "reserve":
            path.unlink()


def no_durable(folder: Path) -> None:
    """The published end is gone."""
    (folder / "durable").unlink()


def durable_of_another(folder: Path) -> None:
    """The published end is that of another spool."""
    other = spooled(folder.parents[1] / "elsewhere", "edge-9", begin=1_000)
    shutil.copy(other / "durable", folder / "durable")
    (folder / "durable").write_bytes((other / "durable").read_bytes())
    for path in folder.glob("*.seg"):
        path.rename(path.with_name("00000000000000000001.seg"))


def durable_is_a_folder(folder: Path) -> None:
    """What was a file is a folder."""
    (folder / "durable").unlink()
    (folder / "durable").mkdir()


def segment_is_a_folder(folder: Path) -> None:
    """The same of the only segment, under its name."""
    (segment,) = folder.glob("*.seg")
    segment.unlink()
    segment.mkdir()


def link_to_nowhere(folder: Path) -> None:
    """The folder stands on a disk that is not there."""
    shutil.rmtree(folder)
    folder.symlink_to(folder.parents[1] / "unmounted")


DAMAGES = [
    no_segment_no_epoch,
    spoil_durable,
    remove_segments,
    cut_segments,
    blank_segments,
    only_acknowledged_is_left,
    only_the_epoch_is_left,
    only_what_is_beside_is_left,
    no_durable,
    durable_of_another,
    durable_is_a_folder,
    segment_is_a_folder,
    link_to_nowhere,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_e13_hours_wait_for_an_edge_nobody_knows_whose_spool_cannot_be_read(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    spooled(tmp_path, "edge-1")
    damage(spooled(tmp_path, "edge-2"))
    status, met = drained(tmp_path)
    assert status.accepted == EVENTS + 1
    assert [hour.state for hour in status.hours] == ["open"]
    assert status.hours[0].missing_edges == ("edge-2",)
    assert [one.edge_id for one in status.unread] == ["edge-2"]
    assert any(line.startswith("unread: edge-2") for line in status.alarms)
    assert met.told


@pytest.mark.parametrize("damage", DAMAGES[:4], ids=lambda damage: str(damage.__name__))
def test_e13_past_the_deadline_the_hour_closes_as_incomplete_and_names_it(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    spooled(tmp_path, "edge-1")
    folder = spooled(tmp_path, "edge-2")
    damage(folder)
    changed = folder.stat().st_mtime_ns // 1_000_000
    drained(tmp_path, max(T0, changed) + 9 * HOUR)
    certificates = [read_certificate(file.certificate_path) for file in list_closed(tmp_path)]
    assert {one.state for one in certificates} == {"incomplete"}
    assert all("edge-2" in one.missing_edges for one in certificates)


def test_e13_whole_spools_and_an_idle_one_hold_nothing_and_alarm_nobody(tmp_path: Path) -> None:
    spooled(tmp_path, "edge-1")
    with Spool.open(tmp_path / "spool" / "edge-2", "edge-2", "de", random64=lambda: 5):
        pass
    (tmp_path / "spool" / "empty").mkdir()
    (tmp_path / "spool" / "note.txt").write_text("no spool")
    status, met = drained(tmp_path)
    assert [hour.state for hour in status.hours] == ["closed"]
    assert (status.unread, status.alarms, met.told) == ((), (), False)
    status, met = drained(tmp_path)
    assert (status.unread, status.alarms, met.told) == ((), (), False)


@pytest.mark.parametrize("room", [0, 1_000, 65_536, 65_600])
def test_e12_a_spool_that_a_full_disk_did_not_let_begin_is_no_lost_one(
    room: int, tmp_path: Path
) -> None:
    spooled(tmp_path, "edge-1")
    folder = tmp_path / "spool" / "edge-2"
    with pytest.raises(SpoolFull):
        Spool.open(folder, "edge-2", "de", random64=lambda: 5, disk=FullDisk(room))
    assert [path.name for path in folder.iterdir()] == ["writer.lock"]
    status, met = drained(tmp_path)
    assert [hour.state for hour in status.hours] == ["closed"]
    assert (status.unread, status.alarms, met.told) == ((), (), False)


def test_e13_batches_without_an_epoch_file_are_read_all_the_same(tmp_path: Path) -> None:
    (spooled(tmp_path, "edge-1") / "epoch.json").unlink()
    status, _ = drained(tmp_path)
    assert status.accepted == EVENTS + 1
    assert [hour.state for hour in status.hours] == ["closed"]


def test_e13_an_older_published_end_does_not_hide_what_was_written_since(tmp_path: Path) -> None:
    folder = spooled(tmp_path, "edge-1")
    before = (folder / "durable").read_bytes()
    drained(tmp_path)
    with Spool.open(folder, "edge-1", "de", random64=lambda: 8) as spool:
        spool.append(columns([Event(at=T0 + HOUR)]), watermark_ms=T0 + HOUR)
    drained(tmp_path)
    (folder / "durable").write_bytes(before)
    status, met = drained(tmp_path)
    assert [one.edge_id for one in status.unread] == ["edge-1"]
    assert met.told


def test_e13_what_is_being_written_is_no_alarm_and_what_was_left_behind_is_one(
    tmp_path: Path,
) -> None:
    folder = spooled(tmp_path, "edge-1")
    (segment,) = folder.glob("*.seg")
    drained(tmp_path)
    begun = segment.with_name("99999999999999999999.seg")
    begun.write_bytes(b"")
    with open(segment, "ab") as file:
        file.write(segment.read_bytes())
    status, met = drained(tmp_path)
    assert (status.unread, met.told) == ((), False)
    for path in (segment, begun):
        os.utime(path, (1, 1))
        status, met = drained(tmp_path)
        assert [one.edge_id for one in status.unread] == ["edge-1"]
        assert met.told
        os.utime(path)


EPOCHS = {
    "names nothing": None,
    "names an epoch nobody knows": (99, 4),
    "names the known one and more of it than came": (7, 3),
}


@pytest.mark.parametrize("previous", EPOCHS.values(), ids=EPOCHS)
def test_e13_a_new_epoch_that_does_not_name_the_known_one_is_an_alarm_and_a_gap(
    previous: tuple[int, int] | None, tmp_path: Path
) -> None:
    world = World(tmp_path)
    old, new = Edge(), Edge(epoch=8, previous=previous)
    world.drain(old.batch(Event(), promise=T0))
    world.drain(new.batch(Event(at=T0 + HOUR), promise=T0 + 2 * HOUR))
    assert world.states() == {"01T00": "open", "01T01": "open"}
    world.now += 5 * HOUR
    world.drain()
    assert world.states()["01T00"] == "incomplete"
    gaps = [gap for edge in world.certificates()[0].edges for gap in edge.gaps]
    assert gaps
    assert any(line.startswith("lost: edge-1") for line in world.status()["alarms"])


def test_e13_an_epoch_that_names_the_known_one_and_its_end_is_no_gap(tmp_path: Path) -> None:
    world = World(tmp_path)
    old, new = Edge(), Edge(epoch=8, previous=(7, 0))
    world.drain(
        old.batch(Event(), promise=T0), new.batch(Event(at=T0 + HOUR), promise=T0 + 2 * HOUR)
    )
    assert set(world.states().values()) == {"closed"}
    assert world.status()["alarms"] == []


@pytest.mark.parametrize("restarted", [True, False], ids=["restarted", "in a running worker"])
@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_e13_a_spool_folder_that_was_removed_whole_is_told_until_its_edge_is_retired(
    restarted: bool, left: str, tmp_path: Path
) -> None:
    (tmp_path / "edgetoll.toml").write_text("[metering]\n")
    spooled(tmp_path, "edge-1")
    folder = spooled(tmp_path, "edge-2")
    drained(tmp_path)
    source = SpoolSource(tmp_path)
    source.fetch(100, 0)
    shutil.rmtree(folder)
    if left == "an empty folder":
        folder.mkdir()
    if restarted:
        status, met = drained(tmp_path)
        assert [one.edge_id for one in status.unread] == ["edge-2"]
        assert any("edge-2: its spool folder is gone" in line for line in status.alarms)
        assert met.told
        assert [edge for edge, _ in losses.missing(tmp_path)[losses.UNREAD]] == ["edge-2"]
        at = datetime.now(UTC)
        requests.retire(tmp_path, "edge-2", at, at=at)
        status, met = drained(tmp_path)
        assert (status.unread, met.told) == ((), False)
        assert losses.missing(tmp_path)[losses.UNREAD] == []
    else:
        assert [(one.source, one.gone) for one in source.states()][-1] == ("edge-2", True)
