"""`edge tail`: growing logs into the spool, each line once, over crashes and rotation.

A cycle looks at every file of every log, oldest first, and reads what is new in whole lines. Files
are known by content, so it does not matter whether rotation renamed, moved, copied, truncated or
compressed them, or whether the agent was away meanwhile. The promise (watermark) moves on only
after a cycle that read every file to its end, found every file that was begun, and understood what
it read; and then to when that cycle began, less what the web server may hold back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge.batch.records import SourcePosition
from edge.errors import InputError
from edge.logs.chunks import Chunk, ContentChanged
from edge.logs.content import Content
from edge.logs.fingerprints import EARLY_BYTES, early_lines, end_of_lines, head_of
from edge.logs.followed import FollowedLog, Log
from edge.logs.positions import REWRITTEN, KnownStreams, StreamPosition
from edge.logs.repeated_ids import RecentIds
from edge.logs.rotation import SeenFile, files_of, packed_files
from edge.logs.streams import Stream, Writer
from edge.reasons import Reason

HALF_LINE_MS: Final = 60_000
"""A line without an end, in a file untouched for this long, will not be finished any more."""
_PACKED_MAX: Final = 1000
"""Letters of the names of archives of before that are remembered: they travel in one position, of
which a reader takes 4,096.
"""
_EVERY: Final = "*"
"""Where they would be more, every archive holds: none of them may be forgotten."""
_UNREAD: Final = 1 << 62
"""The offset given to compressed files that `--from end` passes over unread."""


@dataclass(slots=True, kw_only=True)
class Cycle:
    """What a cycle found: whether all was read to its end, and what stands in the way if not."""

    started_ms: int
    at_end: bool = True
    events: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def hold(self, problem: str) -> None:
        """Something was not read: the promise stands still, and says why."""
        self.at_end = False
        self.problems.append(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class TailOptions:
    """How to follow. `allow_refused`: promise though many lines cannot be read. `drop_repeated`:
    refuse a line whose request id was seen shortly before. `give_up`: a person says that files that
    were begun and cannot be found are gone. `written_ms`: when this spool was last written before.
    """

    allow_refused: bool = False
    drop_repeated: bool = False
    give_up: bool = False
    written_ms: int | None = None


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
        options: TailOptions | None = None,
    ) -> None:
        self.writer = writer
        self.known = KnownStreams(positions)
        self.options = options or TailOptions()
        paths = [log.path for log in logs]
        self.followed = [
            FollowedLog.of(log, [path for path in paths if path != log.path], positions.get(source))
            for log, source in ((log, log.source) for log in logs)
        ]
        self._begun = {source for source in positions if source.startswith("log:")}
        self._now_ms = now_ms
        self._stopping = stopping
        self._read_states: dict[tuple[int, int], tuple[int, int]] = {}
        self._doubts: dict[tuple[int, int], str] = {}
        self._recent: dict[str, RecentIds] = {}
        self._noted: set[str] = set()
        self._looked_for_packed = False
        self._packed: list[str] = []

    def begin(self, start_from: str | None) -> None:
        """Decide, durably, where a log starts that the spool knows nothing of.

        Raises InputError when there is such a log and `start_from` says neither beginning nor end.
        """
        fresh = [each for each in self.followed if each.log.source not in self._begun]
        if not fresh:
            return
        if start_from not in ("beginning", "end"):
            raise InputError(
                f"nothing is known of {fresh[0].log.path} yet",
                "say where to start: --from beginning (all that is there) or --from end",
            )
        sources: list[SourcePosition] = []
        for followed in fresh:
            followed.began = {"from": start_from, "at": self._now_ms()}
            packed = packed_files(followed.log.path, followed.log.rotated)
            if packed and start_from == "beginning":
                names = [each.path.name for each in packed]
                fits = sum(map(len, names)) <= _PACKED_MAX
                followed.began["packed"] = names if fits else [_EVERY]
            sources.append(followed.position())
            if start_from == "end":
                for seen in files_of(
                    followed.log.path, others=followed.others, rotated=followed.log.rotated
                ):
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
        for followed in self.followed:
            files = followed.look()
            if not any(seen.live for seen in files):
                cycle.hold(f"{followed.log.path} is not there")
            for seen in files:
                if self._stopping():
                    cycle.at_end = False
                    break
                seen_inodes.add(seen.inode)
                if self._read_states.get(seen.inode) != seen.state:
                    self._file(followed, seen, cycle, final=final)
                if seen.inode in self._doubts and not self.options.allow_refused:
                    cycle.hold(self._doubts[seen.inode])
            else:
                self._after(followed, cycle, final=final)
        for gone in self._read_states.keys() - seen_inodes:
            del self._read_states[gone]
            self._doubts.pop(gone, None)
        self._looked_for_packed = True
        self.writer.spool.commit()
        cycle.events = self.writer.events - before
        return cycle

    def _after(self, followed: FollowedLog, cycle: Cycle, *, final: bool) -> None:
        """What was begun must be found; what is finished is let go."""
        self._missing(followed, cycle, final=final)
        self._packed_before(followed, cycle)
        self._packed_meanwhile(followed, cycle)
        followed.let_go(cycle.started_ms, self._read_states)
        for gone in self._recent.keys() - {s for each in self.followed for s in each.streams()}:
            del self._recent[gone]
        if followed.changed:
            self.writer.spool.heartbeat(0, (followed.position(),))

    def _missing(self, followed: FollowedLog, cycle: Cycle, *, final: bool) -> None:
        """Look for streams that were begun and no file holds; hold the promise for the rest."""
        missing = followed.missing(self.known)
        if not missing:
            return
        packed = followed.search(missing)
        for seen in followed.look():
            if self._read_states.get(seen.inode) != seen.state and not seen.live:
                self._file(followed, seen, cycle, final=final)
        missing = followed.missing(self.known)
        if self.options.give_up:
            followed.give_up(missing)
            cycle.notes += [f"{_lost(followed, each)}; given up" for each in missing]
            return
        hint = f"; {', '.join(packed)} may hold it: unpack it beside the log" if packed else ""
        for position in missing:
            cycle.hold(
                f"{_lost(followed, position)}: its last lines are not read{hint}. Say where rotated"
                " files are with --rotated, or that it is gone with --give-up"
            )

    def _packed_before(self, followed: FollowedLog, cycle: Cycle) -> None:
        """Archives that are not read, and were there when all that is there was to be (E2)."""
        packed = followed.began.get("packed")
        if not isinstance(packed, list):
            return
        if self.options.give_up:
            del followed.began["packed"]
            followed.changed = True
            return
        for seen in packed_files(followed.log.path, followed.log.rotated):
            if _EVERY in packed or seen.path.name in packed:
                cycle.hold(
                    f"{seen.path} was there before the agent, packed in a way that is not read:"
                    " unpack it beside the log; or import it (edgetoll edge import), or leave it,"
                    " and say that it is no loss with --give-up"
                )

    def _packed_meanwhile(self, followed: FollowedLog, cycle: Cycle) -> None:
        """Archives that cannot be read and hold lines of the time the agent was away (E2)."""
        since = self.options.written_ms
        if since is not None and not self._looked_for_packed and not self.options.give_up:
            new = packed_files(followed.log.path, followed.log.rotated)
            self._packed += [str(seen.path) for seen in new if seen.modified_ms > since]
        for path in self._packed:
            if any(str(s.path) == path for s in packed_files(followed.log.path)):
                cycle.hold(
                    f"{path} was packed while the agent was away, in a way that is not read: unpack"
                    " it beside the log, or say that it is no loss with --give-up"
                )

    def _file(self, followed: FollowedLog, seen: SeenFile, cycle: Cycle, *, final: bool) -> None:
        try:
            content = followed.content(seen)
            done = self._content(followed, seen, content, cycle, final=final)
            if content.cut_off:
                done = False
                cycle.problems.append(f"{seen.path}: the gzip file ends early")
                followed.reopen(seen)
        except ContentChanged:
            done = False
        except InputError as error:
            # Gone since the listing: rotation moved it, and the next cycle finds it again.
            done = False
            followed.reopen(seen)
            if seen.path.exists() and error.message not in cycle.problems:
                cycle.problems.append(error.message)
        if done:
            self._read_states[seen.inode] = seen.state
        else:
            cycle.at_end = False

    def _content(
        self, followed: FollowedLog, seen: SeenFile, content: Content, cycle: Cycle, *, final: bool
    ) -> bool:
        """Read what is new in one file; True when it was read to its end."""
        log = followed.log
        if content.gzip and (position := self.known.archived(content, log.form)):
            followed.holds(seen, position.to_source().source)
            return True
        still = content.packed or cycle.started_ms - seen.modified_ms > HALF_LINE_MS
        closed = not seen.live and (still or final)
        found = self.known.find(content, log.form, whole=closed)
        if found is None:
            return still or final or not content.read_at(0, 1)
        if not found.reached:
            return True
        source = found.position.to_source().source
        followed.holds(seen, source)
        if found.rewritten:
            self._note(f"{seen.path} {REWRITTEN}", cycle)
        stream = Stream(
            content,
            log.form,
            found.position,
            name=seen.path.name,
            repeats=self._recent.setdefault(source, RecentIds()),
            drop_repeated=self.options.drop_repeated,
        )
        done = self._read(followed, seen, stream, cycle, closed=closed, may_end=still or final)
        self._judge(followed, seen, stream.position)
        return done

    def _read(
        self,
        followed: FollowedLog,
        seen: SeenFile,
        stream: Stream,
        cycle: Cycle,
        *,
        closed: bool,
        may_end: bool,
    ) -> bool:
        """Read the lines behind the position of `stream`; True when there are no more."""
        for chunk in stream.chunks():
            if self._stopping():
                return False
            whole = not (chunk.oversized or chunk.hole)
            if chunk.open_end and not (whole and closed and self._is_record(stream, chunk)):
                self._half_line(seen, chunk, cycle, left=closed)
                return may_end
            step = stream.step(chunk, self._now_ms())
            cycle.notes += [f"{seen.path.name}: {note}" for note in step.notes]
            followed.begun(step.position.to_source().source)
            also = (followed.position(),) if followed.changed else ()
            self.writer.write(step, 0, also)
            self.writer.spool.commit()
            self.known.remember(step.position)
            self._doubt(followed.log, step.position, cycle)
            if step.repeated_ids:
                self._note(
                    f"{seen.path}: lines have a request id seen shortly before: does the server log"
                    " each request twice?",
                    cycle,
                )
        return True

    def _half_line(self, seen: SeenFile, chunk: Chunk, cycle: Cycle, *, left: bool) -> None:
        """Say what stands at the end of a file without a line end, and is no record."""
        size = chunk.end - chunk.start
        if chunk.hole:
            return
        if chunk.oversized:
            self._note(f"{seen.path}: the last {size:,} bytes have no line end", cycle)
        elif left and self._note(
            f"{seen.path}: its last line, {size:,} bytes, has no end and is no record: left", cycle
        ):
            self.writer.skipped[Reason.UNTERMINATED] += 1

    def _judge(self, followed: FollowedLog, seen: SeenFile, position: StreamPosition) -> None:
        """Doubt the format of a file of which much could not be read (CASES E3).

        A log that requests were read from before may hold none for a while.
        """
        log = followed.log
        self._doubts.pop(seen.inode, None)
        if position.events:
            followed.understood()
        never = position.without_events and not followed.was_understood
        if position.often_unreadable or never:
            bad = position.unreadable or position.refused
            lines = position.events + position.refused
            self._doubts[seen.inode] = (
                f"{seen.path}: {bad:,} of {lines:,} lines could not be read as {log.form.name}:"
                " correct the format, or take them as they are with allow_refused"
            )

    def _note(self, note: str, cycle: Cycle) -> bool:
        """Say `note` once; whether it was new."""
        if note in self._noted:
            return False
        self._noted.add(note)
        cycle.notes.append(note)
        return True

    def _doubt(self, log: Log, position: StreamPosition, cycle: Cycle) -> None:
        """Say once that not one line of a file could be read: the format may be the wrong one."""
        if position.refused and not position.events:
            example = next(iter(self.writer.examples.values()), None)
            told = f" ({example.told()})" if example else ""
            source = position.to_source().source
            if source not in self._noted:
                self._noted.add(source)
                form = log.form.name
                cycle.notes.append(f"{log.path}: no line yet that could be read as {form}{told}")

    def _is_record(self, stream: Stream, chunk: Chunk) -> bool:
        return len(stream.parse(chunk, self._now_ms()).columns) == 1

    def _passed_over(self, seen: SeenFile) -> StreamPosition | None:
        """The position behind all lines that a file holds now; None while it holds none."""
        with Content(seen.path) as content:
            head = head_of(content)
            if head is None:
                return None
            early = early_lines(content.read_at(0, EARLY_BYTES))
            if content.packed:
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

    def close(self) -> None:
        """Close the files that are open."""
        for followed in self.followed:
            followed.close()


def _lost(followed: FollowedLog, position: StreamPosition) -> str:
    """The sentence for a file that was begun and is not there."""
    return (
        f"{followed.log.path}: the file that was {position.name}, read up to byte"
        f" {position.offset:,}, cannot be found any more"
    )
