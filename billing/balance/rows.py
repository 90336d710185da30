"""States, events and the grace clock as rows of a journal record, and back from what DuckDB gives.

In a record every field is text or a whole number: canonical JSON has no other exact forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from billing.balance.customer_alerts import Raised, told_as
from billing.balance.events import Event
from billing.balance.grace_clock import GraceClock
from billing.balance.records import AccountState, Cause, Figures, State, SuspensionTerms
from billing.balance.settings import BalanceSettings
from billing.instants import aware_or_none, exact_text
from billing.store.given import TEXT, schema_of

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, str | None]
"""A row of a table effect: every field is text."""

STATE_COLUMNS = (
    "account_id", "version", "state", "previous", "since", "reason", "overdue_since",
    "overdue_clock", "cause", "decided_by", "evidence", "ledger_version",
)  # fmt: skip
EVENT_COLUMNS = ("event_id", "account_id", "version", "kind", "happened_at", "body")
ALERT_COLUMNS = (
    "rule_id", "subject", "account_id", "kind", "since", "until", "domain", "event_id",
)  # fmt: skip
INLINE_MAX = 200
"""More rows than this travel as a Parquet file beside the record instead of inside it."""
DAILY_METHOD = "peak_bandwidth"
"""The billing method that settles by the day (DOMAIN §1.3)."""


def state_row(decided: AccountState) -> Row:
    """A decided state as a row of the record."""
    ledger_version = decided.evidence["ledger_version"]
    assert isinstance(ledger_version, int), "a decision names the ledger version it rests on"
    clock = decided.overdue_clock
    return {
        "account_id": decided.account_id,
        "version": str(decided.version),
        "state": decided.state.value,
        "previous": decided.previous.value,
        "since": _exact(decided.since),
        "reason": decided.reason,
        "overdue_since": _exact(decided.overdue_since),
        "overdue_clock": None if clock is None else str(clock),
        "cause": decided.cause.value if decided.cause else None,
        "decided_by": decided.by,
        "evidence": _json(decided.evidence),
        "ledger_version": str(ledger_version),
    }


def event_row(event: Event) -> Row:
    """An event as a row of the record."""
    return {
        "event_id": event.event_id,
        "account_id": event.account_id,
        "version": str(event.version),
        "kind": event.kind,
        "happened_at": _exact(event.happened_at),
        "body": event.body,
    }


def alert_row(raised: Raised) -> Row:
    """A crossing of a customer's rule as a row of the record."""
    return {
        "rule_id": raised.measured.rule_id,
        "subject": raised.measured.subject,
        "account_id": raised.measured.account_id,
        "kind": told_as(raised.measured),
        "since": _exact(raised.since),
        "until": _exact(raised.until),
        "domain": raised.measured.domain,
        "event_id": raised.event.event_id,
    }


def clock_row(clock: GraceClock) -> dict[str, str | int | None]:
    """The clock as a row of the record."""
    return {
        "judged_at": _exact(clock.judged_at),
        "verified_seconds": clock.verified_seconds,
        "verified_until": _exact(clock.verified_until),
        "unverified": clock.unverified,
        "unverified_since": _exact(clock.unverified_since),
        "usage_through": _exact(clock.usage_through),
        "payments_through": _exact(clock.payments_through),
    }


def _exact(at: datetime | None) -> str | None:
    return None if at is None else exact_text(at)


def as_effect(rows: Sequence[Row], columns: Sequence[str]) -> list[Row] | pa.Table:
    """Rows as an effect: inside the record when few, as a table beside it when many."""
    return list(rows) if len(rows) <= INLINE_MAX else as_table(rows, columns)


def as_table(rows: Sequence[Row], columns: Sequence[str]) -> pa.Table:
    """Rows as an Arrow table of text."""
    import pyarrow as pa

    schema = schema_of([(name, TEXT) for name in columns])
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """Row of statement `grace_clock/clock`; times as the store keeps them."""

    judged_at: datetime
    verified_seconds: int
    verified_until: datetime | None
    unverified: str | None
    unverified_since: datetime | None
    usage_through: datetime | None
    payments_through: datetime | None

    def clock(self) -> GraceClock:
        """The grace clock."""
        return GraceClock(
            judged_at=aware_or_none(self.judged_at),
            verified_seconds=self.verified_seconds,
            verified_until=aware_or_none(self.verified_until),
            unverified=self.unverified,
            unverified_since=aware_or_none(self.unverified_since),
            usage_through=aware_or_none(self.usage_through),
            payments_through=aware_or_none(self.payments_through),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """Row of statement `states/whom_to_judge`: all that the decision needs of one account."""

    account_id: str
    currency: str
    available: int
    open_amount: int
    payable_hour: int
    payable_7_hours: int
    payable_24_hours: int
    payable_168_hours: int
    payable_day: int
    hours_known: int
    burn_per_hour: int
    zero_in: int | None
    zero_in_earliest: int | None
    zero_in_latest: int | None
    grace_hours: int
    suspension_policy: str
    billing_method: str
    low_balance_threshold: int | None
    version: int
    state: str
    since: datetime | None
    reason: str
    overdue_since: datetime | None
    overdue_clock: int | None
    cause: str | None

    def figures(self) -> Figures:
        """What is known of its money."""
        return Figures(
            account_id=self.account_id,
            currency=self.currency,
            available=self.available,
            open_amount=self.open_amount,
            payable_hour=self.payable_hour,
            payable_7_hours=self.payable_7_hours,
            payable_24_hours=self.payable_24_hours,
            payable_168_hours=self.payable_168_hours,
            payable_day=self.payable_day,
            hours_known=self.hours_known,
            burn_per_hour=self.burn_per_hour,
            zero_in=self.zero_in,
            zero_in_earliest=self.zero_in_earliest,
            zero_in_latest=self.zero_in_latest,
        )

    def state_before(self) -> AccountState:
        """How it stood until now."""
        return AccountState(
            account_id=self.account_id,
            version=self.version,
            state=State(self.state),
            previous=State(self.state),
            since=aware_or_none(self.since),
            reason=self.reason,
            overdue_since=aware_or_none(self.overdue_since),
            overdue_clock=self.overdue_clock,
            cause=Cause(self.cause) if self.cause else None,
        )

    def terms(self, settings: BalanceSettings) -> SuspensionTerms:
        """What was agreed with it."""
        return SuspensionTerms(
            grace_seconds=self.grace_hours * 3600,
            automatic=self.suspension_policy == "auto",
            daily=self.billing_method == DAILY_METHOD,
            threshold=self.low_balance_threshold,
            hysteresis_percent=settings.hysteresis_percent,
            release_seconds=settings.release_days * 86_400,
        )


def _json(evidence: Mapping[str, object]) -> str:
    """Evidence as text; amounts as text too, since JSON readers elsewhere cut numbers at 2^53."""
    return orjson.dumps(_plain(dict(evidence)), option=orjson.OPT_SORT_KEYS).decode()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, datetime):
        return _exact(value)
    if isinstance(value, bool) or value is None:
        return value
    return str(value) if isinstance(value, int) and abs(value) >= 2**53 else value
