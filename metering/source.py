"""Where batches come from: the seam between the worker and a transport (spool, Kafka, JSON messages)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBatch:
    """One unit of transport as it was read, not yet decoded.

    `partition` is what a worker owns and what closed files are named by; `source` is what one
    position belongs to (the edge's folder, or topic and partition). `position_after` is opaque
    text: seeking to it continues with the next unit. `payload` is None when the transport itself
    could not read the unit (a damaged frame); then `problem` says why, and `damaged` holds what
    bytes there are.
    """

    partition: str
    source: str
    position_after: str
    payload: bytes | None
    problem: str | None = None
    damaged: bytes = b""


class Source(Protocol):
    """A readable transport. The worker seeks once, then fetches, and acknowledges what it may forget.

    Positions are keyed by `source`. No method may lose or skip a unit: a source that cannot
    continue from where it was told to raises EdgetollError.
    """

    def partitions(self) -> tuple[str, ...]:
        """The partitions this source reads, fixed for its life."""
        ...

    def seek(self, positions: Mapping[str, str]) -> None:
        """Continue after these positions; a source that is not named starts at its beginning."""
        ...

    def fetch(self, max_batches: int, timeout_s: float) -> list[SourceBatch]:
        """Up to `max_batches` units, in order within each source; empty after `timeout_s` of nothing."""
        ...

    def caught_up(self) -> bool:
        """Whether everything that was durable when the last empty fetch began has been handed out."""
        ...

    def end_positions(self) -> dict[str, str]:
        """The durable end of each source now, for lag; a source may be absent where it is unknown."""
        ...

    def acknowledge(self, covered: Mapping[str, str]) -> None:
        """A checkpoint covers these positions: the transport may forget what lies before them."""
        ...

    def close(self) -> None:
        """Release files and connections; calling it twice is harmless."""
        ...
