"""Request ids seen lately: a server that logs each request twice would bill each twice (E10).

Two `access_log` lines write to one file in turns, each from a buffer of its own, so the second copy
of a request may be thousands of lines behind the first: the ids of the last blocks are remembered.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import polars as pl

from edge.batch.records import Array
from edge.logs.formats.judge_lines import named_ids, repeated_rows

SAMPLED: Final = 64
"""Of the ids of several files every 64th is compared, by its hash: the same ones of each file."""
_FIRST: Final = 1_000
"""… and the first ones of a file, that a short one is not passed over."""
_SAMPLE_MAX: Final = 500_000
REMEMBERED: Final = 100_000
"""Ids kept: two blocks of an import, or the last seconds of a busy log."""
_PARTS_MAX: Final = 32


class RecentIds:
    """The ids of the last lines of one stream, in order."""

    def __init__(self) -> None:
        self._parts: list[pl.Series] = []

    def __bool__(self) -> bool:
        return bool(self._parts)

    def again(self, ids: pl.Series, rows: Array) -> Array:
        """Those of `rows` whose id, in `ids`, was seen lately or stands in them before."""
        found = repeated_rows(ids, rows)
        if self._parts:
            known = pl.concat(self._parts)
            before: Array = (named_ids(ids) & ids.is_in(known)).fill_null(value=False).to_numpy()
            found = np.union1d(found, rows[before])
        self.remember(ids)
        return found

    def remember(self, ids: pl.Series) -> None:
        """Take `ids` as the latest."""
        self._parts.append(ids)
        if len(self._parts) > _PARTS_MAX or sum(map(len, self._parts)) > 2 * REMEMBERED:
            self._parts = [pl.concat(self._parts).tail(REMEMBERED)]


class OtherFiles:
    """Which file of an import holds a request: a server may log each to two files, which are
    counted as two requests (E10). A sample tells; once it is full, later files are only compared.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._own: dict[str, str] = {}
        self.shared: Counter[tuple[str, str]] = Counter()
        """Requests of the sample that stand in two files, by the names of the two."""

    def begin(self) -> None:
        """Another file begins."""
        if len(self._known) + len(self._own) <= _SAMPLE_MAX:
            self._known = {**self._own, **self._known}
        self._own = {}

    def take(self, name: str, ids: pl.Series) -> None:
        """The ids of a block of the file called `name`."""
        named = ids.filter(named_ids(ids))
        sample = named.filter(named.hash() % SAMPLED == 0).to_list()
        sample += [] if self._own else named.head(_FIRST).to_list()
        for each in dict.fromkeys(sample):
            if each in self._known:
                self.shared[name, self._known[each]] += 1
            else:
                self._own[each] = name
