"""From a table of raw texts to event columns: the one place where lines are judged.

Each format gives a polars frame with one row per physical line and these columns of text (None
where the line does not have it): `host`, `scheme`, `protocol`, `status`, `bytes`, `cache`, besides
`raw_time` (anything, None if missing) and `time_ms` (Int64, None if it cannot be read). Lines
refused before (`refusals`: row -> reason) are not looked at; blank lines and directives are in
`ignore`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from edge.batch import EventColumns
from edge.domain import RAW_BYTES_MAX, canonical_domain
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, STATUS_MAX, TIME_MS_MIN, RejectReason
from edge.formats.block import Parsed, Refused

HIT_WORDS: Final = ("HIT", "STALE", "UPDATING", "REVALIDATED", "Hit", "RefreshHit", "hit", "true")
"""What caches write when the answer came out of them (nginx, CloudFront, and common log fields)."""
MISS_WORDS: Final = ("MISS", "BYPASS", "EXPIRED", "SCARCE", "PASS", "Miss", "miss", "false")

_REASONS: Final = (
    RejectReason.SCHEMA,
    RejectReason.CLOCK,
    RejectReason.SCHEME,
    RejectReason.STATUS,
    RejectReason.BYTES,
)
"""In order of precedence, as `RejectReason` has it; a code in `_judged` is the place here plus
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


def refine(
    frame: pl.DataFrame,
    now_ms: int,
    *,
    refusals: Mapping[int, str] | None = None,
    ignore: set[int] | None = None,
    decode_host: Callable[[str], str] | None = None,
) -> Parsed:
    """The events of `frame`; `decode_host` undoes a format's escapes, on distinct hosts only."""
    judged = frame.select(*_judged(now_ms))
    verdict = judged["verdict"].to_numpy()
    refused: list[Refused] = []
    keep: Any = None
    if refusals or ignore or verdict.any():
        keep = verdict == 0
        settled = set(ignore or ()) | set(refusals or ())
        for row in settled:
            keep[row] = False
        refused = [Refused(row=row, reason=reason) for row, reason in (refusals or {}).items()]
        refused += [
            Refused(row=int(row), reason=_REASONS[int(verdict[row]) - 1].value)
            for row in np.flatnonzero(verdict)
            if int(row) not in settled
        ]
        refused.sort(key=lambda each: each.row)
        judged = judged.filter(pl.Series(keep))
    rows = np.arange(len(verdict), dtype=np.int64) if keep is None else np.flatnonzero(keep)
    domains, index = _domains(judged["host"], decode_host)
    unattributable = np.flatnonzero(index == domains.index("")).size if "" in domains else 0
    columns = EventColumns(
        domains=domains,
        domain_index=index,
        time_ms=judged["time_ms"].to_numpy(),
        carrier=judged["carrier"].to_numpy(),
        status=judged["status"].to_numpy(),
        cache=judged["cache"].to_numpy(),
        bytes_sent=judged["bytes"].to_numpy(),
    )
    return Parsed(
        columns=columns, rows=rows, refused=tuple(refused), unattributable=int(unattributable)
    )


def _judged(now_ms: int) -> list[pl.Expr]:
    time_ms, scheme = pl.col("time_ms"), pl.col("scheme")
    status = pl.col("status").cast(pl.Int64, strict=False)
    size = pl.col("bytes").cast(pl.Int64, strict=False)
    missing = pl.any_horizontal(pl.col("raw_time", "host", "scheme", "status", "bytes").is_null())
    verdict = (
        pl.when(missing)
        .then(1)
        .when(~time_ms.is_between(TIME_MS_MIN, now_ms + AHEAD_MS_MAX).fill_null(value=False))
        .then(2)
        .when(~scheme.is_in(["http", "https"]))
        .then(3)
        .when(~status.is_between(0, STATUS_MAX).fill_null(value=False))
        .then(4)
        .when(~size.is_between(0, BYTES_SENT_MAX).fill_null(value=False))
        .then(5)
        .otherwise(0)
        .cast(pl.UInt8)
    )
    https = (scheme == "https").cast(pl.UInt8)
    quic = pl.col("protocol").str.starts_with("HTTP/3").fill_null(value=False)
    carrier = pl.when(quic).then(pl.lit(3, pl.UInt8) - https).otherwise(https).cast(pl.UInt8)
    cache = pl.col("cache")
    cached = (
        pl.when(cache.is_in(HIT_WORDS))
        .then(1)
        .when(cache.is_in(MISS_WORDS))
        .then(2)
        .otherwise(0)
        .cast(pl.UInt8)
    )
    host = pl.col("host")
    # A Host of any length is cut before anybody parses it (FAULTS D1): "" is unattributable.
    bounded = pl.when(host.str.len_bytes() > 4 * RAW_BYTES_MAX).then(pl.lit("")).otherwise(host)
    return [
        verdict.alias("verdict"),
        time_ms,
        carrier.alias("carrier"),
        status.cast(pl.UInt16, strict=False).alias("status"),
        size.alias("bytes"),
        cached.alias("cache"),
        bounded.alias("host"),
    ]


def _domains(hosts: pl.Series, decode: Callable[[str], str] | None) -> tuple[tuple[str, ...], Any]:
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
