"""What every log format answers with: the events of a block of lines, and what it refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from edge.batch.records import Array, EventColumns
from edge.reasons import Reason

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """One line that is no event: its physical line number in the block (from 0) and the reason.

    `detail` says for a person what was wrong; of many lines of one reason only the first has it.
    """

    row: int
    reason: Reason
    detail: str = ""


class Settled:
    """Lines of a block that are decided before their values are looked at."""

    def __init__(self) -> None:
        self.refused: list[RefusedRow] = []
        self.rows: set[int] = set()
        """Those refused, and those passed over: blank lines."""
        self.notes: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.rows)

    def refuse(self, row: int, reason: Reason, detail: str = "") -> None:
        """Line `row` is no event; a second reason for it changes nothing."""
        if row not in self.rows:
            self.refused.append(RefusedRow(row=row, reason=reason, detail=detail))
            self.rows.add(row)

    def pass_over(self, row: int) -> None:
        """Line `row` is no data line."""
        self.rows.add(row)


def no_rows() -> Rows:
    """No line numbers."""
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The content of one block of whole lines.

    `rows` holds the physical line number in the block (from 0) of each event, rising. `lines`
    counts data lines: neither blank nor directives, so `lines == len(columns) + len(refused)`
    always. `unattributable` counts events whose Host is no domain name. `ids` are the request ids
    of the events (None: the format has none), `repeated` those of `rows` whose id an earlier line
    of the block has. `notes` are for a person. `physical`: all lines of the block, where its
    reader counted them and they hold no NUL.
    """

    columns: EventColumns
    rows: Rows
    refused: tuple[RefusedRow, ...] = ()
    unattributable: int = 0
    repeated: Rows = field(default_factory=no_rows)
    ids: pl.Series | None = None
    notes: tuple[str, ...] = field(default=())
    physical: int | None = None

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


class Cutter(Protocol):
    """Cuts the lines of one file, in order, into fields."""

    def cut(self, block: bytes, settled: Settled) -> pl.DataFrame:
        """One row per physical line, one column of text per field; never raises for the lines.

        What is no line of the format is settled, and null in its row.
        """
        ...

    def recall(self, directives: list[bytes]) -> None:
        """As `Parser.recall`."""
        ...


class Maker(Protocol):
    """Makes the parser of one file."""

    def __call__(self, name: str = "") -> Parser:
        """`name` is the file's: some formats take the host from it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A log format by name. `directives`: lines that begin with `#` steer what follows them.

    `head`: the first line names the columns. `named`: what a file's name says of its lines, where
    it does: the same lines under another name are others then.
    `version` tells mapping files of one name apart by their content. `lacks`: what a person has to
    say of its lines, which do not (scheme, host). `json`: lines are JSON objects, which may stand
    in a list under the key `records`.
    """

    name: str
    make: Maker
    directives: bool = False
    head: bool = False
    named: Callable[[str], str] | None = None
    version: str = ""
    lacks: tuple[str, ...] = ()
    json: bool = False
    records: str = ""

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


def count_lines(block: bytes) -> int:
    """How many lines `physical_lines` would give."""
    ends = int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")))
    return ends + bool(block and not block.endswith(b"\n"))


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
    refused = [replace(row, row=first + row.row) for first, part in parts for row in part.refused]
    rows = [part.rows + first for first, part in parts]
    return Parsed(
        columns=together,
        rows=np.concatenate(rows or [no_rows()]),
        refused=tuple(refused),
        unattributable=sum(part.unattributable for _, part in parts),
        repeated=np.concatenate([part.repeated + first for first, part in parts] or [no_rows()]),
        ids=_joined_ids([part for _, part in parts]),
        notes=tuple(note for _, part in parts for note in part.notes),
    )


def _joined_ids(parts: list[Parsed]) -> pl.Series | None:
    """The request ids of consecutive pieces; None where a piece with events has none."""
    found = [part.ids for part in parts if len(part.rows)]
    if not found or any(ids is None for ids in found):
        return None
    return pl.concat(found)


def without(parsed: Parsed, rows: Rows, reason: Reason) -> Parsed:
    """`parsed` with the events on lines `rows` refused for `reason`."""
    keep = ~np.isin(parsed.rows, rows)
    columns = parsed.columns
    refused = [RefusedRow(row=row, reason=reason) for row in rows.tolist()]
    return replace(
        parsed,
        columns=replace(
            columns,
            domain_index=columns.domain_index[keep],
            time_ms=columns.time_ms[keep],
            carrier=columns.carrier[keep],
            status=columns.status[keep],
            cache=columns.cache[keep],
            bytes_sent=columns.bytes_sent[keep],
        ),
        rows=parsed.rows[keep],
        refused=tuple(sorted((*parsed.refused, *refused), key=lambda each: each.row)),
    )


def parse_whatever(parser: Parser, block: bytes, now_ms: int) -> Parsed:
    """The events of `block`, even where `parser` has a defect: no line may end an agent.

    A block that a parser cannot bear is tried in halves, down to the line, which is refused as
    `error` with its bytes kept, and told.
    """
    try:
        return parser.parse(block, now_ms)
    except (Exception, pl.exceptions.PanicException) as error:  # a defect of ours costs one line
        lines = physical_lines(block)
        if len(lines) <= 1:
            return _defect(parser, block, error)
    middle = len(lines) // 2
    first = b"".join(line + b"\n" for line in lines[:middle])
    parts = [
        (0, parse_whatever(parser, first, now_ms)),
        (middle, parse_whatever(parser, block[len(first) :], now_ms)),
    ]
    return joined(parts)


def _defect(parser: Parser, line: bytes, error: BaseException) -> Parsed:
    """One line that `parser` fell over."""
    what = f"{type(parser).__name__}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return Parsed(
        columns=no_columns(),
        rows=no_rows(),
        refused=(RefusedRow(row=0, reason=Reason.ERROR, detail=what),) if line.strip() else (),
        notes=(f"a line met a defect of edgetoll, please report it: {what}",),
    )
