"""Exact counts in bounded memory: what an edge keeps when its disk is full (FAULTS A4).

Events become counts per (5 minutes, domain, class): their sum stays exact, their single times and
ids are given up. When there are more names than memory is allowed for, further names count as
unattributed; requests and bytes stay exact even then.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from edge.batch.records import EVENTS_MAX, CounterColumns
from edge.domain import UNATTRIBUTED

KEYS_MAX: Final = EVENTS_MAX
"""Most keys kept: one batch of kind `counters` holds them all."""

_Key = tuple[int, str, int]


class CounterStore:
    """Counts that wait for room on the disk; not for several threads at once.

    `keys_max` bounds memory, about 400 bytes a key. `names_folded` counts the rows whose name was
    given up for it.
    """

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._counts: dict[_Key, list[int]] = {}
        self._keys_max = keys_max
        self.names_folded = 0

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def requests(self) -> int:
        """Requests kept."""
        return sum(counts[0] for counts in self._counts.values())

    def add(self, counters: CounterColumns) -> None:
        """Add `counters` to what is kept."""
        table = np.column_stack(
            (
                counters.requests,
                counters.bytes_sent,
                counters.status_requests,
                counters.cache_hits,
            )
        ).tolist()
        keys = zip(
            counters.bucket_ms.tolist(),
            counters.domain_index.tolist(),
            counters.class_code.tolist(),
            strict=True,
        )
        for (bucket_ms, domain, class_code), row in zip(keys, table, strict=True):
            self._add((bucket_ms, counters.domains[domain], class_code), row)

    def _add(self, key: _Key, row: list[int]) -> None:
        """Add one row; a new name beyond the limit is folded into the unattributed."""
        if key not in self._counts and len(self._counts) >= self._keys_max:
            self.names_folded += 1
            key = (key[0], UNATTRIBUTED, key[2])
        kept = self._counts.setdefault(key, [0] * len(row))
        for place, value in enumerate(row):
            kept[place] += value

    def columns(self) -> list[CounterColumns]:
        """Everything kept, as columns that each fit one batch; nothing is taken out."""
        keys = sorted(self._counts)
        return [
            self._columns(keys[start : start + EVENTS_MAX])
            for start in range(0, len(keys), EVENTS_MAX)
        ]

    def _columns(self, keys: list[_Key]) -> CounterColumns:
        """The counts of `keys`."""
        names = sorted({domain for _, domain, _ in keys})
        place = {name: index for index, name in enumerate(names)}
        table = np.array([self._counts[key] for key in keys], dtype=np.int64)
        return CounterColumns(
            domains=tuple(names),
            bucket_ms=np.array([bucket_ms for bucket_ms, _, _ in keys], dtype=np.int64),
            domain_index=np.array([place[domain] for _, domain, _ in keys], dtype=np.int32),
            class_code=np.array([class_code for _, _, class_code in keys], dtype=np.uint8),
            requests=table[:, 0],
            bytes_sent=table[:, 1],
            status_requests=table[:, 2:-1],
            cache_hits=table[:, -1],
        )

    def drop(self, counters: CounterColumns) -> None:
        """Forget `counters`, which columns() gave and the spool now holds."""
        for bucket_ms, domain, class_code in zip(
            counters.bucket_ms.tolist(),
            counters.domain_index.tolist(),
            counters.class_code.tolist(),
            strict=True,
        ):
            del self._counts[bucket_ms, counters.domains[domain], class_code]
