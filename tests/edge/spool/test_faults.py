"""The spool under faults: torn tails, flipped bits, full disks, failing disks, power cuts."""

from __future__ import annotations

import contextlib
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge.batch.codec import HEARTBEAT, decode_header
from edge.batch.records import SourcePosition
from edge.spool.durable_end import read_durable_end
from edge.spool.segment import (
    SpoolPosition,
    acknowledge,
    read_frames,
    segment_name,
    segment_path,
    segments,
)
from edge.spool.spool import Spool, SpoolBroken, SpoolFull, SpoolOptions
from tests.edge.samples import (
    NOON_MS,
    THOROUGH,
    columns,
    open_spool,
    rows,
    some,
    spooled,
    spooled_rows,
)
from tests.edge.spool.disks import FailingDisk, FullDisk, PowerCutDisk, QuickDisk


def at(offset: int) -> tuple[SourcePosition, ...]:
    """How far the one log has been read."""
    return (SourcePosition(source="log", offset=offset),)


def read_to(spool: Spool) -> int:
    """The durable position of the one log."""
    position = spool.positions().get("log")
    return 0 if position is None else position.offset


def copied(folder: Path, target: Path) -> Path:
    """A copy of a spool folder, as the disk of a crashed machine."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    return target


def sequences(folder: Path) -> list[int]:
    """Sequence numbers of the sound batches a reader gets."""
    return [sequence for _, sequence, _ in spooled(folder)]


def test_a2_torn_tail_is_cut_to_the_last_whole_unit_at_every_byte(tmp_path: Path) -> None:
    """Nothing of it had been published: whatever the length, what is whole is kept."""
    with open_spool(tmp_path / "live") as spool:
        for number in range(4):
            spool.heartbeat(NOON_MS, at(number + 1))
        epoch, segment = spool.status().epoch, spool.status().durable_end.segment
    whole = [frame.position_after.offset for frame in read_frames(tmp_path / "live")]
    data = segment_path(tmp_path / "live", segment).read_bytes()
    folder = copied(tmp_path / "live", tmp_path / "cut")
    for cut in some(range(whole[0], len(data) + 1), 11):
        (folder / "durable").unlink()
        segment_path(folder, segment).write_bytes(data[:cut])
        kept = sum(offset <= cut for offset in whole)
        with open_spool(folder, disk=QuickDisk()) as spool:
            assert read_to(spool) == kept
            assert spool.status().bytes_cut == cut - whole[kept - 1]
            assert spool.heartbeat(NOON_MS, at(9)) == (epoch, kept)
        assert sequences(folder) == [*range(kept + 1)]


def test_a2_a_unit_of_several_batches_is_cut_as_one(tmp_path: Path) -> None:
    with open_spool(tmp_path / "live") as spool:
        spool.append(columns(3), NOON_MS, at(1))
        spool.append(columns(70_000), NOON_MS, at(2))
        segment = spool.status().durable_end.segment
    frames = list(read_frames(tmp_path / "live"))
    assert len(frames) == 3
    folder = copied(tmp_path / "live", tmp_path / "cut")
    (folder / "durable").unlink()
    with open(segment_path(folder, segment), "r+b") as file:
        file.truncate(frames[1].position_after.offset)
    with open_spool(folder) as spool:
        assert read_to(spool) == 1
    assert sequences(folder) == [0]


def test_a2_no_sequence_a_reader_may_have_seen_is_given_twice(tmp_path: Path) -> None:
    """The disk lost what it had called durable: a new epoch names the last sequence of the old."""
    with open_spool(tmp_path) as spool:
        for number in range(4):
            spool.append(columns(3), NOON_MS, at(number + 1))
        epoch, end = spool.status().epoch, spool.status().durable_end
    second = list(read_frames(tmp_path))[1]
    with open(segment_path(tmp_path, end.segment), "r+b") as file:
        file.truncate(second.position_after.offset)
    with open_spool(tmp_path, seed=2) as spool:
        assert spool.status().durable_bytes_lost
        assert spool.status().epoch != epoch
        assert read_to(spool) == 4
        spool.append(columns(3), NOON_MS)
    last = [decode_header(frame.payload) for frame in read_frames(tmp_path)][-1]
    assert (last.sequence, last.previous_epoch) == (0, (epoch, 3))


def test_a2_a_segment_born_in_the_crash_is_removed(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        epoch, _ = spool.append(columns(3), NOON_MS, at(1))
    (first,) = segments(tmp_path)
    for content in (b"", b"\x00" * 100, b"\xf5ETs torn"):
        segment_path(tmp_path, segment_name(int(first) + 1)).write_bytes(content)
        with open_spool(tmp_path) as spool:
            assert spool.status().epoch == epoch
            assert read_to(spool) == 1
        assert segments(tmp_path) == [first]


def test_a3_every_flipped_byte_costs_its_own_batch_only(tmp_path: Path) -> None:
    with open_spool(tmp_path / "live") as spool:
        for number in range(4):
            content = columns(1) if number % 2 else HEARTBEAT
            spool.append(content, NOON_MS, at(number + 1))
        epoch, segment = spool.status().epoch, spool.status().durable_end.segment
    frames = list(read_frames(tmp_path / "live"))
    folder = copied(tmp_path / "live", tmp_path / "flipped")
    path = segment_path(folder, segment)
    sound = path.read_bytes()
    for place in some(range(len(sound)), 11):
        flipped = bytearray(sound)
        flipped[place] ^= 0x10
        path.write_bytes(flipped)
        found = list(read_frames(folder))
        hit = [
            n for n, f in enumerate(frames) if f.position.offset <= place < f.position_after.offset
        ]
        assert len([frame for frame in found if frame.damaged]) == 1
        assert all(frame.reason and frame.payload for frame in found if frame.damaged)
        assert sequences(folder) == [n for n in range(4) if n not in hit]
        assert found[-1].position_after == frames[-1].position_after
        if place % 10 == 0:
            with open_spool(folder, disk=QuickDisk()) as spool:
                assert read_to(spool) == 4
                assert spool.heartbeat(NOON_MS) == (epoch, 4)
            shutil.copyfile(tmp_path / "live" / "durable", folder / "durable")


def test_a3_a_damaged_head_inside_a_batch_does_not_hide_the_next(tmp_path: Path) -> None:
    """A payload that contains the magic of a frame is not taken for one."""
    with open_spool(tmp_path) as spool:
        spool.append(columns(3), NOON_MS, (SourcePosition(source="\x00ETs" * 50, offset=1),))
        spool.append(columns(3), NOON_MS)
        segment = spool.status().durable_end.segment
    first = next(iter(read_frames(tmp_path)))
    path = segment_path(tmp_path, segment)
    data = bytearray(path.read_bytes())
    data[first.position.offset] ^= 1
    path.write_bytes(data)
    assert [frame.damaged for frame in read_frames(tmp_path)] == [True, False]


def test_a3_a_damaged_durable_end_hides_what_is_new_until_it_is_opened_again(
    tmp_path: Path,
) -> None:
    with open_spool(tmp_path, options=SpoolOptions(segment_bytes=900, reserve_bytes=0)) as spool:
        for _ in range(3):
            spool.append(columns(3), NOON_MS)
    sealed = sequences(tmp_path)
    for place in some(range(50), 7):
        durable_end = bytearray((tmp_path / "durable").read_bytes())
        durable_end[place] ^= 0xFF
        (tmp_path / "durable").write_bytes(durable_end)
        assert read_durable_end(tmp_path) is None
        assert sequences(tmp_path) == sealed[: len(sequences(tmp_path))]
        open_spool(tmp_path, disk=QuickDisk()).close()
        assert sequences(tmp_path) == sealed == [0, 1, 2]


def test_a4_a_full_disk_appends_nothing_and_loses_nothing_at_any_byte(tmp_path: Path) -> None:
    for room in some(range(66_000, 69_000, 37), 7):
        folder = tmp_path / "full"
        shutil.rmtree(folder, ignore_errors=True)
        disk = FullDisk(room)
        spool = open_spool(folder, disk=disk)
        done = 0
        with contextlib.suppress(SpoolFull):
            while True:
                spool.append(columns(3, seed=done), NOON_MS, at(done + 1))
                done += 1
        assert spool.status().disk_full
        assert sequences(folder) == [*range(done)]
        assert read_to(spool) == done
        disk.room = 1 << 20
        spool.append(columns(3, seed=done), NOON_MS, at(done + 1))
        assert not spool.status().disk_full
        spool.close()
        assert sequences(folder) == [*range(done + 1)]
        with open_spool(folder) as spool:
            assert read_to(spool) == done + 1


def test_a4_a_full_disk_stops_a_group_as_a_whole(tmp_path: Path) -> None:
    disk = FullDisk(68_000)
    with open_spool(tmp_path, disk=disk) as spool:
        spool.append(columns(3), NOON_MS, at(1))
        spool.write(columns(3), NOON_MS, at(2))
        with pytest.raises(SpoolFull):
            spool.write(columns(1000), NOON_MS, at(3))
        assert read_to(spool) == 1
        disk.room = 1 << 20
        assert spool.append(columns(3), NOON_MS, at(2))[1] == 1
    assert sequences(tmp_path) == [0, 1]


def test_a5_a_failed_fsync_never_trusts_the_segment_again(tmp_path: Path) -> None:
    """Whichever I/O call fails, what append returned for is read, and nothing is read twice."""
    with open_spool(tmp_path / "new") as spool:
        spool.append(columns(3), NOON_MS, at(1))
    calls = 0
    for first in range(60):
        folder = copied(tmp_path / "new", tmp_path / "failing")
        disk = FailingDisk(first)
        calls = max(calls, run_on(folder, disk))
        assert sequences(folder) == [*range(len(sequences(folder)))]
    assert calls < 60, "every call of the run has failed once"


def run_on(folder: Path, disk: FailingDisk) -> int:
    """Append ten batches with retries on a failing disk, check what is there; calls made."""
    spool: Spool | None = None
    options = SpoolOptions(segment_bytes=2500, reserve_bytes=0)
    while spool is None:
        try:
            spool = open_spool(folder, disk=disk, options=options)
        except SpoolBroken:
            continue
    for number in range(2, 12):
        while read_to(spool) < number:
            try:
                spool.append(columns(number), NOON_MS, at(number))
            except SpoolBroken:
                assert read_to(spool) == number - 1
    spool.close()
    assert [events for _, _, events in spooled(folder)] == [3, *range(2, 12)]
    with open_spool(folder) as again:
        assert read_to(again) == 11
    return disk.calls


def test_a5_a_disk_that_fails_for_long_is_an_error_and_then_heals(tmp_path: Path) -> None:
    for first in some(range(4, 24), 5):
        folder = tmp_path / str(first)
        disk = FailingDisk(first, count=25)
        expected = []
        spool = None
        for number in range(40):
            try:
                if spool is None:
                    spool = open_spool(folder, disk=disk)
                spool.append(columns(3), NOON_MS, at(number))
                expected.append(number)
            except SpoolBroken:
                continue
        assert spool is not None
        assert read_to(spool) == expected[-1]
        spool.close()
        assert sequences(folder) == [*range(len(expected))]
        assert len(expected) >= 15


def test_a6_after_a_power_cut_everything_appended_is_there_and_nothing_twice(
    tmp_path: Path,
) -> None:
    chance = random.Random(6)
    options = SpoolOptions(segment_bytes=2500, reserve_bytes=0)
    folder = tmp_path / "0"
    folder.mkdir()
    seen: dict[tuple[int, int], str] = {}
    appended = 0
    for turn in range(80 if THOROUGH else 25):
        disk = PowerCutDisk(folder)
        spool = open_spool(folder, seed=turn, disk=disk, options=options)
        assert read_to(spool) >= appended
        appended = read_to(spool)
        for _ in range(chance.randint(0, 4)):
            spool.append(columns(3, seed=appended), NOON_MS, at(appended + 1))
            appended += 1
        for frame in read_frames(folder):
            header = decode_header(frame.payload)
            known = seen.setdefault((header.epoch, header.sequence), header.payload_sha256)
            assert known == header.payload_sha256, "one identity, two contents"
        for extra in range(chance.randint(0, 3)):
            spool.write(columns(3, seed=appended + extra), NOON_MS, at(appended + extra + 1))
        folder = tmp_path / str(turn + 1)
        disk.cut(folder, chance)
        spool._lock.__exit__(None, None, None)  # type: ignore[union-attr]
        spool._writer.close()
    open_spool(folder, disk=QuickDisk(), options=options).close()
    expected = sorted(row for n in range(len(seen)) for row in rows(columns(3, seed=n)))
    found = spooled_rows(folder)
    assert [row for row in expected if row not in found] == []
    assert len({epoch for epoch, _, _ in spooled(folder)}) == 1
    assert len(found) == 3 * len(spooled(folder))


def test_a8_a_wiped_disk_begins_a_new_epoch(tmp_path: Path) -> None:
    with open_spool(tmp_path / "a", seed=1) as spool:
        first, _ = spool.append(columns(3), NOON_MS)
    shutil.rmtree(tmp_path / "a")
    with open_spool(tmp_path / "a", seed=2) as spool:
        assert spool.append(columns(3), NOON_MS)[0] != first


def test_a8_a_reader_of_the_wiped_spool_reads_the_new_one_from_its_beginning(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "a"
    with open_spool(folder, seed=1) as spool:
        for _ in range(3):
            spool.append(columns(3), NOON_MS)
    place = [frame.position_after for frame in read_frames(folder)][-1]
    shutil.rmtree(folder)
    with open_spool(folder, seed=2) as spool:
        new = [spool.append(columns(count), NOON_MS) for count in (3, 5)]
    headers = [decode_header(frame.payload) for frame in read_frames(folder, place)]
    assert [(each.epoch, each.sequence) for each in headers] == new
    ahead = replace(place, segment=segment_name(10**19))  # its clock was set back meanwhile
    assert len(list(read_frames(folder, ahead))) == 2


def test_a8_lost_segments_begin_a_new_epoch_that_names_the_old_one(tmp_path: Path) -> None:
    everything = "*.seg durable acknowledged.json"
    for lost in (everything, "*.seg", "*.seg durable", "*.seg epoch.json", "durable epoch.json"):
        folder = tmp_path / lost.replace("*", "").replace(" ", "-")
        with open_spool(folder, seed=1) as spool:
            first = spool.append(columns(3), NOON_MS)[0]
            spool.append(columns(3), NOON_MS)
            acknowledge(folder, first, 1, spool.status().durable_end)
        for pattern in lost.split():
            for path in folder.glob(pattern):
                path.unlink()
        with open_spool(folder, seed=2) as spool:
            epoch, sequence = spool.append(columns(3), NOON_MS)
        headers = [decode_header(frame.payload) for frame in read_frames(folder)]
        if lost in ("*.seg", "*.seg durable"):
            assert headers[-1].previous_epoch == (first, 1)
            assert (epoch != first, sequence) == (True, 0)
        elif lost == "durable epoch.json":
            assert (epoch, sequence) == (first, 2)
        else:
            assert (epoch != first, sequence) == (True, 0)


def test_a9_a_cloned_spool_shows_as_one_identity_with_two_hashes(tmp_path: Path) -> None:
    with open_spool(tmp_path / "a") as spool:
        spool.append(columns(3), NOON_MS)
    copied(tmp_path / "a", tmp_path / "b")
    headers = []
    for name, seed in (("a", 1), ("b", 2)):
        with open_spool(tmp_path / name) as spool:
            spool.append(columns(3, seed=seed), NOON_MS)
        headers.append([decode_header(f.payload) for f in read_frames(tmp_path / name)][-1])
    assert headers[0].identity == headers[1].identity
    assert headers[0].payload_sha256 != headers[1].payload_sha256


def test_an_unreadable_acknowledgement_deletes_nothing_and_stops_nobody(tmp_path: Path) -> None:
    with open_spool(tmp_path, options=SpoolOptions(segment_bytes=900, reserve_bytes=0)) as spool:
        for _ in range(3):
            spool.append(columns(3), NOON_MS)
        acknowledge(tmp_path, 1, 1, SpoolPosition(segment="9" * 20, offset=0))
        (tmp_path / "acknowledged.json").write_bytes(b'{"epoch": ')
        assert spool.retention(NOON_MS) == []
        assert spool.retention(NOON_MS * 2) == []
    with open_spool(tmp_path) as spool:
        assert spool.append(columns(3), NOON_MS)[1] == 3
