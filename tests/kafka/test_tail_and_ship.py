"""`edge tail --kafka`: the agent and the shipper as one process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from edge.agent.status import edge_statuses
from edge.spool.durable_end import read_durable_end
from edge.spool.segment import read_acknowledged
from tests.edge.logs.reading import nginx_lines
from tests.effort import PATIENCE_S
from tests.kafka.world import count, wait_until

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]


def test_one_process_tails_and_ships_and_each_line_is_counted_once(
    tmp_path: Path, broker: Broker, topic: str, make_home: Callable[..., Path]
) -> None:
    home, log = make_home(topic), tmp_path / "access.log"
    log.write_text(nginx_lines(0, 500))
    root = Path(__file__).resolve().parents[2]
    words = ["edge", "tail", "--log", str(log), "--edge", "e1", "--region", "DE", "--from"]
    words += ["beginning", "--home", str(home), "--kafka", broker.address, "--no-promise"]
    process = subprocess.Popen([sys.executable, str(root / "edgetoll.py"), *words])
    folder = home / "spool" / "e1"

    def all_acknowledged() -> bool:
        """Everything that is in the spool is at the broker, and the log was read."""
        durable_end, done = read_durable_end(folder), read_acknowledged(folder)
        return (
            durable_end is not None
            and done is not None
            and done.sequence == durable_end.sequence >= 1
        )

    wait_until(all_acknowledged)
    with open(log, "a") as file:
        file.write(nginx_lines(500, 700))
    wait_until(lambda: edge_statuses(home, datetime.now(UTC))[0]["events"] == 700)
    wait_until(all_acknowledged)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE_S) == 0
    assert count(home, broker.address)["accepted"] == 700
