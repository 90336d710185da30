"""What an on-call person sees: `metering status`, `waive`, `edges`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.errors import Corrupt
from metering.cli import app
from metering.hour import time_of
from metering.hours import requests
from metering.status import read
from tests.metering.world import HOUR, T0, Edge, Event, World

RUNNER = CliRunner()


def seen(home: Path, *words: str) -> str:
    """What a command prints, on both streams."""
    result = RUNNER.invoke(app, [*words, "--home", str(home)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_e9_an_incomplete_hour_is_shown_however_many_hours_closed_since(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.now = T0 + 60 * HOUR
    silent = Edge(edge_id="edge-2", epoch=9)
    speaking = Edge()
    requests.retire(tmp_path, "edge-2", time_of(T0 + HOUR), at=time_of(T0))
    world.drain(silent.batch(Event()), speaking.batch(Event(at=T0 + 59 * HOUR)))
    world.now += 5 * HOUR
    world.drain(speaking.batch(Event(), promise=T0 + 60 * HOUR))
    hours = [line for line in seen(tmp_path, "status").splitlines() if "spool" in line]
    first_hour = next(line for line in hours if line.strip().startswith("2026-11-01T00"))
    assert "incomplete" in first_hour
    assert "edge-2" in first_hour


def test_a_waiver_for_an_edge_that_nobody_knows_is_noted_and_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drain(Edge().batch(Event()))
    words = ("--hour", "2026-11-01T00", "--reason", "disk lost", "--by", "kim")
    assert "knows no edge edge-7, only edge-1" in seen(tmp_path, "waive", "edge-7", *words)
    assert "knows no edge" not in seen(tmp_path, "waive", "edge-1", *words)
    assert "knows no edge edge-8" in seen(tmp_path, "edges", "--retire", "edge-8")


def test_what_people_asked_for_is_listed_beside_the_edges(tmp_path: Path) -> None:
    World(tmp_path).drain(Edge().batch(Event()))
    seen(tmp_path, "edges", "--retire", "edge-1", "--on", "2026-11-02")
    seen(tmp_path, "edges", "--expect", "edge-2", "--on", "2026-11-03", "--region", "nl")
    words = ("--hour", "2026-11-03T05", "--reason", "disk lost", "--by", "kim")
    assert "waived edge-2 for 2026-11-03T05" in seen(tmp_path, "waive", "edge-2", *words)
    lines = seen(tmp_path, "edges").splitlines()
    assert "retired: edge-1 is not waited for in hours from 2026-11-02T00:00:00.000Z on" in lines
    assert "expected: edge-2 from 2026-11-03T00:00:00.000Z on" in lines
    assert "waived: edge-2 in 2026-11-03T05 by kim: disk lost" in lines
    World(tmp_path).drain()
    regions = {edge["edge_id"]: edge["region"] for edge in World(tmp_path).status()["edges"]}
    assert regions == {"edge-1": "de", "edge-2": "nl"}


def test_d19_a_reason_cannot_drive_the_terminal(tmp_path: Path) -> None:
    World(tmp_path).drain(Edge().batch(Event()))
    words = ("--hour", "2026-11-03T05", "--reason", "red \x1b[31m\nwaived: all", "--by", "kim")
    refused = RUNNER.invoke(app, ["waive", "edge-1", *words, "--home", str(tmp_path)])
    assert refused.exit_code == 1
    assert "a character that nobody can see" in str(refused.exception)
    assert "waived" not in seen(tmp_path, "edges")


def test_a_home_where_metering_never_ran_is_told_from_one_without_traffic(tmp_path: Path) -> None:
    assert "metering has not run" in seen(tmp_path, "status")
    World(tmp_path).drain()
    assert "metering has not run" not in seen(tmp_path, "status")


def test_c18_a_status_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "status.json").write_bytes(b'{"accepted": 1')
    result = RUNNER.invoke(app, ["status", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert "status.json is no status" in str(result.exception)


@pytest.mark.parametrize("width", [64, 80, 120])
def test_p1_no_number_of_the_status_is_broken_by_a_narrow_screen(
    width: int, tmp_path: Path
) -> None:
    world = World(tmp_path)
    edge = Edge(edge_id="edge-frankfurt-12", region="frankfurt", epoch=8_070_450_532_247_928_831)
    counters = [Event(at=T0 + n) for n in range(1_234)]
    world.drain(edge.batch(*counters, promise=T0 + HOUR), None, edge.batch(Event(at=T0 + HOUR)))
    result = RUNNER.invoke(app, ["status", "--home", str(tmp_path)], env={"COLUMNS": str(width)})
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= width
    for whole in ("8070450532247928831", "1,235", "2026-11-01T01:00:00.000Z", "2026-11-01T00"):
        assert whole in result.output
    assert "edge-frankfurt-12" in result.output


def test_what_each_worker_and_edge_says_can_be_read_as_records(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event(), promise=T0 + HOUR))
    found = read(tmp_path)
    assert [(one.name, one.partitions) for one in found.workers] == [("", ("spool",))]
    assert [(one.edge_id, one.refused, one.requests) for one in found.edges] == [("edge-1", 0, 1)]
    assert [(one.hour, one.state) for one in found.hours] == [("2026-11-01T00", "closed")]
    assert found.fresh_at == found.workers[0].fresh_at


def test_a_status_that_is_none_is_named_with_what_to_do(tmp_path: Path) -> None:
    World(tmp_path).drain(Edge().batch(Event()))
    (tmp_path / "live" / "status.json").write_bytes(b"[]")
    with pytest.raises(Corrupt, match=r"status\.json is no status"):
        read(tmp_path)
