"""Which of two workers may write a partition: the one that took it last.

A worker's generation grows with each taking. Whoever finds another generation stored, or the name
of the next certificate taken, stops and writes nothing more (DESIGN §9).
"""

from __future__ import annotations

from edge.errors import ConflictError


class Fenced(ConflictError):
    """Another worker has taken the partition; this one must stop and write nothing more."""


def fenced(partition: str, generation: int) -> Fenced:
    """The error of a worker that lost its partition."""
    return Fenced(
        f"partition {partition} was taken by another worker (this one has generation {generation})",
        "this worker has stopped and wrote nothing more; let only one own the partition",
    )
