"""The agent as a process, killed with SIGKILL while a server writes and rotates: all lines, once.

EDGETOLL_THOROUGH=1 makes it the long run of the issue, 50 kills; a few are enough for every day.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from edge.spool.durable_end import read_durable_end
from tests.edge.logs.reading import THOROUGH, spool_content
from tests.edge.logs.server import BusyServer
from tests.effort import PATIENCE_S

KILLS = int(os.environ.get("EDGETOLL_KILLS", "50" if THOROUGH else "5"))
SEED = int(os.environ.get("EDGETOLL_SEED", "20261123"))
PROGRAM = Path(__file__).resolve().parents[3] / "edgetoll.py"


def tail(home: Path, log: Path, *more: str) -> subprocess.Popen[bytes]:
    """`edgetoll edge tail` as people start it."""
    words = ["edge", "tail", "--log", str(log), "--format", "nginx", "--edge", "e1"]
    words += ["--region", "DE", "--from", "beginning", "--home", str(home), "--poll", "0.01"]
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *words, *more], stdout=subprocess.DEVNULL
    )


def lived(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process was still there after `seconds`."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def sequence(home: Path) -> int:
    """The last durable batch of the agent's spool; -1 while there is none."""
    durable_end = read_durable_end(home / "spool" / "e1")
    return -1 if durable_end is None else durable_end.sequence


def wait_until_it_writes(process: subprocess.Popen[bytes], home: Path, before: int) -> None:
    """Return once the agent has made batches durable beyond `before`."""
    for _ in range(6000):
        if sequence(home) > before + 1:
            return
        assert lived(process, 0.01), "the agent ended by itself"
    raise AssertionError("the agent wrote nothing in a minute")


def test_a1_a2_the_agent_killed_at_random_ends_with_exactly_what_the_server_wrote(
    tmp_path: Path,
) -> None:
    log, home = tmp_path / "logs" / "access.log", tmp_path / "home"
    home.mkdir()
    chance = random.Random(SEED)
    with BusyServer(log, SEED) as server:
        for _ in range(KILLS):
            before = sequence(home)
            process = tail(home, log)
            if chance.random() < 0.8:  # else it is killed while it starts
                wait_until_it_writes(process, home, before)
            assert lived(process, chance.uniform(0.0, 0.6)), "the agent ended by itself"
            process.kill()
            process.wait()
    assert tail(home, log, "--once").wait(timeout=PATIENCE_S) == 0
    content = spool_content(home / "spool" / "e1")
    assert server.rotations > 0
    assert content.events == server.written
    assert content.bytes_sent == server.written * (server.written + 1) // 2
    assert content.classes["http"] == server.written // 3


def test_sigterm_ends_the_agent_cleanly_and_its_promise_stays_behind_the_clock(
    tmp_path: Path,
) -> None:
    log, home = tmp_path / "logs" / "access.log", tmp_path / "home"
    home.mkdir()
    with BusyServer(log, SEED) as server:
        process = tail(home, log)
        wait_until_it_writes(process, home, -1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
    assert tail(home, log, "--once").wait(timeout=PATIENCE_S) == 0
    content = spool_content(home / "spool" / "e1")
    assert content.events == server.written
    assert content.watermark_ms > max(content.times) - 60_000


def test_a_second_agent_on_the_same_spool_is_told_who_holds_it(tmp_path: Path) -> None:
    log, home = tmp_path / "logs" / "access.log", tmp_path / "home"
    home.mkdir()
    with BusyServer(log, SEED):
        first = tail(home, log)
        wait_until_it_writes(first, home, -1)
        assert tail(home, log, "--once").wait(timeout=PATIENCE_S) == 75
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=PATIENCE_S) == 0
