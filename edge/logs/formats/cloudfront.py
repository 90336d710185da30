"""CloudFront standard logs, W3C extended: tab-separated columns by the `#Fields` line.

`x-host-header` is the viewer's Host, `cs(Host)` the distribution's own name. Times are UTC with
whole seconds; values are percent-encoded; a status is `000` when the viewer left first. A
`#Version` other than 1.0 is named in a note and read by its `#Fields` all the same.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import polars as pl

from edge.logs.formats.block import (
    Format,
    Parsed,
    RefusedRow,
    Settled,
    joined,
    no_columns,
    physical_lines,
)
from edge.logs.formats.delimited import OVERFLOW, is_blank, read_values
from edge.logs.formats.judge_lines import judge_lines, rfc3339_ms
from edge.reasons import Reason

KNOWN_VERSION = "1.0"
_NEEDED = ("date", "time", "cs-protocol", "sc-status", "sc-bytes")
_HOSTS = ("x-host-header", "cs(Host)")
_NAMED = {
    "raw_time": "date and time",
    "scheme": "cs-protocol",
    "status": "sc-status",
    "bytes": "sc-bytes",
}
_OPTIONAL = ("cs-protocol-version", "x-edge-result-type", "x-edge-request-id")


class CloudFrontParser:
    """Reads blocks of W3C lines; the columns are those of the last `#Fields` line."""

    def __init__(self) -> None:
        self.fields: list[str] = []
        self.notes: list[str] = []

    def recall(self, directives: list[bytes]) -> None:
        """Take what earlier `#` lines said."""
        for line in directives:
            self._direct(line)
        self.notes.clear()

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`; see `Parser`."""
        before = self.fields
        try:
            return self._parse(block, now_ms)
        except BaseException:
            self.fields = before  # the block may be tried again in pieces
            raise

    def _parse(self, block: bytes, now_ms: int) -> Parsed:
        parts: list[tuple[int, Parsed]] = []
        first = 0
        for piece, is_directive in _pieces(block):
            lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
            if is_directive:
                for line in physical_lines(piece):
                    self._direct(line)
            else:
                parts.append((first, self._piece(piece, now_ms)))
            first += lines
        notes, self.notes = tuple(self.notes), []
        return replace(joined(parts), notes=notes)

    def _direct(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        if text.startswith("#Fields:"):
            self.fields = text.removeprefix("#Fields:").split()
        elif text.startswith("#Version:"):
            version = text.removeprefix("#Version:").strip()
            if version != KNOWN_VERSION:
                self.notes.append(f"#Version {version} is not {KNOWN_VERSION}: read by its #Fields")

    def _piece(self, piece: bytes, now_ms: int) -> Parsed:
        """The events of lines that all have the same columns."""
        host = next((name for name in _HOSTS if name in self.fields), None)
        if host is None or any(name not in self.fields for name in _NEEDED):
            return _unusable(piece, self.fields)
        optional = [name for name in _OPTIONAL if name in self.fields]
        wanted = list(dict.fromkeys([*_NEEDED, host, *optional, self.fields[-1]]))
        raw = read_values(piece, self.fields, wanted)
        settled = Settled()
        last = pl.col(self.fields[-1])
        odd = raw.select((last.is_null() | pl.col(OVERFLOW).is_not_null()).arg_true())
        for row in odd.to_series().to_list():
            if is_blank(raw.row(row)):
                settled.pass_over(row)
            else:
                wanted_width = f"{len(self.fields)} columns by #Fields"
                settled.refuse(row, Reason.SCHEMA, f"another number of columns than {wanted_width}")
        stamped = raw.with_columns(pl.format("{}T{}Z", "date", "time").alias("stamp"))
        frame = stamped.select(
            pl.col("stamp").alias("raw_time"),
            rfc3339_ms("stamp").alias("time_ms"),
            pl.col(host).alias("host"),
            pl.col("cs-protocol").alias("scheme"),
            _or_null(raw, "cs-protocol-version").alias("protocol"),
            pl.col("sc-status").alias("status"),
            pl.col("sc-bytes").alias("bytes"),
            _or_null(raw, "x-edge-result-type").alias("cache"),
            _or_null(raw, "x-edge-request-id").alias("id"),
        )
        return judge_lines(
            frame, now_ms, settled, decode_host=unquote, fields=_NAMED | {"host": host}
        )


def _or_null(raw: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in raw.columns else pl.lit(None, pl.String)


def _pieces(block: bytes) -> list[tuple[bytes, bool]]:
    """`block` cut into runs of directive lines (True) and runs of other lines (False)."""
    pieces: list[tuple[bytes, bool]] = []
    start = 0
    while start < len(block):
        directive = block.startswith(b"#", start)
        if directive:
            end = block.find(b"\n", start)
            end = len(block) if end < 0 else end + 1
        else:
            end = block.find(b"\n#", start)
            end = len(block) if end < 0 else end + 1
        pieces.append((block[start:end], directive))
        start = end
    return pieces


def _unusable(piece: bytes, fields: list[str]) -> Parsed:
    """Every line refused: the `#Fields` in force lack a column that an event needs."""
    lacking = [name for name in (*_NEEDED, "x-host-header") if name not in fields]
    why = f"#Fields has no {', no '.join(lacking)}" if fields else "no #Fields line before it"
    rows = (row for row, line in enumerate(physical_lines(piece)) if line.strip())
    refused = tuple(
        RefusedRow(row=row, reason=Reason.SCHEMA, detail="" if place else why)
        for place, row in enumerate(rows)
    )
    empty = no_columns()
    return Parsed(columns=empty, rows=empty.time_ms, refused=refused)


CLOUDFRONT = Format(name="cloudfront", make=CloudFrontParser, directives=True)
