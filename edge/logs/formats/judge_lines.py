"""From a table of raw texts to event columns: the one place where lines are judged.

Each format gives a polars frame with one row per physical line and these columns of text (None
where the line does not have it): `host`, `scheme`, `protocol`, `status`, `bytes`, `cache`, besides
`raw_time` (anything, None if missing) and `time_ms` (Int64, None if it cannot be read). Lines
refused before (`refusals`: row -> reason) are not looked at; blank lines and directives are in
`ignore`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from edge.batch.records import Array, EventColumns, carrier_codes
from edge.domain import RAW_BYTES_MAX, canonical_domain
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, STATUS_MAX, TIME_MS_MIN
from edge.logs.formats.block import Parsed, RefusedRow
from edge.reasons import Reason

HIT_WORDS: Final = ("HIT", "STALE", "UPDATING", "REVALIDATED", "Hit", "RefreshHit", "hit", "true")
"""What caches write when the answer came out of them (nginx, CloudFront, and common log fields)."""
MISS_WORDS: Final = ("MISS", "BYPASS", "EXPIRED", "SCARCE", "PASS", "Miss", "miss", "false")

QUIC_NAMES: Final = ("h3", "h3-29", "http/3", "http/3.0")
_REASONS: Final = (
    Reason.SCHEMA,
    Reason.CLOCK,
    Reason.SCHEME,
    Reason.STATUS,
    Reason.BYTES,
)
"""In order of precedence, as `Reason` has it; a code in `_judged` is the place here plus
one.
"""


def decimal_ms(column: str, per_second: int) -> pl.Expr:
    """UTC ms out of text with a decimal number, `per_second` of whose unit make a second.

    Exact: decimals, never floats; what is finer than a millisecond is cut, so that a request stays
    in the period it ended in. None where the text is no number.
    """
    number = pl.col(column).cast(pl.Decimal(38, 9), strict=False)
    if per_second <= 1000:
        return (number * (1000 // per_second)).cast(pl.Int64, strict=False)
    whole = pl.col(column).cast(pl.Decimal(38, 0), strict=False).cast(pl.Int64, strict=False)
    return whole // (per_second // 1000)


def rfc3339_ms(column: str) -> pl.Expr:
    """UTC ms out of RFC 3339 text; None for anything else, a time without a zone included.

    A leap second counts to the second before it (FAULTS E5).
    """
    text = pl.col(column)
    leap = text.str.slice(16, 3) == ":60"
    clamped = pl.when(leap).then(text.str.replace(r":60(\.\d+)?", ":59.999")).otherwise(text)
    parsed = clamped.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return parsed.dt.epoch("ms")


def judge_lines(
    frame: pl.DataFrame,
    now_ms: int,
    *,
    refusals: Mapping[int, Reason] | None = None,
    ignore: set[int] | None = None,
    decode_host: Callable[[str], str] | None = None,
) -> Parsed:
    """The events of `frame`; `decode_host` undoes a format's escapes, on distinct hosts only."""
    typed = frame.select(*_typed())
    keep: Array | None = None
    refused: list[RefusedRow] = []
    if refusals or ignore or not _all_fit(typed, now_ms):
        typed = typed.with_columns(_without_bytes(frame["bytes"], typed["bytes"]))
        verdict = typed.select(_verdict(now_ms))["verdict"].to_numpy()
        keep = verdict == 0
        settled = set(ignore or ()) | set(refusals or ())
        keep[list(settled)] = False
        refused = [RefusedRow(row=row, reason=reason) for row, reason in (refusals or {}).items()]
        refused += [
            RefusedRow(row=int(row), reason=_REASONS[int(verdict[row]) - 1])
            for row in np.flatnonzero(verdict)
            if int(row) not in settled
        ]
        refused.sort(key=lambda each: each.row)
        typed = typed.filter(pl.Series(keep, dtype=pl.Boolean))
    rows = np.arange(typed.height, dtype=np.int64) if keep is None else np.flatnonzero(keep)
    domains, index = _domains(typed["host"], decode_host)
    unattributable = int((index == domains.index("")).sum()) if "" in domains else 0
    columns = EventColumns(
        domains=domains,
        domain_index=index,
        time_ms=typed["time_ms"].to_numpy(),
        carrier=carrier_codes(typed["https"].to_numpy(), typed["quic"].to_numpy()),
        status=typed["status"].to_numpy().astype(np.uint16),
        cache=_cache(typed["cache"]),
        bytes_sent=typed["bytes"].to_numpy(),
    )
    return Parsed(columns=columns, rows=rows, refused=tuple(refused), unattributable=unattributable)


def _typed() -> list[pl.Expr]:
    """Each field once, as what it will be; `given_` columns say whether the line has it at all."""
    host, scheme = pl.col("host"), pl.col("scheme")
    # A Host of any length is cut before anybody parses it (FAULTS D1): "" is unattributable.
    bounded = pl.when(host.str.len_bytes() > 4 * RAW_BYTES_MAX).then(pl.lit("")).otherwise(host)
    given = pl.all_horizontal(pl.col("raw_time", "host", "scheme", "status", "bytes").is_not_null())
    return [
        pl.col("time_ms"),
        pl.col("status").cast(pl.Int64, strict=False),
        pl.col("bytes").cast(pl.Int64, strict=False),
        (scheme == "https").fill_null(value=False).alias("https"),
        (scheme == "http").fill_null(value=False).alias("plain"),
        _quic().fill_null(value=False).alias("quic"),
        pl.col("cache"),
        bounded.alias("host"),
        given.alias("given"),
    ]


def _quic() -> pl.Expr:
    """HTTP/3, as nginx and most others write it, or by the name it has in a handshake."""
    return pl.col("protocol").str.starts_with("HTTP/3") | pl.col("protocol").is_in(QUIC_NAMES)


def _without_bytes(given: pl.Series, found: pl.Series) -> pl.Series:
    """Bytes with 0 where the log has `-`: what Apache's %b and others write for none."""
    none = pl.zeros(len(found), dtype=pl.Int64, eager=True)
    return found.zip_with((given != "-").fill_null(value=True), none)


def _all_fit(typed: pl.DataFrame, now_ms: int) -> bool:
    """Whether no line at all is to be refused: the usual case, told by a few totals."""
    found = typed.select(
        pl.col("given").all().alias("given"),
        pl.sum_horizontal(pl.col("https").sum(), pl.col("plain").sum()).alias("schemes"),
        *(
            part
            for name in ("time_ms", "status", "bytes")
            for part in (
                pl.col(name).null_count().alias(f"{name}_nulls"),
                pl.col(name).min().alias(f"{name}_min"),
                pl.col(name).max().alias(f"{name}_max"),
            )
        ),
    ).row(0, named=True)
    if not typed.height:
        return True
    return bool(
        found["given"]
        and found["schemes"] == typed.height
        and found["time_ms_nulls"] == found["status_nulls"] == found["bytes_nulls"] == 0
        and TIME_MS_MIN <= found["time_ms_min"] <= found["time_ms_max"] <= now_ms + AHEAD_MS_MAX
        and 0 <= found["status_min"] <= found["status_max"] <= STATUS_MAX
        and 0 <= found["bytes_min"] <= found["bytes_max"] <= BYTES_SENT_MAX
    )


def _verdict(now_ms: int) -> pl.Expr:
    """0 for an event, else the place of the reason in _REASONS plus one: the first that fits."""

    def outside(name: str, low: int, high: int) -> pl.Expr:
        return ~pl.col(name).is_between(low, high).fill_null(value=False)

    return (
        pl.when(~pl.col("given"))
        .then(1)
        .when(outside("time_ms", TIME_MS_MIN, now_ms + AHEAD_MS_MAX))
        .then(2)
        .when(~(pl.col("https") | pl.col("plain")))
        .then(3)
        .when(outside("status", 0, STATUS_MAX))
        .then(4)
        .when(outside("bytes", 0, BYTES_SENT_MAX))
        .then(5)
        .otherwise(0)
        .cast(pl.UInt8)
        .alias("verdict")
    )


def _cache(words: pl.Series) -> Array:
    """Cache codes (edge.event.CACHES)."""
    hits, misses = words.is_in(HIT_WORDS), words.is_in(MISS_WORDS)
    codes: Array = hits.fill_null(value=False).to_numpy().astype(np.uint8)
    codes += 2 * misses.fill_null(value=False).to_numpy().astype(np.uint8)
    return codes


def _domains(
    hosts: pl.Series, decode: Callable[[str], str] | None
) -> tuple[tuple[str, ...], Array]:
    """(canonical names, index of each row): each distinct text is worked out once."""
    if not len(hosts):
        return (), np.zeros(0, dtype=np.int32)
    encoded = hosts.to_arrow().cast(pa.large_string()).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    names: dict[str, int] = {}
    place: list[int] = []
    for raw in encoded.dictionary.to_pylist():
        name = canonical_domain(decode(raw) if decode else raw) or ""
        place.append(names.setdefault(name, len(names)))
    index = encoded.indices.to_numpy(zero_copy_only=False)
    if len(names) == len(place):
        return tuple(names), index.astype(np.int32, copy=False)
    return tuple(names), np.array(place, dtype=np.int32)[index]
