"""JSON-lines logs by a field mapping: in columns with polars; line by line where a block resists.

polars refuses a whole block for one bad line and skips blank lines. Such a block is read again with
orjson, so that a bad line costs only itself, and blocks without one keep their speed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Final

import orjson
import polars as pl

from edge.logs.formats.block import Parsed, Settled, physical_lines
from edge.logs.formats.delimited import looks_packed
from edge.logs.formats.judge_lines import decimal_ms, judge_lines, rfc3339_ms
from edge.logs.formats.mapping import PER_SECOND, Mapping, Path
from edge.reasons import Reason

_ABSENT_TLS: Final = ("", "-", "false", "null", "{}", "[]", "off", "no", "none", "0")
"""What a TLS field holds, in small letters, where there was no TLS."""
_OPTIONAL: Final = ("duration", "tls", "protocol", "cache")
_TEXT: Final = pl.String
_UNITS_MS: Final[dict[str, Decimal]] = {
    name: Decimal(ms)
    for names, ms in (
        ("ns nsec nanoseconds", "0.000001"),
        ("us µs μs usec microseconds", "0.001"),
        ("ms msec millis milliseconds", "1"),
        ("s sec secs second seconds", "1000"),
        ("m min mins minute minutes", "60000"),
        ("h hr hrs hour hours", "3600000"),
    )
    for name in names.split()
}
_NUMBER: Final = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_UNIT: Final = "(" + "|".join(sorted(_UNITS_MS, key=len, reverse=True)) + ")"
_PART: Final = re.compile(rf"{_NUMBER}\s*{_UNIT}", re.IGNORECASE)
_DURATION: Final = re.compile(rf"(?:{_NUMBER}\s*{_UNIT}\s*)+", re.IGNORECASE)
_LONGEST: Final = Decimal(10) ** 18
"""Nothing lasts longer, in whatever unit: beyond it a text is a mistake."""


class JsonParser:
    """Reads blocks of JSON lines by a `Mapping`."""

    def __init__(
        self,
        mapping: Mapping,
        *,
        doubt: bool = False,
        fast: Callable[[bytes, int], Parsed | None] = lambda _block, _now_ms: None,
    ) -> None:
        """`doubt`: say which optional fields the first lines lack: a name may be misspelt.

        `fast`: a faster way that reads a whole block as `mapping` would, or answers None.
        """
        self.mapping = mapping
        self._fast = fast
        self._doubted = not doubt
        self.paths = mapping.paths()
        self.named = _named(self.paths)
        self.schema = _schema(self.paths)

    def recall(self, directives: list[bytes]) -> None:
        """JSON logs have no directives."""

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`; see `Parser`."""
        found = self._fast(block, now_ms)
        if found is not None:
            return found
        settled = Settled()
        raw = self._in_columns(block)
        if raw is None:
            raw = self._line_by_line(block, settled)
        if self.mapping.only is not None:
            wanted = pl.col("only").str.starts_with(self.mapping.only.prefix).fill_null(value=False)
            for row in raw.select((~wanted).arg_true()).to_series().to_list():
                settled.refuse(row, Reason.NOT_ACCESS)
        frame = raw.select(*self._fields(raw))
        parsed = judge_lines(frame, now_ms, settled, fields=self.named)
        if self._doubted or not len(parsed.rows):
            return parsed
        self._doubted = True
        return replace(parsed, notes=self._lacking(raw, len(parsed.rows)))

    def _lacking(self, raw: pl.DataFrame, events: int) -> tuple[str, ...]:
        """A note for each optional field that no line has: the count or the hour may be wrong."""
        return tuple(
            f"no line of the first {events:,} has «{'.'.join(path)}», the field for {role}"
            for role, path in self.paths.items()
            if role in _OPTIONAL and raw[role].null_count() == raw.height
        )

    def _in_columns(self, block: bytes) -> pl.DataFrame | None:
        """One row a line, or None when the block must be read line by line."""
        if self.schema is None or self.mapping.after_prefix or looks_packed(block):
            return None
        try:
            frame = pl.read_ndjson(io.BytesIO(block), schema=self.schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            return None
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if frame.height != lines:
            return None
        return frame.select(*(_leaf(path).alias(role) for role, path in self.paths.items()))

    def _line_by_line(self, block: bytes, settled: Settled) -> pl.DataFrame:
        columns: dict[str, list[str | None]] = {role: [] for role in self.paths}
        fields = [(columns[role].append, path) for role, path in self.paths.items()]
        for row, line in enumerate(physical_lines(block)):
            found = _object(line, after_prefix=self.mapping.after_prefix)
            if found is None:
                if line.strip():
                    settled.refuse(row, Reason.SYNTAX, "no JSON object")
                else:
                    settled.pass_over(row)
                found = {}
            for append, path in fields:
                append(_text(found, path))
        return pl.DataFrame(columns, schema=dict.fromkeys(self.paths, _TEXT))

    def _fields(self, raw: pl.DataFrame) -> list[pl.Expr | pl.Series]:
        """The columns that lines are judged by."""
        ended = [self._start().alias("time_ms")]
        if self.mapping.time.duration is not None:
            lasted = durations_ms(raw["duration"], self.mapping.time.duration_unit)
            ended = [
                (self._start() + lasted).alias("time_ms"),
                self._start().alias("start_ms"),
                pl.col("duration"),
            ]
        return [
            pl.col("time").alias("raw_time"),
            *ended,
            self._scheme().alias("scheme"),
            self._host().alias("host"),
            pl.col("bytes"),
            pl.col("status"),
            *(
                pl.col(role) if role in self.paths else pl.lit(None, _TEXT).alias(role)
                for role in ("protocol", "cache", "id", "sni")
            ),
        ]

    def _start(self) -> pl.Expr:
        """The time in the line, UTC ms."""
        unit = self.mapping.time.unit
        if unit == "rfc3339":
            return rfc3339_ms("time")
        if unit == "s_or_rfc3339":
            return pl.coalesce(decimal_ms("time", 1), rfc3339_ms("time"))
        return decimal_ms("time", PER_SECOND[unit])

    def _scheme(self) -> pl.Expr:
        wanted = self.mapping.scheme
        if wanted.value is not None:
            return pl.lit(wanted.value)
        if wanted.field is not None:
            return pl.col("scheme")
        if wanted.url is not None:
            return pl.col("scheme_url").str.extract(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
        if wanted.tls is not None:
            tls = pl.col("tls")
            secure = tls.is_not_null() & ~tls.str.to_lowercase().is_in(_ABSENT_TLS)
            return pl.when(secure).then(pl.lit("https")).otherwise(pl.lit("http"))
        port = pl.col("port").cast(pl.Int64, strict=False)
        secure = port.is_in(list(wanted.https_ports))
        named = pl.when(secure).then(pl.lit("https")).otherwise(pl.lit("http"))
        return pl.when(port.is_null()).then(pl.lit(None, _TEXT)).otherwise(named)

    def _host(self) -> pl.Expr:
        if self.mapping.host.field is not None:
            return pl.col("host")
        return pl.col("host_url").str.extract(r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)")


def _named(paths: dict[str, Path]) -> dict[str, str]:
    """What the judges' columns are called in the log, for what is said of a refused line."""
    dotted = {role: ".".join(path) for role, path in paths.items()}
    scheme = next((dotted[r] for r in ("scheme", "scheme_url", "tls", "port") if r in dotted), "")
    return dotted | {
        "raw_time": dotted["time"],
        "host": dotted.get("host") or dotted.get("host_url", ""),
        "scheme": scheme,
    }


def durations_ms(texts: pl.Series, unit: str) -> pl.Series:
    """How long each request took, in ms: a number in `unit`, or with a unit of its own.

    What is absent is 0; what is there and cannot be read is None, never a guess (CASES E9).
    """
    given = texts.is_not_null() & ~texts.is_in(["", "-"])
    plain = texts.str.contains(r"^[0-9]{1,15}(\.[0-9]*)?$").fill_null(value=False)
    found = texts.to_frame().select(decimal_ms(texts.name, PER_SECOND[unit])).to_series()
    odd = texts.filter(given & ~plain).unique()
    if not odd.len():
        return found.fill_null(0)
    known = {text: duration_ms(text, unit) for text in odd.to_list()}
    others = texts.replace_strict(known, default=None, return_dtype=pl.Int64)
    read = found.zip_with(plain, others)
    return read.zip_with(given, pl.zeros(len(texts), dtype=pl.Int64, eager=True))


def duration_ms(text: str, unit: str) -> int | None:
    """A duration such as `3600.5s`, `250 ms`, `1h2m3.5s` or `1e-3`, in ms; None if it is none."""
    text = text.strip()
    parts = _PART.findall(text) if _DURATION.fullmatch(text) else [(text, unit)]
    total = Decimal(0)
    for number, its_unit in parts:
        try:
            value = Decimal(number)
        except InvalidOperation:
            return None
        if not (value.is_finite() and 0 <= value < _LONGEST):
            return None
        total += value * _UNITS_MS[its_unit.lower()]
    return int(total)


def _schema(paths: dict[str, Path]) -> dict[str, pl.DataType] | None:
    """The nested polars schema that reads `paths` as text; None when one path is inside another."""
    tree: dict[str, pl.DataType | dict[str, pl.DataType]] = {}
    for path in paths.values():
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
            found = orjson.loads(line.decode("utf-8", "replace"))
        except orjson.JSONDecodeError:
            return None
    return found if isinstance(found, dict) else None


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
    return repr(found)
