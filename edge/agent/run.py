"""The agent's loop: cycles, promises, retention, and the few waits between them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from edge.agent.opened_spool import checked_home, open_spool
from edge.agent.read_twice import read_twice
from edge.agent.report import AgentReport, write_report
from edge.agent.settings import EdgeSettings, LogSettings, complete
from edge.agent.status import written_ms
from edge.errors import InputError
from edge.instants import now_ms
from edge.logs.followed import Log
from edge.logs.formats.block import Format
from edge.logs.formats.shipped import find_format
from edge.logs.refused_lines import RejectedLines
from edge.logs.rotation import files_of
from edge.logs.streams import Writer
from edge.logs.tail import Cycle, Tailer, TailOptions
from edge.reasons import Reason
from edge.spool.spool import Spool, SpoolBroken, SpoolFull
from edge.terminal import warn

_RETENTION_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_REPORT_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Followed:
    """What the agent did since it started."""

    events: int = 0
    unattributable: int = 0
    skipped: Counter[Reason] = field(default_factory=Counter)
    watermark_ms: int = 0
    problems: list[str] = field(default_factory=list)
    repeated_ids: int = 0
    nul_bytes: int = 0
    examples: dict[Reason, str] = field(default_factory=dict)


def follow(
    home: Path,
    settings: EdgeSettings,
    *,
    stop: threading.Event,
    once: bool = False,
    give_up: bool = False,
    through_ms: int | None = None,
    beside: AbstractContextManager[object] | None = None,
) -> Followed:
    """Follow the logs of `settings` into their spool until `stop` is set, or `once` to their end.

    `through_ms` is a promise made after everything was read. `give_up`: files that were begun and
    cannot be found are gone. `beside` is entered once the spool is open and left when the agent
    ends: a shipper in the same process. Raises ConfigError, InputError, Busy.
    """
    settings = complete(settings)
    checked_home(home)
    folder = home / "spool" / settings.edge_id
    logs = _logs(settings, ghost=once and not folder.exists())
    options = TailOptions(
        allow_refused=settings.allow_refused,
        drop_repeated=settings.drop_repeated,
        give_up=give_up,
        written_ms=written_ms(folder),
    )
    with open_spool(home, settings.edge_id, settings.region) as spool:
        if spool.region_before not in ("", settings.region):
            warn(f"edge {spool.edge_id} was in {spool.region_before}, is now in {settings.region}")
        writer = Writer(spool, RejectedLines(folder))
        tailer = Tailer(
            writer, spool.positions(), logs, now_ms=now_ms, stopping=stop.is_set, options=options
        )
        tailer.begin(settings.start_from)
        agent = _Agent(tailer, spool, settings, stop)
        with closing(tailer), beside or nullcontext():
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
            repeated_ids=writer.repeated_ids,
            nul_bytes=writer.nul_bytes,
            examples={reason: row.told() for reason, row in sorted(writer.examples.items())},
        )


def _logs(settings: EdgeSettings, *, ghost: bool) -> list[Log]:
    """The logs to follow. `ghost`: no spool may be begun for logs that are not there, since hours
    would wait for an edge that a mistyped name made.
    """
    logs = [Log(path=log.path, form=_format(log), rotated=log.rotated) for log in settings.logs]
    if ghost and not any(files_of(log.path, rotated=log.rotated) for log in logs):
        raise InputError(f"{logs[0].path} is not there", "nothing was read: correct the path")
    return logs


def _format(log: LogSettings) -> Format:
    return find_format(
        log.format, log_format=log.log_format, scheme=log.scheme, host=log.host, zone=log.zone
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
        self._report_at = 0.0
        self._held = ""
        self._reported: list[str] | None = None
        self.problems: list[str] = []
        self._told: set[str] = set()
        self._told_twice: set[str] = set()

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
            self._report(cycle)
            for note in cycle.notes:
                warn(note)
            if not cycle.events:
                self._stop.wait(self._settings.poll_seconds)

    def drain(self) -> None:
        """Cycle until one finds nothing new in any file, then promise."""
        while not self._stop.is_set():
            cycle = self._tailer.cycle(final=True)
            for note in cycle.notes:
                warn(note)
            if cycle.problems or (cycle.at_end and not cycle.events):
                if cycle.problems:
                    self._spool.heartbeat(0, held="; ".join(cycle.problems))
                self._promise(cycle)
                self.problems = cycle.problems
                self._report(cycle)
                self._tell_read_twice()
                return
            if not cycle.events:
                # Rotation moved a file while it was opened: look again.
                self._stop.wait(self._settings.poll_seconds)

    def _promise(self, cycle: Cycle) -> None:
        """Move the watermark to the cycle's start less the buffer time, every heartbeat.

        A promise that is held is told too, with its reason: certificates name it (CASES E2).
        """
        held = "; ".join(cycle.problems)
        if not self._settings.promise or time.monotonic() < self._heartbeat_at:
            return
        if cycle.at_end:
            watermark_ms = cycle.started_ms - int(self._settings.log_buffer_seconds * 1000)
            self._spool.heartbeat(watermark_ms)
        elif held and held == self._held:
            self._spool.heartbeat(0, held=held)
        else:
            self._held = held  # in the midst of a rotation a log is not there for a moment
            return
        self._heartbeat_at = time.monotonic() + self._settings.heartbeat_seconds

    def _report(self, cycle: Cycle) -> None:
        """Say in a file what stands in the way of the promise, for whoever asks (`edge status`)."""
        if time.monotonic() < self._report_at and cycle.problems == self._reported:
            return
        writer = self._tailer.writer
        report = AgentReport(
            at_ms=cycle.started_ms,
            held=tuple(cycle.problems),
            repeated_ids=writer.repeated_ids,
            nul_bytes=writer.nul_bytes,
            examples={reason.value: row.told() for reason, row in writer.examples.items()},
        )
        with suppress(OSError):  # a full disk: the promise stands still all the same
            write_report(self._spool.folder, report)
        self._report_at, self._reported = time.monotonic() + _REPORT_SECONDS, cycle.problems

    def _retain(self) -> None:
        """Let the spool delete what was acknowledged long ago."""
        if time.monotonic() >= self._retention_at:
            self._spool.retention(now_ms())
            self._tell_read_twice()
            self._retention_at = time.monotonic() + _RETENTION_SECONDS

    def _tell_read_twice(self) -> None:
        """Say once of each log that another edge of this home has read it too."""
        home = self._spool.folder.parents[1]
        for sentence in read_twice(home, self._spool.edge_id):
            if sentence.partition(":")[0] not in self._told_twice:
                warn(sentence)
                self._told_twice.add(sentence.partition(":")[0])

    def _tell(self, problems: list[str]) -> None:
        """Say a problem that lasts, once: in the midst of a rotation a log is not there."""
        for problem in problems:
            if problem in self.problems and problem not in self._told:
                warn(problem)
                self._told.add(problem)
        self._told &= set(problems)
        self.problems = problems
