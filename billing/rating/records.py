"""The nouns of rating, as frozen records: how far it has come, what a run found, what-if results.

Money is an int of 10^-10 currency units, times are aware UTC unless a line says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

import duckdb

from billing.instants import aware

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingMark:
    """How far rating has come: the last import it saw, the end of the last rated hour, the first
    hour ever rated, the hash of the books then, its journal record. Times are UTC without a zone.
    """

    import_no: int
    through: datetime
    origin: datetime
    books_sha256: str
    journal_no: int


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
        return cls(account_id=account_id, hour=aware(hour), problem=problem, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingOutcome:
    """What a run computed. `effects` maps an effect's name to its temporary table, `mark` is
    inline.

    `held` names the oldest account-hours without a price, of this run and of earlier ones;
    `held_count` is how many there are. `totals` is the sum of the charges by currency, `charges`
    how many there are. `numbered`: the charges again, by the numbers of accounts and months, for
    those who apply them; None: an account has no number.
    """

    connection: duckdb.DuckDBPyConnection
    effects: Mapping[str, str]
    mark: MarkEffect
    held: tuple[HeldHour, ...]
    held_count: int
    totals: Mapping[str, int]
    charges: int
    numbered: str | None

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
    """One account's month: what was charged and what the tried book would charge, by item and term
    (usage, flat fee, maximum, minimum).
    """

    account_id: str
    currency: str
    parts: Mapping[tuple[str, str], tuple[int, int]]

    @property
    def charged(self) -> int:
        """What the account was charged."""
        return sum(charged for charged, _ in self.parts.values())

    @property
    def tried(self) -> int:
        """What the tried book would charge."""
        return sum(tried for _, tried in self.parts.values())

    @property
    def change(self) -> int:
        """What the account would pay more (less, if negative)."""
        return self.tried - self.charged

    @property
    def items(self) -> dict[str, tuple[int, int]]:
        """Charged and tried by item, all terms together."""
        found: dict[str, tuple[int, int]] = {}
        for (item, _), (charged, tried) in self.parts.items():
            before = found.get(item, (0, 0))
            found[item] = (before[0] + charged, before[1] + tried)
        return found

    def terms(self, item: str) -> dict[str, tuple[int, int]]:
        """What of the item's amounts is no usage: charged and tried by fixed term."""
        return {
            term: amounts
            for (of, term), amounts in self.parts.items()
            if of == item and term != "usage"
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All accounts of a simulation, and the hours for which the tried book has no price."""

    book: str
    instead_of: tuple[str, ...]
    month: str
    through: datetime
    accounts: tuple[Repriced, ...]
    held: tuple[HeldHour, ...]
