"""What the steps of bench/kafka_pipeline.py share: the broker, homes, measured processes, rows."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.kafka.load import Load
from deploy.kafka.broker import VERSION, Broker

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "bench" / "kafka" / "child.py"
EDGES = 8
ONE, TWO = ["0-7"], ["0-3", "4-7"]
"""The partitions of one worker, and of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str
    rate: str
    cpu: str
    note: str = ""


@dataclass(slots=True)
class Spent:
    """What child processes took: wall seconds and CPU seconds."""

    seconds: float = 0.0
    cpu: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """Measure the child processes that end inside."""
    spent, began, before = Spent(), time.monotonic(), children_cpu()
    yield spent
    spent.seconds, spent.cpu = time.monotonic() - began, children_cpu() - before


def children_cpu() -> float:
    """CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Bench:
    """A broker, a scratch folder and the rows so far."""

    def __init__(self, scratch: Path, scale: float) -> None:
        self.scratch = scratch
        self.scale = scale
        self.rows: list[Row] = []
        self.broker = Broker(scratch / "broker", heap="1g")

    def add(self, what: str, amount: float, unit: str, spent: Spent, note: str) -> None:
        """A measured rate, in millions of `unit` a second."""
        rate = f"{amount / spent.seconds / 1e6:.2f} M {unit}/s"
        self.say(what, rate, f"{spent.cpu / (amount / 1e6):.3f}", note)

    def say(self, what: str, rate: str, cpu: str, note: str) -> None:
        """One row."""
        self.rows.append(Row(what=what, rate=rate, cpu=cpu, note=note))
        print(f"  {what}: {rate}, {cpu} CPU s per million; {note}", file=sys.stderr)

    def home(self, name: str, topic: str) -> Path:
        """A home whose Kafka sections name `topic`."""
        home = self.scratch / name
        home.mkdir()
        (home / "edgetoll.toml").write_text(
            f'[edge.kafka]\ntopic = "{topic}"\n[metering.kafka]\ntopic = "{topic}"\n'
            "json_window_days = 4000\n"
        )
        return home

    def program(self, *words: str, home: Path) -> list[str]:
        """The command line of edgetoll, with the broker."""
        common = ["--kafka", self.broker.address, "--home", str(home)]
        return [sys.executable, str(ROOT / "edgetoll.py"), *words, *common]

    def ship(self, home: Path) -> Spent:
        """Drain the spools of `home`, each batch acknowledged."""
        with spending() as spent:
            subprocess.run(
                self.program("edge", "ship", "--drain", home=home),
                check=True,
                stdout=subprocess.DEVNULL,
            )
        return spent

    def children(
        self, kind: str, home: Path, topic: str, shares: list[str]
    ) -> tuple[Spent, list[dict[str, Any]]]:
        """Run one process per share of the partitions, begun at the same moment."""
        command = [sys.executable, str(CHILD), kind, str(home), self.broker.address, topic]
        running = [
            subprocess.Popen(
                [*command, share], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for share in shares
        ]
        for one in running:
            assert one.stdout is not None
            while one.stdout.readline().strip() not in ("ready", ""):
                pass
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        told = []
        for one in running:
            out, _ = one.communicate()
            if one.returncode:
                raise SystemExit(f"a measured process failed: {kind} {one.args!r}")
            told.append(json.loads(out.splitlines()[0]))
        seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
        return Spent(seconds, sum(one["cpu"] for one in told)), told


def exact(load: Load, told: list[dict[str, Any]]) -> None:
    """No figure without the generator's totals in the store, to the unit."""
    events, size = (sum(one[name] for one in told) for name in ("events", "bytes_sent"))
    if (events, size) != (load.events, load.bytes_sent):
        raise SystemExit(
            f"totals differ: {events:,} of {load.events:,} events;"
            f" {size:,} of {load.bytes_sent:,} bytes"
        )


def machine() -> str:
    """The machine and the versions, in one line."""
    from importlib.metadata import version

    names = ("aiokafka", "duckdb", "pyarrow", "numpy")
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{os.cpu_count()} × {model}, load {os.getloadavg()[0]:.1f} at the start;"
        f" Python {platform.python_version()}, {packages}, Apache Kafka {VERSION}"
    )
