"""What was counted from a file, added up as it is read: evidence that a customer can be handed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from edge.batch.records import Array, EventColumns, SourcePosition, exact_sums
from edge.event import CLASSES
from edge.instants import utc_text
from edge.logs.content import Content
from edge.logs.formats.block import Format
from edge.logs.importer import Importer
from edge.logs.positions import KnownStreams
from edge.logs.refused_lines import RejectedLine
from edge.logs.streams import Step, Writer
from edge.reasons import Reason
from edge.usage.rows import RefusedUsage, UsageRow, read_rows

_SUM_END: Final = 1 << 62
"""No sum that is added up in 64 bits reaches this."""


def _no_sums(domains: int) -> Array:
    return np.zeros((2, domains, len(CLASSES)), dtype=np.int64)


@dataclass(slots=True)
class FileTally:
    """What one file came to: events by domain and class, refused lines by reason."""

    events: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    bytes_sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    """Rows of usage that stand in the file before, as they are."""
    _places: dict[str, int] = field(default_factory=dict)
    """Which row of the sums is a domain's."""
    _sums: Array = field(default_factory=lambda: _no_sums(64))
    """Requests and bytes by domain and class that the counters do not hold yet."""
    _most: int = 0
    """No sum of bytes among them is larger."""

    def take(self, step: Step) -> None:
        """Add a block."""
        self.refused.update(row.reason.value for row in step.rejected)
        columns = step.columns
        if not len(columns):
            return
        self.events += len(columns)
        self._spans(int(columns.time_ms.min()), int(columns.time_ms.max()))
        self._add(columns)

    def _add(self, columns: EventColumns) -> None:
        most = int(columns.bytes_sent.max()) * len(columns)
        if most >= _SUM_END:
            half = len(columns) // 2
            self._add(columns.slice(0, half))
            self._add(columns.slice(half, len(columns)))
            return
        if self._most + most >= _SUM_END:
            self._settle()
        self._most += most
        cells = columns.domain_index * np.int32(len(CLASSES)) + columns.class_code
        end = len(CLASSES) * len(columns.domains)
        requests = np.bincount(cells, minlength=end).reshape(-1, len(CLASSES))
        seen = np.flatnonzero(requests.any(axis=1))
        rows = [
            self._places.setdefault(columns.domains[number], len(self._places))
            for number in seen.tolist()
        ]
        if len(self._places) > self._sums.shape[1]:
            held = self._sums
            self._sums = _no_sums(2 * len(self._places))
            self._sums[:, : held.shape[1]] = held
        sizes = exact_sums(cells, columns.bytes_sent, end).reshape(-1, len(CLASSES))
        self._sums[0, rows] += requests[seen]
        self._sums[1, rows] += sizes[seen]

    def _settle(self) -> None:
        """Move the sums to the counters, which hold numbers of any size."""
        for domain, (requests, sizes) in zip(
            self._places, self._sums.transpose(1, 0, 2).tolist(), strict=False
        ):
            for kind, count, size in zip(CLASSES, requests, sizes, strict=True):
                if count:
                    self.requests[domain, kind] += count
                    self.bytes_sent[domain, kind] += size
        self._places.clear()
        self._sums[:] = 0
        self._most = 0

    def add_row(self, row: UsageRow) -> None:
        """Add a row of usage."""
        self.events += 1
        self._spans(row.bucket_ms, row.bucket_ms)
        name = row.domain, CLASSES[row.class_code]
        self.requests[name] += row.requests
        self.bytes_sent[name] += row.bytes_sent

    def _spans(self, first: int, last: int) -> None:
        self.first_ms = first if self.first_ms is None else min(self.first_ms, first)
        self.last_ms = last if self.last_ms is None else max(self.last_ms, last)

    def document(self) -> dict[str, object]:
        """As evidence has it."""
        self._settle()
        return {
            "lines": self.events + self.repeated + sum(self.refused.values()),
            "events": self.events,
            "refused": dict(sorted(self.refused.items())),
            "first_time": None if self.first_ms is None else utc_text(self.first_ms),
            "last_time": None if self.last_ms is None else utc_text(self.last_ms),
            "totals": [
                {
                    "domain": domain,
                    "class": kind,
                    "requests": count,
                    "bytes_sent": self.bytes_sent[domain, kind],
                }
                for (domain, kind), count in sorted(self.requests.items())
            ],
        }


class EvidenceTally:
    """Adds up what a writer writes, by file."""

    def __init__(self) -> None:
        self.files: dict[str, FileTally] = {}

    def __call__(self, step: Step) -> None:
        """Take a block of some file."""
        source = step.position.to_source().source
        self.files.setdefault(source, FileTally()).take(step)


class _Nowhere:
    """A spool that keeps nothing: for counting again."""

    def write(
        self, content: EventColumns, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Nothing is kept."""
        return 0, 0

    def commit(self) -> None:
        """Nothing is durable."""

    def heartbeat(
        self, watermark_ms: int, sources: tuple[SourcePosition, ...] = ()
    ) -> tuple[int, int]:
        """Nothing is promised."""
        return 0, 0

    def keep(self, lines: tuple[RejectedLine, ...]) -> None:
        """Refused lines are not kept either."""


def recount(path: Path, form: Format, now_ms: int) -> tuple[dict[str, object], tuple[str, int]]:
    """(what the file at `path` comes to by `form`, read anew as `edge import` reads it; its hash
    and size).

    A last line without an end that is no whole record is in no count. Raises InputError when the
    file cannot be opened.
    """
    tally, nowhere = EvidenceTally(), _Nowhere()
    writer = Writer(nowhere, nowhere, tally=tally)
    importer = Importer(writer, KnownStreams({}), form, now_ms=lambda: now_ms)
    importer.run([path])
    counted = next(iter(tally.files.values()), FileTally()).document()
    return counted, importer.hashes.get(path) or file_hash(path)


def recount_rows(path: Path, region: str, now_ms: int) -> dict[str, object]:
    """What the rows of usage in the file at `path` come to, each once.

    Which of them an earlier file held already is not asked. Raises InputError.
    """
    tally, known, counted = FileTally(), dict[str, str](), set[str]()
    with Content(path, documents=True, records="records") as content:
        for read in read_rows(content, region, now_ms):
            row = read.row
            if isinstance(row, RefusedUsage):
                tally.refused[row.reason.value] += 1
            elif known.setdefault(row.key, row.content()) != row.content():
                tally.refused[Reason.CONFLICT.value] += 1
            elif row.key in counted:
                tally.repeated += 1
            else:
                counted.add(row.key)
                tally.add_row(row)
    return tally.document()


def file_hash(path: Path) -> tuple[str, int]:
    """(SHA-256 in hex, size) of a file as it is stored. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        running = hashlib.file_digest(file, "sha256")
        return running.hexdigest(), file.tell()


def differences(said: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """In which fields a recount differs from what evidence says."""
    names = ("sha256", "bytes", "format", "lines", "events", "refused", "first_time", "last_time")
    return [
        f"{name}: {said.get(name)} in the evidence, {found.get(name)} now"
        for name in names
        if said.get(name) != found.get(name)
    ] + (["totals by domain and class differ"] if said.get("totals") != found.get("totals") else [])
