"""One drain of a small home by the DuckDB that is found first; prints its version and status.

    python tests/metering/store/version_child.py HOME HOURS

The source is made anew each time: an event a hour, for HOURS hours, each hour promised.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import duckdb

from tests.metering.world import HOUR, T0, Edge, Event, World


def main() -> None:
    """Drain and tell."""
    warnings.simplefilter("ignore")
    home, hours = Path(sys.argv[1]), int(sys.argv[2])
    edge = Edge()
    world = World(home)
    world.drain(
        *(
            edge.batch(Event(at=T0 + HOUR * number), promise=T0 + HOUR * (number + 1))
            for number in range(hours)
        )
    )
    status = world.status()
    told = {name: status[name] for name in ("accepted", "duplicate", "quarantined", "adds_up")}
    broken = [found["check"] for found in world.broken()]
    closed = sum(world.closed().values())
    print(json.dumps({"version": duckdb.__version__, **told, "closed": closed, "broken": broken}))


if __name__ == "__main__":
    main()
