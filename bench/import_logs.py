"""Access log -> fsynced in the spool, lines a second: `edge import` against a plain orjson loop.

    .venv/bin/python bench/import_logs.py [--lines 2000000] [--huge]

The baseline reads the same JSON lines with orjson, one by one, and only adds up bytes: it stores
nothing. Lines are those of today's formats, and those without SNI and TLS version, as older ones
have them. What the program takes to start is measured by an import of one line and shown apart:
`of it` leaves it out. `--huge` imports files of 3 GB and says how much memory that took. Each run
is a process of its own, so that the peak of memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

CHILD = """
import json, sys, time
sys.path.insert(0, {repository!r})
import edgetoll
edgetoll.settle()
started, cpu = time.perf_counter(), time.process_time()
words = ["edge", "import", {log!r}, "--format", {form!r}, "--edge", "e1", "--region", "DE"]
code = edgetoll.main([*words, "--home", {home!r}, "--json"])
assert code == 0
status = open("/proc/self/status").read()
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
took, used = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({{"seconds": took, "cpu": used, "peak_mb": peak}}), file=sys.stderr)
"""


def write_logs(folder: Path, lines: int) -> dict[str, Path]:
    """The same `lines` requests as JSON and as TSV, as nginx writes them, and without SNI."""
    import numpy as np
    import polars as pl

    generator = np.random.default_rng(7)
    times = 1_780_000_000_000 + np.cumsum(generator.integers(0, 3, lines))
    frame = pl.DataFrame(
        {
            "s": times // 1000,
            "ms": times % 1000,
            "host": generator.integers(0, 500, lines),
            "scheme": generator.choice(["https", "https", "https", "http"], lines),
            "protocol": generator.choice(["HTTP/1.1", "HTTP/2.0", "HTTP/2.0", "HTTP/3.0"], lines),
            "status": generator.choice(["200", "200", "200", "304", "404", "009"], lines),
            "bytes": generator.integers(150, 400_000, lines),
            "cache": generator.choice(["HIT", "HIT", "MISS", "-"], lines),
            "a": generator.integers(1 << 62, 1 << 63, lines, dtype=np.uint64),
            "b": generator.integers(1 << 62, 1 << 63, lines, dtype=np.uint64),
        }
    ).with_columns(
        time=pl.format("{}.{}", "s", pl.col("ms").cast(pl.String).str.zfill(3)),
        name=pl.format("www{}.example.com", "host"),
        id=pl.format("{}{}", pl.col("a").cast(pl.String), pl.col("b").cast(pl.String)).str.slice(
            0, 32
        ),
    )
    frame = frame.with_columns(
        sni=pl.when(pl.col("scheme") == "https").then(pl.col("name")).otherwise(pl.lit("-")),
        tls=pl.when(pl.col("scheme") == "https").then(pl.lit("TLSv1.3")).otherwise(pl.lit("-")),
    )
    names = ("time", "name", "scheme", "protocol", "status", "bytes", "cache", "id", "sni", "tls")
    keys = ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id")
    keys += ("sni", "tls")
    written: dict[str, Path] = {}
    for kind, count in (("", 10), ("-old", 8)):
        as_json, as_tsv = folder / f"access{kind}.log", folder / f"access{kind}.tsv"
        some = frame.select(names[:count])
        some.write_csv(as_tsv, include_header=False, separator="\t", quote_style="never")
        parts: list[pl.Expr] = [pl.lit("{")]
        for key, column in zip(keys[:count], names[:count], strict=True):
            parts += [pl.lit(f'"{key}":"'), pl.col(column).cast(pl.String), pl.lit('",')]
        parts[-1] = pl.lit('"}')
        text = some.select(pl.concat_str(parts))
        text.write_csv(as_json, include_header=False, quote_style="never")
        written |= {f"nginx{kind}": as_json, f"nginx-tsv{kind}": as_tsv}
    return written


def baseline(log: Path) -> tuple[int, float, float]:
    """A plain loop: (lines, seconds, CPU seconds)."""
    import orjson

    started, cpu = time.perf_counter(), time.process_time()
    count = total = 0
    with open(log, "rb") as file:
        for line in file:
            total += int(orjson.loads(line)["bytes_sent"])
            count += 1
    return count, time.perf_counter() - started, time.process_time() - cpu


def start_of(log: Path, form: str) -> float:
    """CPU seconds of an import of one line."""
    with open(log, "rb") as file:
        line = file.readline()
    single = log.with_name("single.log")
    single.write_bytes(line)
    return measure(single, form)["cpu"]


def measure(log: Path, form: str) -> dict[str, float]:
    """One import in a process of its own."""
    with tempfile.TemporaryDirectory(dir=log.parent) as home:
        program = CHILD.format(repository=str(REPOSITORY), log=str(log), form=form, home=home)
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        )
        found: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
        found["events"] = json.loads(done.stdout)["events"]
        spool = Path(home) / "spool" / "e1"
        found["spool_bytes"] = sum(each.stat().st_size for each in spool.rglob("*.seg*"))
        return found


def huge(log: Path, folder: Path) -> Path:
    """`log` again and again, up to 3 GB."""
    target = folder / f"huge{log.suffix}"
    data = log.read_bytes()
    with open(target, "wb") as file:
        while file.tell() < 3_000_000_000:
            file.write(data)
    return target


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=2_000_000)
    options.add_argument("--huge", action="store_true")
    options.add_argument("--folder", type=Path, default=None, help="Where to put the logs.")
    chosen = options.parse_args()
    import polars
    import pyarrow

    print(
        f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(f"polars {polars.__version__}, pyarrow {pyarrow.__version__}; {chosen.lines:,} lines")
    print("seconds include the program's own start")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        logs = write_logs(folder, chosen.lines)
        count, seconds, cpu_seconds = baseline(logs["nginx"])
        base, base_cpu = count / seconds, count / cpu_seconds
        start = start_of(logs["nginx"], "nginx")
        print(f"to start: {start:.2f} CPU s")
        print(
            f"{'M lines':34}{'a second':>10}{'ratio':>7}{'a CPU s':>9}{'ratio':>7}{'of it':>7}"
            f"{'ratio':>7}{'MB':>6}{'B/event':>9}"
        )
        print(
            f"{'orjson loop, nothing stored':34}{base / 1e6:>10.2f}{1:>7.2f}{base_cpu / 1e6:>9.2f}"
            f"{1:>7.2f}{base_cpu / 1e6:>7.2f}{1:>7.2f}"
        )
        titles = {name: f"{name} -> spool" for name in logs}
        if chosen.huge:
            titles |= {
                f"huge {name}": f"3 GB of {name} -> spool" for name in ("nginx", "nginx-tsv")
            }
        for run, title in titles.items():
            small = logs[run.removeprefix("huge ")]
            log = huge(small, folder) if run.startswith("huge") else small
            found = measure(log, run.removeprefix("huge ").removesuffix("-old"))
            if log != small:
                log.unlink()
            rate, cpu = found["events"] / found["seconds"], found["events"] / found["cpu"]
            warm = found["events"] / (found["cpu"] - start)
            size = found["spool_bytes"] / found["events"]
            print(
                f"{title:34}{rate / 1e6:>10.2f}{rate / base:>7.2f}{cpu / 1e6:>9.2f}"
                f"{cpu / base_cpu:>7.2f}{warm / 1e6:>7.2f}{warm / base_cpu:>7.2f}"
                f"{found['peak_mb']:>6.0f}{size:>9.2f}"
            )


if __name__ == "__main__":
    main()
