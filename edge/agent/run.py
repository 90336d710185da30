"""The agent's loop: cycles, promises, retention, and the few waits between them."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from edge.agent.settings import EdgeSettings, complete
from edge.agent.status import damage_of
from edge.errors import InputError
from edge.instants import now_ms
from edge.logs.formats.shipped import find_format
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Writer
from edge.logs.tail import Cycle, Log, Tailer
from edge.reasons import Reason
from edge.spool.spool import Spool, SpoolBroken, SpoolFull
from edge.terminal import warn

_RETENTION_SECONDS = 60.0
_RETRY_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Followed:
    """What the agent did since it started."""

    events: int = 0
    unattributable: int = 0
    skipped: Counter[Reason] = field(default_factory=Counter)
    watermark_ms: int = 0
    problems: list[str] = field(default_factory=list)


def follow(
    home: Path,
    settings: EdgeSettings,
    *,
    stop: threading.Event,
    once: bool = False,
    through_ms: int | None = None,
    beside: AbstractContextManager[object] | None = None,
) -> Followed:
    """Follow the logs of `settings` into their spool until `stop` is set, or `once` to their end.

    `through_ms` is a promise made after everything was read. `beside` is entered once the spool is
    open and left when the agent ends: a shipper in the same process. Raises ConfigError,
    InputError, Busy.
    """
    settings = complete(settings)
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    logs = [Log(path=log.path, form=find_format(log.format)) for log in settings.logs]
    folder = home / "spool" / settings.edge_id
    with Spool.open(
        folder,
        settings.edge_id,
        settings.region,
        random64=lambda: secrets.randbits(64),
        signer=settings.signer(home),
    ) as spool:
        for damage in damage_of(spool.status(), folder):
            warn(damage)
        writer = Writer(spool, RejectedLines(folder))
        tailer = Tailer(writer, spool.positions(), logs, now_ms=now_ms, stopping=stop.is_set)
        tailer.begin(settings.start_from)
        agent = _Agent(tailer, spool, settings, stop)
        with beside or nullcontext():
            if once:
                agent.drain()
            else:
                agent.run()
        if through_ms is not None and not stop.is_set() and not agent.problems:
            spool.heartbeat(through_ms)
        return Followed(
            events=writer.events,
            unattributable=writer.unattributable,
            skipped=writer.skipped,
            watermark_ms=spool.status().watermark_ms,
            problems=agent.problems,
        )


class _Agent:
    """One tailer and its spool, moved along by the clock."""

    def __init__(
        self, tailer: Tailer, spool: Spool, settings: EdgeSettings, stop: threading.Event
    ) -> None:
        self._tailer = tailer
        self._spool = spool
        self._settings = settings
        self._stop = stop
        self._heartbeat_at = 0.0
        self._retention_at = 0.0
        self.problems: list[str] = []
        self._told: set[str] = set()

    def run(self) -> None:
        """Cycle until told to stop; a disk that refuses is tried again: lines wait in the log."""
        while not self._stop.is_set():
            try:
                cycle = self._tailer.cycle()
                self._promise(cycle)
                self._retain()
            except (SpoolFull, SpoolBroken) as error:
                self._tell([str(error)])
                self._stop.wait(_RETRY_SECONDS)
                continue
            self._tell(cycle.problems)
            for note in cycle.notes:
                warn(note)
            if not cycle.events:
                self._stop.wait(self._settings.poll_seconds)

    def drain(self) -> None:
        """Cycle until one finds nothing new in any file, then promise."""
        while not self._stop.is_set():
            cycle = self._tailer.cycle(final=True)
            if cycle.problems or (cycle.at_end and not cycle.events):
                self._promise(cycle)
                self.problems = cycle.problems
                return
            if not cycle.events:
                # Rotation moved a file while it was opened: look again.
                self._stop.wait(self._settings.poll_seconds)

    def _promise(self, cycle: Cycle) -> None:
        """Move the watermark to the cycle's start less the buffer time, every heartbeat."""
        if not (cycle.at_end and self._settings.promise) or time.monotonic() < self._heartbeat_at:
            return
        watermark_ms = cycle.started_ms - int(self._settings.log_buffer_seconds * 1000)
        self._spool.heartbeat(watermark_ms)
        self._heartbeat_at = time.monotonic() + self._settings.heartbeat_seconds

    def _retain(self) -> None:
        """Let the spool delete what was acknowledged long ago."""
        if time.monotonic() >= self._retention_at:
            self._spool.retention(now_ms())
            self._retention_at = time.monotonic() + _RETENTION_SECONDS

    def _tell(self, problems: list[str]) -> None:
        """Say a problem that lasts, once: in the midst of a rotation a log is not there."""
        for problem in problems:
            if problem in self.problems and problem not in self._told:
                warn(problem)
                self._told.add(problem)
        self._told &= set(problems)
        self.problems = problems
