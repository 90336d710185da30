"""The nouns of `edgetoll status`: what is known of a home's parts, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing.checks.red import CheckState
from billing.outbox.undone import Undone


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeFact:
    """One edge, by its spool here, by metering, or both."""

    edge_id: str
    promise: datetime | None = None
    lag_seconds: int | None = None
    expected_until: datetime | None = None
    is_metered: bool = False
    refused: int = 0
    unread_bytes: int = 0
    read_to: tuple[int | None, int | None] | None = None
    """The epoch and sequence up to which metering has read all of it."""
    gaps: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringFact:
    """What the workers publish: when last, what was not counted, what they may not decide."""

    workers: int = 0
    fresh_at: datetime | None = None
    adds_up: bool = True
    accepted: int = 0
    quarantined: int = 0
    alarms: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Edges of which not everything durable is counted, and why."""
    complete_through: datetime | None = None
    """Every partition has closed its hours up to then."""
    is_live: bool = False
    """Some worker reads a broker, so it never has an end."""
    open_hours: int = 0
    oldest_open: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingFact:
    """One row: how far billing is, and what it holds back."""

    journal_no: int = 0
    last_run: str | None = None
    last_state: str | None = None
    rated_through: datetime | None = None
    imported_through: datetime | None = None
    held_run: str | None = None
    held_reason: str | None = None
    too_old_files: int = 0
    too_old_requests: int = 0
    too_old_first: datetime | None = None
    unpriced_hours: int = 0
    unpriced: str | None = None
    unverified: str | None = None
    usage_kept_from: datetime | None = None
    texts_kept_from: datetime | None = None
    """Before then usage, and texts of messages, were pruned; None: all are there."""
    newest_transfer: datetime | None = None
    """The latest time at which money moved, by the clock of then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompleteHour:
    """An hour that closed without an edge, by its newest certificate."""

    hour: datetime
    partition: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnissuedMonth:
    """What an account used in a month that is over stands on no invoice, though others' does."""

    account_id: str
    month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnownedName:
    """A name that no account owned when it was asked for; blank: names folded together."""

    domain: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnownedTraffic:
    """Requests that nobody pays for, beside all of the same hours, and the largest names."""

    since: datetime | None = None
    requests: int = 0
    all_requests: int = 0
    names: int = 0
    largest: tuple[UnownedName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """What only the open store knows."""

    billing: BillingFact = BillingFact()
    incomplete: tuple[IncompleteHour, ...] = ()
    unissued: tuple[UnissuedMonth, ...] = ()
    unowned: UnownedTraffic = UnownedTraffic()
    expiring: tuple[str, ...] = ()
    """TLS certificates that end within days, a line each."""
    overrides: tuple[str, ...] = ()
    """Prices of accounts that nobody has loaded, a line each."""
    https_facts: tuple[str, ...] = ()
    """What is in the way of facts that edges told."""
    endpoints: tuple[Undone, ...] = ()
    """Receivers that something has not reached though it was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """All that is known of a home at a moment. `store` None: there is no billing store yet."""

    at: datetime
    edges: tuple[EdgeFact, ...] = ()
    metering: MeteringFact = MeteringFact()
    checks: CheckState = field(default_factory=CheckState)
    store: StoreFacts | None = None
    unreadable: str | None = None
    """Why the billing store cannot be read."""
    newest_record: datetime | None = None
    """When the last record of the journal happened, by the clock of then."""
    exposed: tuple[str, ...] = ()
    """What other users of the machine can read and should not."""
    prices: str | None = None
    """Why a price book cannot be used."""
    https: str = ""
    """Why this edge does not serve the HTTPS that is wished; blank: it does, or serves none."""
