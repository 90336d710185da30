"""Where batches come from: the seam between the worker and a transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Message = tuple[bytes | None, bytes, tuple[tuple[str, bytes], ...]]
"""Key, value and headers of one message that is no batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBatch:
    """One unit of transport as it was read, not yet decoded.

    `partition` is what a worker owns and what closed files are named by; `source` is what one
    position belongs to (the edge's folder, or topic and partition). `position_after` is opaque
    text: seeking to it continues with the next unit. `payload` is None when the transport itself
    could not read the unit (a damaged frame); then `problem` says why, and `damaged` holds what
    bytes there are. `messages` is set instead of both for a run of single JSON messages.
    """

    partition: str
    source: str
    position_after: str
    payload: bytes | None
    problem: str | None = None
    damaged: bytes = b""
    messages: Sequence[Message] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What a checkpoint holds of one source, to `position`; the last batch was (epoch, sequence).

    The numbers are -1 where no batch of a known edge was read from it.
    """

    position: str
    epoch: int = -1
    sequence: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """Whether one source of an edge can be read to its end, as the transport sees it.

    `problem` says why not (None: it can); `since_ms` is when the transport was last changed. `last`
    is the newest batch that was ever durable there, as (epoch, sequence), and `read` whether
    reading has come to its end: then metering holds that batch, or it was lost. `gone`: nothing is
    left of a source that was read before.
    """

    source: str
    problem: str | None
    since_ms: int
    last: tuple[int, int] | None = None
    read: bool = False
    gone: bool = False


class Source(Protocol):
    """A readable transport: the worker seeks once, fetches, and acknowledges what it may forget.

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
        """Up to `max_batches` units, in order in each source; empty after `timeout_s` idle."""
        ...

    def caught_up(self) -> bool:
        """Whether everything durable when the last fetch began has been handed out."""
        ...

    def end_positions(self) -> dict[str, str]:
        """The durable end of each source now, for lag; absent where it is unknown."""
        ...

    def states(self) -> list[SourceState]:
        """How each source stands whose name is that of its edge; empty where they have none."""
        ...

    def acknowledge(self, covered: Mapping[str, Covered]) -> None:
        """A checkpoint covers these positions: the transport may forget what lies before them."""
        ...

    def committed(self, positions: Mapping[str, str]) -> None:
        """These positions are committed and read back; for monitors, nothing rests on it."""
        ...

    def close(self) -> None:
        """Release files and connections; calling it twice is harmless."""
        ...
