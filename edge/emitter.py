"""For a process that emits its own events: `emit` never blocks and never raises into the caller.

    with Spool.open(...) as spool, Emitter(spool) as emitter:
        emitter.emit(RequestEvent(...))      # False when refused; refused is counted by reason
        emitter.flush(timeout_s=5)           # True once every accepted event is fsynced

A thread takes the events in batches to the spool. Memory is bounded: beyond `capacity` waiting
events, `emit` refuses. When the disk is full, batches become exact counters per (5 minutes, domain,
class) until there is room again (FAULTS A4).
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import numpy as np

from edge.batch.packing import pack
from edge.batch.records import CARRIER_CODE, EVENTS_MAX, EventColumns, totals
from edge.domain import UNATTRIBUTED, canonical_domain
from edge.errors import EdgetollError
from edge.event import CACHES, RequestEvent, reject_reason
from edge.instants import now_ms
from edge.reasons import Reason
from edge.spool.full_disk_counters import CounterStore
from edge.spool.spool import Spool

_LOG: Final = logging.getLogger("edgetoll.edge")
_CACHE: Final = {name: code for code, name in enumerate(CACHES)}
_NAMES_MAX: Final = 65_536
_Item = RequestEvent | threading.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitterOptions:
    """How an emitter batches. `lag_ms`: the watermark follows the clock by this much, so an event
    emitted later than that after its request ended arrives late (it is counted all the same)."""

    capacity: int = 200_000
    batch_events: int = 20_000
    interval_s: float = 0.2
    heartbeat_ms: int = 10_000
    lag_ms: int = 5_000


class Emitter:
    """Takes events from any thread to one spool, which it alone writes meanwhile."""

    def __init__(
        self,
        spool: Spool,
        options: EmitterOptions | None = None,
        *,
        now_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._spool = spool
        self._options = options or EmitterOptions()
        assert 0 < self._options.batch_events <= EVENTS_MAX, "a batch must fit the wire"
        self._now_ms = now_ms
        self._pid = os.getpid()
        self._waiting: deque[_Item] = deque()
        self._wake = threading.Event()
        self._closed = False
        self._refused: Counter[Reason] = Counter()
        self._refused_lock = threading.Lock()
        self._durable = 0
        self._coalesced = 0
        self._counters = CounterStore()
        self._names: dict[str, str] = {}
        self._last_append_ms = now_ms()
        self._thread = threading.Thread(target=self._run, name="edgetoll-emitter", daemon=True)
        self._thread.start()

    def emit(self, event: RequestEvent) -> bool:
        """Accept `event` for the spool; False when it is refused (see `refused`)."""
        try:
            reason = self._refusal(event)
            if reason is None:
                self._waiting.append(event)
                if len(self._waiting) >= self._options.batch_events:
                    self._wake.set()
                return True
        except Exception:  # the caller serves requests: whatever is wrong here is not its concern
            reason = Reason.ERROR
        self._refuse(reason, 1)
        return False

    def _refuse(self, reason: Reason, events: int) -> None:
        """Count refused events."""
        with self._refused_lock:
            self._refused[reason] += events

    def _refusal(self, event: RequestEvent) -> Reason | None:
        """Why `event` is refused, or None."""
        if self._closed or os.getpid() != self._pid:
            return Reason.CLOSED
        if len(self._waiting) >= self._options.capacity:
            return Reason.FULL
        return reject_reason(event, self._now_ms())

    @property
    def refused(self) -> dict[str, int]:
        """Events refused so far, by the value of their `Reason`."""
        with self._refused_lock:
            return {reason.value: count for reason, count in self._refused.items()}

    @property
    def durable(self) -> int:
        """Events fsynced in the spool so far, those that became counters included."""
        return self._durable

    @property
    def coalesced(self) -> int:
        """Events that became counters because the disk was full, so far: an alarm when not 0."""
        return self._coalesced

    def flush(self, timeout_s: float) -> bool:
        """Wait until all events accepted before this call are fsynced; False after `timeout_s`."""
        if not self._thread.is_alive() or os.getpid() != self._pid:
            return not self._waiting and not len(self._counters)
        reached = threading.Event()
        self._waiting.append(reached)
        self._wake.set()
        return reached.wait(timeout_s)

    def close(self, timeout_s: float = 30.0) -> bool:
        """Stop taking events, store what was accepted; False when that did not succeed in time."""
        self._closed = True
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._waiting and not len(self._counters)

    def _run(self) -> None:
        """The thread: everything that waits, then a pause until more is worth a batch."""
        reached: list[threading.Event] = []
        while True:
            closing = self._closed
            try:
                self._append_counters()
                self._round(reached)
                self._heartbeat()
            except Exception:  # a dead thread would refuse everything: say it and go on
                _LOG.exception("emitter of edge %s", self._spool.edge_id)
            if closing and not self._waiting:
                return
            if len(self._waiting) < self._options.batch_events:
                self._wake.wait(self._options.interval_s)
                self._wake.clear()

    def _round(self, reached: list[threading.Event]) -> None:
        """Append one batch of what waits, oldest first, or all up to a flush; then answer it."""
        events: list[RequestEvent] = []
        while self._waiting and len(events) < self._options.batch_events:
            item = self._waiting.popleft()
            if not isinstance(item, RequestEvent):
                reached.append(item)
                break
            events.append(item)
        if events:
            try:
                self._append(events)
            except Exception:
                self._refuse(Reason.ERROR, len(events))  # accepted, then lost to a defect: said so
                raise
        if not len(self._counters):
            for flush in reached:
                flush.set()
            reached.clear()

    def _append(self, events: list[RequestEvent]) -> None:
        """Store `events`, as counters if need be."""
        columns = self._columns(events)
        try:
            self._spool.append(columns, self._watermark_ms())
        except EdgetollError as error:
            if not len(self._counters):
                _LOG.error("edge %s keeps counters instead: %s", self._spool.edge_id, error)
            self._counters.add(totals(pack(columns)))
            self._coalesced += len(events)
            return
        self._durable += len(events)
        self._last_append_ms = self._now_ms()

    def _append_counters(self) -> None:
        """Store the counters that wait, as far as there is room."""
        for counters in self._counters.columns():
            try:
                self._spool.append(counters, 0)
            except EdgetollError:
                return
            self._counters.drop(counters)
            self._durable += int(counters.requests.sum())
            _LOG.warning("edge %s has room again", self._spool.edge_id)

    def _heartbeat(self) -> None:
        """Move the watermark of an idle edge."""
        now_ms = self._now_ms()
        idle = now_ms - self._last_append_ms >= self._options.heartbeat_ms
        if idle and not self._waiting and not len(self._counters):
            self._spool.heartbeat(self._watermark_ms())
            self._last_append_ms = now_ms

    def _watermark_ms(self) -> int:
        """The promise: nothing older than this is still to come, if emitted in time."""
        return max(self._now_ms() - self._options.lag_ms, 0)

    def _columns(self, events: list[RequestEvent]) -> EventColumns:
        """`events` as columns."""
        names = [self._name(event.domain) for event in events]
        place = {name: index for index, name in enumerate(dict.fromkeys(names))}
        ids = [event.event_id for event in events]
        carriers = [CARRIER_CODE[event.scheme, event.transport] for event in events]
        return EventColumns(
            domains=tuple(place),
            domain_index=np.array([place[name] for name in names], dtype=np.int32),
            time_ms=np.array([event.time_ms for event in events], dtype=np.int64),
            carrier=np.array(carriers, dtype=np.uint8),
            status=np.array([event.status for event in events], dtype=np.uint16),
            cache=np.array([_CACHE[event.cache] for event in events], dtype=np.uint8),
            bytes_sent=np.array([event.bytes_sent for event in events], dtype=np.int64),
            event_ids=ids if any(ids) else None,
        )

    def _name(self, raw: str) -> str:
        """The canonical name, remembered: most events repeat a few."""
        name = self._names.get(raw)
        if name is None:
            name = canonical_domain(raw) or UNATTRIBUTED
            if len(self._names) >= _NAMES_MAX:
                self._names.clear()
            if len(raw) <= 253:
                self._names[raw] = name
        return name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
