"""The intake of single JSON messages: each (source, id) once, in the transaction of its flush.

As exact as batches. Its sources promise nothing, so certificates list them as unproven and they
hold no hour open (DESIGN 3.2). An event older than the window of known ids is quarantined as
`uncheckable` rather than be counted on a guess.

    take -> laid_out_alike (columns), else events_of and check (one by one) -> settle, all
    partitions at once: identities, verdicts, counts
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb
import numpy as np

import sql
from edge.batch.records import Array
from edge.errors import ConfigError
from edge.reasons import Reason
from metering.counting.flush import Flush
from metering.counting.json_check import Bounds, check, milliseconds
from metering.counting.json_columns import JsonColumns, from_checked, laid_out_alike
from metering.counting.json_counts import count
from metering.counting.json_once import (
    CONFLICT,
    DUPLICATE,
    NEW,
    identities,
    remember,
    verdicts,
)
from metering.counting.json_parse import RawEvent, Unreadable, events_of
from metering.counting.json_trust import EVERYBODY, JsonTrust
from metering.counting.records import Rejected, Windowed
from metering.hour import HOUR_MS, hour_of
from metering.sources.source import Covered, Message, SourceBatch

DAY_MS: Final = 86_400_000
TABLE: Final = "json_ids"
RAW_BYTES_KEPT: Final = 1 << 20
"""Of each unit and reason, so many raw bytes of refused messages are kept."""
READ_TOGETHER: Final = 16_384
"""So many messages are read at once, of whatever partitions: columns cost much less when long."""
CONFLICTS_KEPT: Final = 1000


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
        self._unread: list[_Unit] = []
        self._unread_messages = 0
        self._held: list[tuple[JsonColumns, list[Flush], Array]] = []
        """Events not yet told apart, some flushes, and which of these each event belongs to."""
        self._forgotten = -1

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
        """Take the messages of one unit; they are read with others, and counted by `settle`."""
        assert batch.messages is not None
        if self._endless:
            raise ConfigError(
                f"{batch.source} holds JSON events and keeps records for ever: their ids cannot be"
                " known for as long",
                "set retention.ms of the topic, or retention_hours in [metering.kafka]",
            )
        flush.batches.read += 1
        flush.batches.accepted += 1
        flush.held += len(batch.messages)
        flush.newest_ms = max(flush.newest_ms, _time_of_last(batch.messages))
        before = flush.positions.get(batch.source, Covered(position=""))
        flush.positions[batch.source] = Covered(
            position=batch.position_after, epoch=before.epoch, sequence=before.sequence
        )
        self._unread.append(_Unit(flush=flush, batch=batch, messages=batch.messages, now_ms=now_ms))
        self._unread_messages += len(batch.messages)
        if self._unread_messages >= READ_TOGETHER:
            self._read(now_ms)

    def _window_start(self, now_ms: int) -> int:
        """The first hour whose ids are known; earlier events are uncheckable."""
        return hour_of(now_ms - self.window_ms)

    def _read(self, now_ms: int) -> None:
        """Read and check what was taken: by columns what is laid out alike, the rest one by one."""
        units, self._unread, self._unread_messages = self._unread, [], 0
        if not units:
            return
        bounds = Bounds(window_start_ms=self._window_start(now_ms), now_ms=now_ms, trust=self.trust)
        messages = [message for unit in units for message in unit.messages]
        unit_of = np.repeat(np.arange(len(units)), [len(unit.messages) for unit in units])
        parts, left = laid_out_alike(messages, bounds)
        alike = np.bincount(unit_of, minlength=len(units))
        alike -= np.bincount(unit_of[left], minlength=len(units))
        for unit, events in zip(units, alike.tolist(), strict=True):
            unit.flush.events.read += events
        if len(left):
            owners = [units[number] for number in unit_of[left].tolist()]
            parts.append(_one_by_one(messages, left.tolist(), owners, bounds))
        if parts:
            found = JsonColumns.joined(parts)
            if len(parts) > 1:  # the first of two equal ids is the one that came first
                found = found.at(np.argsort(found.place, kind="stable"))
            self._held.append((found, [unit.flush for unit in units], unit_of[found.place]))
        for unit in units:
            unit.keep(self._keep)

    def settle(
        self,
        flushes: Sequence[tuple[Flush, int]],
        connection: duckdb.DuckDBPyConnection,
        now_ms: int,
    ) -> None:
        """Tell new events from repeated ones and count them, inside the flushes' transaction.

        `flushes` are all that the transaction writes, each with the number it will have.
        """
        self._read(now_ms)
        for flush, _ in flushes:
            flush.held = 0
        held, self._held = self._held, []
        number = {id(flush): place for place, (flush, _) in enumerate(flushes)}
        parts, owners = [], []
        for events, owning, owner in held:
            # A flush that is not among these was given up with its transaction: it is read again.
            of = np.array([number.get(id(flush), -1) for flush in owning], dtype=np.int32)[owner]
            alive = np.flatnonzero(of >= 0)
            parts.append(events if len(alive) == len(of) else events.at(alive))
            owners.append(of[alive])
        if not sum(map(len, parts)):
            return
        events, owner = JsonColumns.joined(parts), np.concatenate(owners)
        only = [flush for flush, _ in flushes]
        ids = identities(connection, events, owner)
        verdict = verdicts(connection, events, ids, [flush.partition for flush in only])
        _tally(events, owner, verdict, only, now_ms)
        self._keep_conflicts(events, owner, verdict, only, now_ms)
        if verdict.any():
            new = np.flatnonzero(verdict == NEW)
            events, owner, ids = events.at(new), owner[new], ids.at(new)
        count(events, owner, only)
        numbered = [(flush.partition, flush_no) for flush, flush_no in flushes]
        remember(connection, events, ids, numbered, now_ms)
        self._forget(connection, now_ms)

    def _forget(self, connection: duckdb.DuckDBPyConnection, now_ms: int) -> None:
        """Once an hour, let go of what lies before the window."""
        start = self._window_start(now_ms)
        if self._forgotten != start:
            forget = sql.text("statements/metering/json_events/forget_before")
            connection.execute(forget, {"hour_ms": start})
            self._forgotten = start

    def _keep_conflicts(
        self,
        events: JsonColumns,
        owner: Array,
        verdict: Array,
        flushes: Sequence[Flush],
        now_ms: int,
    ) -> None:
        """What came again under a counted id with other content, kept for a person."""
        for number, flush in enumerate(flushes):
            places = np.flatnonzero((verdict == CONFLICT) & (owner == number))
            if not len(places):
                continue
            rows = events.at(places[:CONFLICTS_KEPT]).readable()
            self._keep(
                Rejected(
                    partition=flush.partition,
                    source=str(rows[0]["source"]),
                    position=next(iter(flush.positions.values())).position,
                    reason=Reason.CONFLICT,
                    detail=f"{len(places)} events came again under a counted id with other content",
                    data=b"\n".join(str(row).encode() for row in rows),
                    seen_ms=now_ms,
                )
            )


@dataclass(slots=True)
class _Unit:
    """Messages of one unit of transport, and what was refused of them, kept together by reason."""

    flush: Flush
    batch: SourceBatch
    messages: Sequence[Message]
    now_ms: int
    raw: dict[Reason, list[bytes]] = field(default_factory=dict)
    sizes: dict[Reason, int] = field(default_factory=dict)

    def refuse(self, reason: Reason, source: str, value: bytes, events: int = 1) -> None:
        """Count `events` as quarantined; `value` is the message that held them."""
        now_ms = self.now_ms
        self.flush.reject(reason, source, events=events, first_ms=now_ms, last_ms=now_ms)
        size = self.sizes.get(reason, 0)
        if size < RAW_BYTES_KEPT:
            kept = value[: RAW_BYTES_KEPT - size]
            self.raw.setdefault(reason, []).append(kept)
            self.sizes[reason] = size + len(kept) + 1

    def keep(self, keep: Callable[[Rejected], None]) -> None:
        """Keep the bytes of what was refused."""
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


def _time_of_last(messages: Sequence[Message]) -> int:
    """What time the last message speaks of, UTC ms, so far as it can be read; else 0."""
    found = events_of(messages[-1]) if messages else ()
    if isinstance(found, Unreadable) or not found:
        return 0
    return milliseconds(found[-1][2]) or 0


def _one_by_one(
    messages: Sequence[Message], left: Sequence[int], units: Sequence[_Unit], bounds: Bounds
) -> JsonColumns:
    """The messages at the places `left`, judged; each belongs to the unit in its place."""
    events: list[RawEvent] = []
    keys: list[bytes | None] = []
    origin: list[int] = []
    for number, place in enumerate(left):
        message, unit = messages[place], units[number]
        found = events_of(message)
        if isinstance(found, Unreadable):
            key = message[0]
            source = "?" if key is None else key.decode("utf-8", "replace")[:256]
            unit.flush.events.read += found.events
            unit.refuse(found.reason, source or "?", message[1], found.events)
            continue
        unit.flush.events.read += len(found)
        events += found
        keys += [message[0]] * len(found)
        origin += [number] * len(found)
    checked = check(events, keys, bounds)
    for place, reason, source in checked.refused:
        number = origin[place]
        units[number].refuse(reason, source, messages[left[number]][1])
    return from_checked(checked, [left[number] for number in origin])


def _tally(
    events: JsonColumns, owner: Array, verdict: Array, flushes: Sequence[Flush], now_ms: int
) -> None:
    """Duplicates, and conflicts: the same id with other content stays counted as it was."""
    repeated = np.bincount(owner[verdict == DUPLICATE], minlength=len(flushes))
    for flush, number in zip(flushes, repeated.tolist(), strict=True):
        flush.events.duplicate += number
    for place in np.flatnonzero(verdict == CONFLICT).tolist():
        source = events.source.names[int(events.source.codes[place])]
        flushes[int(owner[place])].reject(
            Reason.CONFLICT, source, events=1, first_ms=now_ms, last_ms=now_ms
        )
