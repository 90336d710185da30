"""Each (source, id) once: which JSON events of a flush are new, which came before, and with what.

All partitions of a flush are asked about at once. An event whose hash neither repeats in the flush
nor is known is new, which is told by sorting columns; the others are judged one by one, in order of
arrival. Identity is within a partition (decision 0404); `digest` is of an event's values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

import sql
from edge.batch.records import Array
from metering.counting.json_columns import Coded, JsonColumns
from metering.hour import HOUR_MS

NEW, DUPLICATE, CONFLICT = range(3)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
Key = tuple[int, int, int]
"""Owner, upper and lower half of the identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The halves of each event's identity, its digest, and the number of its partition."""

    owner: Array
    high: Array
    low: Array
    digest: Array

    def at(self, places: Array) -> Identities:
        """Those of some events."""
        return Identities(
            owner=self.owner[places],
            high=self.high[places],
            low=self.low[places],
            digest=self.digest[places],
        )

    def key(self, place: int) -> Key:
        """What the event at `place` is known by."""
        return int(self.owner[place]), int(self.high[place]), int(self.low[place])


def identities(
    connection: duckdb.DuckDBPyConnection, events: JsonColumns, owner: Array
) -> Identities:
    """The identity of each event, of the partition with number `owner`."""
    seen = {
        "place": pa.array(np.arange(len(events))),
        "source": _texts(events.source),
        "id": events.id,
    }
    found = _ask(connection, "statements/metering/json_events/identities", json_seen=pa.table(seen))
    place = found["place"].to_numpy()
    high, low = np.empty((2, len(events)), dtype=np.uint64)
    high[place] = found["identity_high"].to_numpy()
    low[place] = found["identity_low"].to_numpy()
    return Identities(owner=owner, high=high, low=low, digest=_digests(events))


def verdicts(
    connection: duckdb.DuckDBPyConnection,
    events: JsonColumns,
    ids: Identities,
    partitions: Sequence[str],
) -> Array:
    """NEW, DUPLICATE or CONFLICT for each event; `partitions` are the owners' names."""
    seen = pa.table({"identity_high": pa.array(ids.high), "identity_low": pa.array(ids.low)})
    stored = _ask(connection, "statements/metering/json_events/known", json_seen=seen)
    ordered = np.sort(ids.low)
    suspicious = np.concatenate(
        (ordered[1:][ordered[1:] == ordered[:-1]], stored["identity_low"].to_numpy())
    )
    verdict = np.full(len(events), NEW, dtype=np.uint8)
    if not len(suspicious):
        return verdict
    number = {name: place for place, name in enumerate(partitions)}
    first = {
        (number[row["partition"]], row["identity_high"], row["identity_low"]): int(row["digest"])
        for row in stored.to_pylist()
        if row["partition"] in number
    }
    unlike: list[tuple[int, int]] = []
    for place in np.flatnonzero(np.isin(ids.low, suspicious)).tolist():
        key, digest = ids.key(place), int(ids.digest[place])
        held = first.get(key)
        if held is None:
            first[key] = digest
        elif held == digest:
            verdict[place] = DUPLICATE
        else:
            verdict[place] = CONFLICT
            unlike.append((place, held))
    if unlike:
        verdict[_same_as_before(connection, events, unlike)] = DUPLICATE
    return verdict


def _same_as_before(
    connection: duckdb.DuckDBPyConnection, events: JsonColumns, unlike: list[tuple[int, int]]
) -> Array:
    """Those of the places whose digest, as it was made before 2026-12, is the one held of them."""
    places = np.array([place for place, _ in unlike])
    some = events.at(places)
    columns = {
        "place": pa.array(places),
        "time_ms": pa.array(some.time_ms),
        "class_code": pa.array(some.class_code),
        "status": pa.array(some.status),
        "bytes_sent": pa.array(some.bytes_sent),
        "cache": pa.array(some.cache),
        "region": _texts(some.region),
        "domain": _texts(some.domain),
        "held": pa.array(np.array([held for _, held in unlike], dtype=np.uint64)),
    }
    found = _ask(
        connection, "statements/metering/json_events/same_as_before", json_unlike=pa.table(columns)
    )
    same: Array = found["place"].to_numpy()
    return same


def remember(
    connection: duckdb.DuckDBPyConnection,
    events: JsonColumns,
    ids: Identities,
    of: Sequence[tuple[str, int]],
    seen_ms: int,
) -> None:
    """Store the identities of events that were counted; `of`: partition and flush of each owner."""
    flush_no = np.array([number for _, number in of], dtype=np.int64)
    fresh = {
        "partition": _texts(Coded(codes=ids.owner, names=[name for name, _ in of])),
        "hour_ms": pa.array(events.time_ms // HOUR_MS * HOUR_MS),
        "identity_high": pa.array(ids.high),
        "identity_low": pa.array(ids.low),
        "digest": pa.array(ids.digest),
        "flush_no": pa.array(flush_no[ids.owner]),
    }
    _ask(
        connection,
        "statements/metering/json_events/add_ids",
        {"seen_ms": seen_ms},
        json_fresh=pa.table(fresh),
    )


def _ask(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    parameters: dict[str, object] | None = None,
    **tables: pa.Table,
) -> pa.Table:
    """The rows of a statement, over Arrow tables."""
    for view, table in tables.items():
        connection.register(view, table)
    try:
        rows: pa.Table = connection.execute(sql.text(name), parameters or {}).to_arrow_table()
        return rows
    finally:
        for view in tables:
            connection.unregister(view)


def _texts(texts: Coded) -> pa.DictionaryArray[Any, Any]:
    """The texts as Arrow."""
    names = pa.array(texts.names, type=pa.string())
    return pa.DictionaryArray.from_arrays(texts.codes, names)


def _digests(events: JsonColumns) -> Array:
    """64 bits of the values of each event: equal values have equal ones, on every machine."""
    mixed = np.zeros(len(events), dtype=np.uint64)
    for column in (
        events.time_ms,
        events.class_code,
        events.status,
        events.bytes_sent,
        events.cache,
        _hashes(events.region),
        _hashes(events.domain),
    ):
        mixed ^= column.astype(np.uint64)
        mixed *= _MIX
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _hashes(texts: Coded) -> Array:
    """64 bits of each text."""
    digests = (hashlib.md5(name.encode(), usedforsecurity=False).digest() for name in texts.names)
    own = [int.from_bytes(digest[:8], "little") for digest in digests]
    return np.array(own, dtype=np.uint64)[texts.codes]
