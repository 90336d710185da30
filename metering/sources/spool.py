"""The embedded transport: the spool folders of a home, read in place as the partition `spool`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from edge.spool.segment import Frame, SpoolPosition, acknowledge, end_position, read_frames
from metering.sources.source import Covered, SourceBatch, SourceState
from metering.sources.spool_health import is_spool, state_of

PARTITION = "spool"
SHIPPED_MARK = "kafka.json"
"""`edge ship` leaves this file in a folder: its batches go to Kafka (decision 0401)."""
_FOLDER_BYTES = 8 << 20
_POLL_S = 0.05
_GONE = (
    "its spool folder is gone, with whatever was not read of it: bring it back, or retire the edge"
    " (edgetoll metering edges --retire)"
)


class SpoolSource:
    """Reads every edge's spool folder in turn (a Source). New folders are found as they appear."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._positions: dict[str, str] = {}
        self._acknowledged: dict[str, str] = {}
        self._caught_up = False
        self._failed: dict[str, str] = {}

    def partitions(self) -> tuple[str, ...]:
        """The one partition."""
        return (PARTITION,)

    def seek(self, positions: Mapping[str, str]) -> None:
        """Continue after these positions; other folders from their oldest kept frame."""
        self._positions = dict(positions)
        self._caught_up = False

    def fetch(self, max_batches: int, timeout_s: float) -> list[SourceBatch]:
        """Up to `max_batches` durable frames, a stretch of each folder in turn."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = self._pass(max_batches)
            self._caught_up = not found
            if found or time.monotonic() >= deadline:
                return found
            time.sleep(_POLL_S)

    def caught_up(self) -> bool:
        """Whether the last look at all folders found nothing new."""
        return self._caught_up

    def end_positions(self) -> dict[str, str]:
        """The durable end of each folder."""
        ends = {folder.name: end_position(folder) for folder in self._folders()}
        return {name: end.to_text() for name, end in ends.items() if end is not None}

    def states(self) -> list[SourceState]:
        """Whether each folder can be read to its durable end, and which are gone."""
        there = [self._state(folder) for folder in self._folders()]
        root = self.home / "spool"
        lost = self._positions.keys() - {state.source for state in there}
        return there + [
            SourceState(source=name, problem=_GONE, since_ms=_changed_ms(root), gone=True)
            for name in sorted(lost)
            if not (root / name / SHIPPED_MARK).exists()
        ]

    def _state(self, folder: Path) -> SourceState:
        state = state_of(folder, self._position(folder))
        failed = self._failed.get(folder.name)
        return state if failed is None or state.problem else replace(state, problem=failed)

    def _frames(self, folder: Path) -> Iterator[Frame]:
        """The frames of a folder that wait; an error of the system is told by `states`.

        One edge's disk must neither stop the others nor look like an edge with nothing to say.
        """
        self._failed.pop(folder.name, None)
        try:
            yield from read_frames(folder, self._position(folder), _FOLDER_BYTES)
        except OSError as error:
            self._failed[folder.name] = f"it cannot be read: {error.strerror}"

    def _position(self, folder: Path) -> SpoolPosition | None:
        known = self._positions.get(folder.name)
        return None if known is None else SpoolPosition.from_text(known)

    def acknowledge(self, covered: Mapping[str, Covered]) -> None:
        """Tell each edge what a checkpoint holds, so that it may delete that after 72 h."""
        for source, place in covered.items():
            folder = self.home / "spool" / source
            if self._acknowledged.get(source) == place.position or not folder.is_dir():
                continue
            position = SpoolPosition.from_text(place.position)
            acknowledge(folder, max(place.epoch, 0), max(place.sequence, 0), position)
            self._acknowledged[source] = place.position

    def committed(self, positions: Mapping[str, str]) -> None:
        """Nobody watches a spool from outside."""

    def close(self) -> None:
        """Nothing is held open."""

    def _folders(self) -> list[Path]:
        """The folders read in place: not those shipped to Kafka, which arrive from there.

        Whatever looks like a spool counts, however little of it is left: an edge that metering
        cannot read must not look like one that has nothing to say.
        """
        root = self.home / "spool"
        if not root.is_dir():
            return []
        return [folder for folder in sorted(root.iterdir()) if _read_in_place(folder)]

    def _pass(self, max_batches: int) -> list[SourceBatch]:
        """One look at every folder."""
        found: list[SourceBatch] = []
        for folder in self._folders():
            if len(found) >= max_batches:
                break
            for frame in self._frames(folder):
                after = frame.position_after.to_text()
                found.append(
                    SourceBatch(
                        partition=PARTITION,
                        source=folder.name,
                        position_after=after,
                        payload=None if frame.damaged else frame.payload,
                        problem=frame.reason,
                        damaged=frame.payload if frame.damaged else b"",
                    )
                )
                self._positions[folder.name] = after
                if len(found) >= max_batches:
                    break
        return found


def _changed_ms(folder: Path) -> int:
    """When something came or went in a folder; 0 where that cannot be told."""
    try:
        return folder.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0


def _read_in_place(folder: Path) -> bool:
    try:
        return is_spool(folder) and not (folder / SHIPPED_MARK).exists()
    except OSError:  # a folder that may not be looked into: `states` says so
        return True
