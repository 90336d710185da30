"""What DuckDB itself may do to a store: values it checkpoints, versions that follow each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.event import BYTES_SENT_MAX
from metering.closed import list_closed, verify_chain
from tests.effort import THOROUGH
from tests.metering.world import HOUR, T0, Edge, Event, World

ROOT = Path(__file__).resolve().parents[3]
LOCK = Path(__file__).with_name("duckdb2.lock")

values = st.builds(
    Event,
    at=st.integers(0, 3 * HOUR - 1).map(lambda passed: T0 + passed),
    domain=st.one_of(
        st.just(""),
        st.sampled_from(["a.example.com", "*.b.example.com", "x" * 253]),
        st.integers(0, 500).map(lambda number: f"host-{number}.example.com"),
    ),
    kind=st.integers(0, 3),
    status=st.integers(0, 599),
    size=st.one_of(st.sampled_from([0, 1, BYTES_SENT_MAX]), st.integers(0, BYTES_SENT_MAX)),
    cache=st.integers(0, 2),
)


def usage(world: World) -> list[tuple[object, ...]]:
    """Every row of the store's open usage, added up by key, as it is on disk."""
    with duckdb.connect(str(world.home / "usage.duckdb"), read_only=True) as connection:
        return connection.execute(
            "SELECT bucket, domain, region, class, sum(requests), sum(bytes_sent),"
            " sum(status_2xx), sum(cache_hits) FROM usage GROUP BY ALL ORDER BY ALL"
        ).fetchall()


@settings(max_examples=100 if THOROUGH else 8)
@given(st.lists(st.lists(values, min_size=1, max_size=40), min_size=1, max_size=6))
def test_c20_whatever_the_values_a_store_survives_its_checkpoints_and_can_be_rebuilt(
    batches: list[list[Event]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        edge = Edge()
        worker = world.worker()
        for number, events in enumerate(batches):
            world.source.units.append(edge.batch(*events, promise=T0 + number * HOUR // 2))
            worker.step(0)
            worker.flush()
            worker.store.connection.execute("FORCE CHECKPOINT")
        worker.drain()
        worker.stop()
        before, closed, live = usage(world), world.files(), world.status()["accepted"]
        assert live == sum(map(len, batches))
        world.forget_store()
        world.drain()
        assert (usage(world), world.files(), world.status()["accepted"]) == (before, closed, live)
        assert world.broken() == []


@pytest.fixture(scope="session")
def duckdb_2() -> Path:
    """A folder with DuckDB 2.0.0, fetched once by its hash into the user's cache."""
    folder = Path.home() / ".cache" / "edgetoll" / "duckdb-2.0.0"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "-q", "--no-deps"]
            made = f"{scratch}/made"
            command = [*uv, "--target", made, "--require-hashes", "-r", str(LOCK)]
            subprocess.run(command, check=True)
            os.rename(made, folder)
    return folder


def drain_with(version: Path | None, home: Path, hours: int) -> dict[str, object]:
    """Drain `hours` hours with the DuckDB of a folder; None: the one of this environment."""
    paths = [str(ROOT)] if version is None else [str(version), str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.metering.store.version_child", str(home), str(hours)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=home,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("lost", [False, True], ids=["store_kept", "store_lost"])
def test_c32_a_store_goes_from_duckdb_1_5_to_2_0_and_back_to_the_unit(
    lost: bool, tmp_path: Path, duckdb_2: Path
) -> None:
    world = World(tmp_path)
    for hours, version in enumerate((None, duckdb_2, None, duckdb_2), start=1):
        before = world.files()
        told = drain_with(version, tmp_path, hours)
        assert told == {
            "version": "1.5.5" if version is None else "2.0.0",
            "accepted": hours,
            "duplicate": 0,
            "quarantined": 0,
            "adds_up": True,
            "closed": hours,
            "broken": [],
        }
        assert before.items() <= world.files().items()
        if lost:
            world.forget_store()
    assert not list(tmp_path.glob("usage.duckdb.damaged-*"))
    verify_chain(list_closed(tmp_path))
