"""What metering must still hold of what it certified: a checkpoint, and a store or a worker.

A certificate names the checkpoint of its round. Without that one or a newer one a lost store cannot
be rebuilt; and a partition for which neither a store nor a running worker speaks has been checked
by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from metering.closed import Certificate
from metering.hours import checkpoint
from metering.worker.checks import IN_USE


def newest(certificates: list[Certificate]) -> dict[str, Certificate]:
    """The last certificate of each partition."""
    found: dict[str, Certificate] = {}
    for one in sorted(certificates, key=lambda certificate: certificate.number):
        found[one.partition] = one
    return found


def lost_checkpoints(home: Path, certificates: list[Certificate]) -> Iterator[tuple[str, str]]:
    """(partition, why) where the checkpoint that the newest certificate names is not there."""
    for partition, certificate in sorted(newest(certificates).items()):
        there = max(checkpoint.numbers(home, partition), default=0)
        if there < certificate.checkpoint:
            path = checkpoint.path_of(home, partition, certificate.checkpoint)
            yield partition, f"{path} is missing, and no newer one is there"


def silent_partitions(home: Path, certificates: list[Certificate]) -> Iterator[tuple[str, str]]:
    """(partition, why) where hours were closed and no store of this home speaks for it."""
    spoken_for = {
        partition
        for path in sorted(home.glob("usage*.duckdb"))
        for partition in _partitions(home, path)
    }
    for partition in sorted(newest(certificates).keys() - spoken_for):
        yield (
            partition,
            "it has closed hours, but no usage store speaks for it: edgetoll metering run rebuilds"
            " the store from its checkpoint",
        )


def _partitions(home: Path, store: Path) -> list[str]:
    """The partitions of a store; of one that a worker holds, those which that worker publishes."""
    try:
        with duckdb.connect(str(store), read_only=True) as connection:
            rows = connection.table("partitions").project("partition").fetchall()
            return [row[0] for row in rows]
    except duckdb.Error as error:
        if not any(words in str(error).lower() for words in IN_USE):
            return []  # damaged: metering_opens says so
    status = home / "live" / f"status{store.stem.removeprefix('usage')}.json"
    try:
        return [one["partition"] for one in json.loads(status.read_bytes())["partitions"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
