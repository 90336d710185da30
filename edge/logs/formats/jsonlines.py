"""JSON lines, cut into fields: in columns with polars; line by line where a block resists.

polars refuses a whole block for one bad line and skips blank lines. Such a block is read again with
orjson, so that a bad line costs only itself, and blocks without one keep their speed.

A line that says one of the fields twice is refused (FAULTS D13): polars takes the first of them,
orjson the last, and which of the two is to be billed nobody can tell.
"""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from typing import Final

import orjson
import polars as pl

from edge.logs.formats.block import Settled, count_lines, physical_lines
from edge.logs.formats.delimited import looks_packed, read_lines
from edge.logs.formats.event_fields import column
from edge.logs.formats.mapping import Path
from edge.reasons import Reason

_TEXT: Final = pl.String
_ESCAPE: Final = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_TWICE: Final = "a field stands in it twice"
_ESCAPED_KEY: Final = r'\\u[0-9A-Fa-f]{4}[^"]*"\s*:'
_VALUES: Final = r'("(?:[^"\\]|\\.)*"\s*:)|"(?:[^"\\]|\\.)*"|[^"{}\[\]]+'
"""Keys as the group; and all that is neither a key nor a bracket."""


class JsonCutter:
    """Reads the fields `paths` of blocks of JSON lines."""

    def __init__(self, paths: tuple[Path, ...], *, after_prefix: bool = False) -> None:
        self.paths = paths
        self.after_prefix = after_prefix
        self.schema = _schema(paths)
        names = dict.fromkeys(key for path in paths for key in path)
        self._keys = rf'"(?:{"|".join(map(re.escape, names))})"\s*:'
        self._quoted = [f'"{name}"'.encode() for name in names]

    def recall(self, directives: list[bytes]) -> None:
        """JSON logs have no directives."""

    def cut(self, block: bytes, settled: Settled) -> pl.DataFrame:
        """One row a line, one column a field; see `Cutter`."""
        raw = self._in_columns(block)
        if raw is None:
            return self._line_by_line(block, settled)
        for row in self._repeating(read_lines(block), raw):
            settled.refuse(row, Reason.SYNTAX, _TWICE)
        return raw.select(_leaf(path).alias(column(path)) for path in self.paths)

    def _in_columns(self, block: bytes) -> pl.DataFrame | None:
        """One row a line, nested as the fields are; None when it must be read line by line."""
        if self.schema is None or self.after_prefix or looks_packed(block):
            return None
        try:
            frame = pl.read_ndjson(io.BytesIO(block), schema=self.schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            return None
        return frame if frame.height == count_lines(block) else None

    def _repeating(self, lines: pl.Series, raw: pl.DataFrame) -> list[int]:
        """Those of `lines` that say one of the fields twice.

        Each field that was found has its key once: where that is all there are, the line is sound.
        The others (a null, the key elsewhere too) are looked at, each form of object once.
        """
        steps = dict.fromkeys(path[:end] for path in self.paths for end in range(1, len(path) + 1))
        found = raw.select(
            pl.sum_horizontal(_leaf(path).is_not_null() for path in steps)
        ).to_series()
        doubt = lines.str.count_matches(self._keys) != found
        if lines.str.contains("\\u", literal=True).any():
            doubt = doubt | lines.str.contains(_ESCAPED_KEY)
        rows = doubt.arg_true()
        if not rows.len():
            return []
        odd = pl.DataFrame([rows.alias("row"), lines.gather(rows).alias("line")])
        odd = odd.with_columns(pl.col("line").str.replace_all(_VALUES, "$1").alias("form"))
        firsts = odd.unique("form", keep="first")
        bad = [form for _, line, form in firsts.rows() if _repeats(line, self.paths)]
        repeating: list[int] = odd.filter(pl.col("form").is_in(bad))["row"].to_list() if bad else []
        return repeating

    def _line_by_line(self, block: bytes, settled: Settled) -> pl.DataFrame:
        columns: dict[str, list[str | None]] = {column(path): [] for path in self.paths}
        fields = [(columns[column(path)].append, path) for path in self.paths]
        for row, line in enumerate(physical_lines(block)):
            found, text = _object(line, after_prefix=self.after_prefix)
            if found is None:
                if line.strip():
                    settled.refuse(row, Reason.SYNTAX, "no JSON object")
                else:
                    settled.pass_over(row)
                found = {}
            elif (
                b"\\u" in text or any(text.count(each) > 1 for each in self._quoted)
            ) and _repeats(text, self.paths):
                settled.refuse(row, Reason.SYNTAX, _TWICE)
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


def _object(line: bytes, *, after_prefix: bool) -> tuple[dict[str, object] | None, bytes]:
    """The JSON object of a line, None if there is none, and its text; bytes that are no UTF-8
    become U+FFFD.
    """
    if after_prefix:
        line = line[line.find(b"{") :] if b"{" in line else b""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        line = _ESCAPE.sub(_plain, line).decode("utf-8", "replace").encode()
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None, line
    return found if isinstance(found, dict) else None, line


class _Pairs(list[tuple[str, object]]):
    """A JSON object with all its pairs, keys that stand twice included."""


def _repeats(text: bytes | str, paths: tuple[Path, ...]) -> bool:
    """Whether the object `text` says one of the fields `paths` twice."""
    try:
        whole = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):  # what is no JSON has been refused
        return False
    return any(_stands_twice(whole, path) for path in paths)


def _stands_twice(found: object, path: Path) -> bool:
    for key in path:
        values = (
            [value for name, value in found if name == key] if isinstance(found, _Pairs) else []
        )
        if len(values) != 1:
            return len(values) > 1
        found = values[0]
    return False


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
