"""The nouns of a month's close. Money in 10^-10 units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from billing.invoices.waiting import Waiting

StepName = Literal["approved", "issued", "sent"]


class Weight(StrEnum):
    """What a finding asks for: nothing, to be known, a person's approval, or to be mended first."""

    OK = "ok"
    KNOW = "know"
    LOOK = "look"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseItem:
    """One row of the checklist: what was looked at, what it came to, and what to do about it.

    `accounts`: of whom it is said; none: of the month as a whole.
    """

    name: str
    weight: Weight
    what: str
    answer: str = ""
    accounts: tuple[str, ...] = ()

    def findings(self) -> tuple[str, ...]:
        """What an approval of it holds: the item, account by account where it is about some."""
        if self.weight is not Weight.LOOK:
            return ()
        return tuple(f"{self.name}:{one}" for one in self.accounts) or (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTotal:
    """What a month's documents in one currency come to: issued, and about to be."""

    currency: str
    issued: int
    to_issue: int
    net: int
    tax: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthChange:
    """How an account's sum differs from last month's, and by what; the eight parts add up to
    `change`. `by_rate_of_tax` is the part of `by_tax` that another rate makes.
    """

    account_id: str
    currency: str
    is_new: bool
    is_gone: bool
    total_before: int
    total: int
    change: int
    by_usage: int
    by_plan: int
    by_price: int
    by_credit: int
    by_commitment: int
    by_plan_price: int
    by_correction: int
    by_tax: int
    by_rate_of_tax: int

    @property
    def cause(self) -> str:
        """The largest part, in a word."""
        if self.is_new or self.is_gone:
            return "new" if self.is_new else "gone"
        parts = {
            "usage": self.by_usage,
            "plan": self.by_plan,
            "price": self.by_price,
            "promotional credit": self.by_credit,
            "commitment": self.by_commitment,
            "plan sold": self.by_plan_price,
            "correction": self.by_correction,
            "tax": self.by_rate_of_tax,
        }
        return max(parts, key=lambda name: abs(parts[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseStep:
    """A step that was taken: by whom, why, and which findings were let pass."""

    step: StepName
    happened_at: datetime
    decided_by: str
    reason: str
    findings: list[str]
    documents: int
    journal_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """All that is known of a month before it is issued."""

    month: str
    at: datetime
    policy: str
    items: tuple[CloseItem, ...]
    totals: tuple[MonthTotal, ...]
    changes: tuple[MonthChange, ...]
    waiting: tuple[Waiting, ...]
    steps: tuple[CloseStep, ...]

    @property
    def stops(self) -> tuple[CloseItem, ...]:
        """What must be mended first."""
        return tuple(one for one in self.items if one.weight is Weight.STOP)

    @property
    def approval(self) -> CloseStep | None:
        """The last approval."""
        given = [one for one in self.steps if one.step == "approved"]
        return given[-1] if given else None

    @property
    def findings(self) -> tuple[str, ...]:
        """All that needs an approval now, in the order of the list."""
        return tuple(key for one in self.items for key in one.findings())

    @property
    def unapproved(self) -> tuple[str, ...]:
        """What of it nobody has approved yet."""
        approved = set(self.approval.findings) if self.approval else set()
        return tuple(key for key in self.findings if key not in approved)

    @property
    def asks(self) -> tuple[str, ...]:
        """What of it still holds something up: nothing, where all is issued."""
        return self.unapproved if self.to_issue or self.waiting else ()

    @property
    def needs_a_person(self) -> bool:
        """Whether the month does not go on by itself."""
        return bool(self.stops or self.asks or self.waiting)

    @property
    def to_issue(self) -> int:
        """How many documents would be issued now."""
        return sum(one.to_issue for one in self.totals)
