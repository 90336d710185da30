"""kill -9 at every named point, then a restart: the same totals and files (FAULTS C1-C8)."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.spool.spool import Spool
from metering.closed import list_closed, verify_chain
from tests.effort import PATIENCE_S, THOROUGH
from tests.metering.world import HOUR, T0, Event, World, columns, counted

NOW = T0 + 99 * HOUR
EVENTS = 24
ROUNDS = 50 if THOROUGH else 6
ROOT = Path(__file__).resolve().parents[3]

POINTS = [
    ("c1", "before_begin"),
    ("c2", "after_begin"),
    ("c3", "after_aggregates"),
    ("c4", "after_quarantine"),
    ("c5", "after_positions"),
    ("c6", "before_commit"),
    ("c7", "after_commit"),
    ("c8", "after_acknowledge"),
    ("data_written", "after_data"),
    ("checkpoint_written", "after_checkpoint"),
    ("first_certificate", "after_certificate"),
    ("second_certificate", "after_certificate:2"),
    ("all_certificates", "after_certificates"),
]


def traffic() -> list[Event]:
    """Some requests over three hours."""
    chance = random.Random(5)
    return [
        Event(at=T0 + chance.randrange(3 * HOUR), domain=chance.choice(["a.com", "b.com"]))
        for _ in range(EVENTS)
    ]


def fill(home: Path) -> None:
    """A spool with six batches of an edge, and its promise."""
    home.mkdir()
    events = traffic()
    with Spool.open(home / "spool" / "edge-1", "edge-1", "de", random64=lambda: 7) as spool:
        for at in range(0, EVENTS, 4):
            spool.append(columns(events[at : at + 4]), watermark_ms=0)
        spool.heartbeat(T0 + 3 * HOUR)


class Drains:
    """Drains homes in processes that can be killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.metering.worker.crash_child"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, home: Path, crash: str = "-") -> int:
        """Drain in a process of its own; its exit code (-9: killed, 1: it gave up)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{home} {NOW} {crash}\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        assert code in (0, -9) or crash.startswith(("fsync", "memory="))
        return code


@pytest.fixture(scope="module")
def drain() -> Iterator[Drains]:
    """The process that drains."""
    drains = Drains()
    yield drains
    assert drains.process.stdin is not None
    drains.process.stdin.close()
    assert drains.process.wait(timeout=PATIENCE_S) == 0


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose spool is full and whose metering never ran."""
    home = tmp_path_factory.mktemp("crash") / "filled"
    fill(home)
    return home


@pytest.fixture(scope="module")
def calm(drain: Drains, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The closed files of a run without any crash."""
    home = tmp_path_factory.mktemp("calm") / "home"
    shutil.copytree(filled, home)
    assert drain(home) == 0
    return World(home).files()


@pytest.mark.parametrize("point", [point for _, point in POINTS], ids=[row for row, _ in POINTS])
def test_c1_to_c8_a_kill_at_any_point_ends_in_the_same_closed_files(
    point: str,
    drain: Drains,
    filled: Path,
    calm: dict[str, bytes],
    tmp_path: Path,
) -> None:
    restarted, lost_its_disk = tmp_path / "restarted", tmp_path / "lost_its_disk"
    shutil.copytree(filled, restarted)
    assert drain(restarted, point) == -9, f"{point} was never reached"
    shutil.copytree(restarted, lost_its_disk)
    World(lost_its_disk).forget_store()
    for home in (restarted, lost_its_disk):
        world = World(home)
        assert drain(home) == 0
        assert world.files() == calm
        assert world.closed() == counted(traffic())
        assert world.status()["accepted"] == EVENTS
        assert world.status()["adds_up"]
        verify_chain(list_closed(home))
        assert world.broken() == []


def test_c1_to_c8_kills_at_random_moments_of_growing_traffic_count_exactly(
    drain: Drains, tmp_path: Path
) -> None:
    chance = random.Random(11)
    names = [point.partition(":")[0] for _, point in POINTS]
    sent: list[Event] = []
    killed = 0
    with Spool.open(tmp_path / "spool" / "edge-1", "edge-1", "de", random64=lambda: 7) as spool:
        for number in range(ROUNDS):
            begins = T0 + number * HOUR // 2
            events = [Event(at=begins + chance.randrange(HOUR // 2)) for _ in range(9)]
            for at in range(0, 9, 3):
                spool.append(columns(events[at : at + 3]), watermark_ms=begins)
            sent.extend(events)
            killed += drain(tmp_path, f"{chance.choice(names)}:{chance.randrange(1, 3)}") == -9
            if chance.random() < 0.2:
                World(tmp_path).forget_store()
        spool.heartbeat(T0 + ROUNDS * HOUR)
    assert drain(tmp_path) == 0
    assert killed >= ROUNDS // 3
    world = World(tmp_path)
    assert world.closed() == counted(sent)
    status = world.status()
    assert (status["accepted"], status["duplicate"]) == (9 * ROUNDS, 0)
    verify_chain(list_closed(tmp_path))
    assert world.broken() == []


def test_c13_an_fsync_that_fails_stops_the_drain_and_the_next_one_counts_everything(
    drain: Drains, filled: Path, calm: dict[str, bytes], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled, home)
    before = {path.name for path in (home / "spool" / "edge-1").iterdir()}
    assert drain(home, "fsync") == 1
    assert {path.name for path in (home / "spool" / "edge-1").iterdir()} == before
    assert list_closed(home) == []
    assert drain(home) == 0
    world = World(home)
    assert world.files() == calm
    assert (world.status()["accepted"], world.status()["duplicate"]) == (EVENTS, 0)
    assert world.broken() == []


def test_c31_a_drain_that_runs_out_of_memory_leaves_nothing_half_done(
    drain: Drains, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    events = [Event(at=T0 + n, domain=f"{n:040x}.example.com") for n in range(9_000)]
    with Spool.open(home / "spool" / "edge-1", "edge-1", "de", random64=lambda: 7) as spool:
        for start in range(0, len(events), 1_000):
            spool.append(columns(events[start : start + 1_000]), watermark_ms=0)
        spool.heartbeat(T0 + HOUR)
    codes = [drain(home, f"memory={megabytes << 20}") for megabytes in (0, 4, 16, 64)]
    assert codes[0] == 1
    assert drain(home) == 0
    world = World(home)
    assert world.closed() == counted(events)
    assert (world.status()["accepted"], world.status()["duplicate"]) == (9_000, 0)
    verify_chain(list_closed(home))
    assert world.broken() == []
