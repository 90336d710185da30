"""Edges of now: eight spools that take batches in real time at a stated rate, for the latency step.

    python bench/kafka/live_edges.py HOME EVENTS_A_SECOND SECONDS

Each edge appends, durably, a batch of what happened in the last fifth of a second, as `edge tail`
does. Prints one JSON line: for each batch (edge, events to its end, time of its first and last
event in UTC ms, time when the spool had it).
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bench.kafka.load import packed
from bench.kafka.traffic import HOUR_MS, START_MS, Shape
from edge.spool.spool import Spool

EDGES = 8
EVERY_MS = 200


def main() -> None:
    """Run as long as told; raises when this machine cannot keep the rate."""
    home, rate, seconds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    events = rate * EVERY_MS // 1000 // EDGES
    shape = Shape(batches=10, events=events, domains=500, hours=10 * EVERY_MS / HOUR_MS)
    parts = packed(shape, 7)
    rng = np.random.default_rng(1)
    spools = [
        Spool.open(
            home / "spool" / f"edge-{number}",
            f"edge-{number}",
            f"R{number}",
            random64=lambda: int(rng.integers(1, 1 << 62)),
        )
        for number in range(EDGES)
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    told: list[tuple[int, int, int, int, int]] = []
    begins = time.time_ns() // 1_000_000
    rounds = seconds * 1000 // EVERY_MS
    for turn in range(rounds):
        start = begins + turn * EVERY_MS
        time.sleep(max(0.0, (start + EVERY_MS) / 1000 - time.time()))
        if time.time() * 1000 > start + 10 * EVERY_MS:
            raise SystemExit(f"this machine cannot make {rate:,} events a second")
        part = parts[turn % len(parts)].payload
        shift = start - (START_MS + turn % len(parts) * EVERY_MS)
        now = replace(
            part,
            first_time_ms=part.first_time_ms + shift,
            last_time_ms=part.last_time_ms + shift,
        )
        for number, spool in enumerate(spools):
            spool.append(now, start)
            had = time.time_ns() // 1_000_000
            told.append((number, (turn + 1) * events, now.first_time_ms, now.last_time_ms, had))
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
