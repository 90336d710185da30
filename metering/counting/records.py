"""The nouns of counting: how what was read ends, what is kept of it, what a window remembers."""

from __future__ import annotations

from dataclasses import dataclass

from edge.batch.records import STATUS_COLUMNS
from edge.reasons import Reason

COUNTS = ("requests", "bytes_sent", *STATUS_COLUMNS, "cache_hits")
"""The counted columns of usage, in the order of its tables and files."""

LATER_COUNTS = frozenset({"status_other"})
"""Counts that stores, closed files and checkpoints made before them lack: absent is 0."""

ENDS = ("read", "accepted", "duplicate", "quarantined")
"""How batches and events are told apart, in the order of the columns."""

Identity = tuple[str, int, int]
"""Edge, epoch, sequence."""


@dataclass(slots=True)
class Tally:
    """How many batches (or messages) and events were read, and how each ended."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0

    @property
    def adds_up(self) -> bool:
        """Read = accepted + duplicate + quarantined."""
        return self.read == self.accepted + self.duplicate + self.quarantined

    def add(self, more: Tally) -> None:
        """Add the counts of `more`."""
        self.read += more.read
        self.accepted += more.accepted
        self.duplicate += more.duplicate
        self.quarantined += more.quarantined


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Identity and digest of an accepted batch."""

    edge_id: str
    epoch: int
    sequence: int
    digest: bytes
    seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A unit that goes to quarantine whole: its bytes are kept under their hash."""

    partition: str
    source: str
    position: str
    reason: Reason
    detail: str
    data: bytes
    seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowed:
    """A table of the store with columns `partition`, `flush_no` and `seen_ms`, kept `keep_ms`."""

    table: str
    keep_ms: int


ACCEPTED_BATCHES = Windowed(table="accepted_batches", keep_ms=72 * 3_600_000)
"""Digests of accepted batches: as long as edges keep acknowledged segments."""
