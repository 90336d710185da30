"""What every log format answers with: the events of a block of lines, and what it refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.batch.records import Array, EventColumns
from edge.reasons import Reason

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """One line that is no event: its physical line number in the block (from 0) and the reason."""

    row: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The content of one block of whole lines.

    `rows` holds the physical line number in the block (from 0) of each event, rising. `lines`
    counts data lines: neither blank nor directives, so `lines == len(columns) + len(refused)`
    always. `unattributable` counts events whose Host is no domain name. `notes` are for a person.
    """

    columns: EventColumns
    rows: Rows
    refused: tuple[RefusedRow, ...] = ()
    unattributable: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def lines(self) -> int:
        """Data lines seen in the block."""
        return len(self.rows) + len(self.refused)


class Parser(Protocol):
    """Reads the blocks of one file in order."""

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`, whole lines; never raises for what the lines hold."""
        ...

    def recall(self, directives: list[bytes]) -> None:
        """Take the directive lines (`#…`) of what was read before, when a file is continued."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A log format by name. `directives`: lines that begin with `#` steer what follows them.

    `version` tells mapping files of one name apart by their content.
    """

    name: str
    make: Callable[[], Parser]
    directives: bool = False
    version: str = ""

    @property
    def identity(self) -> str:
        """What a position remembers of the format its lines were read with."""
        return f"{self.name}:{self.version}" if self.version else self.name


def line_starts(block: bytes) -> Rows:
    """Offset of the start of each physical line of `block`, and of its end as the last entry."""
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10).astype(np.int64) + 1
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends))
    if starts[-1] != len(block):
        starts = np.append(starts, len(block))
    return starts


def physical_lines(block: bytes) -> list[bytes]:
    """The lines of `block` without their ends; a last line without an end is a line too."""
    lines = block.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def no_columns() -> EventColumns:
    """Columns of no events."""
    return EventColumns(
        domains=(),
        domain_index=np.zeros(0, dtype=np.int32),
        time_ms=np.zeros(0, dtype=np.int64),
        carrier=np.zeros(0, dtype=np.uint8),
        status=np.zeros(0, dtype=np.uint16),
        cache=np.zeros(0, dtype=np.uint8),
        bytes_sent=np.zeros(0, dtype=np.int64),
    )


def joined(parts: list[tuple[int, Parsed]]) -> Parsed:
    """One answer out of those for consecutive pieces of a block, each with its first line's
    number.
    """
    if len(parts) == 1 and parts[0][0] == 0:
        return parts[0][1]
    names: dict[str, int] = {}
    indexes: list[Array] = []
    for _, part in parts:
        place = [names.setdefault(name, len(names)) for name in part.columns.domains]
        indexes.append(np.array(place, dtype=np.int32)[part.columns.domain_index])
    columns = [part.columns for _, part in parts] or [no_columns()]
    together = EventColumns(
        domains=tuple(names),
        domain_index=np.concatenate(indexes or [np.zeros(0, dtype=np.int32)]),
        time_ms=np.concatenate([each.time_ms for each in columns]),
        carrier=np.concatenate([each.carrier for each in columns]),
        status=np.concatenate([each.status for each in columns]),
        cache=np.concatenate([each.cache for each in columns]),
        bytes_sent=np.concatenate([each.bytes_sent for each in columns]),
    )
    refused = [
        RefusedRow(row=first + row.row, reason=row.reason)
        for first, part in parts
        for row in part.refused
    ]
    rows = [part.rows + first for first, part in parts]
    return Parsed(
        columns=together,
        rows=np.concatenate(rows or [np.zeros(0, dtype=np.int64)]),
        refused=tuple(refused),
        unattributable=sum(part.unattributable for _, part in parts),
        notes=tuple(note for _, part in parts for note in part.notes),
    )
