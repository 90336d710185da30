"""The nouns of rating, as frozen records: how far it has come, what a run found, what-if results.

Money is an int of 10^-10 currency units, times are aware UTC unless a line says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

import duckdb
import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingMark:
    """How far rating has come: the last import it saw, the end of the last rated hour, the first
    hour ever rated, the hash of the books then. Times are stored ones, UTC without a zone.
    """

    import_no: int
    through: datetime
    origin: datetime
    books_sha256: str


class MarkEffect(TypedDict):
    """The mark of one run as the journal holds it: inline, times as text."""

    run_id: str
    import_no: int
    through: str
    origin: str
    books_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldHour:
    """An account-hour that could not be priced: charged nothing, tried again at the next run."""

    account_id: str
    hour: datetime
    problem: str
    hint: str

    @classmethod
    def stored(cls, *, account_id: str, hour: datetime, problem: str, hint: str) -> HeldHour:
        """From a stored row, whose time has no zone."""
        return cls(account_id=account_id, hour=hour.replace(tzinfo=UTC), problem=problem, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingOutcome:
    """What a run computed. `effects` maps an effect's name to its temporary table, `mark` is
    inline.

    `held` names the oldest account-hours without a price, of this run and of earlier ones;
    `held_count` is how many there are. `totals` is the sum of the charges by currency, `charges`
    how many there are.
    """

    connection: duckdb.DuckDBPyConnection
    effects: Mapping[str, str]
    mark: MarkEffect
    held: tuple[HeldHour, ...]
    held_count: int
    totals: Mapping[str, int]
    charges: int

    @property
    def tables(self) -> dict[str, pa.Table | MarkEffect]:
        """The effects as Arrow tables, the mark as it is: `rating_run` effects ready to be
        journaled.
        """
        found: dict[str, pa.Table | MarkEffect] = {
            name: self.connection.table(table).to_arrow_table()
            for name, table in self.effects.items()
        }
        return found | {"rating_mark": self.mark}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """One account's month: what was charged and what the tried book would charge."""

    account_id: str
    currency: str
    charged: int
    tried: int
    items: Mapping[str, tuple[int, int]]

    @property
    def change(self) -> int:
        """What the account would pay more (less, if negative)."""
        return self.tried - self.charged


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All accounts of a simulation, and the hours for which the tried book has no price."""

    book: str
    instead_of: tuple[str, ...]
    month: str
    through: datetime
    accounts: tuple[Repriced, ...]
    held: tuple[HeldHour, ...]
