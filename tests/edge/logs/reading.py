"""What the tests of the edge's input share: reading a spool back, and small logs to write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from edge.batch.codec import decode_events, decode_header
from edge.event import CLASSES
from edge.logs.formats.block import Format
from edge.logs.formats.shipped import FORMATS
from edge.logs.importer import Importer, ImportResult
from edge.logs.positions import KnownStreams
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Writer
from edge.spool.segment import read_frames
from edge.spool.spool import Spool
from tests.effort import THOROUGH

"""The long run: fifty kills, and ten times the examples."""


def examples(number: int) -> int:
    """How many examples a property is tried on."""
    return 10 * number if THOROUGH else number


NOW_MS = 1_790_000_000_000
"""Now, for the tests: September 2026."""
FIRST_MS = 1_789_999_000_123


@dataclass(slots=True)
class SpoolContent:
    """All that a spool holds, added up."""

    events: int = 0
    bytes_sent: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[int] = field(default_factory=list)
    watermark_ms: int = 0


def spool_content(folder: Path) -> SpoolContent:
    """The events of the spool in `folder`, decoded by the codec that metering uses."""
    found = SpoolContent()
    for frame in read_frames(folder, None, 1 << 40):
        assert not frame.damaged
        header = decode_header(frame.payload)
        found.watermark_ms = max(found.watermark_ms, header.watermark_ms)
        if header.kind != "events":
            continue
        columns = decode_events(header, frame.payload)
        found.events += len(columns)
        found.bytes_sent += int(columns.bytes_sent.sum())
        found.classes.update(CLASSES[code] for code in columns.class_code.tolist())
        found.domains.update(columns.domains[index] for index in columns.domain_index.tolist())
        found.statuses.update(columns.status.tolist())
        found.times += columns.time_ms.tolist()
    return found


def open_spool(folder: Path, random64: int = 7) -> Spool:
    """The spool of edge e1 in `folder`."""
    return Spool.open(folder, "e1", "DE", random64=lambda: random64)


def import_files(
    spool_folder: Path, *paths: Path, form: str | Format = "nginx", now_ms: int = NOW_MS
) -> ImportResult:
    """One `edge import` of `paths` into the spool in `spool_folder`."""
    chosen = FORMATS[form] if isinstance(form, str) else form
    with open_spool(spool_folder) as spool:
        writer = Writer(spool, RejectedLines(spool_folder))
        known = KnownStreams(spool.positions())
        return Importer(writer, known, chosen, now_ms=lambda: now_ms).run(paths)


def nginx_line(number: int, *, host: str = "www.example.com", scheme: str = "https") -> str:
    """A line of edgetoll_json, one millisecond after the one before, with its line end."""
    time_ms = FIRST_MS + number
    return (
        f'{{"time":"{time_ms // 1000}.{time_ms % 1000:03d}","host":"{host}","scheme":"{scheme}",'
        f'"protocol":"HTTP/2.0","status":"200","bytes_sent":"{1000 + number}","cache":"HIT",'
        f'"id":"{number:032x}"}}\n'
    )


def nginx_lines(start: int, stop: int) -> str:
    """Lines `start` to `stop` (exclusive)."""
    return "".join(nginx_line(number) for number in range(start, stop))
