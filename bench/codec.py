"""Batch layouts: bytes an event, and events a second on one core, in and out.

    .venv/bin/python bench/codec.py [--events 20000 50000] [--domains 1000] [--seconds 0.5]

Every layout carries the same events, and each is checked to give them back. The baseline of the
ratios is Arrow IPC with its own zstd, buffer by buffer; JSON lines stand there for scale. CPU time
of the one thread is measured, the best of several rounds, so that a busy machine matters less.
Layouts are explained in docs/decisions/0101-batch-layout.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edge.batch import codec
from edge.batch.packing import pack
from edge.batch.records import CARRIERS, EventColumns, totals
from edge.event import CACHES

START_MS = 1_788_220_800_000
IDENTITY: dict[str, Any] = {
    "edge_id": "fra-1",
    "region": "DE",
    "epoch": 5,
    "sequence": 1,
    "watermark_ms": START_MS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way to write a batch; `decode` gives the sum of bytes_sent, to prove that it read."""

    name: str
    encode: Callable[[], bytes]
    decode: Callable[[bytes], int]


def traffic(events: int, domains: int) -> EventColumns:
    """Two seconds of one busy edge: few names have most requests, sizes are spread widely."""
    random = np.random.default_rng(1)
    index = np.minimum(random.zipf(1.3, events) - 1, domains - 1)
    return EventColumns(
        domains=tuple(f"www{n}.customer{n % 37}.example" for n in range(domains)),
        domain_index=index.astype(np.int32),
        time_ms=START_MS + np.sort(random.integers(0, 2000, events)),
        carrier=random.choice(3, events, p=[0.15, 0.7, 0.15]).astype(np.uint8),
        status=random.choice(
            [200, 206, 304, 404, 502], events, p=[0.8, 0.05, 0.1, 0.04, 0.01]
        ).astype(np.uint16),
        cache=random.choice(3, events, p=[0.05, 0.85, 0.1]).astype(np.uint8),
        bytes_sent=np.minimum(random.lognormal(9, 1.5, events), 2**40).astype(np.int64),
    )


def json_lines(events: EventColumns) -> Layout:
    """One JSON object a line, as an access log."""
    rows = [
        {
            "time": time_ms,
            "domain": events.domains[domain],
            "scheme": CARRIERS[carrier][0],
            "transport": CARRIERS[carrier][1],
            "status": status,
            "bytes_sent": size,
            "cache": CACHES[cache],
        }
        for time_ms, domain, carrier, status, size, cache in zip(
            events.time_ms.tolist(),
            events.domain_index.tolist(),
            events.carrier.tolist(),
            events.status.tolist(),
            events.bytes_sent.tolist(),
            events.cache.tolist(),
            strict=True,
        )
    ]
    return Layout(
        name="JSON lines (orjson)",
        encode=lambda: b"\n".join(orjson.dumps(row) for row in rows),
        decode=lambda data: sum(orjson.loads(line)["bytes_sent"] for line in data.split(b"\n")),
    )


def plain_table(events: EventColumns) -> Any:
    """The columns as their types suggest, text as dictionaries."""
    names = pa.array(events.domains)
    domain = pa.DictionaryArray.from_arrays(pa.array(events.domain_index), names)
    columns = {
        "time": pa.array(events.time_ms),
        "domain": domain,
        "carrier": pa.array(events.carrier),
        "status": pa.array(events.status),
        "cache": pa.array(events.cache),
        "bytes_sent": pa.array(events.bytes_sent),
    }
    return pa.record_batch([*columns.values()], names=[*columns])


def narrow_table(events: EventColumns, planes: bool) -> Any:
    """Difference of time in a byte, outcomes in a byte, index of domain in two; planes or not."""
    packed = pack(events)
    domain = pa.array(packed.domain_index.astype(np.uint16))
    columns = {
        "time_step": pa.array(packed.time_step),
        "outcome": pa.array(packed.outcome_index),
        "domain": pa.DictionaryArray.from_arrays(domain, pa.array(packed.domains)),
    }
    sizes = packed.bytes_sent.astype(np.uint32)
    if planes:
        parts = sizes.view(np.uint8).reshape(-1, 4)
        for number in range(4):
            columns[f"bytes_{number}"] = pa.array(np.ascontiguousarray(parts[:, number]))
    else:
        columns["bytes_sent"] = pa.array(sizes)
    return pa.record_batch([*columns.values()], names=[*columns])


def written(batch: Any, compression: str | None = None) -> bytes:
    """An Arrow stream of one batch."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def summed(stream: bytes) -> int:
    """The sum of bytes_sent of an Arrow stream, its columns being numpy arrays then."""
    options = pa.ipc.IpcReadOptions(use_threads=False)  # one core is what is compared
    with pa.ipc.open_stream(pa.py_buffer(stream), options=options) as reader:
        batch = reader.read_next_batch()
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    if "bytes_sent" in columns:
        return int(columns["bytes_sent"].to_numpy().sum(dtype=np.uint64))
    value = columns["bytes_3"].to_numpy().astype(np.uint32)
    for number in (2, 1, 0):
        value = (value << np.uint32(8)) | columns[f"bytes_{number}"].to_numpy()
    return int(value.sum(dtype=np.uint64))


def arrow(name: str, table: Callable[[], Any], level: int | None) -> Layout:
    """Arrow IPC, compressed buffer by buffer (level None) or in one outer zstd frame."""
    if level is None:
        return Layout(name=name, encode=lambda: written(table(), "zstd"), decode=summed)
    compressor = zstandard.ZstdCompressor(level=level)
    decompressor = zstandard.ZstdDecompressor()
    return Layout(
        name=name,
        encode=lambda: compressor.compress(written(table())),
        decode=lambda data: summed(decompressor.decompress(data)),
    )


def ours(events: EventColumns) -> list[Layout]:
    """The format as it is, with every check; then with counting on top."""

    def decoded(data: bytes, verify_hash: bool = True) -> Any:
        return codec.decode_packed(codec.decode_header(data), data, verify_hash=verify_hash)

    def encoded() -> bytes:
        return codec.encode_events(events, **IDENTITY)

    def size(packed: Any) -> int:
        return int(packed.bytes_sent.sum(dtype=np.uint64))

    return [
        Layout(
            name="edgetoll v1, checked, without the hash",
            encode=encoded,
            decode=lambda data: size(decoded(data, verify_hash=False)),
        ),
        Layout(
            name="edgetoll v1, checked", encode=encoded, decode=lambda data: size(decoded(data))
        ),
        Layout(
            name="edgetoll v1, checked and counted",
            encode=encoded,
            decode=lambda data: int(totals(decoded(data)).bytes_sent.sum()),
        ),
    ]


def layouts(events: EventColumns) -> list[Layout]:
    """Everything that is compared; the second is the baseline."""
    return [
        json_lines(events),
        arrow("Arrow IPC, zstd by buffer (baseline)", lambda: plain_table(events), None),
        arrow("Arrow IPC in one zstd frame", lambda: plain_table(events), 1),
        arrow("… narrow columns", lambda: narrow_table(events, False), 1),
        arrow("… byte count in planes", lambda: narrow_table(events, True), 1),
        arrow("… the same, level 3", lambda: narrow_table(events, True), 3),
        arrow("… the same, level -1", lambda: narrow_table(events, True), -1),
        *ours(events),
    ]


def best(call: Callable[[], object], seconds: float) -> float:
    """CPU seconds of the fastest call within `seconds` of trying."""
    call()
    fastest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        before = time.thread_time_ns()
        call()
        fastest = min(fastest, (time.thread_time_ns() - before) / 1e9)
    return fastest


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[20_000, 50_000])
    parser.add_argument("--domains", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"pyarrow {pa.__version__}, numpy {np.__version__}, zstd {zstandard.ZSTD_VERSION}, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    for count in options.events:
        events = traffic(count, options.domains)
        expected = int(events.bytes_sent.sum())
        print(f"\n{count} events, {options.domains} domains; M events/s of CPU time, one thread")
        print(f"{'layout':42}{'B/event':>9}{'encode':>9}{'decode':>9}{'ratio':>8}")
        base = 0.0
        for layout in layouts(events):
            data = layout.encode()
            assert layout.decode(data) == expected, layout.name
            into = count / best(layout.encode, options.seconds) / 1e6
            out = count / best(partial(layout.decode, data), options.seconds) / 1e6
            base = out if "baseline" in layout.name else base
            ratio = f"{out / base:8.2f}" if base else f"{'':8}"
            print(f"{layout.name:42}{len(data) / count:9.2f}{into:9.1f}{out:9.1f}{ratio}")


if __name__ == "__main__":
    main()
