"""When a transaction is committed: soon where somebody waits for it, seldom behind a backlog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from metering.sources.source import SourceBatch
from metering.worker.worker import Worker
from tests.metering.world import HOUR, T0, Edge, Event, MemorySource, World


class OneByOne(MemorySource):
    """A backlog of which each fetch brings one unit."""

    def fetch(self, max_batches: int, timeout_s: float) -> list[SourceBatch]:
        return super().fetch(1, timeout_s)


@contextmanager
def behind(folder: Path, units: list[bytes | None]) -> Iterator[tuple[World, Worker]]:
    """A worker in front of `units`, none of them read yet."""
    world = World(folder, flush_seconds=1, catch_up_flush_seconds=5)
    worker = world.worker(OneByOne(units=units))
    try:
        yield world, worker
    finally:
        worker.stop()


def stored(worker: Worker) -> int:
    """Requests that are committed."""
    return worker.store.load("spool").events.accepted


def test_behind_a_backlog_of_old_events_a_transaction_gathers_for_five_seconds_and_no_longer(
    tmp_path: Path,
) -> None:
    edge = Edge()
    with behind(tmp_path, [edge.batch(Event()) for _ in range(20)]) as (world, worker):
        seen = []
        for _ in range(7):
            worker.step(0)
            seen.append(stored(worker))
            world.now += 1000
    assert seen == [0, 0, 0, 0, 0, 6, 6]


@pytest.mark.parametrize("fresh", ["event", "promise"])
def test_what_speaks_of_the_last_half_minute_is_committed_after_a_second_also_behind_a_backlog(
    fresh: str, tmp_path: Path
) -> None:
    edge = Edge()
    at = T0 + 10 * HOUR - 20_000
    recent = edge.batch(Event(at=at)) if fresh == "event" else edge.heartbeat(at)
    units = [recent, *(edge.batch(Event()) for _ in range(20))]
    with behind(tmp_path, units) as (world, worker):
        for _ in range(3):
            worker.step(0)
            world.now += 500
        assert stored(worker) == 2 + (fresh == "event")


def test_what_was_read_to_its_end_is_committed_after_a_second_however_old_it_is(
    tmp_path: Path,
) -> None:
    edge = Edge()
    with behind(tmp_path, [edge.batch(Event()) for _ in range(2)]) as (world, worker):
        for _ in range(2):
            worker.step(0)
            world.now += 1000
        assert stored(worker) == 2


def test_old_traffic_of_many_hours_is_committed_before_there_is_no_table_for_it(
    tmp_path: Path,
) -> None:
    edge = Edge()
    units = [edge.batch(Event(at=T0 + 300_000 * number)) for number in range(60)]
    with behind(tmp_path, units) as (world, worker):
        for _ in range(30):
            worker.step(0)
        world.now += 1000
        assert stored(worker) == 0
        worker.step(0)
        assert stored(worker) == 31


def test_what_is_published_holds_what_was_counted_a_fifth_of_a_second_ago(tmp_path: Path) -> None:
    edge = Edge()
    now = T0 + 10 * HOUR
    with behind(tmp_path, [edge.batch(Event(at=now)) for _ in range(3)]) as (world, worker):
        worker.step(0)
        world.now += 1000
        worker.step(0)
        assert stored(worker) == 2
        worker.step(0)
        world.now += 200
        worker.publish()
        assert world.status()["accepted"] == 3


@pytest.mark.parametrize(("age", "share"), [(0, 2), (HOUR, 10)], ids=["of_now", "old"])
def test_publishing_takes_half_the_time_at_most_and_a_tenth_behind_a_backlog(
    age: int, share: int, tmp_path: Path
) -> None:
    edge = Edge()
    at = T0 + 10 * HOUR - age
    with behind(tmp_path, [edge.batch(Event(at=at)) for _ in range(30)]) as (world, worker):
        worker.step(0)
        worker.publish()
        worker._times.publish_cost = 700
        first = world.status()["fresh_at"]
        world.now += 700 * share - 1
        worker.publish()
        assert world.status()["fresh_at"] == first
        world.now += 1
        worker.publish()
        assert world.status()["fresh_at"] != first
