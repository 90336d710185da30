"""Rows of usage into a spool, as batches of kind `counters`, each row once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from edge.batch.records import STATUS_COLUMNS, CounterColumns
from edge.errors import InputError
from edge.logs.content import Content
from edge.logs.importer import ImportResult
from edge.logs.refused_lines import RejectedLine, RejectedLines
from edge.reasons import Reason
from edge.spool.full_disk_counters import CounterStore
from edge.spool.spool import Spool
from edge.terminal import many
from edge.usage.known_rows import KnownRows
from edge.usage.rows import ReadRow, RefusedUsage, UsageRow, read_rows

_ROWS: Final = 20_000
"""Rows of one batch."""
_SUM: Final = 1 << 62
"""What they may sum to: a batch counts in 64 bits."""
_LARGEST: Final = 10
"""Where one row in so many cannot be read, the file is in doubt."""


class UsageImporter:
    """Imports files of usage into one spool; `region` is that of rows that name none."""

    def __init__(self, spool: Spool, region: str, *, now_ms: int) -> None:
        self.spool = spool
        self.region = region
        self.now_ms = now_ms
        self.known = KnownRows(spool)
        self.rejected = RejectedLines(spool.folder)
        self.result = ImportResult()
        self.requests = 0
        self._waiting: dict[str, list[UsageRow]] = defaultdict(list)
        self._pairs: dict[str, list[bytes]] = defaultdict(list)
        self._sums: dict[str, int] = defaultdict(int)

    def run(self, paths: Sequence[Path]) -> ImportResult:
        """Import `paths`; every row that was taken is durable on return. Raises InputError, before
        anything is changed, when one of them cannot be opened.
        """
        for path in paths:
            with Content(path, documents=True, records="records") as content:
                self._file(content)
        for region in list(self._waiting):
            self._flush(region)
        self.spool.region = self.region
        result = self.result
        result.lines = result.events + result.duplicates + sum(result.skipped.values())
        if result.events:
            stand = "row stands" if result.events == 1 else "rows stand"
            requests = many(self.requests, "request")
            result.notes.append(f"{result.events:,} {stand} for {requests}")
        return result

    def _file(self, content: Content) -> None:
        self.result.files += 1
        lines = bad = 0
        before = self.result.skipped[Reason.CONFLICT]
        try:
            for read in read_rows(content, self.region, self.now_ms):
                lines += 1
                if isinstance(read.row, RefusedUsage):
                    bad += 1
                    self._refuse(content, read, read.row.reason, read.row.detail)
                else:
                    self._take(content, read, read.row)
        except InputError as error:
            self.result.problems.append(error.message)
        if content.cut_off:
            self.result.problems.append(f"{content.path}: the packed file is cut off")
        if bad * _LARGEST >= max(lines, 1):
            self.result.not_understood.append(
                f"{content.path.name}: {bad:,} of {lines:,} rows could not be read as counts"
            )
        if conflicts := self.result.skipped[Reason.CONFLICT] - before:
            self.result.not_understood.append(
                f"{content.path.name}: {many(conflicts, 'row')} of {lines:,}"
                f" {'has' if conflicts == 1 else 'have'} other numbers than were counted before:"
                " refused, what was counted stays"
            )

    def _take(self, content: Content, read: ReadRow, row: UsageRow) -> None:
        same = self.known.same(row)
        if same:
            self.result.duplicates += 1
        elif same is False:
            self._refuse(content, read, Reason.CONFLICT, "counted before with other numbers")
        else:
            most = max(row.requests, row.bytes_sent)
            if self._sums[row.region] + most > _SUM:
                self._flush(row.region)
            self._sums[row.region] += most
            self._pairs[row.region].append(self.known.add(row))
            self._waiting[row.region].append(row)
            self.result.events += 1
            self.requests += row.requests
            if not row.domain:
                self.result.unattributable += 1
            if len(self._waiting[row.region]) >= _ROWS:
                self._flush(row.region)

    def _refuse(self, content: Content, read: ReadRow, reason: Reason, detail: str) -> None:
        line = RejectedLine(
            source="usage",
            name=content.path.name,
            line=read.line,
            offset=read.offset,
            length=len(read.raw),
            reason=reason,
            raw=read.raw,
            detail=detail,
        )
        self.rejected.keep([line])
        self.result.skipped[reason] += 1
        if reason not in self.result.examples:
            self.result.examples[reason] = line.told()
            self.result.notes.append(line.told())

    def _flush(self, region: str) -> None:
        """Write the waiting rows of a region: known first, then durable."""
        rows, pairs = self._waiting.pop(region, []), self._pairs.pop(region, [])
        self._sums.pop(region, None)
        counts = CounterStore()
        for row in rows:
            if row.requests or row.bytes_sent:
                counts.add(_columns(row))
        if not len(counts):
            return
        self.spool.region = region
        (columns,) = counts.columns()  # `_ROWS` of them fit one batch
        status = self.spool.status()
        position = self.known.write(status.epoch, status.next_sequence, pairs)
        self.spool.append(columns, 0, (position,))


def _columns(row: UsageRow) -> CounterColumns:
    """One row as counters; its statuses are unknown, and count as `0xx`."""
    statuses = np.zeros((1, len(STATUS_COLUMNS)), dtype=np.int64)
    statuses[0, 0] = row.requests
    return CounterColumns(
        domains=(row.domain,),
        bucket_ms=np.array([row.bucket_ms], dtype=np.int64),
        domain_index=np.zeros(1, dtype=np.int32),
        class_code=np.array([row.class_code], dtype=np.uint8),
        requests=np.array([row.requests], dtype=np.int64),
        bytes_sent=np.array([row.bytes_sent], dtype=np.int64),
        status_requests=statuses,
        cache_hits=np.array([row.cache_hits], dtype=np.int64),
    )
