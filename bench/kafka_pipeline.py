"""Bench of the Kafka path on a real broker: prints the table of DESIGN §8, each with its baseline.

    python bench/kafka_pipeline.py [SCALE] [batches|json|logs|memory|latency …]
    SCALE 1 is about 200 M events a fleet; 0.1 for a look

Starts a real Apache Kafka of its own. Events per second count from the first fetch to the commit in
DuckDB, and only when the totals in the store equal the generator's to the unit. CPU seconds are
those of the measured processes, without the broker's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.kafka.step_counting import batches, json_path
from bench.kafka.step_latency import latency
from bench.kafka.step_logs import log_lines
from bench.kafka.step_memory import memory
from bench.kafka.table import Bench, machine
from edge.terminal import table

STEPS = {
    "batches": batches,
    "json": json_path,
    "logs": log_lines,
    "memory": memory,
    "latency": latency,
}


def main() -> None:
    """Measure everything and print the table."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.25
    only = set(sys.argv[2:])
    about = machine()
    with tempfile.TemporaryDirectory(prefix="edgetoll-bench-") as scratch:
        bench = Bench(Path(scratch), scale)
        bench.broker.start()
        try:
            for name, step in STEPS.items():
                if not only or name in only:
                    step(bench)
        finally:
            bench.broker.stop()
    print(about)
    columns = ("what", "rate", "CPU s / million", "note")
    rows = [(row.what, row.rate, row.cpu, row.note) for row in bench.rows]
    table("Kafka", columns, rows, right=("rate", "CPU s / million"))


if __name__ == "__main__":
    main()
