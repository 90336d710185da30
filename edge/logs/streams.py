"""From the lines of log files to batches in a spool: shared by `edge import` and `edge tail`.

A *stream* is the content of one log file, whatever its name is today. Its position travels in the
batch that holds the lines up to it, so that a crash neither skips nor repeats a line. Refused lines
are kept on disk before the position moves past them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import orjson

from edge.batch.records import EventColumns, SourcePosition
from edge.logs.content import (
    BYTE_ORDER_MARK,
    Chunk,
    Content,
    ContentChanged,
    Trail,
    agrees,
    begins_alike,
    directives_before,
    head_of,
    marks_of,
    read_chunks,
    starts_alike,
)
from edge.logs.formats.block import Format, Parsed, line_starts, no_columns
from edge.logs.refused_lines import RejectedLine, RejectedLines
from edge.reasons import Reason

TARGET_LINES: Final = 48_000
"""Lines a block aims at: one block is one batch, and a batch has at most 65,536 events."""
_NEAR_MARKS: Final = 5
"""Marks up to 64 KiB."""
_BLOCK_BYTES: Final = (1 << 20, 16 << 20)


class BatchSink(Protocol):
    """What intake needs of a spool (edge.spool.Spool has it)."""

    def write(
        self, content: EventColumns, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Write a batch; durable after `commit`."""
        ...

    def commit(self) -> None:
        """Make durable what was written."""
        ...

    def heartbeat(
        self, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """A batch without events, durable on return."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPosition:
    """How far a stream was read: `offset` in content bytes, and what was found up to there.

    `lines` counts physical lines, `events` what became events, `refused` data lines that did not.
    `fingerprint`, `marks` and `early` identify the content (edge/logs/content.py); `form` is the
    identity of the format it was read with.
    """

    head: str
    generation: int = 0
    offset: int = 0
    lines: int = 0
    events: int = 0
    refused: int = 0
    fingerprint: str = ""
    marks: tuple[str, ...] = ()
    early: str = ""
    name: str = ""
    form: str = ""

    def to_source(self) -> SourcePosition:
        """As a batch carries it."""
        detail = {
            "name": self.name,
            "lines": self.lines,
            "events": self.events,
            "refused": self.refused,
            "marks": self.marks,
            "early": self.early,
            "format": self.form,
        }
        return SourcePosition(
            source=f"{self.head}.{self.generation}",
            generation=self.generation,
            offset=self.offset,
            fingerprint=self.fingerprint,
            detail=orjson.dumps(detail).decode(),
        )

    @classmethod
    def from_source(cls, position: SourcePosition) -> StreamPosition | None:
        """Of a position that `to_source` made; None for a source of another kind."""
        head, _, _generation = position.source.rpartition(".")
        try:
            detail = orjson.loads(position.detail)
            return cls(
                head=head,
                generation=position.generation,
                offset=position.offset,
                lines=detail["lines"],
                events=detail["events"],
                refused=detail["refused"],
                fingerprint=position.fingerprint,
                marks=tuple(detail["marks"]),
                early=detail.get("early", ""),
                name=detail["name"],
                form=detail.get("format", ""),
            )
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None

    def misread(self, form: Format) -> bool:
        """Whether no line became an event, and the format was another one: a mistake to mend."""
        return self.events == 0 and self.refused > 0 and self.form != form.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPlace:
    """The stream that a file holds. `reached` False: the file ends before the position, being a
    shorter copy of the stream.
    """

    position: StreamPosition
    reached: bool = True


class KnownStreams:
    """The streams a spool has positions of, to find the one a file holds.

    A stream of which no line became an event, read in another format than `form`, counts as unread:
    somebody chose the wrong format, and nothing of it has been counted.
    """

    def __init__(self, positions: Mapping[str, SourcePosition]) -> None:
        self._by_head: dict[str, dict[int, StreamPosition]] = {}
        for source in positions.values():
            position = StreamPosition.from_source(source)
            if position is not None:
                self.remember(position)

    def remember(self, position: StreamPosition) -> None:
        """Take `position` as where that stream stands now."""
        self._by_head.setdefault(position.head, {})[position.generation] = position

    def current(self, position: StreamPosition) -> StreamPosition:
        """Where the stream of `position` stands now."""
        return self._by_head.get(position.head, {}).get(position.generation, position)

    def has_archived(self, content: Content, form: Format) -> bool:
        """Whether a gzip file holds a stream that was read to its end, told without inflating it
        all.

        By its first line, the windows near its start, and the size of its content in its trailer.
        """
        head = head_of(content, whole=True)
        return any(
            not position.misread(form)
            and position.offset % (1 << 32) == content.trailer_size()
            and starts_alike(content, position.early)
            and all(begins_alike(content, position.marks[:_NEAR_MARKS]))
            for position in self._by_head.get(head or "", {}).values()
        )

    def find(self, content: Content, form: Format, *, whole: bool) -> KnownPlace | None:
        """Where reading `content` goes on: at 0 of a new stream if it was never seen.

        None while the file has no data line (`whole`: its last line counts without a line end).
        """
        head = head_of(content, whole=whole)
        if head is None:
            return None
        candidates = self._by_head.get(head, {})
        shorter: StreamPosition | None = None
        for position in sorted(candidates.values(), key=lambda each: -each.offset):
            same = agrees(content, position.offset, position.fingerprint, position.marks)
            if same is not False and position.misread(form):
                again = StreamPosition(head=head, generation=position.generation)
                return KnownPlace(position=again)
            if same:
                return KnownPlace(position=position)
            if same is None and shorter is None and starts_alike(content, position.early):
                shorter = position
        if shorter is not None:
            return KnownPlace(position=shorter, reached=False)
        fresh = StreamPosition(head=head, generation=max(candidates, default=-1) + 1)
        return KnownPlace(position=fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A block that was parsed and not yet written: what to append, keep and remember."""

    columns: EventColumns
    position: StreamPosition
    rejected: tuple[RejectedLine, ...]
    notes: tuple[str, ...]
    unattributable: int


class Stream:
    """One file being read into steps; `position` is where the last step leaves it."""

    def __init__(
        self, content: Content, form: Format, position: StreamPosition, *, name: str
    ) -> None:
        self.position = replace(position, name=name, form=form.identity)
        self.content = content
        self._parser = form.make()
        if form.directives:
            self._parser.recall(directives_before(content, position.offset))
        self._trail = Trail.resume(content, position.offset, position.marks)
        if position.offset and self._trail.fingerprint() != position.fingerprint:
            raise ContentChanged
        self.target_bytes = [_BLOCK_BYTES[0]]

    def chunks(self) -> Iterator[Chunk]:
        """The lines behind the position. Raises ContentChanged."""
        return read_chunks(
            self.content, self.position.offset, self.target_bytes, self._trail.window
        )

    def step(self, chunk: Chunk, now_ms: int) -> Step:
        """Parse `chunk`, which begins at the position, and move past it."""
        return self.move(chunk, self.parse(chunk, now_ms))

    def parse(self, chunk: Chunk, now_ms: int) -> Parsed:
        """What `chunk` holds, without moving. Formats without directives may do it in any order."""
        if chunk.oversized:
            return Parsed(columns=no_columns(), rows=no_columns().time_ms)
        data = chunk.data if chunk.start else chunk.data.removeprefix(BYTE_ORDER_MARK)
        return self._parser.parse(data, now_ms)

    def move(self, chunk: Chunk, parsed: Parsed) -> Step:
        """Move past `chunk`, which begins at the position and holds `parsed`."""
        if chunk.oversized:
            return self._oversized(chunk, parsed)
        self._trail.feed(chunk.data)
        lines = chunk.data.count(b"\n") + chunk.open_end
        self._aim(len(chunk.data), lines)
        rejected = self._rejected(chunk, parsed)
        return self._moved(chunk.end, lines, rejected, parsed)

    def _oversized(self, chunk: Chunk, parsed: Parsed) -> Step:
        tail = self.content.read_at(max(chunk.start, chunk.end - 4096), chunk.end - chunk.start)
        marks = marks_of(self.content, chunk.end)
        self._trail = Trail.resume(self.content, chunk.end, marks)
        row = RejectedLine(
            source=self.position.to_source().source,
            name=self.position.name,
            line=self.position.lines + 1,
            offset=chunk.start,
            length=chunk.end - chunk.start - tail.endswith(b"\n"),
            reason=Reason.TOO_LARGE,
            raw=chunk.data,
        )
        return self._moved(chunk.end, 1, (row,), parsed)

    def _rejected(self, chunk: Chunk, parsed: Parsed) -> tuple[RejectedLine, ...]:
        if not parsed.refused:
            return ()
        starts = line_starts(chunk.data)
        source = self.position.to_source().source
        rows = []
        for refused in parsed.refused:
            start, end = int(starts[refused.row]), int(starts[refused.row + 1])
            rows.append(
                RejectedLine(
                    source=source,
                    name=self.position.name,
                    line=self.position.lines + refused.row + 1,
                    offset=chunk.start + start,
                    length=end - start,
                    reason=refused.reason,
                    raw=chunk.data[start:end].rstrip(b"\n"),
                )
            )
        return tuple(rows)

    def _moved(
        self,
        end: int,
        lines: int,
        rejected: tuple[RejectedLine, ...],
        parsed: Parsed,
    ) -> Step:
        self.position = replace(
            self.position,
            offset=end,
            lines=self.position.lines + lines,
            events=self.position.events + len(parsed.columns),
            refused=self.position.refused + len(rejected),
            fingerprint=self._trail.fingerprint(),
            marks=tuple(self._trail.marks),
            early=self._trail.early,
        )
        return Step(
            columns=parsed.columns,
            position=self.position,
            rejected=rejected,
            notes=parsed.notes,
            unattributable=parsed.unattributable,
        )

    def _aim(self, size: int, lines: int) -> None:
        """Let the next block hold about TARGET_LINES lines."""
        if lines:
            wanted = size * TARGET_LINES // lines
            self.target_bytes[0] = min(max(wanted, _BLOCK_BYTES[0]), _BLOCK_BYTES[1])


class Writer:
    """Puts steps into the spool, refused lines first."""

    def __init__(self, spool: BatchSink, rejected: RejectedLines) -> None:
        self.spool = spool
        self.rejected = rejected
        self.events = 0
        self.unattributable = 0
        self.skipped: Counter[Reason] = Counter()

    def write(self, step: Step, watermark_ms: int) -> None:
        """Append `step`; durable after `commit`, except that refused lines are kept at once."""
        if step.rejected:
            self.rejected.keep(step.rejected)
        if len(step.columns):
            self.spool.write(step.columns, watermark_ms, (step.position.to_source(),))
        else:
            # A block of refused lines only must move its position too.
            self.spool.heartbeat(watermark_ms, (step.position.to_source(),))
        self.events += len(step.columns)
        self.unattributable += step.unattributable
        self.skipped.update(row.reason for row in step.rejected)
