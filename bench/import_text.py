"""Text access logs by a format string: lines parsed and lines stored, a CPU second.

    python -m bench.import_text [--lines 400000]

On the same lines in the same run: the parser alone, the whole import into a fsynced spool, a plain
Python loop with a compiled pattern that stores nothing, and GoAccess with its report if it is
installed. Totals are compared before anything is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.import_logs import CHILD, REPOSITORY

FORMAT = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent'
    ' "$http_referer" "$http_user_agent" $host $scheme'
)
PATTERN = re.compile(
    r'^([^ ]*) - ([^ ]*) \[([^\]]*)\] "([^"]*)" ([0-9]*) ([0-9]*) '
    r'"([^"]*)" "([^"]*)" ([^ ]*) ([^ ]*)$'
)
GOACCESS = '%h - %e [%d:%t %^] "%r" %s %b "%R" "%u" %v %^'
BLOCK = 48_000


@dataclass(frozen=True)
class Run:
    """One way to read the log: what it counted, and what that cost."""

    name: str
    bytes_sent: int
    seconds: float
    cpu: float


def write_log(path: Path, lines: int) -> None:
    """`lines` requests as nginx writes them, of about 200 bytes each."""
    import numpy as np

    draw = np.random.default_rng(7)
    at = 1_772_359_200 + np.cumsum(draw.integers(0, 2, lines)) // 100
    stamps = {
        int(s): time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(s)) for s in np.unique(at)
    }
    hosts, sizes = draw.integers(0, 500, lines), draw.integers(150, 400_000, lines)
    pages, kinds = draw.integers(0, 99_999, lines), draw.integers(0, 4, lines)
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/124.0"
    with open(path, "w", encoding="ascii") as file:
        for row in range(lines):
            scheme = "http" if kinds[row] == 0 else "https"
            file.write(
                f"203.0.113.{hosts[row] % 250} - - [{stamps[int(at[row])]}]"
                f' "GET /a/{pages[row]}.html HTTP/{"3.0" if kinds[row] == 3 else "1.1"}" 200'
                f' {sizes[row]} "https://www{hosts[row]}.example.com/" "{agent}"'
                f" www{hosts[row]}.example.com {scheme}\n"
            )


def loop(log: Path) -> Run:
    """A plain loop: every line matched, bytes added up, nothing stored."""
    started, cpu, total = time.perf_counter(), time.process_time(), 0
    with open(log, encoding="ascii") as file:
        for line in file:
            found = PATTERN.match(line)
            total += int(found[6]) if found else 0
    took, used = time.perf_counter() - started, time.process_time() - cpu
    return Run("Python re loop, nothing stored", total, took, used)


def parsed(log: Path) -> Run:
    """The parser alone, block by block."""
    from edge.logs.formats.shipped import find_format

    parser, total = find_format(log_format=FORMAT).make(), 0
    lines = log.read_bytes().splitlines(keepends=True)
    blocks = [b"".join(lines[place : place + BLOCK]) for place in range(0, len(lines), BLOCK)]
    parser.parse(blocks[0][: blocks[0].find(b"\n") + 1], 1 << 47)  # what is loaded once
    started, cpu = time.perf_counter(), time.process_time()
    for block in blocks:
        total += int(parser.parse(block, 1 << 47).columns.bytes_sent.sum())
    return Run("parsed", total, time.perf_counter() - started, time.process_time() - cpu)


def stored(log: Path) -> Run:
    """`edge import` into a spool, in a process of its own, the start of Python included."""
    from tests.edge.logs.reading import spool_content

    with tempfile.TemporaryDirectory(dir=log.parent) as home:
        program = CHILD.format(repository=str(REPOSITORY), log=str(log), form="X", home=home)
        program = program.replace("'--format', 'X'", f"'--log-format', {FORMAT!r}")
        program = program.replace("\"--format\", 'X'", f'"--log-format", {FORMAT!r}')
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        )
        found = json.loads(done.stderr.splitlines()[-1])
        total = spool_content(Path(home) / "spool" / "e1").bytes_sent
    return Run("edge import, fsynced in the spool", total, found["seconds"], found["cpu"])


def goaccess(log: Path, total: int) -> Run | None:
    """GoAccess with its JSON report; None where it is not installed."""
    program = shutil.which("goaccess")
    if program is None:
        return None
    words = ["--log-format", GOACCESS, "--date-format", "%d/%b/%Y", "--time-format", "%T"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    report = log.with_suffix(".json")
    subprocess.run(
        [program, str(log), "--no-global-config", "-o", str(report), *words],
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    read = json.loads(report.read_text())["general"]
    assert read["failed_requests"] == 0, read
    return Run("GoAccess with its report", total, time.perf_counter() - started, used)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=400_000)
    options.add_argument("--folder", type=Path, default=None, help="Where to put the log.")
    chosen = options.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import polars

    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        log = Path(folder) / "access.log"
        write_log(log, chosen.lines)
        runs = [loop(log), parsed(log), stored(log)]
        other = goaccess(log, runs[0].bytes_sent)
        runs += [other] if other else []
        size = log.stat().st_size
    assert len({run.bytes_sent for run in runs}) == 1, runs
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},",
        end=" ",
    )
    print(f"polars {polars.__version__}; {chosen.lines:,} lines of {size // chosen.lines} bytes")
    print(f"{'':36}{'M lines/s':>10}{'per CPU s':>11}{'CPU s/M':>9}{'ratio':>8}")
    base = chosen.lines / runs[0].cpu
    for run in runs:
        rate = chosen.lines / run.cpu
        print(
            f"{run.name:36}{chosen.lines / run.seconds / 1e6:>10.2f}{rate / 1e6:>11.2f}"
            f"{1e6 * run.cpu / chosen.lines:>9.2f}{rate / base:>8.2f}"
        )
    if other is None:
        print("GoAccess is not installed (Debian package goaccess)")


if __name__ == "__main__":
    main()
