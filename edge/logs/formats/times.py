"""Times and durations out of text, in columns: UTC milliseconds, or null where there is none.

Exact: decimals, never floats; what is finer than a millisecond is cut, so that a request stays in
the period it ended in.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import polars as pl

from edge.logs.formats.checked import zone_named
from edge.logs.formats.mapping import TimeField

PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_CLF: Final = "%d/%b/%Y:%H:%M:%S %z"
_ISO: Final = "%Y-%m-%dT%H:%M:%S%.f"
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
_SLOT_MS: Final = 5 * 60_000
"""No zone has changed its clock inside five minutes since 2000."""
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - of a clock without a zone


def decimal_ms(column: str, per_second: int) -> pl.Expr:
    """UTC ms out of text with a decimal number, `per_second` of whose unit make a second."""
    # With room for the three digits that ms have more: a longer number is no time.
    number = pl.col(column).cast(pl.Decimal(35, 9), strict=False)
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


def time_ms(texts: pl.Series, wanted: TimeField) -> pl.Series:
    """The times in `texts`, written as `wanted` says."""
    frame = texts.alias("time").to_frame()
    if wanted.unit in PER_SECOND:
        return frame.select(decimal_ms("time", PER_SECOND[wanted.unit])).to_series()
    if wanted.unit == "s_or_rfc3339":
        found = frame.select(decimal_ms("time", 1)).to_series()
        if found.null_count() == texts.null_count():
            return found
        return frame.select(pl.coalesce(decimal_ms("time", 1), rfc3339_ms("time"))).to_series()
    if wanted.unit in ("epoch", "epoch_or_rfc3339"):
        found = frame.select(_epoch_ms()).to_series()
        if wanted.unit == "epoch" or found.null_count() == texts.null_count():
            return found
        return found.zip_with(found.is_not_null(), frame.select(rfc3339_ms("time")).to_series())
    if wanted.unit == "clf":
        return _formatted(frame, _CLF)
    if wanted.format is not None:
        found = _formatted(frame, wanted.format)
        return found if wanted.zone is None else in_zone(found, wanted.zone)
    zoned = frame.select(rfc3339_ms("time")).to_series()
    if wanted.zone is None or zoned.null_count() == texts.null_count():
        return zoned
    local = frame.select(pl.col("time").str.replace(" ", "T", literal=True))
    return zoned.zip_with(zoned.is_not_null(), in_zone(_formatted(local, _ISO), wanted.zone))


def _epoch_ms() -> pl.Expr:
    """A number since 1970 whose unit its length tells: until 2286 seconds have ten digits."""
    places = pl.col("time").str.extract(r"^([0-9]+)(?:\.[0-9]*)?$").str.len_bytes()
    found = pl.lit(None, pl.Int64)
    for digits, unit in ((10, "s"), (13, "ms"), (16, "us"), (19, "ns")):
        found = (
            pl.when(places == digits).then(decimal_ms("time", PER_SECOND[unit])).otherwise(found)
        )
    return found


def _formatted(frame: pl.DataFrame, form: str) -> pl.Series:
    """Column `time` by a strptime form; a leap second counts to the second before it."""
    texts = frame["time"]
    if texts.str.contains(":60", literal=True).any():
        texts = texts.str.replace(r":60(\.[0-9]+)?", ":59${1}")
    form = form.replace("%T", "%H:%M:%S").replace("%F", "%Y-%m-%d")
    parsed = texts.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    return parsed.dt.epoch("ms")


def in_zone(local_ms: pl.Series, zone: str) -> pl.Series:
    """UTC ms of clocks in `zone` that showed `local_ms`.

    Null where the clock showed a time twice or never (summer time ends or begins): not guessed. The
    rules are Python's pinned ones, not those that polars was built with.
    """
    if zone in ("UTC", "Etc/UTC", "GMT"):
        return local_ms
    slots = (local_ms // _SLOT_MS).alias("slot")
    known = slots.unique().drop_nulls().to_list()
    offsets = pl.Series([_offset_ms(slot * _SLOT_MS, zone) for slot in known], dtype=pl.Int64)
    if not known:
        return local_ms
    keys = pl.Series(known, dtype=pl.Int64)
    return local_ms - slots.replace_strict(keys, offsets, default=None, return_dtype=pl.Int64)


def _offset_ms(local_ms: int, zone: str) -> int | None:
    """How far `zone` is ahead of UTC when its clock shows `local_ms`; None for twice or never."""
    try:
        clock = (_EPOCH + timedelta(milliseconds=local_ms)).replace(tzinfo=zone_named(zone))
        first, second = clock.utcoffset(), clock.replace(fold=1).utcoffset()
        clock.astimezone(UTC)
    except OverflowError:
        return None
    if first is None or first != second:
        return None
    return first // timedelta(milliseconds=1)


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
    """A duration such as `3600.5s`, `250 ms`, `1h2m3.5s` or `1e-3`, in ms; None if it is none.

    A number is one that a server writes: Python would take `1_000` and `٣` for some, too.
    """
    text = text.strip()
    parts = _PART.findall(text) if _DURATION.fullmatch(text) else [(text, unit)]
    total = Decimal(0)
    for number, its_unit in parts:
        try:
            value = Decimal(number)
        except InvalidOperation:
            return None
        size = _UNITS_MS.get(its_unit.lower())  # a letter may be like one of a unit, as in 5ſ
        if size is None or not number.isascii() or "_" in number:
            return None
        if not (value.is_finite() and 0 <= value < _LONGEST):
            return None
        total += value * size
    return int(total)
