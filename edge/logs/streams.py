"""From the lines of log files to batches in a spool: shared by `edge import` and `edge tail`.

A stream's position (positions.py) travels in the batch that holds the lines up to it, so that a
crash neither skips nor repeats a line. Refused lines are kept on disk before the position moves
past them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from edge.batch.records import EventColumns, SourcePosition
from edge.logs.chunks import Chunk, ContentChanged, read_chunks, without_nuls
from edge.logs.content import BYTE_ORDER_MARK, Content
from edge.logs.fingerprints import (
    Trail,
    directives_before,
    marks_of,
)
from edge.logs.formats.block import (
    Format,
    Parsed,
    count_lines,
    line_starts,
    no_columns,
    no_rows,
    parse_whatever,
    without,
)
from edge.logs.positions import StreamPosition
from edge.logs.refused_lines import RejectedLine
from edge.logs.repeated_ids import RecentIds
from edge.reasons import UNREADABLE, Reason

TARGET_LINES: Final = 48_000
"""Lines a block aims at: one block is one batch, and a batch has at most 65,536 events."""
_NO_CLOCK_MS: Final = 1 << 47
"""Later than any line: for reading lines whose times were judged before."""
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


class Keeper(Protocol):
    """Keeps refused lines (RejectedLines does)."""

    def keep(self, lines: tuple[RejectedLine, ...]) -> None:
        """Keep `lines`, durable on return."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A block that was parsed and not yet written: what to append, keep and remember."""

    columns: EventColumns
    position: StreamPosition
    rejected: tuple[RejectedLine, ...]
    notes: tuple[str, ...]
    unattributable: int
    repeated_ids: int = 0
    nul_bytes: int = 0


class Stream:
    """One file being read into steps; `position` is where the last step leaves it."""

    def __init__(
        self,
        content: Content,
        form: Format,
        position: StreamPosition,
        *,
        name: str,
        repeats: RecentIds | None = None,
        drop_repeated: bool = False,
    ) -> None:
        """`repeats` remembers request ids; `drop_repeated` refuses a line whose id it knows."""
        self.position = replace(position, name=name, form=form.identity)
        self.content = content
        self.repeats = repeats
        self.drop_repeated = drop_repeated
        self._parser = form.make(name)
        if form.directives:
            self._parser.recall(directives_before(content, position.offset, head=form.head))
        self._trail = Trail.resume(content, position.offset, position.marks)
        if position.offset and self._trail.fingerprint() != position.fingerprint:
            raise ContentChanged
        if drop_repeated and repeats is not None and not repeats and position.offset:
            self._recall_ids(repeats, position.offset)
        self.target_bytes = [_BLOCK_BYTES[0]]

    def _recall_ids(self, repeats: RecentIds, offset: int) -> None:
        """Let `repeats` know the lines before `offset`: another process read them."""
        start = max(0, offset - _BLOCK_BYTES[0])
        before = self.content.read_at(start, offset - start)
        lines = before[before.find(b"\n") + 1 :] if start else before
        ids = parse_whatever(self._parser, without_nuls(lines), _NO_CLOCK_MS).ids
        if ids is not None:
            repeats.remember(ids)

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
        if chunk.oversized or chunk.hole:
            return Parsed(columns=no_columns(), rows=no_rows())
        data = chunk.data if chunk.start else chunk.data.removeprefix(BYTE_ORDER_MARK)
        plain = without_nuls(data)
        parsed = parse_whatever(self._parser, plain, now_ms)
        return parsed if plain is data else replace(parsed, physical=None)

    def move(self, chunk: Chunk, parsed: Parsed) -> Step:
        """Move past `chunk`, which begins at the position and holds `parsed`."""
        if chunk.oversized or chunk.hole:
            return self._passed(chunk, parsed)
        self._trail.feed(chunk.data)
        lines = count_lines(chunk.data) if parsed.physical is None else parsed.physical
        self._aim(len(chunk.data), lines)
        if self.repeats is not None and parsed.ids is not None:
            again = self.repeats.again(parsed.ids, parsed.rows)
            parsed = replace(parsed, repeated=again)
            if self.drop_repeated and len(again):
                parsed = without(parsed, again, Reason.REPEATED_ID)
        rejected = self._rejected(chunk, parsed)
        step = self._moved(chunk.end, lines, rejected, parsed)
        counted = parsed.physical is not None  # then there is no NUL
        nul_bytes = 0 if counted else len(chunk.data) - len(without_nuls(chunk.data))
        return replace(step, nul_bytes=nul_bytes, repeated_ids=len(parsed.repeated))

    def _passed(self, chunk: Chunk, parsed: Parsed) -> Step:
        """Move past one line that is too long, or past a hole."""
        marks = marks_of(self.content, chunk.end)
        self._trail = Trail.resume(self.content, chunk.end, marks)
        if chunk.hole:
            step = self._moved(chunk.end, 0, (), parsed)
            return replace(step, nul_bytes=chunk.end - chunk.start)
        tail = self.content.read_at(max(chunk.start, chunk.end - 1), 1)
        row = RejectedLine(
            source=self.position.to_source().source,
            name=self.position.name,
            line=self.position.lines + 1,
            offset=chunk.start,
            length=chunk.end - chunk.start - tail.endswith(b"\n"),
            reason=Reason.TOO_LARGE,
            detail=f"{chunk.end - chunk.start:,} bytes in one line",
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
                    detail=refused.detail,
                    # The record, not the 4 KiB of NULs that a hole may leave in front of it.
                    raw=chunk.data[start:end].rstrip(b"\n").strip(b"\0"),
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
            unreadable=self.position.unreadable + sum(r.reason in UNREADABLE for r in rejected),
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

    def __init__(
        self,
        spool: BatchSink,
        rejected: Keeper,
        *,
        tally: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        """`tally` gets each step that was written."""
        self.spool = spool
        self._tally = tally
        self.rejected = rejected
        self.events = 0
        self.unattributable = 0
        self.skipped: Counter[Reason] = Counter()
        self.repeated_ids = 0
        self.nul_bytes = 0
        self.examples: dict[Reason, RejectedLine] = {}
        """The first refused line of each reason: what a person looks at to see what is wrong."""

    def write(self, step: Step, watermark_ms: int, also: tuple[SourcePosition, ...] = ()) -> None:
        """Append `step`; durable after `commit`, except that refused lines are kept at once.

        `also` are positions that become durable with it.
        """
        sources = (step.position.to_source(), *also)
        if step.rejected:
            self.rejected.keep(step.rejected)
        if len(step.columns):
            self.spool.write(step.columns, watermark_ms, sources)
        else:
            # A block of refused lines only must move its position too.
            self.spool.heartbeat(watermark_ms, sources)
        self._tally(step)
        self.events += len(step.columns)
        self.unattributable += step.unattributable
        self.repeated_ids += step.repeated_ids
        self.nul_bytes += step.nul_bytes
        self.skipped.update(row.reason for row in step.rejected)
        for row in step.rejected:
            self.examples.setdefault(row.reason, row)
