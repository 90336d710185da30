"""Rows of usage out of a file: CSV with a head, JSON lines or documents, or Parquet.

A row stands for the requests of one domain and class in five minutes or an hour. Its columns are
`time` (when that begins), `domain`, `class` (http, https or quic; `scheme` is another name for it),
`requests` and `bytes`; optional are `region`, `cache_hits` and `id`. Without an `id` a row is known
by its time, domain, region and class.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from edge.domain import canonical_domain
from edge.errors import InputError
from edge.event import BUCKET_MS, CLASSES, SCHEME_NAMES, absurd_time
from edge.instants import parse_time, to_ms
from edge.logs.chunks import read_chunks
from edge.logs.content import BYTE_ORDER_MARK, Content
from edge.reasons import Reason

COUNT_MAX: Final = 1 << 56
"""No row counts so much: 72 petabytes of one name in an hour."""
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "time": ("time", "bucket", "hour", "timestamp"),
    "domain": ("domain", "host"),
    "class": ("class", "scheme", "protocol"),
    "requests": ("requests", "count", "acc"),
    "bytes": ("bytes", "bytes_sent", "traffic"),
    "region": ("region",),
    "cache_hits": ("cache_hits",),
    "id": ("id", "key"),
}
"""What each column may be called, in small letters."""
_REGION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NEEDED: Final = ("time", "domain", "class", "requests", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One row: its key, and what it counts. `bucket_ms` is where its five minutes begin."""

    key: str
    bucket_ms: int
    domain: str
    region: str
    class_code: int
    requests: int
    bytes_sent: int
    cache_hits: int

    def content(self) -> str:
        """What it says, to tell a repeated row from another one under its key."""
        parts = (self.bucket_ms, self.domain, self.region, self.class_code, self.requests)
        return "\t".join(map(str, (*parts, self.bytes_sent, self.cache_hits)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedUsage:
    """A row that cannot be counted."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """A line of a file (from 1), where it begins, and the row on it."""

    line: int
    offset: int
    raw: bytes
    row: UsageRow | RefusedUsage


def read_rows(content: Content, region: str, now_ms: int) -> Iterator[ReadRow]:
    """Each row of `content`; `region` is that of rows without one. Raises InputError for a file
    whose head lacks a column.
    """
    head: list[str] | None = None
    number = 0
    for chunk in read_chunks(content, 0, [1 << 20]):
        offset = chunk.start
        for line in chunk.data.split(b"\n"):
            number += 1
            text = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
            start, offset = offset, offset + len(line) + 1
            if not text.strip():
                number -= line == b"" and offset > chunk.end
                continue
            if text.lstrip().startswith(b"{"):
                found = _json_fields(text)
            elif head is None:
                head = _head(content, text)
                continue
            else:
                found = _csv_fields(text, head)
            row = (
                RefusedUsage(
                    reason=Reason.SYNTAX, detail="no JSON object, other columns, or one twice"
                )
                if found is None
                else _row(found, region, now_ms)
            )
            yield ReadRow(line=number, offset=start, raw=line, row=row)


def _head(content: Content, line: bytes) -> list[str]:
    names = _values(line)
    small = [name.strip().lower() for name in names]
    if len(set(small)) != len(small):
        raise InputError(
            f"{content.path}: its first line names a column twice", "leave one of the two out"
        )
    lacking = [need for need in _NEEDED if not set(_NAMES[need]) & set(small)]
    if lacking:
        raise InputError(
            f"{content.path}: its first line names no column {', '.join(lacking)}",
            "rows of usage have time, domain, class, requests and bytes: docs/importing.md",
        )
    return small


def _values(line: bytes) -> list[str]:
    """The values of a line of CSV; none of one that is no CSV, such as one with a return inside."""
    try:
        return next(csv.reader([line.decode("utf-8", "replace").rstrip("\r")]), [])
    except csv.Error:
        return []


def _csv_fields(line: bytes, head: list[str]) -> dict[str, str] | None:
    values = _values(line)
    return dict(zip(head, values, strict=True)) if len(values) == len(head) else None


def _json_fields(line: bytes) -> dict[str, str] | None:
    """The columns of a JSON object; None for no object, and for one that says a column twice."""
    try:
        orjson.loads(line)
        pairs = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    found = {name.lower(): "" if value is None else str(value) for name, value in pairs}
    return found if len(found) == len(pairs) else None


def _row(fields: dict[str, str], region: str, now_ms: int) -> UsageRow | RefusedUsage:
    """The row of named texts, or why it is none."""
    value = {
        name: next((fields[each].strip() for each in others if fields.get(each, "").strip()), "")
        for name, others in _NAMES.items()
    }
    lacking = [name for name in _NEEDED if not value[name]]
    if lacking:
        return RefusedUsage(reason=Reason.SCHEMA, detail=f"no {', no '.join(lacking)}")
    bucket = _bucket(value["time"], now_ms)
    if isinstance(bucket, RefusedUsage):
        return bucket
    kind = value["class"].lower()
    kind = kind if kind in CLASSES else SCHEME_NAMES.get(kind, "")
    if kind not in CLASSES:
        return RefusedUsage(reason=Reason.SCHEME, detail=f"class {value['class'][:40]!r}")
    counts = [_count(value[name] or "0") for name in ("requests", "bytes", "cache_hits")]
    if None in counts or (counts[2] or 0) > (counts[0] or 0):
        return RefusedUsage(reason=Reason.BYTES, detail="counts are whole numbers from 0")
    domain = canonical_domain(value["domain"]) or ""
    where = value["region"] or region
    if not _REGION.fullmatch(where):
        return RefusedUsage(reason=Reason.SCHEMA, detail=f"region {where[:40]!r}")
    own = value["id"] or "\t".join((str(bucket), domain or value["domain"], where, kind))
    return UsageRow(
        key=own,
        bucket_ms=bucket,
        domain=domain,
        region=where,
        class_code=CLASSES.index(kind),
        requests=counts[0] or 0,
        bytes_sent=counts[1] or 0,
        cache_hits=counts[2] or 0,
    )


def _bucket(text: str, now_ms: int) -> int | RefusedUsage:
    """Where the five minutes of a row begin."""
    try:
        at = int(text) * 1000 if text.isascii() and text.isdigit() else to_ms(parse_time(text))
    except (InputError, ValueError, OverflowError):
        return RefusedUsage(reason=Reason.CLOCK, detail=f"time {text[:40]!r} cannot be read")
    if absurd_time(at, now_ms):
        return RefusedUsage(reason=Reason.CLOCK, detail=f"time {text[:40]!r} is far off")
    if at % BUCKET_MS:
        return RefusedUsage(
            reason=Reason.CLOCK, detail=f"time {text[:40]!r} begins no five minutes"
        )
    return at


def _count(text: str) -> int | None:
    """A whole number; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return int(text) if int(text) < COUNT_MAX else None
