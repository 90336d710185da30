"""The loop that moves spools to Kafka, whatever the broker does.

An idempotent producer with acks=all sends each edge in order. Any error that could leave a hole, or
that aiokafka does not recover from, ends that producer: a new one is made, after a pause with
jitter, and everything not confirmed is sent again (DESIGN 3.4). Nothing here ever gives a batch up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from edge.errors import EdgetollError, InputError
from edge.kafka.link import KafkaLink, hush, why
from edge.shipping.binding import STATUS
from edge.shipping.lane import Lane
from edge.spool.segment import spool_folders

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

POLL_S = 0.05
ACKNOWLEDGE_EVERY_S = 0.25
NEW_FOLDERS_EVERY_S = 1.0
STATUS_EVERY_S = 5.0
STOP_GRACE_S = 5.0
STALLED_TIMEOUTS = 2
"""A producer that got nothing confirmed for so many request timeouts is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipOptions:
    """How to ship. `patience_s` bounds a drain that makes no progress; a service never gives up."""

    edge: str | None = None
    drain: bool = False
    resend: bool = False
    patience_s: float = 120.0
    window_bytes: int = 16 << 20
    batch_bytes: int = 1 << 20
    backoff_s: tuple[float, float] = (0.1, 15.0)


class Shipper:
    """Ships every spool of a home (or one edge's) until told to stop, or until all is drained.

    `jitter` gives numbers in [0, 1). `alarm` is called with a line for a person when the broker
    refuses, once per kind of trouble, and when it is over.
    """

    def __init__(
        self,
        home: Path,
        link: KafkaLink,
        options: ShipOptions,
        *,
        jitter: Callable[[], float],
        alarm: Callable[[str], None],
    ) -> None:
        hush()
        self.home = home
        self.link = link
        self.options = options
        self.producers = 0
        self._jitter = jitter
        self._alarm = alarm
        self._lanes: dict[str, Lane] = {}
        self._stop = asyncio.Event()
        self._trouble: str | None = None
        self._progress_at = self._began_at = time.monotonic()
        self._acknowledged_at = 0.0
        self._looked_at = 0.0
        self._status_at = 0.0

    def stop(self) -> None:
        """End soon: what is in flight is waited for a little, the rest stays in the spool."""
        self._stop.set()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """What is shipped, by edge."""
        return tuple(self._lanes.values())

    async def run(self) -> None:
        """Ship. Raises EdgetollError for what no retry can mend, and when a drain is stuck."""
        pause, longest = self.options.backoff_s
        try:
            while not self._stop.is_set():
                before = self.confirmed
                try:
                    await self._supervised()
                    return
                except EdgetollError:
                    raise
                except Exception as error:  # a client's bug must not end shipping either
                    self._report(error)
                if self.confirmed > before:
                    pause = self.options.backoff_s[0]
                self._check_patience()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), pause * (0.5 + self._jitter()))
                pause = min(pause * 2, longest)
        finally:
            for lane in self.lanes:
                lane.acknowledge()
                lane.close()

    @property
    def confirmed(self) -> int:
        """Messages the broker has confirmed."""
        return sum(lane.confirmed for lane in self.lanes)

    async def _supervised(self) -> None:
        """Ship with one producer; end it when it stalls, or a while after stop() was called.

        aiokafka retries for ever, in silence, while it knows a leader it cannot reach.
        """
        pump = asyncio.create_task(self._with_a_producer())
        stop = asyncio.create_task(self._stop.wait())
        try:
            while not pump.done() and not stop.done():
                await asyncio.wait({pump, stop}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                if not pump.done():
                    self._check_stalled()
            if not pump.done():
                await asyncio.wait({pump}, timeout=STOP_GRACE_S)
            if pump.done():
                pump.result()
        finally:
            for task in (pump, stop):
                task.cancel()
            await asyncio.gather(pump, stop, return_exceptions=True)

    def _check_stalled(self) -> None:
        longest = STALLED_TIMEOUTS * self.link.request_timeout_seconds
        since = max(self._progress_at, self._began_at)
        if time.monotonic() - since > longest:
            raise TimeoutError(f"nothing was confirmed for {longest:.0f} s")

    async def _with_a_producer(self) -> None:
        """Ship with one producer until it fails, or until there is an end."""
        from aiokafka import AIOKafkaProducer

        from edge.kafka.topic import topic_identity

        producer = AIOKafkaProducer(
            **self.link.client_options(),
            enable_idempotence=True,
            acks="all",
            max_batch_size=self.options.batch_bytes,
            max_request_size=4 << 20,
        )
        self.producers += 1
        self._began_at = time.monotonic()
        try:
            await asyncio.wait_for(producer.start(), self.link.request_timeout_seconds)
            topic_id, partitions = await topic_identity(producer.client, self.link.topic)
            if not partitions:
                raise LookupError(f"the broker has no topic {self.link.topic}")
            target = (topic_id, partitions)
            for lane in self.lanes:
                lane.connect(self.link.topic, *target)
            await self._pump(producer, target)
        finally:
            await _discard(producer)

    async def _pump(self, producer: AIOKafkaProducer, target: tuple[str, int]) -> None:
        while True:
            self._open_lanes(target)
            sent = settled = 0
            for lane in self.lanes:
                if not self._stop.is_set():
                    sent += await lane.send_some(producer)
                settled += lane.settle()
            self._after(settled)
            if self._finished():
                return
            await self._rest(sent + settled)

    def _finished(self) -> bool:
        """Whether there is nothing left to do (drain), or nobody wants it done (stop)."""
        if self._stop.is_set():
            return not any(lane.waiting for lane in self.lanes)
        if not self.options.drain:
            return False
        for lane in self.lanes:
            lane.acknowledge()
        return all(lane.done for lane in self.lanes)

    async def _rest(self, moved: int) -> None:
        """Wait until the broker answers, or a moment when there is nothing to send."""
        waiting = [future for lane in self.lanes for future in lane.waiting]
        if waiting:
            await asyncio.wait(waiting, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        elif not moved:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), POLL_S)

    def _open_lanes(self, target: tuple[str, int]) -> None:
        """Take up the spools that are there now, new ones included."""
        now = time.monotonic()
        if self._lanes and now - self._looked_at < NEW_FOLDERS_EVERY_S:
            return
        self._looked_at = now
        wanted = self.options.edge
        for folder in spool_folders(self.home):
            if folder.name in self._lanes or wanted not in (None, folder.name):
                continue
            lane = Lane(folder, window_bytes=self.options.window_bytes, resend=self.options.resend)
            self._lanes[folder.name] = lane
            lane.connect(self.link.topic, *target)
        if self.options.drain and not self._lanes:
            named = f"of edge {wanted} " if wanted else ""
            raise InputError(
                f"no spool {named}in {self.home / 'spool'}",
                "fill one first with `edgetoll edge import` or `edgetoll edge tail`",
            )

    def _after(self, settled: int) -> None:
        now = time.monotonic()
        idle = not any(lane.waiting for lane in self.lanes)
        if settled or idle:
            self._progress_at = now
            if self._trouble is not None and settled:
                self._alarm(f"Kafka at {self.link.bootstrap} answers again")
                self._trouble = None
                self._status_at = 0.0
        if now - self._acknowledged_at >= ACKNOWLEDGE_EVERY_S:
            self._acknowledged_at = now
            for lane in self.lanes:
                lane.acknowledge()
        self._write_status(now)

    def _report(self, error: BaseException) -> None:
        """Say once what is wrong; the spool grows meanwhile and loses nothing."""
        text = why(error)
        if text != self._trouble:
            self._alarm(
                f"shipping to {self.link.bootstrap} stopped ({text});"
                " batches stay in the spool and are sent again"
            )
        self._trouble = text
        self._status_at = 0.0
        self._write_status(time.monotonic())

    def _check_patience(self) -> None:
        idle = time.monotonic() - self._progress_at
        if self.options.drain and idle > self.options.patience_s:
            raise InputError(
                f"Kafka at {self.link.bootstrap} took nothing for {idle:.0f} s ({self._trouble})",
                "nothing is lost: start the broker, or correct [edge.kafka], and run it again",
            )

    def _write_status(self, now: float) -> None:
        """A small file per edge for monitors; no promise hangs on it."""
        if now - self._status_at < STATUS_EVERY_S:
            return
        self._status_at = now
        for lane in self.lanes:
            document = {
                "confirmed": lane.confirmed,
                "damaged": lane.damaged,
                "producers": self.producers,
                "trouble": self._trouble,
            }
            with suppress(OSError):
                (lane.folder / STATUS).write_bytes(orjson.dumps(document) + b"\n")


async def _discard(producer: AIOKafkaProducer) -> None:
    """End a producer without waiting for what it cannot deliver."""
    with suppress(Exception):
        await asyncio.wait_for(producer.stop(), 2.0)
        return
    with suppress(Exception):
        await asyncio.wait_for(producer._sender.close(), 2.0)
    with suppress(Exception):
        await asyncio.wait_for(producer.client.close(), 2.0)
