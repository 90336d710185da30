"""Each check of metering holds after real work, and fires on a planted fault."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from metering.worker import checks
from tests.metering.world import HOUR, T0, Edge, Event, World

FAULTS = {
    "conservation": "UPDATE partitions SET events_read = events_read + 1",
    "usage_is_accepted": "UPDATE usage SET requests = requests + 1",
    "intervals_are_apart": "INSERT INTO intervals SELECT * FROM intervals LIMIT 1",
    "batches_are_held": "UPDATE epochs SET batches = batches + 1",
    "batches_are_accepted": "UPDATE partitions SET batches_accepted = 1",
    "quarantine_is_counted": "DELETE FROM quarantine",
    "evidence_equals_usage": "UPDATE hour_batches SET events = events - 1",
    "hours_are_certified": "UPDATE hours SET requests = requests - 1",
}


def worked(home: Path) -> World:
    """Closed hours, a late revision, open usage, quarantine, a gap."""
    world = World(home)
    edge = Edge()
    lost = Edge(next_sequence=5)
    world.drain(
        edge.batch(Event(), Event(at=T0 + HOUR)),
        edge.heartbeat(T0 + HOUR),
        lost.batch(Event(at=T0 + HOUR)),
        b"rubbish",
    )
    world.drain(Edge(edge_id="edge-2", epoch=9).batch(Event(), promise=T0 + HOUR))
    return world


def broken(home: Path) -> set[str]:
    """The checks that return rows."""
    return {found.check.removeprefix("metering_") for found in checks.run(home) if found.rows}


def test_every_check_holds_after_real_work(tmp_path: Path) -> None:
    worked(tmp_path)
    assert broken(tmp_path) == set()
    assert {name.rsplit("metering_", 1)[1] for name in checks.names()} == set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_each_check_fires_on_a_planted_fault(name: str, tmp_path: Path) -> None:
    worked(tmp_path)
    with duckdb.connect(str(tmp_path / "usage.duckdb")) as connection:
        connection.execute(FAULTS[name])
    assert name in broken(tmp_path)


def test_c18_damage_to_the_newest_checkpoint_or_to_what_it_names_is_found(tmp_path: Path) -> None:
    world = worked(tmp_path)
    place = tmp_path / "closed" / "checkpoints" / "partition=spool"
    last = world.certificates()[-1]
    data = tmp_path / "closed" / f"hour={last.hour}" / last.data_file
    named = [data, *place.glob("*.parquet")]
    assert len(named) > 1
    for path in (*named, max(place.glob("*.checkpoint"))):
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        assert broken(tmp_path) == {"checkpoints_are_whole"}, path
        path.write_bytes(whole)
    for path in named:
        path.rename(path.with_suffix(".away"))
        assert broken(tmp_path) == {"checkpoints_are_whole"}, path
        path.with_suffix(".away").rename(path)
    assert broken(tmp_path) == set()


def test_c18_a_changed_newest_certificate_is_found_though_no_later_one_names_it(
    tmp_path: Path,
) -> None:
    world = worked(tmp_path)
    last = world.certificates()[-1]
    name = last.data_file.replace(".parquet", ".certificate.json")
    path = tmp_path / "closed" / f"hour={last.hour}" / name
    text = path.read_text()
    path.write_text(text.replace('"complete_through": "2026', '"complete_through": "2027'))
    assert path.read_text() != text
    assert broken(tmp_path) == {"checkpoints_are_whole"}


def test_a_store_in_use_is_judged_by_what_its_worker_publishes(tmp_path: Path) -> None:
    world = worked(tmp_path)
    document = (tmp_path / "live" / "status.json").read_text()
    (tmp_path / "live" / "status.json").write_text(
        document.replace('"adds_up": true', '"adds_up": false')
    )
    worker = world.worker()
    # The same process may open the file twice, so the check is asked as another process would.
    found = checks._published(tmp_path, "usage.duckdb")
    worker.stop()
    assert found.rows
