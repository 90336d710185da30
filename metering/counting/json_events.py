"""The intake of single JSON messages: each (source, id) once, in the transaction of its flush.

Slower than batches and as exact. Its sources promise nothing, so certificates list them as unproven
and they hold no hour open (DESIGN 3.2). An event older than the window of known ids is quarantined
as `uncheckable` rather than be counted on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

import sql
from edge.batch.records import STATUS_COLUMNS, CounterColumns
from edge.errors import ConfigError
from edge.reasons import Reason
from metering.counting.flush import Flush
from metering.counting.json_check import Bounds, Checked, check
from metering.counting.json_parse import RawEvent, Unreadable, events_of
from metering.counting.json_trust import EVERYBODY, JsonTrust
from metering.counting.records import COUNTS, Rejected, Windowed
from metering.hour import HOUR_MS, hour_of
from metering.sources.source import Covered, Message, SourceBatch

DAY_MS: Final = 86_400_000
TABLE: Final = "json_ids"
RAW_BYTES_KEPT: Final = 1 << 20
"""Of each unit and reason, so many raw bytes of refused messages are kept."""


@dataclass(slots=True)
class _Held:
    """What was taken for one flush and not yet judged."""

    flush: Flush
    events: Checked = field(default_factory=Checked)


class JsonIntake:
    """Takes units of JSON messages (a MessageIntake). `keep` stores raw bytes of refused ones."""

    def __init__(
        self,
        window_ms: int,
        keep: Callable[[Rejected], None],
        trust: JsonTrust = EVERYBODY,
    ) -> None:
        self.window_ms = window_ms
        self.trust = trust
        self._keep = keep
        self._endless = False
        self._held: dict[str, _Held] = {}
        self._forgotten: dict[str, int] = {}

    @property
    def windows(self) -> tuple[Windowed, ...]:
        """The table of known ids: an hour more than the window, whose first hour is judged by its
        start.
        """
        return (Windowed(table=TABLE, keep_ms=self.window_ms + HOUR_MS),)

    @classmethod
    def for_topic(
        cls,
        window_days: float,
        retention_ms: int,
        keep: Callable[[Rejected], None],
        trust: JsonTrust = EVERYBODY,
    ) -> JsonIntake:
        """An intake whose window is no shorter than the topic keeps records (DESIGN 3.2).

        A topic that keeps them for ever can have no such window: then the first JSON message
        raises ConfigError (batches do not mind).
        """
        made = cls(max(round(window_days * DAY_MS), retention_ms), keep, trust)
        made._endless = retention_ms < 0
        return made

    def take(self, flush: Flush, batch: SourceBatch, now_ms: int) -> None:
        """Read and check the messages of one unit; they are counted by `settle`."""
        assert batch.messages is not None
        if self._endless:
            raise ConfigError(
                f"{batch.source} holds JSON events and keeps records for ever: their ids cannot be"
                " known for as long",
                "set retention.ms of the topic, or retention_hours in [metering.kafka]",
            )
        held = self._held.get(flush.partition)
        if held is None or held.flush is not flush:
            held = self._held[flush.partition] = _Held(flush=flush)
        flush.batches.read += 1
        flush.batches.accepted += 1
        flush.newest_ms = now_ms  # what waits here is held in memory event by event
        before = flush.positions.get(batch.source, Covered(position=""))
        flush.positions[batch.source] = Covered(
            position=batch.position_after, epoch=before.epoch, sequence=before.sequence
        )
        refused = _Refusals(flush=flush, batch=batch, now_ms=now_ms)
        events, keys, origin = self._parse(batch.messages, refused)
        bounds = Bounds(window_start_ms=self._window_start(now_ms), now_ms=now_ms, trust=self.trust)
        checked = check(events, keys, bounds)
        for place, reason, source in checked.refused:
            refused.add(reason, source, batch.messages[origin[place]][1])
        flush.events.read += len(events) + refused.unreadable
        _extend(held.events, checked)
        refused.keep(self._keep)

    def _window_start(self, now_ms: int) -> int:
        """The first hour whose ids are known; earlier events are uncheckable."""
        return hour_of(now_ms - self.window_ms)

    def _parse(
        self, messages: Sequence[Message], refused: _Refusals
    ) -> tuple[list[RawEvent], list[bytes | None], list[int]]:
        """(events, the key each came under, the message each came in)."""
        events: list[RawEvent] = []
        keys: list[bytes | None] = []
        origin: list[int] = []
        for place, message in enumerate(messages):
            found = events_of(message)
            if isinstance(found, Unreadable):
                key = message[0]
                source = "?" if key is None else key.decode("utf-8", "replace")[:256]
                refused.unreadable += found.events
                refused.add(found.reason, source or "?", message[1], found.events)
                continue
            events += found
            keys += [message[0]] * len(found)
            origin += [place] * len(found)
        return events, keys, origin

    def settle(self, flush: Flush, connection: duckdb.DuckDBPyConnection, now_ms: int) -> None:
        """Tell new events from repeated ones and count them, inside the flush's transaction."""
        held = self._held.pop(flush.partition, None)
        if held is None or held.flush is not flush or not held.events.id:
            return
        connection.register("json_seen", _arrow(held.events))
        try:
            judge = sql.text("statements/metering/json_events/judge")
            connection.execute(judge, {"partition": flush.partition})
        finally:
            connection.unregister("json_seen")
        self._tally(flush, connection, now_ms)
        counts = connection.execute(sql.text("statements/metering/json_events/counts"))
        _count(flush, counts.to_arrow_table())
        sources = connection.execute(sql.text("statements/metering/json_events/sources_by_hour"))
        flush.unproven.update((one.hour_ms, one.source) for one in sql.rows(sources, _HourSource))
        partition, start = flush.partition, self._window_start(now_ms)

        def remember(inside: duckdb.DuckDBPyConnection) -> None:
            add = sql.text("statements/metering/json_events/add_ids")
            inside.execute(add, {"partition": partition, "seen_ms": now_ms})
            if self._forgotten.get(partition) != start:
                forget = sql.text("statements/metering/json_events/forget_before")
                inside.execute(forget, {"partition": partition, "hour_ms": start})
                self._forgotten[partition] = start

        flush.extra.append(remember)

    def _tally(self, flush: Flush, connection: duckdb.DuckDBPyConnection, now_ms: int) -> None:
        """Duplicates, and conflicts: the same id with other content stays counted as it was."""
        conflicts = 0
        verdicts = connection.execute(sql.text("statements/metering/json_events/verdicts"))
        for one in sql.rows(verdicts, _SourceVerdict):
            if one.verdict == "duplicate":
                flush.events.duplicate += one.events
            elif one.verdict == "conflict":
                conflicts += one.events
                flush.reject(
                    Reason.CONFLICT,
                    one.source,
                    events=one.events,
                    first_ms=now_ms,
                    last_ms=now_ms,
                )
        if conflicts:
            found = connection.execute(sql.text("statements/metering/json_events/conflicts"))
            rows = found.to_arrow_table().to_pylist()
            self._keep(
                Rejected(
                    partition=flush.partition,
                    source=rows[0]["source"],
                    position=next(iter(flush.positions.values())).position,
                    reason=Reason.CONFLICT,
                    detail=f"{conflicts} events came again under a counted id with other content",
                    data=b"\n".join(str(row).encode() for row in rows),
                    seen_ms=now_ms,
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _HourSource:
    """A source that has accepted events in an hour."""

    hour_ms: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SourceVerdict:
    """How many events of a source ended in one way."""

    verdict: str
    source: str
    events: int


@dataclass(slots=True)
class _Refusals:
    """What is refused of one unit: counted at once, its raw bytes kept together by reason."""

    flush: Flush
    batch: SourceBatch
    now_ms: int
    unreadable: int = 0
    raw: dict[Reason, list[bytes]] = field(default_factory=dict)
    sizes: dict[Reason, int] = field(default_factory=dict)

    def add(self, reason: Reason, source: str, value: bytes, events: int = 1) -> None:
        now_ms = self.now_ms
        self.flush.reject(reason, source, events=events, first_ms=now_ms, last_ms=now_ms)
        size = self.sizes.get(reason, 0)
        if size < RAW_BYTES_KEPT:
            kept = value[: RAW_BYTES_KEPT - size]
            self.raw.setdefault(reason, []).append(kept)
            self.sizes[reason] = size + len(kept) + 1

    def keep(self, keep: Callable[[Rejected], None]) -> None:
        for reason, values in self.raw.items():
            keep(
                Rejected(
                    partition=self.batch.partition,
                    source=self.batch.source,
                    position=self.batch.position_after,
                    reason=reason,
                    detail=f"{len(values)} JSON messages, one a line",
                    data=b"\n".join(values),
                    seen_ms=self.now_ms,
                )
            )


def _extend(held: Checked, new: Checked) -> None:
    for name in Checked.__slots__:
        if name != "refused":
            getattr(held, name).extend(getattr(new, name))


def _arrow(events: Checked) -> pa.Table:
    """The held events as the statement `judge` reads them."""
    types = {
        "source": pa.dictionary(pa.int32(), pa.string()),
        "id": pa.string(),
        "time_ms": pa.int64(),
        "domain": pa.string(),
        "class_code": pa.int8(),
        "status": pa.int16(),
        "bytes_sent": pa.int64(),
        "cache": pa.int8(),
        "region": pa.string(),
    }
    columns = {}
    for name, kind in types.items():
        values = pa.array(getattr(events, name), type=pa.string() if name == "source" else kind)
        columns[name] = values.dictionary_encode() if name == "source" else values
    columns["place"] = pa.array(np.arange(len(events.id), dtype=np.int64))
    return pa.table(columns)


def _count(flush: Flush, rows: pa.Table) -> None:
    """Counted rows into the flush, region by region."""
    if not len(rows):
        return
    regions = rows["region"].to_pylist()
    begins = [0, *(i for i in range(1, len(regions)) if regions[i] != regions[i - 1])]
    for begin, end in zip(begins, [*begins[1:], len(regions)], strict=True):
        part = rows.slice(begin, end - begin)
        encoded = part["domain"].combine_chunks().dictionary_encode()
        columns = {name: part[name].to_numpy().astype(np.int64) for name in COUNTS}
        statuses = np.column_stack([columns[name] for name in STATUS_COLUMNS])
        flush.count(
            CounterColumns(
                domains=tuple(map(str, encoded.dictionary.to_pylist())),
                bucket_ms=part["bucket_ms"].to_numpy().astype(np.int64),
                domain_index=encoded.indices.to_numpy().astype(np.int32),
                class_code=part["class_code"].to_numpy().astype(np.uint8),
                requests=columns["requests"],
                bytes_sent=columns["bytes_sent"],
                status_requests=statuses,
                cache_hits=columns["cache_hits"],
            ),
            str(regions[begin]),
        )
