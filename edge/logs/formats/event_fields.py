"""From the fields of lines to the columns they are judged by, as a mapping says."""

from __future__ import annotations

from collections.abc import Mapping as Named
from typing import Final

import polars as pl

from edge.event import SCHEME_NAMES
from edge.logs.formats.mapping import (
    FILE,
    CacheField,
    FieldSource,
    HostField,
    LinesThat,
    Mapping,
    Path,
    SchemeField,
    VersionField,
)
from edge.logs.formats.times import durations_ms, time_ms

ABSENT: Final = ("", "-")
_ABSENT_TLS: Final = (*ABSENT, "false", "null", "{}", "[]", "off", "no", "none", "0")
"""What a TLS field holds, in small letters, where there was no TLS."""
_TEXT: Final = pl.String
_URL_HOST: Final = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)"
_URL_SCHEME: Final = r"^([A-Za-z][A-Za-z0-9+.-]*)://"
_PORTS: Final = (
    r"^([0-9]+)$",
    r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^:/?#]*):([0-9]+)(?:[/?#]|$)",
    r"^(?:\[[^\]]*\]|[^:]*):([0-9]+)$",
)
"""A port alone, in a URL, behind an address."""


def column(path: Path) -> str:
    """What the column of field `path` is called in a table of raw fields."""
    return "\x1f".join(path)


def dotted(path: Path) -> str:
    """The field as a person writes it."""
    return ".".join(path)


class EventFields:
    """Reads the parts of events out of raw fields: one text column per field of the mapping."""

    def __init__(self, mapping: Mapping, file_fields: Named[str, str | None]) -> None:
        """`file_fields`: what the file's name holds."""
        self.mapping = mapping
        self.file_fields = file_fields
        self.named = _named(mapping)

    def judged(self, raw: pl.DataFrame) -> pl.DataFrame:
        """The table that `judge_lines` wants, of rows of `raw`."""
        mapping = self.mapping
        raw = raw.with_columns(
            *(
                pl.lit(text, _TEXT).alias(column((FILE, name)))
                for name, text in self.file_fields.items()
            )
        )
        found = raw.select(
            pl.coalesce(*self._time_texts()).alias("raw_time"),
            self._scheme().alias("scheme"),
            self._host().alias("host"),
            _text_of(mapping.bytes).alias("bytes"),
            _text_of(mapping.status).alias("status"),
            self._version(mapping.protocol).alias("protocol"),
            self._cache(mapping.cache).alias("cache"),
            *(
                _text_of(part).alias(name)
                for name, part in (("id", mapping.id), ("sni", mapping.sni))
                if part is not None
            ),
        )
        if found.height != raw.height:  # nothing but constants
            found = pl.concat([found] * raw.height) if raw.height else found.clear()
        return found.with_columns(self._times(raw))

    def left_out(self, raw: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """Which lines are no access records, and which are connections without a request."""
        mapping = self.mapping
        none = pl.repeat(value=False, n=raw.height, eager=True, dtype=pl.Boolean)
        others, silent = none, none
        for each in mapping.only:
            others = others | ~raw.select(_holds(each)).to_series()
        for each in mapping.except_:
            others = others | raw.select(_holds(each)).to_series()
        for each in mapping.no_request:
            silent = silent | raw.select(_holds(each)).to_series()
        return others, silent

    def lacking(self, raw: pl.DataFrame, events: int) -> tuple[str, ...]:
        """A note for each optional field that no line has: the count or the hour may be wrong."""
        return tuple(
            f"no line of the first {events:,} has «{dotted(path)}», the field for {role}"
            for role, path in _optional(self.mapping)
            if path[0] != FILE and raw[column(path)].null_count() == raw.height
        )

    def _time_texts(self) -> list[pl.Expr]:
        return [
            pl.col(column(each.field))
            if each.field is not None
            else pl.concat_str([column(path) for path in each.fields], separator=" ")
            for each in self.mapping.time
        ]

    def _times(self, raw: pl.DataFrame) -> list[pl.Series]:
        """When the requests ended, by the first way that can be read; and what the last was made
        of, with a duration.
        """
        found: list[pl.Series] = []
        texts = raw.select(
            text.alias(f"text {place}") for place, text in enumerate(self._time_texts())
        )
        for text, wanted in zip(texts.get_columns(), self.mapping.time, strict=True):
            started = time_ms(text, wanted)
            ended = started
            if wanted.duration is not None:
                lasted = raw[column(wanted.duration)]
                ended = started + durations_ms(lasted.alias("lasted"), wanted.duration_unit)
                found += [started.alias("start_ms"), lasted.alias("duration")]
            before = next((each for each in found if each.name == "time_ms"), None)
            if before is not None:
                ended = before.zip_with(before.is_not_null(), ended)
            found = [*(each for each in found if each.name != "time_ms"), ended.alias("time_ms")]
        return list({each.name: each for each in found}.values())

    def _scheme(self) -> pl.Expr:
        found = [_one_scheme(each) for each in self.mapping.scheme]
        if len(found) < 2:
            return found[0] if found else pl.lit(None, _TEXT)
        known = [pl.when(_names_scheme(each)).then(each) for each in found]
        return pl.coalesce(*known, *found)

    def _host(self) -> pl.Expr:
        found = [_one_host(each) for each in self.mapping.host]
        if len(found) < 2:
            return found[0] if found else pl.lit(None, _TEXT)
        return pl.coalesce(*map(_given, found), *found)

    def _version(self, wanted: VersionField | None) -> pl.Expr:
        found = _text_of(wanted)
        if wanted is None or not wanted.quic:
            return found
        return pl.when(_is_one_of(found, wanted.quic)).then(pl.lit("h3")).otherwise(found)

    def _cache(self, wanted: CacheField | None) -> pl.Expr:
        found = _text_of(wanted)
        if wanted is None:
            return found
        for words, known in ((wanted.hit, "HIT"), (wanted.miss, "MISS")):
            if words:
                found = pl.when(_is_one_of(found, words)).then(pl.lit(known)).otherwise(found)
        return found


def _text_of(wanted: FieldSource | None) -> pl.Expr:
    """The text of a part; null where the line has none."""
    if wanted is None:
        return pl.lit(None, _TEXT)
    if wanted.value is not None:
        return pl.lit(wanted.value, _TEXT)
    found = pl.col(column(wanted.paths()[0]))
    if wanted.first:
        given = [_given(pl.col(column(path))) for path in wanted.first]
        found = pl.coalesce(*given, found)
    if wanted.extract is not None:
        found = found.str.extract(wanted.extract)
    return found if wanted.default is None else _or_default(found, wanted.default)


def _one_host(wanted: HostField) -> pl.Expr:
    if wanted.url is None:
        return _text_of(wanted)
    url = pl.col(column(wanted.url))
    if wanted.extract is not None:
        url = url.str.extract(wanted.extract)
    found = url.str.extract(_URL_HOST)
    return found if wanted.default is None else _or_default(found, wanted.default)


def _names_scheme(found: pl.Expr) -> pl.Expr:
    return found.str.to_lowercase().is_in(list(SCHEME_NAMES))


def _given(found: pl.Expr) -> pl.Expr:
    """`found`, null where it holds nothing."""
    return pl.when(~found.is_in(list(ABSENT))).then(found)


def _or_default(found: pl.Expr, default: str) -> pl.Expr:
    return pl.coalesce(_given(found), pl.lit(default, _TEXT))


def _is_one_of(found: pl.Expr, words: tuple[str, ...]) -> pl.Expr:
    small = [word.lower() for word in words]
    return found.str.to_lowercase().is_in(small).fill_null(value=False)


def _holds(wanted: LinesThat) -> pl.Expr:
    found = pl.col(column(wanted.field))
    if wanted.prefix is not None:
        return found.str.starts_with(wanted.prefix).fill_null(value=False)
    return _is_one_of(found, wanted.any_of)


def _one_scheme(wanted: SchemeField) -> pl.Expr:
    """The scheme by one source; null where it says nothing."""
    if wanted.value is not None:
        return pl.lit(wanted.value, _TEXT)
    if wanted.url is not None:
        return pl.col(column(wanted.url)).str.extract(_URL_SCHEME)
    if wanted.tls is not None:
        tls = pl.col(column(wanted.tls))
        secure = tls.is_not_null() & ~tls.str.to_lowercase().is_in(_ABSENT_TLS)
        return pl.when(secure).then(pl.lit("https")).otherwise(pl.lit("http"))
    if wanted.port is not None:
        return _scheme_of_port(wanted, pl.col(column(wanted.port)))
    assert wanted.field is not None, "one of them is given"
    found = pl.col(column(wanted.field))
    if wanted.https is None and wanted.http is None:
        return found
    https = pl.lit(value=False) if wanted.https is None else found.str.contains(wanted.https)
    http = ~https if wanted.http is None else found.str.contains(wanted.http)
    https = ~http if wanted.https is None else https
    return (
        pl.when(found.is_null())
        .then(pl.lit(None, _TEXT))
        .when(https & ~http)
        .then(pl.lit("https"))
        .when(http & ~https)
        .then(pl.lit("http"))
        .otherwise(found)  # no name of a scheme, or two: refused by its text
    )


def _scheme_of_port(wanted: SchemeField, text: pl.Expr) -> pl.Expr:
    port = pl.coalesce(*(text.str.extract(each) for each in _PORTS)).cast(pl.Int64, strict=False)
    other = pl.lit("http")
    if wanted.http_ports:
        plain = port.is_in(list(wanted.http_ports))
        other = pl.when(plain).then(pl.lit("http")).otherwise(pl.format("port {}", port))
    secure = port.is_in(list(wanted.https_ports))
    named = pl.when(secure).then(pl.lit("https")).otherwise(other)
    return pl.when(port.is_null()).then(pl.lit(None, _TEXT)).otherwise(named)


def _optional(mapping: Mapping) -> list[tuple[str, Path]]:
    """Fields whose absence would not be seen: (the key, the field)."""
    found = [("duration", each.duration) for each in mapping.time if each.duration is not None]
    found += [("tls", each.tls) for each in mapping.scheme if each.tls is not None]
    for name, part in (("protocol", mapping.protocol), ("cache", mapping.cache)):
        if part is not None and part.field is not None:
            found.append((name, part.field))
    return found


def _named(mapping: Mapping) -> dict[str, str]:
    """What the judges' columns are called in the log, for what is said of a refused line."""
    found: dict[str, str] = {}
    for key, part in mapping.parts():
        names = [dotted(path) for path in part.paths()]
        known = found.get(key)
        found[key] = " or ".join(dict.fromkeys([*(known.split(" or ") if known else []), *names]))
    times = [" and ".join(map(dotted, each.own_paths())) for each in mapping.time]
    found["raw_time"] = " or ".join(times)
    found["duration"] = " or ".join(dotted(each.duration) for each in mapping.time if each.duration)
    return found
