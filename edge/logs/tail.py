"""`edge tail`: growing logs into the spool, each line once, over crashes and rotation.

A cycle looks at every file of every log, oldest first, and reads what is new in whole lines. Files
are known by content, so it does not matter whether rotation renamed, copied, truncated or
compressed them, or whether the agent was away meanwhile. The promise (watermark) moves on only
after a cycle that read every file to its end, and then to when that cycle began, less what the web
server may hold back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from edge.batch.records import SourcePosition
from edge.errors import InputError
from edge.logs.content import (
    EARLY_BYTES,
    Chunk,
    Content,
    ContentChanged,
    early_lines,
    end_of_lines,
    head_of,
)
from edge.logs.formats.block import Format
from edge.logs.rotation import SeenFile, files_of
from edge.logs.streams import KnownStreams, Stream, StreamPosition, Writer

HALF_LINE_MS: Final = 60_000
"""A line without an end, in a file untouched for this long, will not be finished any more."""
_UNREAD: Final = 1 << 62
"""The offset given to compressed files that `--from end` passes over unread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log to follow and the format of its lines."""

    path: Path
    form: Format


@dataclass(slots=True, kw_only=True)
class Cycle:
    """What a cycle found: whether all was read to its end, and what stands in the way if not."""

    started_ms: int
    at_end: bool = True
    events: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Tailer:
    """Follows logs into one spool. `now_ms` is asked once a cycle and once a block."""

    def __init__(
        self,
        writer: Writer,
        positions: dict[str, SourcePosition],
        logs: Sequence[Log],
        *,
        now_ms: Callable[[], int],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.writer = writer
        self.logs = logs
        self.known = KnownStreams(positions)
        self._begun = {source for source in positions if source.startswith("log:")}
        self._now_ms = now_ms
        self._stopping = stopping
        self._read_states: dict[tuple[int, int], tuple[int, int]] = {}
        self._doubted: set[str] = set()

    def begin(self, start_from: str | None) -> None:
        """Decide, durably, where a log starts that the spool knows nothing of.

        Raises InputError when there is such a log and `start_from` says neither beginning nor end.
        """
        fresh = [log for log in self.logs if _log_source(log.path) not in self._begun]
        if not fresh:
            return
        if start_from not in ("beginning", "end"):
            raise InputError(
                f"nothing is known of {fresh[0].path} yet",
                "say where to start: --from beginning (all that is there) or --from end",
            )
        sources = [
            SourcePosition(
                source=_log_source(log.path),
                offset=0,
                detail=orjson.dumps({"from": start_from, "at": self._now_ms()}).decode(),
            )
            for log in fresh
        ]
        if start_from == "end":
            for log in fresh:
                for seen in files_of(log.path):
                    position = self._passed_over(seen)
                    if position is not None:
                        self.known.remember(position)
                        sources.append(position.to_source())
        self.writer.spool.heartbeat(0, tuple(sources))
        self._begun.update(source.source for source in sources)

    def cycle(self, *, final: bool = False) -> Cycle:
        """Read what is new in every file. `final`: nobody will finish half lines of rotated files.

        Raises SpoolFull and SpoolBroken; nothing is lost, the next cycle takes the same lines.
        """
        cycle = Cycle(started_ms=self._now_ms())
        before = self.writer.events
        seen_inodes: set[tuple[int, int]] = set()
        for log in self.logs:
            files = files_of(log.path)
            if not any(seen.live for seen in files):
                cycle.at_end = False
                cycle.problems.append(f"{log.path} is not there")
            for seen in files:
                if self._stopping():
                    cycle.at_end = False
                    break
                seen_inodes.add(seen.inode)
                if self._read_states.get(seen.inode) != seen.state:
                    self._file(log, seen, cycle, final=final)
        for gone in self._read_states.keys() - seen_inodes:
            del self._read_states[gone]
        self.writer.spool.commit()
        cycle.events = self.writer.events - before
        return cycle

    def _file(self, log: Log, seen: SeenFile, cycle: Cycle, *, final: bool) -> None:
        try:
            with Content(seen.path) as content:
                done = self._content(log, seen, content, cycle, final=final)
                if content.cut_off:
                    done = False
                    cycle.problems.append(f"{seen.path}: the gzip file ends early")
        except ContentChanged:
            done = False
        except InputError as error:
            # Gone since the listing: rotation moved it, and the next cycle finds it again.
            done = False
            if seen.path.exists():
                cycle.problems.append(error.message)
        if done:
            self._read_states[seen.inode] = seen.state
        else:
            cycle.at_end = False

    def _content(
        self, log: Log, seen: SeenFile, content: Content, cycle: Cycle, *, final: bool
    ) -> bool:
        """Read what is new in one file; True when it was read to its end."""
        if content.gzip and self.known.has_archived(content, log.form):
            return True
        still = content.gzip or cycle.started_ms - seen.modified_ms > HALF_LINE_MS
        closed = not seen.live and (still or final)
        found = self.known.find(content, log.form, whole=closed)
        if found is None:
            return still or final or not content.read_at(0, 1)
        if not found.reached:
            return True
        stream = Stream(content, log.form, found.position, name=seen.path.name)
        for chunk in stream.chunks():
            if self._stopping():
                return False
            if chunk.open_end and not (closed and self._is_record(stream, chunk)):
                return still or final
            step = stream.step(chunk, self._now_ms())
            cycle.notes += [f"{seen.path.name}: {note}" for note in step.notes]
            self.writer.write(step, 0)
            self.writer.spool.commit()
            self.known.remember(step.position)
            self._doubt(log, step.position, cycle)
        return True

    def _doubt(self, log: Log, position: StreamPosition, cycle: Cycle) -> None:
        """Say once that not one line of a file could be read: the format may be the wrong one."""
        source = position.to_source().source
        if position.refused and not position.events and source not in self._doubted:
            self._doubted.add(source)
            cycle.notes.append(f"{log.path}: no line yet that could be read as {log.form.name}")

    def _is_record(self, stream: Stream, chunk: Chunk) -> bool:
        return len(stream.parse(chunk, self._now_ms()).columns) == 1

    def _passed_over(self, seen: SeenFile) -> StreamPosition | None:
        """The position behind all lines that a file holds now; None while it holds none."""
        with Content(seen.path) as content:
            head = head_of(content)
            if head is None:
                return None
            early = early_lines(content.read_at(0, EARLY_BYTES))
            if content.gzip:
                return StreamPosition(head=head, offset=_UNREAD, early=early, name=seen.path.name)
            offset, fingerprint, marks = end_of_lines(content)
            return StreamPosition(
                head=head,
                early=early,
                offset=offset,
                fingerprint=fingerprint,
                marks=marks,
                name=seen.path.name,
            )


def _log_source(path: Path) -> str:
    """The name under which a spool remembers that a log was begun."""
    return f"log:{path.absolute()}"
