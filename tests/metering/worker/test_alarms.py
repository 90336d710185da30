"""What a person is told of edges: silent ones, refused ones, lost batches (M6, E13)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.batch.codec import encode_events
from edge.batch.signature import create_key
from metering.hour import time_of
from metering.hours import requests
from metering.worker.losses import LOST, REFUSED, UNREAD, missing
from tests.metering.world import HOUR, T0, Edge, Event, World, columns

DAY = 24 * HOUR


def alarms(world: World, kind: str) -> list[str]:
    """The alarms of one kind, as the status has them."""
    return [line for line in world.status()["alarms"] if line.startswith(f"{kind}: ")]


def test_m6_an_edge_without_a_promise_for_two_days_is_an_alarm_and_not_before(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.drain(Edge().batch(Event(), promise=T0 + HOUR))
    world.now += 2 * DAY - 1
    world.drain()
    assert alarms(world, "silent") == []
    world.now += 1
    world.drain()
    (line,) = alarms(world, "silent")
    assert "edge-1 is expected and has promised nothing since 2026-11-01T10:00" in line


def test_m6_an_expected_edge_that_never_spoke_is_an_alarm(tmp_path: Path) -> None:
    since = datetime.fromtimestamp(T0 / 1000, UTC)
    world = World(tmp_path, expected_edges=[{"edge": "edge-7", "since": since}])
    world.now = T0 + 2 * DAY
    world.drain(Edge().batch(Event()))
    assert [line.split(" ")[1] for line in alarms(world, "silent")] == ["edge-7"]


def test_m6_one_that_promises_again_or_is_retired_is_no_alarm(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge, other = Edge(), Edge(edge_id="edge-2", epoch=9)
    world.drain(edge.batch(Event()), other.batch(Event()))
    world.now += 3 * DAY
    assert len(alarms_after(world)) == 2
    world.drain(edge.heartbeat(T0 + HOUR))
    requests.retire(tmp_path, "edge-2", time_of(T0 + DAY), at=time_of(world.now))
    world.drain()
    assert alarms(world, "silent") == []


def alarms_after(world: World) -> list[str]:
    """The silent edges after a drain with nothing new."""
    world.drain()
    return alarms(world, "silent")


def unsigned(_edge: Edge, batch: bytes) -> bytes:
    """A batch as it is, where keys are asked for."""
    return batch


def damaged_payload(_edge: Edge, batch: bytes) -> bytes:
    """A batch whose header is whole and whose payload is not."""
    data = bytearray(batch)
    data[-3] ^= 1
    return bytes(data)


def too_many_bytes(edge: Edge, _batch: bytes) -> bytes:
    """A batch that claims more bytes than sums can bear."""
    edge.next_sequence = 0
    return encode_events(
        columns(Event(at=T0 + n, size=1 << 50) for n in range(100)), **edge._identity(0)
    )


REFUSALS = {"signature": unsigned, "checksum": damaged_payload, "bytes": too_many_bytes}


@pytest.mark.parametrize("reason", REFUSALS)
def test_m6_an_edge_whose_every_batch_is_refused_is_an_alarm(reason: str, tmp_path: Path) -> None:
    settings = {}
    if reason == "signature":
        key = create_key(tmp_path / "edge.key").public_key.hex()
        entry = {"edge_id": "edge-1", "public_key": key, "valid_from_ms": 0, "valid_to_ms": 1 << 50}
        (tmp_path / "keys.json").write_text(json.dumps([entry]))
        settings = {"keys_file": "keys.json"}
    world = World(tmp_path, **settings)
    edge = Edge()
    refuse: Callable[[Edge, bytes], bytes] = REFUSALS[reason]
    met = world.drain(refuse(edge, edge.batch(Event())))
    (line,) = alarms(world, "refused")
    assert line.startswith(f"refused: every batch of edge-1 goes to quarantine ({reason})")
    assert met.told


def test_m6_an_edge_that_was_counted_and_is_refused_ever_since_is_an_alarm(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event(), promise=T0))
    world.drain(damaged_payload(edge, edge.batch(Event())))
    assert alarms(world, "refused") == []
    world.now += HOUR
    world.drain(damaged_payload(edge, edge.batch(Event())))
    assert len(alarms(world, "refused")) == 1
    edge.next_sequence = 1
    world.drain(edge.batch(Event(), promise=T0 + HOUR))
    assert alarms(world, "refused") == []


def test_e13_lost_batches_are_an_alarm_and_missing_until_their_hours_are_waived(
    tmp_path: Path,
) -> None:
    (tmp_path / "edgetoll.toml").write_text("[metering]\n")
    world = World(tmp_path)
    edge = Edge()
    first = edge.batch(Event(), promise=T0)
    edge.next_sequence = 3
    world.drain(first, edge.batch(Event(at=T0 + 1), promise=T0 + HOUR))
    world.now += 5 * HOUR
    world.drain()
    (line,) = alarms(world, "lost")
    assert "edge-1, epoch 7: batches 1 to 2" in line
    assert missing(tmp_path)[LOST] == [("edge-1", "epoch 7: batches 1 to 2")]
    at = time_of(world.now) + timedelta(seconds=1)
    requests.waive(tmp_path, "edge-1", time_of(T0), reason="disk lost", by="kim", at=at)
    world.drain()
    assert alarms(world, "lost") == []
    assert missing(tmp_path)[LOST] == []


def test_m2_what_waits_in_quarantine_is_missing_until_a_person_took_it_away(
    tmp_path: Path,
) -> None:
    (tmp_path / "edgetoll.toml").write_text("[metering]\n")
    world = World(tmp_path)
    world.drain(Edge().batch(Event()), b"rubbish", None)
    assert {said for _, said in missing(tmp_path)[REFUSED]} == {"1 kept"}
    assert "damaged" in dict(missing(tmp_path)[REFUSED])
    for path in [*(tmp_path / "quarantine").iterdir()]:
        path.unlink()
    assert missing(tmp_path) == {UNREAD: [], LOST: [], REFUSED: []}
