"""One log that is followed: the files of it that are open, and those begun and not let go yet.

A log moves while the agent looks elsewhere: to another name, into another folder, or away. What is
open stays readable whatever becomes of its name, so the agent keeps a file that it reads open until
nobody has written to it for a while. Which streams are open stands in the spool, so that after a
restart a file that was begun is looked for, and missed (CASES E2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from edge.batch.records import SourcePosition
from edge.errors import InputError
from edge.logs.content import Content
from edge.logs.fingerprints import agrees, head_of
from edge.logs.formats.block import Format
from edge.logs.positions import KnownStreams, StreamPosition
from edge.logs.rotation import SeenFile, files_of, neighbours_of, packed_files

LET_GO_MS: Final = 60_000
"""A file that was moved away is let go once its successor is written to, and nobody has written to
it itself for this long: a server that has not reopened its log writes on where it is.
"""
_OPEN_MAX: Final = 60
"""Streams remembered as open: their names travel in one position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log to follow, the format of its lines, and patterns of where rotation puts its files."""

    path: Path
    form: Format
    rotated: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The name under which a spool remembers this log."""
        return f"log:{self.path.absolute()}"


@dataclass(slots=True, kw_only=True)
class _Held:
    """A file that is kept open, and the stream it was found to hold."""

    content: Content
    path: Path
    inode: tuple[int, int]
    stream: str | None = None


@dataclass(slots=True)
class FollowedLog:
    """What is known of one log. `open` are streams begun and not let go, by their source."""

    log: Log
    others: tuple[Path, ...] = ()
    began: dict[str, object] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    changed: bool = False
    """Whether the spool is to be told: see position()."""
    _held: list[_Held] = field(default_factory=list)
    _searched: object = None

    @classmethod
    def of(cls, log: Log, others: Iterable[Path], known: SourcePosition | None) -> FollowedLog:
        """As the spool remembers it, if it does."""
        followed = cls(log, tuple(others))
        if known is None:
            return followed
        try:
            detail = orjson.loads(known.detail)
            followed.open = [str(each) for each in detail.pop("open", [])]
            followed.began = dict(detail)
        except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
            pass  # made by another version: it begins without open streams
        return followed

    def position(self) -> SourcePosition:
        """What the spool is to remember."""
        self.changed = False
        detail = self.began | {"open": self.open[-_OPEN_MAX:]}
        return SourcePosition(
            source=self.log.source, offset=0, detail=orjson.dumps(detail).decode()
        )

    def look(self) -> list[SeenFile]:
        """The files there are now, oldest first, the live one last; those open among them."""
        named = files_of(self.log.path, others=self.others, rotated=self.log.rotated)
        live = next((seen for seen in named if seen.live), None)
        if live is not None and self._holding(live.inode) is None:
            try:
                opened = Content(live.path)
            except InputError:
                opened = None  # gone since, or not to be read: whoever reads it will say so
            if opened is not None:
                seen = SeenFile.of(live.path, opened.stat(), live=True)
                self._hold(seen, opened)
                named = [each for each in named if each.inode != seen.inode and not each.live]
                named.append(seen)
        shown = {seen.inode for seen in named}
        for held in self._held:
            if held.inode not in shown:
                named.append(SeenFile.of(held.path, held.content.stat(), live=False))
        return sorted(named, key=lambda each: (each.live, each.modified_ms, each.path.name))

    def content(self, seen: SeenFile) -> Content:
        """The content of `seen`, which stays open until it is let go. Raises InputError."""
        held = self._holding(seen.inode)
        if held is None:
            return self._hold(seen, Content(seen.path)).content
        held.content.look_again()
        return held.content

    def _holding(self, inode: tuple[int, int]) -> _Held | None:
        return next((held for held in self._held if held.inode == inode), None)

    def _hold(self, seen: SeenFile, content: Content) -> _Held:
        held = _Held(content=content, path=seen.path, inode=seen.inode)
        self._held.append(held)
        return held

    def streams(self) -> set[str]:
        """The streams that the open files hold."""
        return {held.stream for held in self._held if held.stream is not None}

    def reopen(self, seen: SeenFile) -> None:
        """Close `seen`, to be opened anew: an archive that was not whole is read from its start."""
        held = self._holding(seen.inode)
        if held is not None and not seen.live:
            held.content.close()
            self._held.remove(held)

    def holds(self, seen: SeenFile, stream: str) -> None:
        """`seen` was found to hold `stream`."""
        held = self._holding(seen.inode)
        if held is not None:
            held.stream = stream

    def begun(self, stream: str) -> None:
        """Lines of `stream` are read: it is open, and remembered so before they are durable."""
        if stream not in self.open:
            self.open.append(stream)
            self.changed = True

    @property
    def was_understood(self) -> bool:
        """Whether a request was ever read from this log."""
        return bool(self.began.get("understood"))

    def understood(self) -> None:
        """A request was read from this log."""
        if not self.was_understood:
            self.began["understood"] = True
            self.changed = True

    def _forget(self, stream: str) -> None:
        if stream in self.open:
            self.open.remove(stream)
            self.changed = True

    def let_go(self, now_ms: int, read_to_end: dict[tuple[int, int], tuple[int, int]]) -> None:
        """Close the files that were moved away, read to their end, and are quiet since."""
        try:
            live = SeenFile.of(self.log.path, self.log.path.stat(), live=True)
        except OSError:
            return  # in the midst of a rotation: whoever writes may still write to the old one
        for held in list(self._held):
            seen = SeenFile.of(held.path, held.content.stat(), live=False)
            succeeded = live.state[0] > 0 and live.modified_ms >= seen.modified_ms
            read = read_to_end.get(held.inode) == seen.state
            quiet = now_ms - seen.modified_ms > LET_GO_MS
            if held.inode != live.inode and succeeded and read and quiet:
                held.content.close()
                self._held.remove(held)
                if held.stream is not None:
                    self._forget(held.stream)

    def missing(self, known: KnownStreams) -> list[StreamPosition]:
        """Streams that were begun, and that none of the files there are now holds."""
        current = self.streams()
        found = (known.by_source(each) for each in self.open if each not in current)
        return [position for position in found if position is not None]

    def search(self, missing: Sequence[StreamPosition]) -> list[str]:
        """Look for `missing` in every file of the folder; gives the names of packed files.

        Nothing is looked at twice while the folder stays as it is.
        """
        packed = [seen.path.name for seen in packed_files(self.log.path, self.log.rotated)]
        nearby = neighbours_of(self.log.path, others=self.others)
        state = [(seen.path, seen.inode, seen.state) for seen in nearby]
        wanted = (state, [position.to_source().source for position in missing])
        if wanted == self._searched:
            return packed
        self._searched = wanted
        for seen in nearby:
            if self._holding(seen.inode) is None:
                self._try(seen, missing)
        return packed

    def _try(self, seen: SeenFile, missing: Sequence[StreamPosition]) -> None:
        """Keep `seen` open if it holds one of `missing`."""
        try:
            content = Content(seen.path)
        except InputError:
            return
        try:
            head = head_of(content, whole=True)
            for position in missing:
                if position.head == head and agrees(
                    content, position.offset, position.fingerprint, position.marks
                ):
                    self._hold(seen, content).stream = position.to_source().source
                    return
        except InputError:
            pass  # a damaged archive: whoever reads it says so
        content.close()

    def give_up(self, streams: Iterable[StreamPosition]) -> None:
        """A person says that these files are gone for good."""
        for position in streams:
            self._forget(position.to_source().source)

    def close(self) -> None:
        """Close what is open."""
        for held in self._held:
            held.content.close()
        self._held.clear()
