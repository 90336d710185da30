"""The nouns of the balance: what is known of an account, its terms, its state and evidence.

Amounts are whole numbers of 10^-10 currency units, times are aware UTC, spans are whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How an account stands, from good to gone (DESIGN §3.8)."""

    OK = "ok"
    LOW_BALANCE = "low_balance"
    PROJECTED_OVERDUE = "projected_overdue"
    OVERDUE = "overdue"
    SUSPEND_DUE = "suspend_due"
    SUSPENDED = "suspended"
    RELEASED = "released"


SEVERITY = {state: place for place, state in enumerate(State)}
IN_ARREARS = frozenset({State.OVERDUE, State.SUSPEND_DUE, State.SUSPENDED, State.RELEASED})
STOPPED = frozenset({State.SUSPENDED, State.RELEASED})


class Cause(StrEnum):
    """Why an account was stopped. A payment lifts only what was stopped for arrears."""

    ARREARS = "arrears"
    ADMINISTRATIVE = "administrative"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspensionTerms:
    """What was agreed with one account about alerts and suspension."""

    grace_seconds: int = 24 * 3600
    automatic: bool = False
    daily: bool = False
    """Settled by the day (peak bandwidth): the most recent day's payable is a limit too."""
    threshold: int | None = None
    hysteresis_percent: int = 10
    release_seconds: int = 30 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known of one account's money at one ledger version."""

    account_id: str
    currency: str
    available: int
    """Cash + vouchers + credit limit − charges posted."""
    open_amount: int = 0
    """The rated value of the hours still open; projected = available − this."""
    payable_hour: int = 0
    """Payable of the last rated hour."""
    payable_7_hours: int = 0
    payable_24_hours: int = 0
    payable_168_hours: int = 0
    payable_day: int = 0
    """Payable of the most recent whole day in the account's time zone."""
    hours_known: int = 168
    """Hours, at most 168, of which the sums above can hold anything: since the account's start."""
    burn_per_hour: int = 0
    """The burn that the forecast goes by, cut down: for people only."""
    zero_in: int | None = None
    """Seconds until the projected amount is spent, as forecast; None: not within a year."""
    zero_in_earliest: int | None = None
    zero_in_latest: int | None = None

    @property
    def projected(self) -> int:
        """What is left once the open hours are charged."""
        return self.available - self.open_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What is true for all accounts when they are judged."""

    now: datetime
    ledger_version: int
    """Number of the last journal record that the figures contain."""
    verified_seconds: int = 0
    """What the grace clock shows: it does not run while `unverified` stands."""
    unverified: str | None = None
    """Why no suspension may begin now; None: everything is verified."""
    usage_through: datetime | None = None
    """End of the last hour that was rated."""
    payments_through: datetime | None = None
    known_through: datetime | None = None
    """End of the usage that the figures hold, open hours included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """One version of an account's state: what was decided, when, by whom, on what evidence."""

    account_id: str
    version: int = 0
    state: State = State.OK
    previous: State = State.OK
    since: datetime | None = None
    reason: str = ""
    overdue_since: datetime | None = None
    overdue_clock: int | None = None
    """What the grace clock showed when the arrears began; None while there are none."""
    cause: Cause | None = None
    by: str = ""
    evidence: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person ordered: a suspension confirmed or imposed, or a resumption."""

    suspend: bool
    by: str
    reason: str
    cause: Cause = Cause.ARREARS
