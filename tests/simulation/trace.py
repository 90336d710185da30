"""What happened in a simulated year, kept small enough for a year of a thousand accounts.

Times are whole seconds since 1970, amounts 10^-10 units.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

PAYMENT, HOURLY, DAILY = 0, 1, 2


def seconds(at: datetime) -> int:
    """An aware time, or one of the store (UTC without zone), as whole seconds since 1970."""
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


class Look(NamedTuple):
    """Somebody judged accounts: when, what the journal held then, whether figures were bad."""

    at: int
    number: int
    bad: bool
    everyone: bool
    """All accounts were judged; else only those that paid."""


@dataclass
class Moves:
    """Money moves of one account, in the order of the journal; one place in each array is one."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    times: array[int] = field(default_factory=lambda: array("q"))
    amounts: array[int] = field(default_factory=lambda: array("q"))
    period_ends: array[int] = field(default_factory=lambda: array("q"))
    kinds: array[int] = field(default_factory=lambda: array("b"))

    def add(self, number: int, at: datetime, amount: int, kind: int, period_end: int = 0) -> None:
        """One more: a payment (positive) or a charge (negative) of a period."""
        self.numbers.append(number)
        self.times.append(seconds(at))
        self.amounts.append(amount)
        self.period_ends.append(period_end)
        self.kinds.append(kind)


@dataclass
class Told:
    """What a simulated receiver got: per event id the hash of its body, and how often."""

    bodies: dict[str, str] = field(default_factory=dict)
    times: int = 0
    highest: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass
class Trace:
    """What happened, for the auditor: money moves, looks, ratings, and what was done on purpose."""

    moves: dict[str, Moves] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    rated: list[tuple[int, int]] = field(default_factory=list)
    """Per rating run that posted or found nothing: journal number, end of the last rated hour."""
    counts: Counter[str] = field(default_factory=Counter)
    """How often each trouble and each unusual thing happened."""
    told: Told = field(default_factory=Told)

    def digest(self) -> str:
        """One hash over everything that happened: equal for equal seeds."""
        whole = hashlib.sha256()
        for name, moves in sorted(self.moves.items()):
            whole.update(name.encode())
            for column in (moves.numbers, moves.times, moves.amounts, moves.period_ends):
                whole.update(column.tobytes())
        rest = (self.looks, self.rated, sorted(self.counts.items()), sorted(self.told.bodies))
        whole.update(repr(rest).encode())
        return whole.hexdigest()
