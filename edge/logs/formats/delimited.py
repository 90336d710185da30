"""Lines of values between separators, read in columns; and lines as one column.

polars gives one row per physical line here, blank ones included. Text that is no UTF-8 is read
again with U+FFFD in its place, so that such a line still counts (FAULTS D2).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from edge.logs.formats.block import Settled, count_lines, physical_lines
from edge.logs.formats.mapping import Columns
from edge.reasons import Reason

OVERFLOW = "overflow"
"""The column that has a value when a line holds more values than columns are named."""

KNOWN_VERSION: Final = "1.0"
_UNUSED_BYTE = "\x01"
_QUOTED: Final = re.compile(rb'(?<= )"([^"\n]*)"(?=[ \r\n]|\Z)')
_PACKED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"x\x01", b"x^", b"x\x9c", b"x\xda")
"""What gzip, zstd and zlib begin with."""


def looks_packed(block: bytes) -> bool:
    """Whether polars would take a block for packed data and unpack it, to whatever size.

    A damaged line may begin with anything.
    """
    return block.startswith(_PACKED)


def read_values(
    block: bytes, names: list[str], wanted: list[str], separator: str = "\t", quote: str = ""
) -> pl.DataFrame:
    """Columns `wanted` (and OVERFLOW) of lines whose values are `names`, as text.

    What a line does not have, and what is empty, is None. Any bytes have an answer: where polars
    refuses a block (a first line with many values too many, say), its lines are cut one by one.
    """
    columns = [*names, OVERFLOW]
    places = sorted({columns.index(name) for name in (*wanted, OVERFLOW)})
    if looks_packed(block):
        return _cut_one_by_one(block, columns, places, separator, quote)
    if quote and quote.encode() not in block:
        quote = ""
    try:
        found = _read(block, separator, columns, places, quote)
        if found.height == count_lines(block):
            return found
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass  # read below, line by line
    return _cut_one_by_one(block, columns, places, separator, quote)


def split_line(line: bytes, separator: str, quote: str, most: int = -1) -> list[str]:
    """The values of one line; a quote that is not closed ends with the line."""
    text = line.decode("utf-8", "replace").removesuffix("\r")
    if not quote or quote not in text:
        return text.split(separator, most)
    return next(csv.reader([text], delimiter=separator, quotechar=quote), [])


def _cut_one_by_one(
    block: bytes, columns: list[str], places: list[int], separator: str, quote: str
) -> pl.DataFrame:
    """The same, slowly and for any bytes."""
    cut: list[list[str | None]] = [[] for _ in places]
    for line in physical_lines(block):
        values = split_line(line, separator, quote, len(columns) - 1)
        for column, place in zip(cut, places, strict=True):
            column.append((values[place] or None) if place < len(values) else None)
    made = {columns[place]: column for place, column in zip(places, cut, strict=True)}
    return pl.DataFrame(made, schema=dict.fromkeys(made, pl.String))


def read_lines(block: bytes) -> pl.Series:
    """The lines of `block` as text; None for a blank one."""
    # Damaged lines may hold the very byte that no line should: it must not cut them.
    block = block.replace(_UNUSED_BYTE.encode(), b"?")
    try:
        if looks_packed(block):
            raise pl.exceptions.ComputeError("polars would unpack it")
        found = _read(block, _UNUSED_BYTE, ["line", OVERFLOW], [0])["line"]
        if len(found) == count_lines(block):
            return found
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass  # read below, line by line
    lines = [line.decode("utf-8", "replace") or None for line in physical_lines(block)]
    return pl.Series("line", lines, dtype=pl.String)


def is_blank(values: tuple[str | None, ...]) -> bool:
    """Whether a row comes from a line that holds nothing but white space."""
    return all(value is None or not value.strip() for value in values)


def _read(
    block: bytes, separator: str, columns: list[str], places: list[int], quote: str = ""
) -> pl.DataFrame:
    try:
        return _read_csv(block, separator, columns, places, quote)
    except pl.exceptions.PolarsError:
        clean = block.decode("utf-8", "replace").encode()
        return _read_csv(clean, separator, columns, places, quote)


def _read_csv(
    block: bytes, separator: str, columns: list[str], places: list[int], quote: str
) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(block),
        has_header=False,
        separator=separator,
        quote_char=quote or None,
        schema=dict.fromkeys(columns, pl.String),
        columns=places,
        truncate_ragged_lines=True,
        missing_columns="insert",
    )


class DelimitedCutter:
    """Reads the columns `wanted` (name: column) of lines of values between separators.

    `columns` None: W3C extended, whose last `#Fields` line names the columns. `needed`: of the
    names in each group one must be a column, or no line can be an event.
    """

    def __init__(
        self,
        columns: Columns | None,
        wanted: dict[str, str],
        needed: tuple[tuple[str, ...], ...],
    ) -> None:
        self.columns = columns
        self.wanted = wanted
        self.needed = needed
        self.fields: list[str] = list(columns.names) if columns else []
        self.head = b""

    def recall(self, directives: list[bytes]) -> None:
        """Take what earlier `#` lines, or the head, said."""
        for line in directives:
            self._direct(line, Settled())

    def cut(self, block: bytes, settled: Settled) -> pl.DataFrame:
        """One row a line, one column a field; see `Cutter`."""
        before = (self.fields, self.head)
        try:
            return self._cut(block, settled)
        except BaseException:
            self.fields, self.head = before  # the block may be tried again in pieces
            raise

    def _cut(self, block: bytes, settled: Settled) -> pl.DataFrame:
        parts = [self._empty(0)]
        first = 0
        for piece, is_directive in self._pieces(block):
            lines = physical_lines(piece) if is_directive else []
            for row, line in enumerate(lines):
                settled.pass_over(first + row)
                self._direct(line, settled)
            count = len(lines) or count_lines(piece)
            parts.append(self._empty(count) if lines else self._piece(piece, first, settled))
            first += count
        return pl.concat(parts)

    def _pieces(self, block: bytes) -> Iterator[tuple[bytes, bool]]:
        """`block` cut into runs of directive lines (True) and runs of other lines (False)."""
        if self.columns is None:
            yield from _runs(block)
        elif not self.columns.head:
            yield block, False
        elif self.head:
            yield from _parted(block, self.head)
        else:
            blank = len(block) - len(block.lstrip(b"\r\n"))
            end = block.find(b"\n", blank) + 1 or len(block)
            yield from ((each, True) for each in (block[:end],) if each.strip())
            if end < len(block) and block[:end].strip():
                yield from _parted(block[end:], block[blank:end].rstrip(b"\r\n"))

    def _direct(self, line: bytes, settled: Settled) -> None:
        text = line.decode("utf-8", "replace").strip("\r\n")
        if self.columns is not None:
            if self.columns.head and not self.head and text.strip():
                self.head = line.rstrip(b"\r\n")
                self.fields = split_line(self.head, self.columns.separator, self.columns.quote)
                self.fields = [name.strip() for name in self.fields]
        elif text.startswith("#Fields:"):
            self.fields = text.removeprefix("#Fields:").split()
        elif text.startswith("#Version:"):
            version = text.removeprefix("#Version:").strip()
            if version != KNOWN_VERSION:
                note = f"#Version {version} is not {KNOWN_VERSION}: read by its #Fields"
                settled.notes.append(note)

    def _empty(self, height: int) -> pl.DataFrame:
        none = pl.repeat(None, height, dtype=pl.String, eager=True)
        return pl.DataFrame(dict.fromkeys(self.wanted.values(), none))

    def _piece(self, piece: bytes, first: int, settled: Settled) -> pl.DataFrame:
        """Lines that all have the same columns."""
        why = self._unusable()
        separator, quote = self._marks(piece)
        if self.columns is None and separator == " " and b' "' in piece:
            piece = _QUOTED.sub(_without_blanks, piece)
        if why is not None:
            for row, line in enumerate(physical_lines(piece)):
                if line.strip():
                    settled.refuse(first + row, Reason.SCHEMA, why)
                else:
                    settled.pass_over(first + row)
            return self._empty(count_lines(piece))
        names = [f"c{place}" for place in range(len(self.fields))]
        places = {
            name: names[self.fields.index(name)] for name in self.wanted if name in self.fields
        }
        raw = read_values(piece, names, [*places.values(), names[-1]], separator, quote)
        self._judge_widths(raw, piece, first, settled, separator, quote)
        return raw.select(
            (
                pl.col(places[name]).fill_null("") if name in places else pl.lit(None, pl.String)
            ).alias(column)
            for name, column in self.wanted.items()
        )

    def _judge_widths(
        self,
        raw: pl.DataFrame,
        piece: bytes,
        first: int,
        settled: Settled,
        separator: str,
        quote: str,
    ) -> None:
        """Settle lines with another number of values than there are columns."""
        last = pl.col(f"c{len(self.fields) - 1}")
        odd = raw.select((last.is_null() | pl.col(OVERFLOW).is_not_null()).arg_true()).to_series()
        lines = physical_lines(piece) if odd.len() else []
        more = self.columns is not None and self.columns.more
        for row in odd.to_list():
            width = len(split_line(lines[row], separator, quote))
            if not lines[row].strip():
                settled.pass_over(first + row)
            elif width < len(self.fields) or (width > len(self.fields) and not more):
                wanted = f"{len(self.fields)} columns" + ("" if self.columns else " by #Fields")
                settled.refuse(
                    first + row, Reason.SCHEMA, f"another number of columns than {wanted}"
                )

    def _marks(self, piece: bytes) -> tuple[str, str]:
        """(separator, quote) of the lines."""
        if self.columns is not None:
            return self.columns.separator, self.columns.quote
        line = piece.lstrip(b"\r\n").split(b"\n", 1)[0]
        return ("\t" if b"\t" in line else " "), ""

    def _unusable(self) -> str | None:
        """Why no line can be an event: the columns lack one that it needs; None if none does."""
        where = "the columns have" if self.columns else "#Fields has"
        if not self.fields:
            return "no #Fields line before it"
        twice = [name for name in self.wanted if self.fields.count(name) > 1]
        if twice:
            return f"{where} {', '.join(twice)} twice"
        lacking = [names[0] for names in self.needed if not set(names) & set(self.fields)]
        return f"{where} no {', no '.join(lacking)}" if lacking else None


def _without_blanks(quoted: re.Match[bytes]) -> bytes:
    """A value that stands in quotes (IIS Advanced Logging) as IIS writes it of itself."""
    return quoted[1].replace(b" ", b"+") or b"-"


def _runs(block: bytes) -> Iterator[tuple[bytes, bool]]:
    """`block` cut into runs of `#` lines (True) and runs of other lines (False)."""
    start = 0
    while start < len(block):
        directive = block.startswith(b"#", start)
        if directive:
            end = block.find(b"\n", start)
            end = len(block) if end < 0 else end + 1
        else:
            end = block.find(b"\n#", start)
            end = len(block) if end < 0 else end + 1
        yield block[start:end], directive
        start = end


def _parted(block: bytes, head: bytes) -> Iterator[tuple[bytes, bool]]:
    """`block` with lines that repeat the `head` (files that were joined) as directives (True)."""
    if head not in block:
        if block:
            yield block, False
        return
    kept = b""
    for line in block.splitlines(keepends=True):
        if line.rstrip(b"\r\n") == head:
            if kept:
                yield kept, False
            yield line, True
            kept = b""
        else:
            kept += line
    if kept:
        yield kept, False
