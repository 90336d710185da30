"""How a table is fitted into the width there is, so that no number and no id is ever broken.

A word is never broken: numbers, times, ids and names are words. Where the table is too wide, first
the columns of several words are wrapped between words, the widest first; where it is too wide even
so, each row stands as a record, a line a column, as psql's expanded form has it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

GAPS = (3, 2, 1)
EDGE = 2
# Without a terminal text is wrapped for eyes all the same; numbers make the table as wide as it is.
TEXT_WIDTH = 200
# Narrower than this a column of words is no longer read but spelt.
NARROWEST_TEXT = 16


@dataclass(frozen=True, slots=True)
class Line:
    """A line to print; headings are bold where the terminal can."""

    text: str
    bold: bool = False


def layout(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int],
    width: int | None,
) -> Iterator[Line]:
    """The lines of a table that is no wider than `width` (None: no width), or of its records."""
    if title:
        yield Line(title, bold=True)
    places = range(len(columns))
    natural = [
        max([cells(columns[n]), *(widest(row[n]) for row in rows)], default=0) for n in places
    ]
    least = [_least(columns[n], [row[n] for row in rows]) for n in places]
    within = TEXT_WIDTH if width is None else width
    for gap in GAPS if width is not None else GAPS[:1]:
        widths = fit(natural, least, within - EDGE - gap * (len(columns) - 1))
        if EDGE + sum(widths) + gap * (len(columns) - 1) <= within:
            break
    else:
        if width is not None:
            yield from records(columns, rows, width)
            return
    yield Line("")
    for text in row_lines(columns, widths, right, gap):
        yield Line(text, bold=True)
    yield Line(" " + "─" * (EDGE - 1 + sum(widths) + gap * (len(columns) - 1)))
    for row in rows:
        for text in row_lines(row, widths, right, gap):
            yield Line(text)
    yield Line("")


def fit(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """The widths of columns that together fit into `room`: their own where they can, else no more
    than the largest measure for all that lets them, and never less than what they need.
    """

    def within(most: int) -> list[int]:
        return [min(own, max(needed, most)) for own, needed in zip(natural, least, strict=True)]

    low, high = 0, max(natural, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(within(middle)) <= room else (low, middle - 1)
    return within(low)


def row_lines(
    row: Sequence[str], widths: Sequence[int], right: Collection[int], gap: int
) -> Iterator[str]:
    """A row of a table as lines, its cells wrapped between words."""
    wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max((len(one) for one in wrapped), default=0)):
        parts = []
        for place, (lines, width) in enumerate(zip(wrapped, widths, strict=True)):
            text = lines[number] if number < len(lines) else ""
            blank = " " * (width - cells(text))
            parts.append(blank + text if place in right else text + blank)
        yield (" " * EDGE + (" " * gap).join(parts)).rstrip()


def records(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[Line]:
    """Each row as a record: a line a value, what is long wrapped between words beside its name."""
    named = max((widest(column) for column in columns), default=0)
    beside = max(width - named - len(" | "), 1)
    for number, row in enumerate(rows, start=1):
        head = f"-[ {number} ]"
        yield Line(head + "-" * max(0, min(width, named + 40) - len(head)), bold=True)
        for name, value in fields(columns, row):
            for place, line in enumerate(wrap(value, beside)):
                beginning = name + " " * (named - cells(name)) if place == 0 else " " * named
                yield Line(f"{beginning} | {line}".rstrip())
    if not rows:
        yield Line("(no rows: " + ", ".join(name for name, _ in fields(columns, columns)) + ")")
    yield Line("")


def fields(columns: Sequence[str], row: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The values of a row by name, those that are empty left out. A column whose heading has
    several lines holds several values, one beneath the other.
    """
    for column, cell in zip(columns, row, strict=True):
        names = column.split("\n")
        values = cell.split("\n", len(names) - 1)
        for name, value in zip(names, values, strict=False):
            if value.strip():
                yield name, value.strip()


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`, broken between words and where it has line ends; a word
    that is longer stands alone on its line, whole.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if cells(line) <= width:
            lines.append(line)
            continue
        kept = ""
        for word in line.split(" "):
            if kept and cells(kept) + 1 + cells(word) > width:
                lines.append(kept)
                kept = word
            else:
                kept = f"{kept} {word}" if kept else word
        lines.append(kept)
    return lines


def cells(text: str) -> int:
    """How many places of a terminal `text` takes: two for wide characters, none for marks."""
    if text.isascii():
        return len(text)
    return sum(_places(char) for char in text)


def widest(text: str) -> int:
    """The places of the longest line of `text`."""
    return max(map(cells, text.split("\n")))


def _places(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _least(column: str, texts: Sequence[str]) -> int:
    """How narrow a column may become: its longest word, and not narrower than words are read."""
    word = max((cells(one) for text in (column, *texts) for one in text.split()), default=0)
    whole = max((widest(text) for text in (column, *texts)), default=0)
    return max(word, min(whole, NARROWEST_TEXT))
