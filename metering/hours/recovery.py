"""Where a worker begins: its claim on a partition, the newest checkpoint, the store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

from edge.durable import FileLock
from edge.errors import Corrupt
from edge.terminal import warn
from metering.closed import CLOSED_FOLDER, certificate_sha256, list_closed
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

    The store may be ahead (usual), behind (its disk was lost, or its WAL) or empty, or of another
    home, whose certificates are not those that stand here: then it is not believed. Raises Corrupt
    when closed hours exist but neither store nor checkpoint knows them: counting would begin anew.
    """
    state = store.load(partition)
    numbers = checkpoint.numbers(home, partition)
    behind = bool(numbers) and numbers[-1] > state.checkpoint_no
    if numbers and not behind and _of_another_home(home, state, numbers[-1]):
        warn(f"{store.path.name} did not close the hours that stand here: it is rebuilt")
        behind = True
    if behind:
        head, tables = checkpoint.read(checkpoint.path_of(home, partition, numbers[-1]))
        publish(home, head)
        store.restore(partition, tables, checkpoint_sidecars.load(home, head))
    elif not state.positions and not numbers:
        _refuse_a_second_beginning(home, partition)
    remove_prepared(home, partition)
    return store.take(partition, generation)


def _of_another_home(home: Path, state: PartitionState, number: int) -> bool:
    """Whether the store's last certificate is none of those that stand in the home."""
    own = state.certificate_sha256
    if own is None:
        return False
    try:
        head = checkpoint.read_head(checkpoint.path_of(home, state.partition, number))
    except Corrupt:
        head = None
    written = [] if head is None else [one.text for one in head.pending]
    if any(hashlib.sha256(text.encode()).hexdigest() == own for text in written):
        return False
    files = (file for file in list_closed(home) if file.partition == state.partition)
    return all(certificate_sha256(file.certificate_path) != own for file in files)


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
