"""Values of a mapping that are tried when it is read: patterns, time formats, zones."""

from __future__ import annotations

from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import AfterValidator


def _pattern(value: str) -> str:
    try:
        pl.select(pl.lit("x").str.contains(value))
    except pl.exceptions.PolarsError as error:
        why = str(error).rpartition("error: ")[2].splitlines()[0]
        raise ValueError(f"this is no pattern: {why}") from error
    return value


def _strptime(value: str) -> str:
    if "%Z" in value:
        raise ValueError("names of zones (%Z) mean several zones: leave it out and give zone")
    if "%" not in value:
        raise ValueError("this has no % directive: write it as %Y-%m-%d %H:%M:%S")
    try:
        pl.select(pl.lit("x").str.to_datetime(value, strict=False))
    except pl.exceptions.PolarsError as error:
        raise ValueError("this is no time format: write it as %Y-%m-%d %H:%M:%S") from error
    return value


def _zone(value: str) -> str:
    zone_named(value)
    return value


@lru_cache
def zone_named(name: str) -> tzinfo:
    """The zone `name`: of the time zone database, or an offset such as +08:00. ValueError."""
    sign = {"+": 1, "-": -1}.get(name[:1])
    hours, colon, minutes = name[1:].partition(":")
    if sign and colon and len(hours) == len(minutes) == 2 and (hours + minutes).isdigit():
        return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("this is no time zone: write it as Asia/Shanghai or +08:00") from error


Regex = Annotated[str, AfterValidator(_pattern)]
Strptime = Annotated[str, AfterValidator(_strptime)]
Zone = Annotated[str, AfterValidator(_zone)]
