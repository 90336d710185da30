"""Lost disks, damaged files, a second worker: what is rebuilt, and what is refused."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from edge.errors import Corrupt
from metering.closed import list_closed, verify, verify_chain
from metering.hours import checkpoint
from metering.hours.recovery import take
from metering.store.fencing import Fenced
from tests.effort import THOROUGH
from tests.metering.world import HOUR, T0, Edge, Event, MemorySource, World, counted


def half_closed(home: Path) -> tuple[World, list[Event]]:
    """Two hours closed, one open with usage, one late event pending, one batch damaged."""
    world = World(home)
    one, two = Edge(), Edge(edge_id="edge-2", epoch=9)
    events = [Event(at=T0 + number * 60_000, domain=f"d{number % 7}.com") for number in range(170)]
    world.drain(
        one.batch(*events[:100]),
        one.batch(*events[100:], promise=T0 + 2 * HOUR),
        two.heartbeat(T0 + 2 * HOUR),
        b"rubbish",
    )
    return world, events


def figures(world: World) -> list[int]:
    """The sums of status.json."""
    status = world.status()
    return [status[name] for name in ("read", "accepted", "duplicate", "quarantined")]


def live_rows(world: World) -> list[tuple[object, ...]]:
    """What live/ shows, sorted."""
    return duckdb.execute(
        "SELECT * FROM read_parquet($path) ORDER BY ALL",
        {"path": str(world.home / "live" / "partition=spool.parquet")},
    ).fetchall()


def test_a_lost_store_is_rebuilt_to_the_unit_from_checkpoint_and_source(tmp_path: Path) -> None:
    world, events = half_closed(tmp_path)
    before = (world.files(), figures(world), live_rows(world), world.status()["edges"])
    world.forget_store()
    world.drain()
    assert (world.files(), figures(world), live_rows(world), world.status()["edges"]) == before
    assert sum(world.closed().values()) == 120
    assert len(events) == 170


def test_after_a_rebuild_duplicates_are_still_duplicates_and_forks_forks(tmp_path: Path) -> None:
    world, _ = half_closed(tmp_path)
    world.forget_store()
    again = world.source.units[0]
    fork = Edge().batch(Event(size=12345))
    world.drain(again, fork)
    status = world.status()
    assert (status["accepted"], status["duplicate"]) == (170, 100)
    assert {"reason": "fork", "source": "edge-1", "records": 1} in status["quarantine"]


def test_c16_a_flipped_or_torn_wal_heals_from_checkpoint_and_source(tmp_path: Path) -> None:
    chance = random.Random(1)
    for number in range(60 if THOROUGH else 6):
        world = World(tmp_path / str(number))
        edge = Edge()
        worker = world.worker()
        world.source.units = [
            edge.batch(Event(), Event(at=T0 + HOUR)),
            edge.heartbeat(T0 + HOUR),
            edge.batch(Event(at=T0 + HOUR + 1)),
        ]
        worker.drain()
        # The worker is dropped without closing its store, which leaves the WAL as a crash would.
        wal = world.home / "usage.duckdb.wal"
        data = bytearray(wal.read_bytes())
        database = (world.home / "usage.duckdb").read_bytes()
        worker.stop()
        if number % 2:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        else:
            del data[chance.randrange(len(data)) :]
        (world.home / "usage.duckdb").write_bytes(database)
        wal.write_bytes(bytes(data))
        world.drain(edge.heartbeat(T0 + 2 * HOUR))
        assert sum(world.closed().values()) == 3
        assert figures(world) == [3, 3, 0, 0]


def test_c17_a_removed_wal_loses_nothing(tmp_path: Path) -> None:
    world, _ = half_closed(tmp_path)
    for path in tmp_path.glob("*.wal"):
        path.unlink()
    world.drain()
    assert figures(world) == [171, 170, 0, 1]


def test_c21_a_store_copied_without_its_wal_is_behind_and_catches_up(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()))
    worker = world.worker()
    world.source.units += [edge.batch(Event(), Event()), edge.heartbeat(T0 + HOUR)]
    worker.drain()
    world.source.units.append(edge.batch(Event(at=T0 + HOUR)))
    worker.step(0)
    worker.flush()
    assert (tmp_path / "usage.duckdb.wal").stat().st_size > 0
    copied = (tmp_path / "usage.duckdb").read_bytes()
    worker.stop()
    world.forget_store()
    (tmp_path / "usage.duckdb").write_bytes(copied)
    before = world.files()
    world.drain(edge.heartbeat(T0 + 2 * HOUR))
    assert figures(world) == [4, 4, 0, 0]
    assert sum(world.closed().values()) == 4
    assert before.items() <= world.files().items()
    assert world.broken() == []


def test_c18_a_damaged_main_file_is_set_aside_and_rebuilt(tmp_path: Path) -> None:
    world, _ = half_closed(tmp_path)
    store = tmp_path / "usage.duckdb"
    data = bytearray(store.read_bytes())
    for place in range(0, len(data), 997):
        data[place] ^= 255
    store.write_bytes(bytes(data))
    before = world.files()
    world.drain()
    assert world.files() == before
    assert figures(world) == [171, 170, 0, 1]
    assert list(tmp_path.glob("usage.duckdb.damaged-*"))


def test_a_checkpoint_with_any_damaged_byte_is_refused(tmp_path: Path) -> None:
    world, _ = half_closed(tmp_path)
    (number,) = checkpoint.numbers(tmp_path, "spool")
    path = checkpoint.path_of(tmp_path, "spool", number)
    whole = path.read_bytes()
    for place in range(0, len(whole), 211):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(bytes(damaged))
        with pytest.raises(Corrupt):
            checkpoint.read(path)
    path.write_bytes(whole[:-1])
    world.forget_store()
    with pytest.raises(Corrupt, match="damaged"):
        world.drain()


def test_c23_of_two_workers_on_one_partition_exactly_one_closes_the_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    units: list[bytes | None] = [edge.batch(Event(), Event()), edge.heartbeat(T0 + HOUR)]
    first = World(tmp_path / "a")
    second = World(tmp_path / "b")
    workers = []
    for place in (first, second):
        place.home = tmp_path
        worker = place.worker(MemorySource(units=list(units)), store_name=f"{id(place)}.duckdb")
        worker.step(0)
        workers.append(worker)
    workers[1].close_due(final=True)
    with pytest.raises(Fenced, match="taken by another worker"):
        workers[0].close_due(final=True)
    for worker in workers:
        worker.stop()
    assert sum(world.closed().values()) == 2
    assert len(list_closed(tmp_path)) == 1


def test_c23_a_worker_that_wins_the_race_for_the_checkpoint_makes_the_other_stop(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    edge = Edge()
    worker = world.worker()
    world.source.units = [edge.batch(Event()), edge.heartbeat(T0 + HOUR)]
    worker.step(0)
    worker.flush()
    # Somebody else's checkpoint 1 appears between this worker's look and its own creation.
    path = checkpoint.path_of(tmp_path, "spool", 1)
    real = worker.closer._certificates

    def late(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        path.write_bytes(b"the other's")
        return found

    worker.closer._certificates = late  # type: ignore[method-assign,assignment]
    with pytest.raises(Fenced):
        worker.close_due(final=True)
    worker.stop()
    assert list_closed(tmp_path) == []


def test_c23_of_two_workers_that_begin_at_once_one_owns_every_partition(tmp_path: Path) -> None:
    names = tuple(f"{number:03d}" for number in range(8))
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            taken = list(pool.map(lambda _: take(tmp_path, dict.fromkeys(names, 0)), range(2)))
            newest = {name: checkpoint.newest_generation(tmp_path, name) for name in names}
            assert newest in taken


def test_c23_what_is_told_of_a_partition_is_told_by_its_newest_worker_alone(tmp_path: Path) -> None:
    first, second = World(tmp_path / "a"), World(tmp_path / "b")
    unit = Edge().batch(Event())
    workers = []
    for place, name in ((first, "-0"), (second, "-0-3")):
        place.home = tmp_path
        worker = place.worker(MemorySource(units=[unit]), store_name=f"usage{name}.duckdb")
        worker.live.name = name
        worker.step(0)
        worker.flush()
        worker.publish(force=True)
        workers.append(worker)
    live = {path.name.removesuffix(".sha256") for path in (tmp_path / "live").glob("*-0*")}
    told = {"hours-0-3.parquet", "quarantine-0-3.parquet", "refused-0-3.parquet"}
    assert live == told | {"status-0-3.json"}
    with pytest.raises(Fenced, match="taken by another worker"):
        workers[0].publish(force=True)  # nothing is due to close, and yet it stops
    for worker in workers:
        worker.stop()


def test_c22_a_zombie_in_the_same_store_touches_no_row_and_is_dropped(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    worker = world.worker()
    world.source.units = [edge.batch(Event())]
    worker.step(0)
    with worker.store.transaction() as transaction:
        name = "statements/metering/partition/take_partition"
        transaction.run(name, partition="spool", generation=99)
    with pytest.raises(Fenced):
        worker.flush()
    assert worker.store.usage_rows("spool") == 0
    worker.stop()


def test_a_certificate_that_was_replaced_breaks_the_chain(tmp_path: Path) -> None:
    half_closed(tmp_path)
    first, second = list_closed(tmp_path)
    text = second.certificate_path.read_text()
    second.certificate_path.write_text(text.replace('"duplicates": 0', '"duplicates": 1'))
    verify_chain([first, second])
    text = first.certificate_path.read_text()
    first.certificate_path.write_text(text.replace('"duplicates": 0', '"duplicates": 1'))
    with pytest.raises(Corrupt, match="do not chain at number 2"):
        verify_chain([first, second])


def test_a_data_file_that_differs_from_its_certificate_is_refused(tmp_path: Path) -> None:
    half_closed(tmp_path)
    file = list_closed(tmp_path)[0]
    file.data_path.write_bytes(file.data_path.read_bytes() + b" ")
    with pytest.raises(Corrupt, match="does not have the hash"):
        verify(file)


def test_a_rebuild_keeps_late_usage_that_was_not_written_yet(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge, other = Edge(), Edge(edge_id="edge-2", epoch=9)
    worker = world.worker()
    world.source.units = [edge.batch(Event()), edge.heartbeat(T0 + HOUR)]
    worker.step(0)
    worker.close_due()
    world.source.units.append(other.batch(Event(), promise=T0 + HOUR))
    worker.step(0)
    worker.close_due()
    worker.stop()
    world.forget_store()
    world.drain()
    assert [one.revision for one in world.certificates()] == [0, 1]
    assert world.closed() == counted([Event(), Event()])


def test_m1_a_store_of_another_home_is_not_believed_and_is_rebuilt(tmp_path: Path) -> None:
    here, there = World(tmp_path / "here"), World(tmp_path / "there")
    for world, size in ((here, 1), (there, 2)):
        edge = Edge()
        world.drain(edge.batch(Event(size=size)), edge.heartbeat(T0 + HOUR))
    before = here.files()
    (here.home / "usage.duckdb").write_bytes((there.home / "usage.duckdb").read_bytes())
    edge = Edge(next_sequence=2)
    here.drain(edge.batch(Event(at=T0 + HOUR)), edge.heartbeat(T0 + 2 * HOUR))
    assert here.status()["accepted"] == 2
    assert here.broken() == []
    assert before.items() <= here.files().items()
