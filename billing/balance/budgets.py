"""Budgets: which shares of an amount an account has spent this month, or is on the way to spend.

Each share is told once a month when it is reached, and once more (`resolved`) when it falls
back: by a correction, a credit, a slower pace. What then rises again is told again. A projection
moves with every hour, so that it must fall below its share by a margin before that is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from billing.balance.customer_alerts import BudgetShare, Kind, Measured
from billing.instants import aware


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """Row of statement `measure_budgets`: a month so far, and what it is projected to come to."""

    rule_id: str
    account_id: str
    currency: str
    month_start: str
    month_end: datetime
    spent: int
    projected: int
    budget: int
    told: Sequence[str] = field(default_factory=list)
    """The subjects of this rule's crossings so far, each as often as it was told of."""


def crossings(
    rows: Iterable[BudgetRow], percents: dict[str, tuple[int, ...]], *, margin_percent: int
) -> Iterator[Measured]:
    """What is to be told of now. `percents`: the shares of each rule."""
    for row in rows:
        told = Counter(row.told)
        for percent in percents[row.rule_id]:
            # Rounded up: of whole units, those that reach the share.
            limit = -(-row.budget * percent // 100)
            is_spent = row.spent >= limit
            spent = f"{row.month_start} spent {percent}"
            projected = f"{row.month_start} projected {percent}"
            if is_spent != is_raised(told[spent]):
                yield _measured(row, spent, "spent", percent, limit, told[spent])
            if is_raised(told[projected]):
                moved = 100 * row.projected < (100 - margin_percent) * limit
            else:  # what is spent already needs no projection
                moved = row.projected >= limit and not is_spent
            if moved:
                yield _measured(row, projected, "projected", percent, limit, told[projected])


def is_raised(times: int) -> bool:
    """Whether a share that was told of so often stands: reached, fell back, reached, …"""
    return times % 2 == 1


def _measured(
    row: BudgetRow, subject: str, basis: str, percent: int, limit: int, times: int
) -> Measured:
    return Measured(
        rule_id=row.rule_id,
        account_id=row.account_id,
        kind=Kind.BUDGET,
        subject=subject,
        domain=None,
        measured=row.spent if basis == "spent" else row.projected,
        limit=limit,
        release_hours=0,
        currency=row.currency,
        until=aware(row.month_end),
        share=BudgetShare(basis=basis, percent=percent, budget=row.budget, times=times),
    )
