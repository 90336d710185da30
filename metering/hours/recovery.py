"""Where a worker begins: its claim on a partition, the newest checkpoint, the store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

from edge.durable import FileLock
from edge.errors import Corrupt
from metering.closed import CLOSED_FOLDER, list_closed
from metering.hour import time_of
from metering.hours import checkpoint, checkpoint_sidecars
from metering.hours.publishing import publish
from metering.store.records import PartitionState
from metering.store.store import UsageStore

TAKING_S = 60
"""How long another worker may be busy with taking its partitions."""


def take(home: Path, beyond: Mapping[str, int]) -> dict[str, int]:
    """Claim all partitions together, older owners stop; the generation of each.

    `beyond` are the generations their stores know: a claim that was lost is not given out again.

    One worker at a time: of two that begin at once the later must own all, or each would stop for
    what the other has taken of it, and nobody would be left.
    """
    owner = f"pid {os.getpid()}"
    path = home / CLOSED_FOLDER / "checkpoints" / "taking.lock"
    with FileLock(path, owner, wait_seconds=TAKING_S):
        return {
            partition: checkpoint.claim(home, partition, owner, known)
            for partition, known in beyond.items()
        }


def recover(home: Path, store: UsageStore, partition: str, generation: int) -> PartitionState:
    """Bring the store to where the newest checkpoint of a claimed partition is, or beyond.

    The store may be ahead (usual), behind (its disk was lost, or its WAL) or empty. Raises Corrupt
    when closed hours exist but neither store nor checkpoint knows them: counting would begin anew.
    """
    state = store.load(partition)
    numbers = checkpoint.numbers(home, partition)
    if numbers and numbers[-1] > state.checkpoint_no:
        head, tables = checkpoint.read(checkpoint.path_of(home, partition, numbers[-1]))
        publish(home, head)
        store.restore(partition, tables, checkpoint_sidecars.load(home, head))
    elif not state.positions and not numbers:
        _refuse_a_second_beginning(home, partition)
    remove_prepared(home, partition)
    return store.take(partition, generation)


def _refuse_a_second_beginning(home: Path, partition: str) -> None:
    if any(file.partition == partition for file in list_closed(home)):
        raise Corrupt(
            f"partition {partition} has closed hours, but no checkpoint and no store",
            f"restore {CLOSED_FOLDER}/checkpoints from its backup; without it usage would be"
            " counted twice",
        )


def remove_prepared(home: Path, partition: str) -> None:
    """Remove data files that were prepared for a round which never was committed."""
    for path in (home / CLOSED_FOLDER).glob(f"hour=*/.partition={partition}.r*.parquet.g*"):
        path.unlink(missing_ok=True)


def set_aside(path: Path, now_ms: int) -> None:
    """Move a store that cannot be read, and its WAL, out of the way; nothing is deleted."""
    stamp = time_of(now_ms).astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
    for name in (path, path.with_name(path.name + ".wal")):
        if name.exists():
            name.rename(name.with_name(f"{name.name}.damaged-{stamp}"))
