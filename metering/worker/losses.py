"""What metering must still hold of what it certified: a checkpoint, and the store of each worker.

A certificate names the checkpoint of its round: without that one or a newer one a lost store cannot
be rebuilt. And where a worker ran, its store must be, or nobody has checked what it counted. A home
that only has closed hours, brought there for billing, has neither and lacks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from metering.closed import Certificate
from metering.hours import checkpoint


def newest(certificates: list[Certificate]) -> dict[str, Certificate]:
    """The last certificate of each partition."""
    found: dict[str, Certificate] = {}
    for one in sorted(certificates, key=lambda certificate: certificate.number):
        found[one.partition] = one
    return found


def workers(home: Path) -> set[str]:
    """The workers that ran here, by what their files are called after («» for one alone)."""
    return {
        path.name.split(".")[0].removeprefix(kind)
        for folder, kind in ((home, "metering"), (home, "usage"), (home / "live", "status"))
        for path in folder.glob(f"{kind}*.*")
        if path.suffix in (".lock", ".duckdb", ".json")
    }


def lost_checkpoints(home: Path, certificates: list[Certificate]) -> Iterator[tuple[str, str]]:
    """(partition, why) where the checkpoint that the newest certificate names is not there."""
    if not workers(home):
        return
    for partition, certificate in sorted(newest(certificates).items()):
        there = max(checkpoint.numbers(home, partition), default=0)
        if there < certificate.checkpoint:
            path = checkpoint.path_of(home, partition, certificate.checkpoint)
            yield partition, f"{path} is missing, and no newer one is there"


def lost_stores(home: Path, certificates: list[Certificate]) -> Iterator[tuple[str, str]]:
    """(store, why) where a worker ran here and hours were closed, and its store is not there."""
    if not certificates:
        return
    for name in sorted(workers(home)):
        store = home / f"usage{name}.duckdb"
        if not store.exists():
            yield (
                store.name,
                "it is missing: edgetoll metering run makes it anew from the last checkpoint",
            )
