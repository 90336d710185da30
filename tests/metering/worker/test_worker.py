"""From a source to closed hours: totals, order, lateness, folding, waivers, what people see."""

from __future__ import annotations

import random
import tempfile
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.closed import list_closed, verify_chain
from metering.hour import time_of
from metering.hours import requests
from tests.effort import THOROUGH
from tests.metering.world import HOUR, T0, Edge, Event, MemorySource, World, counted

CUT = 4
"""Events in a batch that is delivered in any order."""


def day(seed: int, count: int = 300) -> list[Event]:
    """Random events over three hours."""
    chance = random.Random(seed)
    return [
        Event(
            at=T0 + chance.randrange(3 * HOUR),
            domain=chance.choice(["a.com", "b.com", "*.c.com", ""]),
            kind=chance.randrange(4),
            size=chance.randrange(1 << 40),
        )
        for _ in range(count)
    ]


def test_a_drain_counts_every_event_and_closes_what_is_promised(tmp_path: Path) -> None:
    world = World(tmp_path)
    events = day(1)
    edge = Edge()
    world.drain(edge.batch(*events), edge.heartbeat(T0 + 3 * HOUR))
    assert world.closed() == counted(events)
    assert world.status()["accepted"] == 300
    assert world.states() == {"01T00": "closed", "01T01": "closed", "01T02": "closed"}
    verify_chain(list_closed(tmp_path))


def test_a_second_drain_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(*day(2)), edge.heartbeat(T0 + 3 * HOUR))
    before = world.files()
    world.drain()
    assert world.files() == before


def deliver(folder: Path, order: list[int], seed: int, cut: int) -> World:
    """A world in which 12 batches arrived in `order`, `cut` events each."""
    world = World(folder, flush_rows=7)
    edge = Edge()
    events = day(seed, 12 * cut)
    batches = [edge.batch(*events[at : at + cut]) for at in range(0, 12 * cut, cut)]
    batches.append(edge.heartbeat(T0 + 3 * HOUR))
    world.drain(*[batches[number] for number in order], *batches)
    return world


@cache
def straight(seed: int) -> dict[str, bytes]:
    """The closed files of those batches, each delivered once and in order."""
    with tempfile.TemporaryDirectory() as folder:
        return deliver(Path(folder), [], seed, CUT).files()


@settings(max_examples=60 if THOROUGH else 8)
@given(
    st.lists(st.integers(0, 12), max_size=30),
    st.integers(0, 5),
)
def test_c7_any_order_and_any_repetition_gives_byte_equal_closed_files(
    order: list[int], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = deliver(Path(folder), order, seed, CUT)
        assert world.files() == straight(seed)
        assert world.closed() == counted(day(seed, 12 * CUT))
        status = world.status()
        assert status["adds_up"]
        assert world.broken() == []
        assert status["duplicate"] == status["read"] - 12 * CUT


@settings(max_examples=30 if THOROUGH else 6)
@given(st.integers(1, 108), st.integers(0, 3))
def test_c7_any_batching_gives_the_same_usage(cut: int, seed: int) -> None:
    events = day(seed, 108)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        edge = Edge()
        parts = [edge.batch(*events[at : at + cut]) for at in range(0, 108, cut)]
        world.drain(*parts, edge.heartbeat(T0 + 3 * HOUR))
        assert world.closed() == counted(events)


def test_e1_an_event_on_the_hour_belongs_to_the_new_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(
        edge.batch(Event(at=T0 + HOUR), Event(at=T0 + HOUR - 1)), edge.heartbeat(T0 + 2 * HOUR)
    )
    assert [one.requests for one in world.certificates()] == [1, 1]


def test_late_usage_becomes_a_revision_that_holds_only_the_difference(tmp_path: Path) -> None:
    world = World(tmp_path)
    one, two = Edge(), Edge(edge_id="edge-2", epoch=9)
    world.drain(one.batch(Event(), Event(domain="b.com")), one.heartbeat(T0 + HOUR))
    first = world.files()
    world.drain(two.batch(Event(), Event(at=T0 + 300_000)), two.heartbeat(T0 + HOUR))
    assert first.items() <= world.files().items()
    revision = world.certificates()[-1]
    assert (revision.revision, revision.requests, revision.state) == (1, 2, "closed")
    assert [(edge.edge_id, edge.late) for edge in revision.edges if edge.late] == [("edge-2", 2)]
    assert sum(world.closed().values()) == 4
    assert [hour["late"] for hour in world.status()["hours"]] == [2]


def test_a_certificate_names_edges_epochs_sequences_and_counts(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(
        edge.batch(Event()),
        edge.batch(Event(at=T0 + HOUR), Event()),
        edge.heartbeat(T0 + 2 * HOUR),
    )
    first, second = world.certificates()
    (evidence,) = first.edges
    (epoch,) = evidence.epochs
    assert (evidence.edge_id, evidence.region) == ("edge-1", "de")
    assert (epoch.first_sequence, epoch.last_sequence, epoch.batches, epoch.events) == (0, 1, 2, 2)
    assert second.edges[0].epochs[0].events == 1
    assert second.complete_through == "2026-11-01T02"


def test_e9_a_silent_edge_makes_the_hour_incomplete_and_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    one, two = Edge(), Edge(edge_id="edge-2", epoch=9)
    world.now = T0 + HOUR
    world.drain(one.batch(Event(), promise=T0 + HOUR), two.batch(Event(), promise=T0 + 5))
    assert world.states() == {"01T00": "open"}
    assert world.status()["hours"][0]["missing_edges"] == ["edge-2"]
    world.now = T0 + 5 * HOUR
    world.drain()
    (certificate,) = world.certificates()
    assert (certificate.state, certificate.missing_edges) == ("incomplete", ("edge-2",))


def test_an_incomplete_hour_becomes_closed_by_a_revision_when_the_edge_is_back(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()))
    world.now += 5 * HOUR
    world.drain()
    assert world.states() == {"01T00": "incomplete"}
    world.drain(edge.heartbeat(T0 + HOUR))
    assert world.states() == {"01T00": "closed"}
    assert [one.rows for one in world.certificates()] == [1, 0]


def test_a_waived_edge_closes_the_hour_with_name_and_reason(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()))
    requests.waive(
        tmp_path, "edge-1", time_of(T0), reason="disk lost", by="kim", at=time_of(T0 + HOUR)
    )
    world.drain()
    (certificate,) = world.certificates()
    (waiver,) = certificate.waivers
    assert (certificate.state, waiver.by, waiver.reason) == ("closed", "kim", "disk lost")


def test_an_expected_edge_that_was_never_heard_holds_the_hour_open(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.now = T0 + HOUR + 600_000
    requests.expect(tmp_path, "edge-2", "fr", time_of(T0), at=time_of(T0))
    edge = Edge()
    world.drain(edge.batch(Event()), edge.heartbeat(T0 + HOUR))
    assert world.states() == {"01T00": "open"}
    requests.retire(tmp_path, "edge-2", time_of(T0), at=time_of(T0 + HOUR))
    world.drain()
    assert world.states() == {"01T00": "closed"}


def test_a_hole_keeps_the_hour_open_until_it_is_filled(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    first, lost, last = edge.batch(Event()), edge.batch(Event()), edge.heartbeat(T0 + HOUR)
    world.drain(first, last)
    assert world.states() == {"01T00": "open"}
    assert world.status()["edges"][0]["gaps"] == [
        {"epoch": 7, "first_sequence": 1, "last_sequence": 1}
    ]
    world.drain(lost)
    assert world.states() == {"01T00": "closed"}


def test_d7_random_names_are_folded_to_one_unattributed_row(tmp_path: Path) -> None:
    world = World(tmp_path, unowned_names_kept=3)
    edge = Edge()
    busy = [Event(domain=f"busy{number}.com") for number in range(3) for _ in range(5)]
    noise = [Event(domain=f"x{number}.com") for number in range(500)]
    world.drain(edge.batch(*noise, *busy), edge.heartbeat(T0 + HOUR))
    found = {domain: requests for (_, domain, _), requests in world.closed().items()}
    assert found == {"busy0.com": 5, "busy1.com": 5, "busy2.com": 5, None: 500}


@pytest.mark.parametrize("at_once", [False, True])
def test_d7_random_names_are_flushed_before_they_fill_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr("metering.counting.flush.NAMES_KEPT", 8)
    world = World(tmp_path, flush_seconds=999)
    edge = Edge()
    worker = world.worker()
    for number in range(6):
        names = [Event(domain=f"x{number}-{place}.com") for place in range(5)]
        world.source.units.append(edge.batch(*names))
        if not at_once:
            worker.step(0)
            assert len(worker._partitions["spool"].flush.names) < 8
    assert worker.step(0) == (6 if at_once else 0)
    assert worker.store.load("spool").flush_no == 3
    worker.drain()
    worker.stop()
    assert world.status()["accepted"] == 30
    still_open = (hour["accepted"] for hour in world.status()["hours"] if hour["state"] == "open")
    assert sum(world.closed().values()) + sum(still_open) == 30


def test_d7_an_owned_name_is_never_folded(tmp_path: Path) -> None:
    world = World(tmp_path, unowned_names_kept=0)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "owned_domains.txt").write_text("mine.com\n*.wild.com\n")
    edge = Edge()
    world.drain(
        edge.batch(Event(domain="mine.com"), Event(domain="other.com")), edge.heartbeat(T0 + HOUR)
    )
    assert {domain for _, domain, _ in world.closed()} == {"mine.com", None}


def test_d8_random_names_under_a_wildcard_are_counted_to_the_wildcard(tmp_path: Path) -> None:
    world = World(tmp_path, unowned_names_kept=1)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "owned_domains.txt").write_text("*.wild.com\n")
    edge = Edge()
    names = [Event(domain=f"r{number}.wild.com") for number in range(50)]
    world.drain(edge.batch(*names, Event(domain="r7.wild.com")), edge.heartbeat(T0 + HOUR))
    found = {domain: requests for (_, domain, _), requests in world.closed().items()}
    assert found == {"r7.wild.com": 2, "*.wild.com": 49}


def test_folding_depends_on_the_content_of_the_hour_alone(tmp_path: Path) -> None:
    events = [Event(domain=f"x{number % 40}.com") for number in range(97)]
    shuffled = random.Random(3).sample(events, len(events))
    folders = []
    for name, given_events in (("one", events), ("two", shuffled)):
        world = World(tmp_path / name, unowned_names_kept=5)
        edge = Edge()
        parts = [edge.batch(event) for event in given_events]
        world.drain(*parts, edge.heartbeat(T0 + HOUR))
        folders.append(world.files())
    assert folders[0] == folders[1]


def test_live_holds_the_open_hours_and_those_closed_a_short_while_ago(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event(), Event(at=T0 + HOUR), Event(at=T0 + HOUR)))
    world.drain(edge.heartbeat(T0 + HOUR))
    assert world.states() == {"01T00": "closed", "01T01": "open"}
    query = "SELECT epoch_ms(bucket), requests FROM read_parquet($path) ORDER BY ALL"
    path = {"path": str(tmp_path / "live" / "partition=spool.parquet")}
    assert duckdb.execute(query, path).fetchall() == [(T0, 1), (T0 + HOUR, 2)]
    world.now += 3 * HOUR
    world.drain()
    assert duckdb.execute(query, path).fetchall() == [(T0 + HOUR, 2)]


def test_live_quarantine_says_reason_source_and_number(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drain(b"rubbish", b"more rubbish", None)
    rows = duckdb.execute(
        "SELECT reason, source, records FROM read_parquet($path) ORDER BY reason",
        {"path": str(tmp_path / "live" / "quarantine.parquet")},
    ).fetchall()
    assert rows == [("damaged", "memory", 1), ("syntax", "memory", 2)]
    assert world.status()["quarantined"] == 3


def test_a_live_hour_stays_while_an_unknown_edge_may_still_turn_up(tmp_path: Path) -> None:
    world = World(tmp_path)
    one, two = Edge(), Edge(edge_id="edge-2", epoch=9)
    world.source.units = [
        one.batch(Event(), promise=T0 + HOUR),
        *[one.heartbeat(T0 + HOUR) for _ in range(600)],
        two.batch(Event(), promise=T0 + HOUR),
    ]
    worker = world.worker()
    steps = iter([False, False, False, True])
    worker.run(lambda: next(steps), lambda _: None)
    worker.stop()
    (certificate,) = world.certificates()
    assert (certificate.requests, certificate.revision) == (2, 0)


def test_acknowledged_is_only_what_a_checkpoint_holds(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()))
    assert world.source.acknowledged == {}
    world.drain(edge.heartbeat(T0 + HOUR), edge.batch(Event(at=T0 + 2 * HOUR)))
    covered = world.source.acknowledged["memory"]
    assert (covered.position, covered.epoch, covered.sequence) == ("3", 7, 2)


def test_closed_hours_without_a_checkpoint_refuse_a_second_beginning(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()), edge.heartbeat(T0 + HOUR))
    world.forget_store()
    for path in (tmp_path / "closed" / "checkpoints").rglob("*.checkpoint"):
        path.unlink()
    with pytest.raises(Exception, match="no checkpoint and no store"):
        world.drain()


def test_c1_batches_and_gaps_of_an_epoch_add_up_to_its_last_sequence(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    batches = [edge.batch(Event()) for _ in range(20)]
    world.drain(*[batch for number, batch in enumerate(batches) if number % 7 != 3])
    (shown,) = world.status()["edges"]
    missing = sum(gap["last_sequence"] - gap["first_sequence"] + 1 for gap in shown["gaps"])
    assert shown["batches"] + missing == shown["sequence"] + 1 == 20


def test_many_hours_close_in_several_rounds_with_one_chain(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.now = T0 + 300 * HOUR
    world.source.units = [edge.batch(Event()), edge.heartbeat(T0 + 200 * HOUR)]
    worker = world.worker()
    worker.closer.round_hours = 64
    worker.drain()
    worker.stop()
    files = list_closed(tmp_path)
    assert len(files) == 200
    verify_chain(files)
    assert [one.checkpoint for one in world.certificates()] == [1 + n // 64 for n in range(200)]
    ends = [one.complete_through for one in world.certificates()]
    assert (
        ends
        == ["2026-11-03T16"] * 64
        + ["2026-11-06T08"] * 64
        + ["2026-11-09T00"] * 64
        + ["2026-11-09T08"] * 8
    )
    assert len(world.status()["hours"]) == 200


def test_a_round_takes_no_more_rows_than_it_may_and_at_least_one_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    rows_of_hours = [1, 2, 9, 1, 3]
    events = [
        Event(at=T0 + hour * HOUR + n, domain=f"h{n}.example.com")
        for hour, rows in enumerate(rows_of_hours)
        for n in range(rows)
    ]
    world.source.units = [edge.batch(*events), edge.heartbeat(T0 + 5 * HOUR)]
    worker = world.worker()
    worker.closer.round_rows = 4
    worker.drain()
    worker.stop()
    assert [one.checkpoint for one in world.certificates()] == [1, 1, 2, 3, 3]
    assert world.closed() == counted(events)
    verify_chain(list_closed(tmp_path))


def test_two_partitions_do_not_share_a_file(tmp_path: Path) -> None:
    world = World(tmp_path)
    for partition in ("000", "001"):
        edge = Edge(edge_id=f"edge-{partition}")
        source = MemorySource(partition=partition, name=f"topic:{partition}")
        source.units = [edge.batch(Event()), edge.heartbeat(T0 + HOUR)]
        worker = world.worker(source)
        worker.drain()
        worker.stop()
    assert {file.partition for file in list_closed(tmp_path)} == {"000", "001"}
    assert sum(world.closed().values()) == 2
