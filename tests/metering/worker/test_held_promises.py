"""An edge that promises nothing says why, and metering hands it on (E2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.batch.codec import encode_heartbeat
from metering.closed import Certificate
from tests.metering.world import HOUR, T0, Edge, Event, World

WHY = "access.log: the file that was access.log, read up to byte 7, cannot be found any more"


def held_heartbeat(edge: Edge, why: str) -> bytes:
    """The next batch of `edge`: no promise, and why."""
    return encode_heartbeat(**edge._identity(0), held=why)


def test_e2_status_and_alarms_say_why_a_promise_stands_still_and_when_it_is_over(
    tmp_path: Path,
) -> None:
    world, edge = World(tmp_path), Edge()
    world.drain(edge.batch(Event()), held_heartbeat(edge, WHY))
    status = world.status()
    assert [each["held"] for each in status["edges"]] == [WHY]
    assert f"held: edge-1 promises nothing: {WHY}" in status["alarms"]
    world.drain(edge.heartbeat(T0 + HOUR))
    status = world.status()
    assert [each["held"] for each in status["edges"]] == [""]
    assert not [line for line in status["alarms"] if line.startswith("held: ")]


def test_e2_the_certificate_of_an_hour_that_waited_in_vain_names_the_reason(
    tmp_path: Path,
) -> None:
    world, edge = World(tmp_path), Edge()
    world.drain(edge.batch(Event()), held_heartbeat(edge, WHY))
    world.now += 12 * HOUR
    world.drain(held_heartbeat(edge, WHY))  # as an agent says it again every few seconds
    (first, *_) = world.certificates()
    assert first.state == "incomplete"
    assert [(each.edge_id, each.held) for each in first.edges] == [("edge-1", WHY)]
    assert Certificate.from_bytes(first.to_bytes()) == first


def test_e2_a_certificate_of_edges_that_promise_is_what_it_always_was(tmp_path: Path) -> None:
    world, edge = World(tmp_path), Edge()
    world.drain(edge.batch(Event(), promise=T0 + 2 * HOUR))
    (first, *_) = world.certificates()
    assert b'"held"' not in first.to_bytes()
    assert Certificate.from_bytes(first.to_bytes()) == first


@pytest.mark.parametrize("lost", [False, True], ids=["restarted", "restored from a checkpoint"])
def test_e2_a_worker_that_starts_again_still_knows_why_an_edge_promises_nothing(
    lost: bool, tmp_path: Path
) -> None:
    """As with `metering run --drain` every minute, and an edge that said it once and ended."""
    world, edge, other = World(tmp_path), Edge(), Edge(edge_id="edge-2", epoch=8)
    world.drain(edge.batch(Event()), other.batch(Event(), promise=T0 + HOUR))
    world.now += 12 * HOUR
    world.drain(held_heartbeat(edge, WHY), other.heartbeat(T0 + 2 * HOUR))
    if lost:
        world.forget_store()
    again = World(tmp_path)
    again.now = world.now
    again.drain()
    assert WHY in [each["held"] for each in again.status()["edges"]]
    assert f"held: edge-1 promises nothing: {WHY}" in again.status()["alarms"]
