"""What a worker holds in memory of the partitions it owns, between two flushes."""

from __future__ import annotations

from dataclasses import dataclass, field

from metering.counting.batches import Intake
from metering.counting.flush import Flush
from metering.store.records import PartitionState


@dataclass(slots=True)
class OwnedPartition:
    """One owned partition between two flushes."""

    state: PartitionState
    flush: Flush
    intake: Intake
    rows: int = 0
    base_rows: int = 0
    open_at: tuple[int, int] = (-1, -1)
    open_hours: dict[int, int] = field(default_factory=dict)

    @property
    def stored_at(self) -> tuple[int, int]:
        """The last flush and the last round: what is open changes with them alone."""
        return self.state.flush_no, self.state.checkpoint_no


@dataclass(slots=True)
class Times:
    """When things were done last, UTC ms, and how long publishing took.

    `newest` is the latest time that the last transaction speaks of.
    """

    flushed: int = 0
    published: int = 0
    publish_cost: int = 0
    newest: int = 0
    looked_at_closing: int = 0
