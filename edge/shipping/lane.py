"""One spool on its way to Kafka: what to send next, what is in flight, what the broker has.

The spool is acknowledged only up to the first batch the broker has not confirmed. After any error
everything from there on is sent again: the identity of a batch makes a resend harmless.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from edge.batch.codec import DecodeError, decode_header
from edge.durable import FileLock
from edge.errors import ConflictError
from edge.shipping.binding import Binding, bind_topic, rebind_topic, write_binding
from edge.spool.segment import (
    Frame,
    SpoolPosition,
    acknowledge,
    end_position,
    read_acknowledged,
    read_frames,
)

CHUNK_BYTES: Final = 4 << 20
DAMAGED: Final = "edgetoll-damaged"
"""Header of a message that is no batch: the raw bytes of a damaged frame, for quarantine."""
DAMAGED_BYTES_MAX: Final = 900_000


class Sender(Protocol):
    """What a lane needs of a producer."""

    async def send(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes,
        partition: int,
        headers: list[tuple[str, bytes]],
    ) -> asyncio.Future[object]:
        """Queue a message; the awaitable it returns resolves when the broker has it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A message on its way. `identity` is (epoch, sequence), None for a damaged frame."""

    future: asyncio.Future[object]
    position_after: SpoolPosition
    identity: tuple[int, int] | None
    size: int


class Lane:
    """The spool of one edge. Not for use by several threads at once."""

    def __init__(self, folder: Path, *, window_bytes: int, resend: bool = False) -> None:
        self.folder = folder
        self.edge_id = folder.name
        self.sent = 0
        self.confirmed = 0
        self.damaged = 0
        self._window = window_bytes
        self._resend = resend
        self._binding: Binding | None = None
        self._partitions = 0
        self._flight: deque[InFlight] = deque()
        self._flying = 0
        self._chunk: deque[Frame] = deque()
        self._next: SpoolPosition | None = None
        self._confirmed_at: SpoolPosition | None = None
        self._identity: tuple[int, int] | None = None
        self._written: SpoolPosition | None = None
        self._lock = FileLock(folder / "shipper.lock", f"the shipper of edge {folder.name}")
        self._lock.__enter__()

    def close(self) -> None:
        """Give the lock back."""
        self._lock.__exit__(None, None, None)

    def connect(self, topic: str, topic_id: str, partitions: int) -> None:
        """Begin anew with a new producer: from the first batch that is not confirmed."""
        if self._resend:
            self._binding = rebind_topic(self.folder, topic, topic_id)
        else:
            self._binding = bind_topic(self.folder, topic, topic_id)
        self._partitions = partitions
        if self._confirmed_at is None and not self._resend:
            known = read_acknowledged(self.folder)
            if known is not None:
                self._confirmed_at = self._written = known.position
                self._identity = (known.epoch, known.sequence)
        self._next = self._confirmed_at
        self._flight.clear()
        self._chunk.clear()
        self._flying = 0

    @property
    def waiting(self) -> list[asyncio.Future[object]]:
        """The oldest message in flight, to wait for."""
        return [self._flight[0].future] if self._flight else []

    @property
    def done(self) -> bool:
        """Whether everything durable in the spool has been confirmed and acknowledged."""
        if self._flight or self._chunk or self._unread():
            return False
        return self._written == self._confirmed_at

    def _unread(self) -> bool:
        end = end_position(self.folder)
        if end is None or end == self._next:
            return False
        self._chunk.extend(read_frames(self.folder, self._next, CHUNK_BYTES))
        if self._chunk:
            self._next = self._chunk[-1].position_after
        return bool(self._chunk)

    async def send_some(self, sender: Sender) -> int:
        """Send, oldest first, until the window is full or the spool ends; gives messages sent."""
        sent = 0
        while self._flying < self._window and (self._chunk or self._unread()):
            sent += await self._send(sender, self._chunk.popleft())
        return sent

    async def _send(self, sender: Sender, frame: Frame) -> int:
        payload, headers, identity = frame.payload, [], None
        if frame.damaged:
            headers = [(DAMAGED, (frame.reason or "damaged").encode())]
        else:
            try:
                header = decode_header(payload)
                identity = (header.epoch, header.sequence)
            except DecodeError as error:
                headers = [(DAMAGED, error.message.encode())]
        if identity is None:
            self.damaged += 1
            payload = payload[:DAMAGED_BYTES_MAX]
        assert self._binding is not None
        partition = self._partition_of(identity[0] if identity else None)
        future = await sender.send(
            self._binding.topic,
            payload,
            key=self.edge_id.encode(),
            partition=partition,
            headers=headers,
        )
        future.add_done_callback(_seen)
        size = len(payload)
        self._flight.append(
            InFlight(
                future=future, position_after=frame.position_after, identity=identity, size=size
            )
        )
        self._flying += size
        self.sent += 1
        return 1

    def _partition_of(self, epoch: int | None) -> int:
        """The partition of an epoch, bound durably before its first use."""
        from aiokafka.partitioner import murmur2

        binding = self._binding
        assert binding is not None
        by_key = (int(murmur2(self.edge_id.encode())) & 0x7FFFFFFF) % self._partitions
        if epoch is None:
            return by_key
        bound = binding.partitions.get(epoch)
        if bound is None:
            self._binding = binding = binding.with_epoch(epoch, by_key)
            write_binding(self.folder, binding)
            return by_key
        if bound >= self._partitions:
            raise ConflictError(
                f"epoch {epoch} of {self.edge_id} belongs to partition {bound}, and topic"
                f" {binding.topic} has only {self._partitions}",
                "a topic never loses partitions: make it again with as many as it had",
            )
        return bound

    def settle(self) -> int:
        """Take what the broker has confirmed off the flight, in order; raises what it refused."""
        settled = 0
        while self._flight and self._flight[0].future.done():
            message = self._flight[0]
            message.future.result()
            self._flight.popleft()
            self._flying -= message.size
            self._confirmed_at = message.position_after
            self._identity = message.identity or self._identity
            settled += 1
        self.confirmed += settled
        return settled

    def acknowledge(self) -> None:
        """Tell the spool, durably, what the broker has; costs an fsync, so not for each batch."""
        if self._confirmed_at is None or self._confirmed_at == self._written:
            return
        epoch, sequence = self._identity or (0, -1)
        acknowledge(self.folder, epoch, sequence, self._confirmed_at)
        self._written = self._confirmed_at
        self._resend = False


def _seen(future: asyncio.Future[object]) -> None:
    """Take note of an outcome that nobody asks for any more (its producer was replaced)."""
    if not future.cancelled():
        future.exception()
