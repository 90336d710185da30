"""The views hours and quarantine over metering's files, and what a missing file says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from billing.lake.query import connect
from edge.errors import Corrupt
from metering.closed import list_closed
from tests.metering.world import HOUR, T0, Edge, Event, World


def test_hours_and_quarantine_say_what_metering_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge, mute = Edge(), Edge(edge_id="mute", epoch=9)
    world.drain(
        edge.batch(Event(), Event(at=T0 + HOUR), promise=T0 + HOUR),
        mute.batch(Event(at=T0 + HOUR)),
        b"rubbish",
    )
    with connect(tmp_path) as connection:
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
