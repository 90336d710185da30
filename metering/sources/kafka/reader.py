"""The event loop's side of the Kafka source: one consumer, fetching ahead within bounds.

Runs in a thread of its own, so that DuckDB never holds up a heartbeat or a timeout (FAULTS C24).
The worker's thread calls the methods of Reader; what crosses over is plain data under one lock.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from edge.errors import InputError
from edge.kafka.topic import topic_identity
from metering.sources.kafka.bounded_inflate import bound_answers
from metering.sources.kafka.offsets import Place, Span
from metering.sources.kafka.settings import MeteringKafka
from metering.sources.kafka.units import unit_bytes, units
from metering.sources.source import SourceBatch

if TYPE_CHECKING:
    from aiokafka import TopicPartition

T = TypeVar("T")
GETMANY_MS = 200
GETMANY_RECORDS = 20_000
DEFAULT_RETENTION_MS = 7 * 86_400_000


class Reader:
    """A consumer in its thread. `places` and `take` may be read while it works."""

    def __init__(self, settings: MeteringKafka) -> None:
        self.settings = settings
        self.topic_id = ""
        self.partition_count = 0
        self.retention_ms = DEFAULT_RETENTION_MS
        self.progress_at = time.monotonic()
        self._consumer: Any = None
        self._changed = threading.Condition()
        self._queue: deque[SourceBatch] = deque()
        self._queued = 0
        self._failure: BaseException | None = None
        self._places: dict[int, Place] = {}
        self._newest: dict[int, int] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="edgetoll-kafka", daemon=True
        )
        self._thread.start()

    def call(self, work: Coroutine[object, None, T], timeout_s: float | None = None) -> T:
        """Run `work` on the loop and give its result; TimeoutError after `timeout_s`."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def post(self, work: Coroutine[object, None, None]) -> None:
        """Run `work` on the loop without waiting for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    # Called by the worker's thread.

    def take(self, most: int, timeout_s: float) -> list[SourceBatch]:
        """Up to `most` units, waiting for the first one; raises what ended the fetching."""
        with self._changed:
            if not self._queue and self._failure is None:
                self._changed.wait(timeout_s)
            if not self._queue and self._failure is not None:
                raise self._failure
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
            self._queued -= sum(unit_bytes(batch) for batch in taken)
            self._changed.notify_all()
            return taken

    @property
    def places(self) -> dict[int, Place]:
        """Where each partition stands."""
        with self._changed:
            return dict(self._places)

    @property
    def newest_ms(self) -> dict[int, int]:
        """Broker time of the newest record read, by partition, UTC ms."""
        with self._changed:
            return dict(self._newest)

    @property
    def empty(self) -> bool:
        """Whether everything fetched has been taken."""
        with self._changed:
            return not self._queue

    def close(self) -> None:
        """End the thread and the connections."""
        if not self._thread.is_alive():
            return
        with suppress(Exception):
            self.call(self._close(), 10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        if not self._thread.is_alive():
            self._loop.close()

    # Coroutines for call(): they run on the loop.

    async def connect(self) -> None:
        """Start a consumer, learn the topic's id, partitions and retention. Raises aiokafka's."""
        from aiokafka import AIOKafkaConsumer

        settings = self.settings
        consumer = AIOKafkaConsumer(
            **settings.client_options(),
            group_id=settings.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            check_crcs=True,
            fetch_max_bytes=settings.fetch_bytes,
            max_partition_fetch_bytes=max(settings.fetch_bytes // 4, 1 << 21),
            fetch_max_wait_ms=GETMANY_MS,
        )
        bound_answers(consumer._client)
        try:
            await consumer.start()
            topic_id, count = await topic_identity(consumer._client, settings.topic)
            if not count:
                raise InputError(
                    f"the broker at {settings.bootstrap} has no topic {settings.topic}",
                    "make it (docs/kafka.md), or correct `topic` in [metering.kafka]",
                )
        except BaseException:
            await consumer.stop()
            raise
        self.topic_id, self.partition_count = topic_id, count
        self._consumer = consumer
        with suppress(Exception):
            self.retention_ms = await self._retention()

    async def _retention(self) -> int:
        """The topic's retention.ms, as the broker is configured."""
        if self.settings.retention_hours is not None:
            return round(self.settings.retention_hours * 3_600_000)
        from aiokafka.admin import AIOKafkaAdminClient
        from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

        admin = AIOKafkaAdminClient(**self.settings.client_options())
        await admin.start()
        try:
            asked = ConfigResource(ConfigResourceType.TOPIC, self.settings.topic)
            for answer in await admin.describe_configs([asked]):
                for resource in answer.resources:
                    for entry in resource[4]:
                        if entry[0] == "retention.ms":
                            return int(entry[1])
        finally:
            await admin.close()
        return DEFAULT_RETENTION_MS

    async def spans(self, partitions: tuple[int, ...]) -> dict[int, Span]:
        """What each partition holds now."""
        parts = self._parts(partitions)
        begins = await self._consumer.beginning_offsets(parts)
        ends = await self._consumer.end_offsets(parts)
        return {part.partition: Span(begin=begins[part], end=ends[part]) for part in parts}

    async def begin(self, starts: Mapping[int, int]) -> None:
        """Read on from these offsets, forgetting what was fetched before."""
        await self._end_fetching()
        parts = self._parts(tuple(starts))
        if self._consumer.assignment() != set(parts):
            self._consumer.assign(parts)
        for part in parts:
            self._consumer.seek(part, starts[part.partition])
        with self._changed:
            self._queue.clear()
            self._queued = 0
            self._failure = None
            self._places = {p: Place(partition=p, reached=at) for p, at in starts.items()}
        self.progress_at = time.monotonic()
        self._fetching = asyncio.get_running_loop().create_task(self._fetch_ahead())

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Write Kafka's own committed offsets, for monitors; a failure changes nothing for us."""
        if self._consumer is None or self.settings.group is None:
            return
        with suppress(Exception):
            parts = self._parts(tuple(offsets))
            wanted = {part: offsets[part.partition] for part in parts}
            await asyncio.wait_for(self._consumer.commit(wanted), 10.0)

    async def probe(self, partitions: tuple[int, ...]) -> dict[int, int] | None:
        """The end of each partition as a second, fresh client sees it; None: no broker answers."""
        from aiokafka import AIOKafkaConsumer

        client = AIOKafkaConsumer(
            **self.settings.client_options(), isolation_level="read_committed"
        )
        try:
            await asyncio.wait_for(client.start(), 10.0)
            ends = await asyncio.wait_for(client.end_offsets(self._parts(partitions)), 10.0)
            identity, _ = await topic_identity(client._client, self.settings.topic)
            if identity and identity != self.topic_id:
                return dict.fromkeys(partitions, 1 << 62)
            return {part.partition: end for part, end in ends.items()}
        except Exception:
            return None
        finally:
            with suppress(Exception):
                await asyncio.wait_for(client.stop(), 5.0)

    def _parts(self, partitions: tuple[int, ...]) -> list[TopicPartition]:
        from aiokafka import TopicPartition

        return [TopicPartition(self.settings.topic, number) for number in partitions]

    async def _end_fetching(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetching
            self._fetching = None

    async def _fetch_ahead(self) -> None:
        """Fetch until there is as much as may wait; the first error ends it and is told."""
        try:
            while True:
                with self._changed:
                    full = self._queued >= self.settings.queue_bytes
                if full:
                    await asyncio.sleep(0.002)
                    continue
                found = await self._consumer.getmany(
                    timeout_ms=GETMANY_MS, max_records=GETMANY_RECORDS
                )
                batches: list[SourceBatch] = []
                newest: dict[int, int] = {}
                for part, records in found.items():
                    batches += units(records, self.topic_id)
                    newest[part.partition] = records[-1].timestamp
                await self._hand_over(batches, newest)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    async def _hand_over(self, batches: list[SourceBatch], newest: dict[int, int]) -> None:
        places = {}
        for part in self._consumer.assignment():
            stable = self._consumer.last_stable_offset(part)
            high = self._consumer.highwater(part)
            places[part.partition] = Place(
                partition=part.partition,
                reached=await self._consumer.position(part),
                stable=-1 if stable is None else stable,
                high=-1 if high is None else high,
            )
        with self._changed:
            self._queue.extend(batches)
            self._queued += sum(unit_bytes(batch) for batch in batches)
            if any(p.reached != self._places[n].reached for n, p in places.items()):
                self.progress_at = time.monotonic()
            self._places = {n: replace(p) for n, p in places.items()}
            self._newest.update(newest)
            self._changed.notify_all()

    async def _close(self) -> None:
        await self._end_fetching()
        if self._consumer is not None:
            with suppress(Exception):
                await asyncio.wait_for(self._consumer.stop(), 5.0)
        # A commit for monitors may still wait for an answer: the loop must not end under it.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
