"""Lines of text, cut into fields by a pattern with named groups, in columns.

A pattern of a server's format string takes each value up to the character that ends it. Where a
value holds that very character (a user name with a blank, say) the line does not fit; it is read
again with values as short and as long as can be, and counts if both ways give the same fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from edge.logs.formats.block import Settled, physical_lines
from edge.logs.formats.delimited import read_lines
from edge.logs.walking.plan import plan_of
from edge.logs.walking.walk import OddLine, walked
from edge.reasons import Reason

_SYSLOG: Final = (
    r"(?:<[0-9]{1,3}>)?(?:1 [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ (?:-|\[[^\]]*\]) "
    r"|(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]+))"
    r" (?:[^ :]+ )?[^ :\[]+(?:\[[0-9]+\])?: )?"
)
"""What may stand before a line that went through syslog (RFC 3164 or 5424)."""
_TRIED_BYTES: Final = 8 << 10
_DOUBTFUL_BYTES: Final = 64 << 10
"""A longer line that does not fit is not tried in other ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPattern:
    """A pattern whose groups are fields; `ways` are looser readings that must agree."""

    pattern: str
    ways: tuple[str, ...] = ()

    def behind_prefix(self) -> TextPattern:
        """The same behind a syslog prefix."""
        return TextPattern(
            pattern=_behind(self.pattern), ways=tuple(_behind(way) for way in self.ways)
        )


def _behind(pattern: str) -> str:
    return "^" + _SYSLOG + pattern.removeprefix("^")


def groups_of(pattern: str) -> tuple[str, ...]:
    """The names of the groups of `pattern`."""
    return tuple(re.findall(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>", pattern))


class TextCutter:
    """Reads the groups `columns` (group: column) of a pattern out of blocks of lines."""

    def __init__(self, text: TextPattern, columns: dict[str, str]) -> None:
        self.text = text
        self.columns = columns
        self._plan = plan_of(text.pattern)

    def recall(self, directives: list[bytes]) -> None:
        """Text logs have no directives."""

    def fits_any(self, block: bytes) -> bool:
        """Whether one of the first lines of `block` has the form, by any reading."""
        lines = read_lines(block[:_TRIED_BYTES]).str.strip_suffix("\r").fill_null("")
        ways = (self.text.pattern, *self.text.ways)
        return any(bool(lines.str.contains(way).any()) for way in ways)

    def cut(self, block: bytes, settled: Settled) -> pl.DataFrame:
        """One row a line, one column a field; see `Cutter`."""
        found = self._walked(block, settled)
        return self._by_pattern(block, settled) if found is None else found

    def _walked(self, block: bytes, settled: Settled) -> pl.DataFrame | None:
        """The same by a walk; None where too many lines need a closer look."""
        if self._plan is None:
            return None
        try:
            found = walked(self._plan, block)
        except OddLine:
            return None
        if len(found) * 2 < len(found.odd):
            return None
        fields = pl.DataFrame([found.series(group).alias(n) for group, n in self.columns.items()])
        odd = found.odd
        if not odd.any():
            return fields
        lines, closer = physical_lines(block), Settled()
        rows = np.flatnonzero(odd)
        looked_at = self._by_pattern(b"".join(lines[row] + b"\n" for row in rows.tolist()), closer)
        for each in closer.refused:
            settled.refuse(int(rows[each.row]), each.reason, each.detail)
        settled.rows.update(int(rows[row]) for row in closer.rows)
        place = np.empty(len(odd), dtype=np.int64)
        place[~odd] = np.arange(len(found))
        place[odd] = np.arange(len(found), len(odd))
        return pl.concat([fields, looked_at]).select(pl.all().gather(place))

    def _by_pattern(self, block: bytes, settled: Settled) -> pl.DataFrame:
        """The same by the pattern."""
        lines = read_lines(block)
        if b"\r" in block:
            lines = lines.str.strip_suffix("\r")
        found = self._fields(lines, self.text.pattern)
        empty = found.select(pl.all_horizontal(pl.all().is_null()).arg_true()).to_series()
        if not empty.len():
            return found
        return self._judge(lines, found, empty, settled)

    def _judge(
        self, lines: pl.Series, found: pl.DataFrame, empty: pl.Series, settled: Settled
    ) -> pl.DataFrame:
        """`found` with what can be read of the lines that do not fit; the others are settled."""
        odd = lines.gather(empty).fill_null("")
        blank = (odd.str.strip_chars() == "").to_list()
        fits = odd.str.contains(self.text.pattern).to_list()
        again, agree = self._other_ways(odd)
        mended: list[int] = []
        for place, row in enumerate(empty.to_list()):
            if fits[place]:
                continue  # its groups took no part: the fields are missing, and judged so
            if blank[place]:
                settled.pass_over(row)
            elif agree[place] is None:
                settled.refuse(row, Reason.SYNTAX, "the line does not have the form of its format")
            elif not agree[place]:
                why = "it can be read in two ways: a value holds what stands between values"
                settled.refuse(row, Reason.SYNTAX, why)
            else:
                mended.append(place)
        if not mended:
            return found
        rows = empty.gather(mended)
        return found.with_columns(
            pl.Series(found[name]).scatter(rows, again[name].gather(mended))
            for name in found.columns
        )

    def _other_ways(self, odd: pl.Series) -> tuple[pl.DataFrame, list[bool | None]]:
        """The fields of `odd` lines by the looser readings, and whether all of them agree.

        None: no reading fits.
        """
        short = odd.zip_with(
            odd.str.len_bytes() <= _DOUBTFUL_BYTES, pl.Series([""], dtype=pl.String)
        )
        if not self.text.ways:
            return self._fields(short, self.text.pattern), [None] * len(odd)
        first, *others = (self._fields(short, way) for way in self.text.ways)
        agree: list[bool | None] = []
        readings = [each.rows() for each in (first, *others)]
        for ways in zip(*readings, strict=True):
            fits = any(value is not None for value in ways[0])
            agree.append(all(way == ways[0] for way in ways) if fits else None)
        return first, agree

    def _fields(self, lines: pl.Series, pattern: str) -> pl.DataFrame:
        name = lines.name
        groups = lines.to_frame().select(pl.col(name).str.extract_groups(pattern)).unnest(name)
        return groups.select(pl.col(group).alias(named) for group, named in self.columns.items())
