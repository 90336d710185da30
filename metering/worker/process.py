"""How a worker is run as a process: its lock, its clock, its signals."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import duckdb

from edge.durable import FileLock
from metering.counting.flush import MessageIntake
from metering.settings import MeteringSettings, load
from metering.sources.source import Source
from metering.sources.spool import SpoolSource
from metering.store.faults import as_one_line, can_pass
from metering.worker.status import Drained
from metering.worker.worker import Worker


def wall_clock() -> int:
    """UTC ms by the clock of this machine."""
    return time.time_ns() // 1_000_000


def run_spool(home: Path, *, drain: bool, stop: Callable[[], bool] | None = None) -> Drained:
    """Count the spools of a home: once with `drain`, else until `stop()` or SIGTERM.

    What a drain met that is not counted comes back; a worker that goes on tells it in its status.
    """
    settings = load(home)
    with FileLock(home / "metering.lock", "metering run"):
        return run_worker(home, SpoolSource(home), settings, drain=drain, stop=stop)


def run_worker(
    home: Path,
    source: Source,
    settings: MeteringSettings,
    *,
    drain: bool,
    messages: MessageIntake | None = None,
    stop: Callable[[], bool] | None = None,
    name: str = "",
) -> Drained:
    """Run one worker over `source` and release everything at its end.

    `name` (such as `-0-3`) keeps the store and the live files of several workers of a home apart.
    """
    worker = Worker(
        home,
        source,
        settings,
        clock=wall_clock,
        messages=messages,
        store_name=f"usage{name}.duckdb",
    )
    worker.live.name = name
    try:
        worker.start()
        if drain:
            return worker.drain()
        stopping = threading.Event()
        _on_signals(stopping)
        worker.run(stop or stopping.is_set, lambda seconds: _wait(stopping, seconds))
        return Drained()
    except duckdb.Error as error:
        if can_pass(error):
            raise
        raise as_one_line(error) from error
    finally:
        worker.stop()


def _wait(stopping: threading.Event, seconds: float) -> None:
    stopping.wait(seconds)


def _on_signals(stopping: threading.Event) -> None:
    """SIGTERM and SIGINT end the loop after what is under way; main thread only."""
    if threading.current_thread() is not threading.main_thread():
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
