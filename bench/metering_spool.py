"""How fast a spool becomes committed usage: events per second, exact totals checked first.

    python bench/metering_spool.py [--batches 2000] [--events 20000] [--domains 1000]
        [--span-ms 1500]

For a backlog of two months: --batches 60 --domains 16 --span-ms 79200000 (22 hours a batch).

Writes batches of one edge into a spool folder of a temporary home, then drains it with the real
worker (decode, deduplicate, count, one transaction a second, read-back, closing, live files).
Baseline in the same run: decoding the same bytes and nothing else.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edge.batch.codec import decode_header, decode_packed
from edge.batch.records import EventColumns
from edge.spool.segment import read_frames
from edge.spool.spool import Spool
from metering.worker.process import run_spool

START_MS = 1_788_220_800_000


def columns(batch: int, events: int, domains: int, span_ms: int) -> EventColumns:
    """One batch of steady traffic over `span_ms`, skewed over the domains."""
    random = np.random.default_rng(batch)
    index = np.minimum(random.pareto(1.1, events) * 3, domains - 1).astype(np.int32)
    used, place = np.unique(index, return_inverse=True)
    begin = START_MS + batch * span_ms
    return EventColumns(
        domains=tuple(f"host{number}.example.com" for number in used.tolist()),
        domain_index=place.astype(np.int32),
        time_ms=begin + np.sort(random.integers(0, span_ms, events)).astype(np.int64),
        carrier=random.choice([0, 1, 2], events, p=[0.1, 0.8, 0.1]).astype(np.uint8),
        status=random.choice([200, 304, 404, 503], events).astype(np.uint16),
        cache=random.integers(0, 3, events).astype(np.uint8),
        bytes_sent=random.lognormal(9, 1.5, events).astype(np.int64),
    )


def fill(home: Path, options: argparse.Namespace) -> tuple[int, int]:
    """Write the batches; the number of events and the sum of bytes they hold."""
    sent = 0
    few = range(min(40, options.batches))
    kinds = [columns(n, options.events, options.domains, options.span_ms) for n in few]
    with Spool.open(home / "spool" / "edge-1", "edge-1", "de", random64=lambda: 7) as spool:
        for number in range(options.batches):
            batch = kinds[number % len(kinds)]
            shift = (number - number % len(kinds)) * options.span_ms
            moved = EventColumns(
                domains=batch.domains,
                domain_index=batch.domain_index,
                time_ms=batch.time_ms + shift,
                carrier=batch.carrier,
                status=batch.status,
                cache=batch.cache,
                bytes_sent=batch.bytes_sent,
            )
            spool.append(moved, watermark_ms=int(moved.time_ms[0]))
            sent += int(batch.bytes_sent.sum())
    return options.batches * options.events, sent


def timed(action: object) -> tuple[float, float]:
    """Seconds by the clock, and of CPU."""
    before, cpu = time.perf_counter(), time.process_time()
    action()  # type: ignore[operator]
    return time.perf_counter() - before, time.process_time() - cpu


def decode_all(home: Path) -> None:
    """The baseline: read and decode, count nothing."""
    position = None
    while True:
        frames = list(read_frames(home / "spool" / "edge-1", position))
        if not frames:
            return
        for frame in frames:
            decode_packed(decode_header(frame.payload), frame.payload)
        position = frames[-1].position_after


def main() -> None:
    """Fill, decode, drain, check, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--domains", type=int, default=1_000)
    parser.add_argument("--span-ms", type=int, default=1_500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "edgetoll.toml").write_text("[metering]\n")
        events, sent = fill(home, options)
        size = sum(path.stat().st_size for path in (home / "spool").rglob("*.seg"))
        bare, bare_cpu = timed(lambda: decode_all(home))
        full, full_cpu = timed(lambda: run_spool(home, drain=True))
        query = "SELECT sum(requests), sum(bytes_sent) FROM read_parquet($files)"
        files = [str(path) for path in home.glob("closed/hour=*/*.parquet")]
        live = str(home / "live" / "partition=spool.parquet")
        closed = duckdb.execute(query, {"files": files}).fetchone() if files else (0, 0)
        still = duckdb.execute(
            "SELECT sum(requests), sum(bytes_sent) FROM read_parquet($file)"
            " WHERE date_trunc('hour', bucket) NOT IN"
            " (SELECT hour FROM read_parquet($hours) WHERE state <> 'open')",
            {"file": live, "hours": str(home / "live" / "hours.parquet")},
        ).fetchone()
        total = [int(a or 0) + int(b or 0) for a, b in zip(closed, still, strict=True)]
        if total != [events, sent]:
            raise SystemExit(f"totals differ: {total}, sent {[events, sent]}")
    print(
        f"{platform.machine()}, Python {platform.python_version()}, duckdb {duckdb.__version__},"
        f" pyarrow {pa.__version__}, numpy {np.__version__}"
    )
    print(
        f"{events:,} events in {options.batches} batches, {size / events:.2f} bytes per event,"
        f" {options.domains} domains, totals exact"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, seconds, cpu in (("decode only", bare, bare_cpu), ("committed", full, full_cpu)):
        print(
            f"{name:12} {events / seconds / 1e6:8.1f} M events/s"
            f" {cpu / (events / 1e6):8.4f} CPU s per million"
        )
    print(f"ratio {bare / full:.2f}, peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
