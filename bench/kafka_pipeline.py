"""Kafka, measured: what DESIGN 8 asks of this path, each with its baseline in the same run.

    python bench/kafka_pipeline.py [SCALE]      SCALE 1 is about 200 M events; 0.1 for a look

Starts a real Apache Kafka of its own. Events per second count from the first fetch to the commit in
DuckDB, and only when the totals in the store equal the generator's to the unit. CPU seconds are
those of the measured processes, without the broker's.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.kafka.load import Load, fill_spools, json_messages, packed  # noqa: E402
from bench.kafka.traffic import Shape  # noqa: E402
from deploy.kafka.broker import VERSION, Broker  # noqa: E402

CHILD = ROOT / "bench" / "kafka" / "child.py"
EDGES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str
    rate: str
    cpu: str
    note: str = ""


class Bench:
    """A broker, a scratch folder and the rows so far."""

    def __init__(self, scratch: Path, scale: float) -> None:
        self.scratch = scratch
        self.scale = scale
        self.rows: list[Row] = []
        self.broker = Broker(scratch / "broker", heap="1g")

    def add(
        self, what: str, amount: float, unit: str, seconds: float, cpu: float, note: str
    ) -> None:
        """A measured rate, in millions of `unit` a second."""
        per = cpu / (amount / 1e6)
        rate = f"{amount / seconds / 1e6:.2f} M {unit}/s"
        self.rows.append(Row(what=what, rate=rate, cpu=f"{per:.3f}", note=note))
        print(f"  {what}: {rate}, {per:.3f} CPU s per million; {note}", file=sys.stderr)

    def home(self, name: str, topic: str) -> Path:
        """A home whose Kafka sections name `topic`."""
        home = self.scratch / name
        home.mkdir()
        (home / "edgetoll.toml").write_text(
            f'[edge.kafka]\ntopic = "{topic}"\n[metering.kafka]\ntopic = "{topic}"\n'
            "json_window_days = 4000\n"
        )
        return home

    def children(
        self, kind: str, home: Path, topic: str, shares: list[str]
    ) -> list[dict[str, Any]]:
        """Run one process per share of the partitions, begun at the same moment."""
        command = [sys.executable, str(CHILD), kind, str(home), self.broker.address, topic]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running = [subprocess.Popen([*command, share], **pipes) for share in shares]  # type: ignore[call-overload]
        for one in running:
            while one.stdout.readline().strip() not in ("ready", ""):
                pass
        for one in running:
            one.stdin.write("go\n")
            one.stdin.flush()
        told = []
        for one in running:
            out, _ = one.communicate()
            if one.returncode:
                raise SystemExit(f"a measured process failed: {kind} {one.args}")
            told.append(json.loads(out.splitlines()[0]))
        return told


def together(told: list[dict[str, Any]]) -> tuple[float, float, int, int]:
    """(seconds, CPU seconds, events, bytes) of processes that ran side by side."""
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    return (
        seconds,
        sum(one["cpu"] for one in told),
        sum(one["events"] for one in told),
        sum(one["bytes_sent"] for one in told),
    )


def batches(bench: Bench, events_per_batch: int) -> None:
    """Spool -> acknowledged, bare fetch, one worker, two workers; for one size of batch."""
    topic = bench.broker.create_topic(f"edgetoll.requests.b{events_per_batch}", EDGES)
    home = bench.home(f"batches{events_per_batch}", topic)
    # A batch holds one minute of its edge: a slow edge. The busier it is, the less time in a batch.
    parts = packed(Shape(batches=120, events=events_per_batch, domains=500), 7)
    rounds = max(1, round(bench.scale * 200_000_000 / EDGES / 120 / events_per_batch))
    load = fill_spools(home, EDGES, rounds, parts)
    name = f"batches of {events_per_batch:,}"
    began = time.time()
    used = _ship(home, bench.broker.address)
    size = f"{load.wire_bytes / load.events:.2f} B/event"
    bench.add(
        f"spool → acknowledged, {name}", load.events, "events", time.time() - began, used, size
    )
    half = EDGES // 2
    halves = [f"0-{half - 1}", f"{half}-{EDGES - 1}"]
    whole = [f"0-{EDGES - 1}"]
    for shares, who in ((whole, "one process"), (halves, "two processes")):
        told = bench.children("bare", home, topic, shares)
        seconds, used, _, _ = together(told)
        fetched = f"baseline: the same bytes, only fetched, {who}"
        bench.add(f"bare fetch, {name}", load.events, "events", seconds, used, fetched)
        bare = load.events / seconds
        for number in range(3):
            fresh = bench.home(f"count{events_per_batch}-{len(shares)}-{number}", topic)
            told = bench.children("worker", fresh, topic, shares)
            seconds, used, events, size_sent = together(told)
            _exact(load, events, size_sent)
            share = f"{load.events / seconds / bare:.2f} of the bare fetch, {who}"
            peak = max(one["peak_mb"] for one in told)
            bench.add(
                f"Kafka → committed, {name}",
                load.events,
                "events",
                seconds,
                used,
                f"{share}, peak {peak} MB",
            )
    shutil.rmtree(home)


def _exact(load: Load, events: int, bytes_sent: int) -> None:
    if (events, bytes_sent) != (load.events, load.bytes_sent):
        raise SystemExit(f"totals differ: {events:,} of {load.events:,} events; {bytes_sent}")


def _ship(home: Path, address: str) -> float:
    """Drain the spools of `home` in a process of its own; its CPU seconds."""
    import resource

    def used() -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    before = used()
    program = [sys.executable, str(ROOT / "edgetoll.py"), "edge", "ship", "--drain"]
    subprocess.run(
        [*program, "--kafka", address, "--home", str(home)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return used() - before


def json_path(bench: Bench) -> None:
    """One JSON event per message: ours with one worker and two, and the plain consumer."""
    topic = bench.broker.create_topic("edgetoll.requests.json", EDGES)
    count = max(20_000, round(bench.scale * 2_000_000))
    size = _produce_json(bench.broker.address, topic, json_messages(count, 3))
    load = Load(batches=0, events=count, bytes_sent=size, wire_bytes=0)
    for shares, who in (([f"0-{EDGES - 1}"], "one process"), (["0-3", "4-7"], "two processes")):
        told = bench.children("plain", bench.scratch, topic, shares)
        seconds, used, _, _ = together(told)
        bench.add(
            "baseline: aiokafka, json and a dict", count, "events", seconds, used, f"{who}, lossy"
        )
        base = count / seconds
        fresh = bench.home(f"json-{len(shares)}", topic)
        told = bench.children("worker", fresh, topic, shares)
        seconds, used, events, size_sent = together(told)
        _exact(load, events, size_sent)
        ratio = f"{count / seconds / base:.2f} of the baseline, {who}"
        bench.add("one JSON event a message → committed", count, "events", seconds, used, ratio)


def _produce_json(address: str, topic: str, messages: list[tuple[bytes, bytes]]) -> int:
    from confluent_kafka import Producer

    producer = Producer(
        {"bootstrap.servers": address, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    )
    for key, value in messages:
        producer.produce(topic, value, key=key)
        producer.poll(0)
    producer.flush(120)
    return sum(json.loads(value)["bytes_sent"] for _, value in messages)


def log_lines(bench: Bench) -> None:
    """Access log → fsynced in the spool → acknowledged by Kafka, TSV and JSON; kcat beside it."""
    lines = max(50_000, round(bench.scale * 5_000_000))
    for form in ("nginx-tsv", "nginx"):
        topic = bench.broker.create_topic(f"edgetoll.requests.{form}", 1)
        home = bench.home(f"log-{form}", topic)
        log = bench.scratch / f"{form}.log"
        _write_log(log, form, lines)
        began, cpu = time.time(), os.times()
        program = [sys.executable, str(ROOT / "edgetoll.py"), "edge", "import", str(log)]
        subprocess.run(
            [*program, "--format", form, "--edge", "e1", "--region", "DE", "--home", str(home)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        _ship(home, bench.broker.address)
        after = os.times()
        used = after.children_user + after.children_system - cpu.children_user - cpu.children_system
        bench.add(
            f"access log ({form}) → acknowledged",
            lines,
            "lines",
            time.time() - began,
            used,
            "import, then ship --drain, with both programs' start",
        )
        if shutil.which("kcat"):
            other = bench.broker.create_topic(f"kcat.{form}", 1)
            began, cpu = time.time(), os.times()
            command = ["kcat", "-P", "-b", bench.broker.address, "-t", other, "-X", "acks=all"]
            subprocess.run([*command, "-X", "linger.ms=50", "-l", str(log)], check=True)
            after = os.times()
            used = after.children_user + after.children_system
            used -= cpu.children_user + cpu.children_system
            note = "baseline: lines as they are, nothing parsed, no position kept"
            bench.add(
                f"kcat, the same {form} file", lines, "lines", time.time() - began, used, note
            )
        log.unlink()


def _write_log(path: Path, form: str, lines: int) -> None:
    """A synthetic access log: `form` nginx (JSON) or nginx-tsv, spread over an hour."""
    rng = np.random.default_rng(5)
    block = 100_000
    with open(path, "w", encoding="ascii") as file:
        for start in range(0, lines, block):
            count = min(block, lines - start)
            domain = rng.integers(0, 500, count).tolist()
            size = rng.lognormal(9.0, 1.6, count).astype(np.int64).tolist()
            rows = []
            for number in range(count):
                at = 1_790_000_000_000 + (start + number) * 3_600_000 // lines
                values = (
                    f"{at // 1000}.{at % 1000:03d}",
                    f"d{domain[number]}.example.com",
                    "https",
                    "HTTP/2.0",
                    "200",
                    str(size[number]),
                    "HIT",
                    f"{start + number:032x}",
                )
                rows.append(_line(form, values))
            file.write("".join(rows))


def _line(form: str, values: tuple[str, ...]) -> str:
    if form == "nginx-tsv":
        return "\t".join(values) + "\n"
    names = ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id")
    return json.dumps(dict(zip(names, values, strict=True)), separators=(",", ":")) + "\n"


def memory(bench: Bench) -> None:
    """What a worker holds when a million domains are active in an hour."""
    domains = max(20_000, round(min(bench.scale, 1.0) * 1_000_000))
    topic = bench.broker.create_topic("edgetoll.requests.names", 1)
    home = bench.home("names", topic)
    parts = []
    for number in range(domains // 20_000):
        shape = Shape(batches=1, events=40_000, domains=20_000, hours=1)
        parts += packed_named(shape, number)
    load = fill_spools(home, 1, 1, parts)
    _ship(home, bench.broker.address)
    told = bench.children("worker", bench.home("names-count", topic), topic, ["0"])
    seconds, used, events, size = together(told)
    _exact(load, events, size)
    note = f"peak {told[0]['peak_mb']} MB resident with {domains:,} domains in one hour"
    bench.add("memory: batches of all-new names", load.events, "events", seconds, used, note)


def packed_named(shape: Shape, number: int) -> list[Any]:
    """Batches whose names nobody else uses."""
    from dataclasses import replace

    from bench.kafka.load import Packed
    from bench.kafka.traffic import batches as columns_of
    from edge.codec import pack_events

    made = []
    for columns, _ in columns_of(shape, number):
        names = tuple(f"n{number}-{place}.example.com" for place in range(shape.domains))
        half = np.arange(shape.domains, dtype=np.int32)
        index = np.concatenate([half, half])[: shape.events]
        named = replace(columns, domains=names, domain_index=index)
        for part in (named.slice(0, 10_000), named.slice(10_000, 20_000)):
            used = np.unique(part.domain_index)
            small = replace(
                part,
                domains=tuple(names[i] for i in used.tolist()),
                domain_index=np.searchsorted(used, part.domain_index).astype(np.int32),
            )
            sent = int(small.bytes_sent.sum())
            made.append(Packed(payload=pack_events(small), bytes_sent=sent))
    return made


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


def main() -> None:
    """Measure everything and print the table."""
    from edge.console import table

    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.25
    only = set(sys.argv[2:])
    about = machine()
    steps = {
        "batches": lambda b: (batches(b, 20_000), batches(b, 50_000)),
        "json": json_path,
        "logs": log_lines,
        "memory": memory,
    }
    with tempfile.TemporaryDirectory(prefix="edgetoll-bench-") as scratch:
        bench = Bench(Path(scratch), scale)
        bench.broker.start()
        try:
            for name, step in steps.items():
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
