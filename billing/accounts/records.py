"""The nouns of accounts as the tables hold them: a field is a column, times are naive UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountVersion:
    """An account as it is from `effective_from` until its next version. Money in 10^-10 units."""

    account_id: str
    effective_from: datetime
    name: str
    currency: str
    timezone: str
    price_book: str
    billing_method: str
    credit_limit: int
    grace_hours: int
    suspension_policy: str
    tax_rate_bp: Decimal
    email: str
    address: str
    country: str
    tax_id: str
    low_balance_threshold: int | None
    opened_at: datetime
    closed_at: datetime | None
    details: str | None = None
    """What its documents say besides, as a JSON object with its keys in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """A period in which an account owns a name (`*.name`: one level below it)."""

    ownership_id: str
    domain: str
    account_id: str
    effective_from: datetime
    effective_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBought:
    """A prepaid plan of an account: bytes (data_transfer) or requests (https_requests)."""

    plan_id: str
    account_id: str
    kind: str
    region: str
    quantity: int
    starts_at: datetime
    ends_at: datetime
    bought_at: datetime
    price: int | None = None
    """What it is sold for (10^-10 units); None: that is not on our bills."""
    lasts: str | None = None
    """How long it is valid, where it is bought for a time; `renews`: it is sold again after it."""
    renews: bool = False

    @property
    def fact_id(self) -> str:
        """The id it is known by."""
        return self.plan_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A promotional credit or a commitment of an account; amounts in 10^-10 units.

    `items` and `regions` are what a credit pays, joined by commas; empty: all of them. `settles`:
    when a commitment does, `month` or `term`; `ends_at` is NULL of one without an end.
    """

    agreement_id: str
    account_id: str
    kind: str
    amount: int
    items: str
    regions: str
    priority: int
    settles: str
    starts_at: datetime
    ends_at: datetime | None

    @property
    def fact_id(self) -> str:
        """The id it is known by."""
        return self.agreement_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodChange:
    """An account asks for another basic billing method."""

    account_id: str
    method: str
    effective_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDates:
    """From when to when an account is open, put right or ended: `why` it is other than stored."""

    account_id: str
    opened_at: datetime
    closed_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacedFact:
    """An ownership, a plan or an agreement that another one stands in for, and why."""

    kind: str
    fact_id: str
    replaced_by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """The tags of an account, or those an account gave to a domain, as a JSON object of texts, keys
    in order: for reports only, so they have no history and change no price.
    """

    kind: str
    subject: str
    account_id: str
    tags: str


AccountFact = AccountVersion | Ownership | PlanBought | Agreement | MethodChange


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOutcome:
    """How many rows of each kind were new, how many known, and whose the new ones are;
    `journal_no` None: nothing was new.
    """

    new: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    journal_no: int | None = None
    accounts: frozenset[str] = frozenset()
    opened: Mapping[str, datetime] = field(default_factory=dict)
    """The new accounts, and from when each is open."""
