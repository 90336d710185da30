"""What becomes of each batch: accepted, duplicate, or quarantined with a reason.

The order of questions: can it be read at all; was its identity held before (then it is a duplicate,
or a fork when its content differs); can its payload be read; are its times possible. Counting is by
columns; no code here touches single events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from edge.batch.codec import DecodeError, decode_counters, decode_header, decode_packed
from edge.batch.records import BatchHeader, CounterColumns, PackedEvents
from edge.batch.signature import Registry, verify
from edge.event import AHEAD_MS_MAX, BUCKET_MS, TIME_MS_MIN
from edge.reasons import Reason
from metering.counting.edge_progress import EdgeProgress
from metering.counting.flush import Flush
from metering.counting.records import Digest, Identity, Rejected
from metering.sources.source import Covered, SourceBatch

DIGEST_BYTES = 16
BATCH_BYTES_SENT_END = 1 << 56
"""A batch that claims more bytes (64 PiB) is refused, so that sums stay in 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A batch whose identity is held already: duplicate or fork, as its digest will tell."""

    batch: SourceBatch
    header: BatchHeader
    digest: bytes
    now_ms: int


class Digests(Protocol):
    """Where the digests of accepted batches are kept (the store)."""

    def known_digests(self, partition: str, wanted: list[Identity]) -> Mapping[Identity, bytes]:
        """The stored digests under these identities; absent where they were let go."""
        ...


@dataclass(slots=True)
class Intake:
    """Takes batches of one partition into a Flush, moving the progress of their edges on.

    `keep` stores the raw bytes of a rejected unit durably before anything is committed.
    """

    partition: str
    edges: dict[str, EdgeProgress]
    flush: Flush
    digests: Digests
    keep: Callable[[Rejected], None]
    registry: Registry | None = None
    """Whose signatures count; None: batches need none."""
    _fresh: dict[Identity, bytes] = field(default_factory=dict)
    _suspects: list[Suspect] = field(default_factory=list)

    def take(self, batch: SourceBatch, now_ms: int) -> None:
        """Decide about one unit and move the position of its source behind it."""
        self.flush.batches.read += 1
        before = self.flush.positions.get(batch.source)
        covered = Covered(position=batch.position_after)
        if batch.payload is None:
            self._reject(batch, Reason.DAMAGED, batch.problem or "damaged", 1, now_ms, read=1)
        else:
            try:
                header = decode_header(batch.payload)
            except DecodeError as error:
                self._reject(batch, error.reason, error.message, 1, now_ms, read=1)
            else:
                covered = replace(covered, epoch=header.epoch, sequence=header.sequence)
                self._identified(batch, batch.payload, header, now_ms)
        if covered.epoch < 0 and before is not None:
            covered = replace(covered, epoch=before.epoch, sequence=before.sequence)
        self.flush.positions[batch.source] = covered

    def settle(self) -> None:
        """Tell duplicates from forks; call before the flush is written."""
        if not self._suspects:
            return
        wanted = [s.header.identity for s in self._suspects if s.header.identity not in self._fresh]
        stored = self.digests.known_digests(self.partition, wanted) if wanted else {}
        for suspect in self._suspects:
            identity = suspect.header.identity
            first = self._fresh.get(identity) or stored.get(identity)
            if first is None or first == suspect.digest:
                self.flush.batches.duplicate += 1
                self.flush.events.duplicate += suspect.header.requests
            else:
                self._reject(
                    suspect.batch,
                    Reason.FORK,
                    f"edge {identity[0]} sent other content as epoch {identity[1]},"
                    f" sequence {identity[2]}",
                    suspect.header.requests,
                    suspect.now_ms,
                    source=suspect.header.edge_id,
                )
        self._suspects.clear()

    def _identified(
        self, batch: SourceBatch, payload: bytes, header: BatchHeader, now_ms: int
    ) -> None:
        """A batch whose header can be read: held already, or new."""
        self.flush.events.read += header.requests
        if self.registry is not None:
            try:
                verify(header, payload, self.registry, now_ms)
            except DecodeError as error:
                self._refuse_batch(batch, header, error.reason, error.message, now_ms)
                return
        edge = self.edges.get(header.edge_id)
        digest = hashlib.sha256(payload[: len(payload) - header.payload_size]).digest()
        digest = digest[:DIGEST_BYTES]
        if edge is not None and edge.holds(header.epoch, header.sequence):
            self._suspects.append(Suspect(batch=batch, header=header, digest=digest, now_ms=now_ms))
            if len(self._suspects) >= 512:
                self.settle()
            return
        try:
            content, refused = readable(header, payload, now_ms)
        except DecodeError as error:
            # Not held: a good copy may still come, and until then the sequence is a visible hole.
            self._refuse_batch(batch, header, error.reason, error.message, now_ms)
            return
        except ValueError as error:
            self._refuse_batch(batch, header, Reason.BYTES, str(error), now_ms)
            return
        self._accept(header, digest, now_ms)
        if refused:
            self._refuse_events(batch, header, refused, now_ms)
        if isinstance(content, PackedEvents):
            self.flush.count_events(content, header)
        elif content is not None:
            self.flush.count_rows(content, header)

    def _accept(self, header: BatchHeader, digest: bytes, now_ms: int) -> None:
        """Hold the identity from now on."""
        edge = self.edges.get(header.edge_id)
        if edge is None:
            edge = EdgeProgress(edge_id=header.edge_id, region=header.region)
            self.edges[header.edge_id] = edge
        edge.region = header.region
        edge.accept(header, now_ms)
        self.flush.batches.accepted += 1
        self.flush.changed_edges.add(header.edge_id)
        newest = max(header.last_time_ms, header.watermark_ms)
        self.flush.newest_ms = max(self.flush.newest_ms, newest)
        self._fresh[header.identity] = digest
        self.flush.digests.append(
            Digest(
                edge_id=header.edge_id,
                epoch=header.epoch,
                sequence=header.sequence,
                digest=digest,
                seen_ms=now_ms,
            )
        )

    def _refuse_batch(
        self, batch: SourceBatch, header: BatchHeader, reason: Reason, detail: str, now_ms: int
    ) -> None:
        """Quarantine a batch whose header can be read, under the name of its edge."""
        self._reject(batch, reason, detail, header.requests, now_ms, source=header.edge_id)

    def _refuse_events(
        self, batch: SourceBatch, header: BatchHeader, refused: int, now_ms: int
    ) -> None:
        """Events of an accepted batch with an absurd time: quarantined one by one, in a sum."""
        self._keep(batch, Reason.CLOCK, f"{refused} of {header.requests} events", now_ms)
        self.flush.reject(
            Reason.CLOCK, header.edge_id, events=refused, first_ms=now_ms, last_ms=now_ms
        )

    def _reject(
        self,
        batch: SourceBatch,
        reason: Reason,
        detail: str,
        events: int,
        now_ms: int,
        *,
        read: int = 0,
        source: str | None = None,
    ) -> None:
        """Quarantine a whole unit, counted under its edge where its header can be read.

        One whose header cannot be read counts as `read` records of the transport's source.
        """
        self._keep(batch, reason, detail, now_ms)
        self.flush.batches.quarantined += 1
        self.flush.events.read += read
        self.flush.reject(
            reason, source or batch.source, events=events, first_ms=now_ms, last_ms=now_ms
        )

    def _keep(self, batch: SourceBatch, reason: Reason, detail: str, now_ms: int) -> None:
        self.keep(
            Rejected(
                partition=batch.partition,
                source=batch.source,
                position=batch.position_after,
                reason=reason,
                detail=detail,
                data=batch.damaged if batch.payload is None else batch.payload,
                seen_ms=now_ms,
            )
        )


def readable(
    header: BatchHeader, payload: bytes, now_ms: int
) -> tuple[PackedEvents | CounterColumns | None, int]:
    """(what a batch holds that can be counted, how many of its requests have an absurd time).

    Raises DecodeError, or ValueError when it claims more bytes than 64-bit sums can bear.
    """
    latest = now_ms + AHEAD_MS_MAX
    absurd = header.first_time_ms < TIME_MS_MIN or header.last_time_ms > latest
    if header.kind == "heartbeat":
        return None, 0
    if header.kind == "counters":
        counters = decode_counters(header, payload)
        if absurd:
            counters = _possible_rows(counters, latest)
        return counters, header.requests - int(counters.requests.sum())
    events = decode_packed(header, payload)
    if int(events.bytes_sent.max()) * len(events) >= BATCH_BYTES_SENT_END:
        exact = sum(events.bytes_sent.tolist())
        if exact >= BATCH_BYTES_SENT_END:
            raise ValueError(f"a batch of {exact} bytes sent")
    if absurd:
        events = _possible_events(events, latest)
    return (events if len(events) else None), header.requests - len(events)


def _possible_events(events: PackedEvents, latest_ms: int) -> PackedEvents:
    """The events whose clock is possible: one stretch, since they are sorted by time."""
    times = events.time_ms
    start = int(np.searchsorted(times, TIME_MS_MIN, side="left"))
    stop = int(np.searchsorted(times, latest_ms, side="right"))
    steps = events.time_step[start:stop].copy()
    if start < stop:
        steps[0] = 0
    return replace(
        events,
        domain_index=events.domain_index[start:stop],
        first_time_ms=int(times[start]) if start < stop else 0,
        last_time_ms=int(times[stop - 1]) if start < stop else 0,
        time_step=steps,
        outcome_index=events.outcome_index[start:stop],
        bytes_sent=events.bytes_sent[start:stop],
    )


def _possible_rows(counters: CounterColumns, latest_ms: int) -> CounterColumns:
    """The counter rows whose bucket is possible."""
    good = (counters.bucket_ms >= TIME_MS_MIN // BUCKET_MS * BUCKET_MS) & (
        counters.bucket_ms <= latest_ms
    )
    return replace(
        counters,
        bucket_ms=counters.bucket_ms[good],
        domain_index=counters.domain_index[good],
        class_code=counters.class_code[good],
        requests=counters.requests[good],
        bytes_sent=counters.bytes_sent[good],
        status_requests=counters.status_requests[good],
        cache_hits=counters.cache_hits[good],
    )
