"""How far each log was read, and which of the logs read before a file holds.

A *stream* is the content of one log file, whatever its name is today. Its position travels in the
batch that holds the lines up to it, so that a crash neither skips nor repeats a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from edge.batch.records import SourcePosition
from edge.logs.content import Content
from edge.logs.fingerprints import (
    agrees,
    begins_alike,
    head_of,
    starts_alike,
)
from edge.logs.formats.block import Format

UNREADABLE_SHARE: Final = 10
"""Where one line in so many cannot be read, the format is in doubt, and no promise is made."""
REWRITTEN: Final = (
    "begins with the first line of a log that was read before, and goes on otherwise: was it"
    " edited? Its lines are taken as new ones, those that were read before as well"
)
_NEAR_MARKS: Final = 5
"""Marks up to 64 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPosition:
    """How far a stream was read: `offset` in content bytes, and what was found up to there.

    `lines` counts physical lines, `events` what became events, `refused` data lines that did not,
    `unreadable` those of them that were not understood. `fingerprint`, `marks` and `early` identify
    the content (edge/logs/fingerprints.py); `form` is the identity of the format it was read with,
    `said` what the
    file's name said of the lines, where the format takes something from it.
    """

    head: str
    generation: int = 0
    offset: int = 0
    lines: int = 0
    events: int = 0
    refused: int = 0
    unreadable: int = 0
    fingerprint: str = ""
    marks: tuple[str, ...] = ()
    early: str = ""
    name: str = ""
    form: str = ""
    said: str = ""

    def to_source(self) -> SourcePosition:
        """As a batch carries it."""
        detail = {
            "name": self.name,
            "lines": self.lines,
            "events": self.events,
            "refused": self.refused,
            "unreadable": self.unreadable,
            "marks": self.marks,
            "early": self.early,
            "format": self.form,
            "said": self.said,
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
                unreadable=detail.get("unreadable", 0),
                fingerprint=position.fingerprint,
                marks=tuple(detail["marks"]),
                early=detail.get("early", ""),
                name=detail["name"],
                form=detail.get("format", ""),
                said=detail.get("said", ""),
            )
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None

    @property
    def not_understood(self) -> bool:
        """Whether so much of it could not be read that something must be wrong with the format.

        No line at all became an event, or a tenth of the lines could not be read (CASES E3).
        """
        return self.without_events or self.often_unreadable

    @property
    def without_events(self) -> bool:
        """Whether there are lines, and not one of them is a request."""
        return self.refused > 0 and not self.events

    @property
    def often_unreadable(self) -> bool:
        """Whether a tenth of the lines or more could not be read."""
        return self.unreadable * UNREADABLE_SHARE >= max(self.events + self.refused, 1)

    def same_content(self, other: StreamPosition) -> bool:
        """Whether both were read from one log, as far as both go."""
        if self.head != other.head or (self.said and other.said and self.said != other.said):
            return False
        if self.offset == other.offset:
            return self.fingerprint == other.fingerprint
        alike = all(mine == theirs for mine, theirs in zip(self.marks, other.marks, strict=False))
        early = min(len(self.early), len(other.early))
        return alike and self.early[:early] == other.early[:early]

    def misread(self, form: Format) -> bool:
        """Whether no line became an event, and the format was another one: a mistake to mend."""
        return self.events == 0 and self.refused > 0 and self.form != form.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPlace:
    """The stream that a file holds. `reached` False: the file ends before the position, being a
    shorter copy of the stream. `rewritten`: it begins with the line of one that was read, and goes
    on otherwise: somebody has edited a log, whose lines are then counted anew.
    """

    position: StreamPosition
    reached: bool = True
    rewritten: bool = False


def _said(content: Content, form: Format) -> str:
    """What the name of the file says of its lines."""
    return form.named(content.path.name) if form.named is not None else ""


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

    def by_source(self, source: str) -> StreamPosition | None:
        """Where the stream called `source` stands; None if it is not known."""
        head, _, generation = source.rpartition(".")
        return self._by_head.get(head, {}).get(
            int(generation) if generation.isascii() and generation.isdigit() else -1
        )

    def archived(self, content: Content, form: Format) -> StreamPosition | None:
        """The stream in a gzip file, if it was read to its end; told without inflating it all.

        By its first line, the windows near its start, and the size of its content in its trailer.
        """
        head = head_of(content, whole=True)
        said = _said(content, form)
        return next(
            (
                position
                for position in self._by_head.get(head or "", {}).values()
                if not position.misread(form)
                and not (said and position.said and position.said != said)
                and position.offset % (1 << 32) == content.trailer_size()
                and starts_alike(content, position.early)
                and all(begins_alike(content, position.marks[:_NEAR_MARKS]))
            ),
            None,
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
        rewritten = False
        said = _said(content, form)
        for position in sorted(candidates.values(), key=lambda each: -each.offset):
            if said and position.said and position.said != said:
                continue  # the same lines, of another host
            same = agrees(content, position.offset, position.fingerprint, position.marks)
            if same is not False and position.misread(form):
                again = StreamPosition(head=head, generation=position.generation, said=said)
                return KnownPlace(position=again)
            if same:
                return KnownPlace(position=position)
            if same is None and shorter is None and starts_alike(content, position.early):
                shorter = position
            rewritten = rewritten or position.events > 0
        if shorter is not None:
            return KnownPlace(position=shorter, reached=False)
        fresh = StreamPosition(head=head, generation=max(candidates, default=-1) + 1, said=said)
        return KnownPlace(position=fresh, rewritten=rewritten and not form.head)
