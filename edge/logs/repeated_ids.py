"""Request ids seen lately: a server that logs each request twice would bill each twice (E10).

Two `access_log` lines write to one file in turns, each from a buffer of its own, so the second copy
of a request may be thousands of lines behind the first: the ids of the last blocks are remembered.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from edge.batch.records import Array
from edge.logs.formats.judge_lines import named_ids, repeated_rows

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
