"""From a table of raw texts to event columns: the one place where lines are judged.

Each format gives a polars frame with one row per physical line and these columns of text (None
where the line does not have it): `host`, `scheme`, `protocol`, `status`, `bytes`, `cache`, besides
`raw_time` (anything, None if missing) and `time_ms` (Int64, None if it cannot be read). It may have
`sni` (the TLS server name), `id` (of the request), `start_ms` and `duration` (which made the time).
Lines decided before (`Settled`) are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from edge.batch.records import Array, EventColumns, carrier_codes
from edge.domain import RAW_BYTES_MAX, canonical_domain, comparable_name
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, SCHEME_NAMES, STATUS_MAX, TIME_MS_MIN
from edge.instants import utc_text
from edge.logs.formats.block import Parsed, RefusedRow, Settled
from edge.reasons import Reason

HIT_WORDS: Final = ("HIT", "STALE", "UPDATING", "REVALIDATED", "Hit", "RefreshHit", "hit", "true")
"""What caches write when the answer came out of them (nginx, CloudFront, and common log fields)."""
MISS_WORDS: Final = ("MISS", "BYPASS", "EXPIRED", "SCARCE", "PASS", "Miss", "miss", "false")

QUIC_NAMES: Final = ("h3", "h3-29", "http/3", "http/3.0", "quic", "QUIC", "H3")
NO_SNI: Final = ("", "-")
"""What logs write where a connection named no server: nginx with escape=json, and otherwise."""
NO_ID: Final = ("", "-")
_REASONS: Final = (
    Reason.SCHEMA,
    Reason.CLOCK,
    Reason.SCHEME,
    Reason.STATUS,
    Reason.BYTES,
    Reason.SNI_MISMATCH,
)
"""In order of precedence, as `Reason` has it; a code in `_verdict` is the place here plus one."""
_SHOWN_MAX: Final = 60
_NEEDED: Final = {
    "raw_time": "time",
    "host": "host",
    "scheme": "scheme",
    "status": "status",
    "bytes": "bytes",
}
"""The columns an event cannot be without, and what they are called where no format says more."""
_YEAR_10000_MS: Final = 253_402_300_800_000
_HTTP_NAMES: Final = [name for name, scheme in SCHEME_NAMES.items() if scheme == "http"]
_HTTPS_NAMES: Final = [name for name, scheme in SCHEME_NAMES.items() if scheme == "https"]


def judge_lines(
    frame: pl.DataFrame,
    now_ms: int,
    settled: Settled,
    *,
    decode_host: Callable[[str], str] | None = None,
    fields: Mapping[str, str] | None = None,
) -> Parsed:
    """The events of `frame`; `decode_host` undoes a format's escapes, on distinct hosts only.

    `fields` are the format's own names of the columns, for what is said of a refused line.
    """
    typed = frame.select(*_typed())
    keep: Array | None = None
    refused: list[RefusedRow] = []
    differs = _sni_differs(frame, typed["host"], decode_host)
    if settled or differs is not None or not _all_fit(typed, now_ms):
        typed = typed.with_columns(_without_bytes(frame["bytes"], typed["bytes"]))
        other = np.zeros(typed.height, dtype=np.bool_) if differs is None else differs
        typed = typed.with_columns(pl.Series("other_name", other, dtype=pl.Boolean))
        verdict = typed.select(_verdict(now_ms))["verdict"].to_numpy()
        keep = verdict == 0
        keep[list(settled.rows)] = False
        refused = [*settled.refused, *_refused(frame, verdict, settled, fields or {})]
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
    ids = frame["id"].gather(rows) if "id" in frame.columns else None
    return Parsed(
        columns=columns,
        rows=rows,
        refused=tuple(refused),
        unattributable=unattributable,
        repeated=repeated_rows(ids, rows),
        ids=ids,
    )


def _refused(
    frame: pl.DataFrame, verdict: Array, settled: Settled, fields: Mapping[str, str]
) -> list[RefusedRow]:
    """The lines that the rules refuse; the first of each reason says what was wrong with it."""
    found: list[RefusedRow] = []
    explained: set[Reason] = set()
    for row in np.flatnonzero(verdict).tolist():
        if row in settled.rows:
            continue
        reason = _REASONS[int(verdict[row]) - 1]
        detail = ""
        if reason not in explained:
            explained.add(reason)
            detail = why_refused(reason, frame.row(row, named=True), fields)
        found.append(RefusedRow(row=row, reason=reason, detail=detail))
    return found


def _typed() -> list[pl.Expr]:
    """Each field once, as what it will be; `given` says whether the line has what it must have."""
    host, scheme = pl.col("host"), pl.col("scheme").str.to_lowercase()
    # A Host of any length is cut before anybody parses it (FAULTS D1): "" is unattributable.
    bounded = pl.when(host.str.len_bytes() > 4 * RAW_BYTES_MAX).then(pl.lit("")).otherwise(host)
    given = pl.all_horizontal(pl.col("raw_time", "host", "scheme", "status", "bytes").is_not_null())
    return [
        pl.col("time_ms"),
        pl.col("status").cast(pl.Int64, strict=False),
        pl.col("bytes").cast(pl.Int64, strict=False),
        scheme.is_in(_HTTPS_NAMES).fill_null(value=False).alias("https"),
        scheme.is_in(_HTTP_NAMES).fill_null(value=False).alias("plain"),
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
        .when(pl.col("other_name"))
        .then(6)
        .otherwise(0)
        .cast(pl.UInt8)
        .alias("verdict")
    )


def _cache(words: pl.Series) -> Array:
    """Cache codes (edge.event.CACHES)."""
    if words.null_count() == len(words):
        return np.zeros(len(words), dtype=np.uint8)
    hits, misses = words.is_in(HIT_WORDS), words.is_in(MISS_WORDS)
    codes: Array = hits.fill_null(value=False).to_numpy().astype(np.uint8)
    codes += 2 * misses.fill_null(value=False).to_numpy().astype(np.uint8)
    return codes


def sni_differs(sni: str, host: str) -> bool:
    """Whether a connection named another server than its request did; both as they were logged.

    A connection that named none, and a request without a Host, contradict nobody.
    """
    if sni in NO_SNI or host in NO_SNI:
        return False
    return comparable_name(sni) != comparable_name(host)


def _sni_differs(
    frame: pl.DataFrame, hosts: pl.Series, decode: Callable[[str], str] | None
) -> Array | None:
    """Whether each line's TLS server name is another than its Host; None where none is."""
    if "sni" not in frame.columns or frame["sni"].null_count() == frame.height:
        return None
    plain = decode or str
    pairs = pl.DataFrame([hosts.fill_null("").alias("host"), frame["sni"].fill_null("")])
    distinct = pairs.unique()
    other = [sni_differs(plain(sni), plain(host)) for host, sni in distinct.rows()]
    if not any(other):
        return None
    told = distinct.with_columns(pl.Series("other", other, dtype=pl.Boolean))
    joined = pairs.join(told, on=["host", "sni"], how="left", maintain_order="left")
    differs: Array = joined["other"].to_numpy()
    return differs


def named_ids(ids: pl.Series) -> pl.Series:
    """Which of `ids` name a request: there are lines that have none."""
    return (ids.is_not_null() & ~ids.is_in(NO_ID)).fill_null(value=False)


def repeated_rows(ids: pl.Series | None, rows: Array) -> Array:
    """Those of `rows` whose request id, in `ids`, an earlier one has."""
    if ids is None or ids.n_unique() == len(ids):
        return rows[:0]
    again: Array = (named_ids(ids) & ~ids.is_first_distinct()).to_numpy()
    return rows[again]


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


def shown(value: object, longest: int = _SHOWN_MAX) -> str:
    """`value` in guillemets, cut short, with what could drive a terminal escaped."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    short = text[:longest]
    if not short.isprintable():
        short = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in short
        )[: 2 * longest]
    return f"«{short}…»" if len(text) > longest else f"«{short}»"


def why_refused(reason: Reason, line: Mapping[str, object], fields: Mapping[str, str]) -> str:
    """What was wrong with `line` (a row of the judges' table), by the format's own names."""

    def name(column: str) -> str:
        return fields.get(column) or _NEEDED.get(column, column)

    if reason is Reason.SCHEMA:
        lacking = [name(column) for column in _NEEDED if line.get(column) is None]
        lacking = list(dict.fromkeys(lacking))
        return f"no {', no '.join(lacking)}" if lacking else "a field is missing"
    if reason is Reason.CLOCK:
        return _why_clock(line, name("raw_time"), name("duration"))
    if reason is Reason.SCHEME:
        known = ", ".join(SCHEME_NAMES)
        return f"{name('scheme')} {shown(line.get('scheme'))} is none of {known}"
    if reason is Reason.STATUS:
        return f"{name('status')} {shown(line.get('status'))} is no number from 0 to 999"
    if reason is Reason.BYTES:
        return f"{name('bytes')} {shown(line.get('bytes'))} is no number from 0 to 2^50"
    return f"TLS server name {shown(line.get('sni'))}, {name('host')} {shown(line.get('host'))}"


def _why_clock(line: Mapping[str, object], time_name: str, duration_name: str) -> str:
    """What was wrong with the time: not read, or far off."""
    raw, time_ms = line.get("raw_time"), line.get("time_ms")
    if not isinstance(time_ms, int):
        if line.get("duration") is not None and line.get("start_ms") is not None:
            return f"{duration_name} {shown(line['duration'])} cannot be read"
        return f"{time_name} {shown(raw)} cannot be read"
    if time_ms < TIME_MS_MIN:
        return f"{time_name} {shown(raw)} is before 2000"
    if time_ms >= _YEAR_10000_MS:
        return f"{time_name} {shown(raw)} is beyond the year 9999: is its unit right?"
    days = AHEAD_MS_MAX // 86_400_000
    return f"{time_name} {shown(raw)} is {utc_text(time_ms)}, more than {days} day ahead"
