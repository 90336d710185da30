"""JSON lines, cut into fields: in columns with polars; line by line where a block resists.

polars refuses a whole block for one bad line and skips blank lines. Such a block is read again with
orjson, so that a bad line costs only itself, and blocks without one keep their speed.
"""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import Final

import orjson
import polars as pl

from edge.logs.formats.block import Settled, count_lines, physical_lines
from edge.logs.formats.delimited import looks_packed
from edge.logs.formats.event_fields import column
from edge.logs.formats.mapping import Path
from edge.reasons import Reason

_TEXT: Final = pl.String
_ESCAPE: Final = re.compile(rb"\\x([0-9A-Fa-f]{2})")


class JsonCutter:
    """Reads the fields `paths` of blocks of JSON lines."""

    def __init__(self, paths: tuple[Path, ...], *, after_prefix: bool = False) -> None:
        self.paths = paths
        self.after_prefix = after_prefix
        self.schema = _schema(paths)

    def recall(self, directives: list[bytes]) -> None:
        """JSON logs have no directives."""

    def cut(self, block: bytes, settled: Settled) -> pl.DataFrame:
        """One row a line, one column a field; see `Cutter`."""
        raw = self._in_columns(block)
        return self._line_by_line(block, settled) if raw is None else raw

    def _in_columns(self, block: bytes) -> pl.DataFrame | None:
        """One row a line, or None when the block must be read line by line."""
        if self.schema is None or self.after_prefix or looks_packed(block):
            return None
        try:
            frame = pl.read_ndjson(io.BytesIO(block), schema=self.schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            return None
        if frame.height != count_lines(block):
            return None
        return frame.select(*(_leaf(path).alias(column(path)) for path in self.paths))

    def _line_by_line(self, block: bytes, settled: Settled) -> pl.DataFrame:
        columns: dict[str, list[str | None]] = {column(path): [] for path in self.paths}
        fields = [(columns[column(path)].append, path) for path in self.paths]
        for row, line in enumerate(physical_lines(block)):
            found = _object(line, after_prefix=self.after_prefix)
            if found is None:
                if line.strip():
                    settled.refuse(row, Reason.SYNTAX, "no JSON object")
                else:
                    settled.pass_over(row)
                found = {}
            for append, path in fields:
                append(_text(found, path))
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, _TEXT))


def _schema(paths: tuple[Path, ...]) -> dict[str, pl.DataType] | None:
    """The nested polars schema that reads `paths` as text; None when one path is inside another."""
    tree: dict[str, pl.DataType | dict[str, pl.DataType]] = {}
    for path in paths:
        place = tree
        for key in path[:-1]:
            place = place.setdefault(key, {})
            if place is _TEXT:
                return None
        if place.setdefault(path[-1], _TEXT) is not _TEXT:
            return None
    return {key: _dtype(child) for key, child in tree.items()}


def _dtype(child: pl.DataType) -> pl.DataType:
    if child is _TEXT:
        return _TEXT
    return pl.Struct({key: _dtype(inner) for key, inner in child.items()})


def _leaf(path: Path) -> pl.Expr:
    found = pl.col(path[0])
    for key in path[1:]:
        found = found.struct.field(key)
    return found


def _object(line: bytes, *, after_prefix: bool) -> dict[str, object] | None:
    """The JSON object of a line, None if there is none; bytes that are no UTF-8 become U+FFFD."""
    if after_prefix:
        line = line[line.find(b"{") :] if b"{" in line else b""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            found = orjson.loads(_ESCAPE.sub(_plain, line).decode("utf-8", "replace"))
        except orjson.JSONDecodeError:
            return None
    return found if isinstance(found, dict) else None


def _plain(escape: re.Match[bytes]) -> bytes:
    """What nginx wrote as `\\xHH` into JSON because its log_format lacks escape=json."""
    byte = bytes([int(escape[1], 16)])
    return byte if byte >= b"\x80" else b"\\u00" + escape[1]


def _text(found: object, path: Path) -> str | None:
    """The value at `path` as text, as the columnar reader gives it."""
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, dict | list):
        return orjson.dumps(found).decode()
    if isinstance(found, float):
        found = Decimal(repr(found)).normalize()
    return f"{found:f}" if isinstance(found, Decimal) else repr(found)
