"""Standings and events as rows of a journal record, and back from what DuckDB answers.

In a record every field is text or a whole number: canonical JSON has no other exact forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

from billing.balance.customer_alerts import Raised
from billing.balance.events import Event
from billing.balance.grace_clock import Clock
from billing.balance.records import Cause, Figures, Policy, Standing, State
from billing.balance.settings import BalanceSettings

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


def aware(at: datetime | None) -> datetime | None:
    """A TIMESTAMP of the store (UTC without zone) as an aware time."""
    return None if at is None else at.replace(tzinfo=UTC)


def naive(at: datetime | None) -> datetime | None:
    """An aware time as the store keeps it: UTC without zone."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None)


def text_time(at: datetime | None) -> str | None:
    """An aware time as text that DuckDB casts to TIMESTAMP exactly."""
    plain = naive(at)
    return None if plain is None else plain.isoformat(timespec="microseconds")


def state_row(standing: Standing) -> dict[str, Any]:
    """A decided standing as a row of the record."""
    ledger_version = standing.evidence["ledger_version"]
    assert isinstance(ledger_version, int), "a decision names the ledger version it rests on"
    clock = standing.overdue_clock
    return {
        "account_id": standing.account_id,
        "version": str(standing.version),
        "state": standing.state.value,
        "previous": standing.previous.value,
        "since": text_time(standing.since),
        "reason": standing.reason,
        "overdue_since": text_time(standing.overdue_since),
        "overdue_clock": None if clock is None else str(clock),
        "cause": standing.cause.value if standing.cause else None,
        "decided_by": standing.by,
        "evidence": _json(standing.evidence),
        "ledger_version": str(ledger_version),
    }


def event_row(event: Event) -> dict[str, Any]:
    """An event as a row of the record."""
    return {
        "event_id": event.event_id,
        "account_id": event.account_id,
        "version": str(event.version),
        "kind": event.kind,
        "happened_at": text_time(event.happened_at),
        "body": event.body,
    }


def alert_row(raised: Raised) -> dict[str, Any]:
    """A crossing of a customer's rule as a row of the record."""
    return {
        "rule_id": raised.measured.rule_id,
        "subject": raised.measured.subject,
        "account_id": raised.measured.account_id,
        "kind": raised.measured.kind.value,
        "since": text_time(raised.since),
        "until": text_time(raised.until),
        "domain": raised.measured.domain,
        "event_id": raised.event.event_id,
    }


def clock_row(clock: Clock) -> dict[str, Any]:
    """The clock as a row of the record."""
    return {
        "judged_at": text_time(clock.judged_at),
        "verified_seconds": clock.verified_seconds,
        "verified_until": text_time(clock.verified_until),
        "unverified": clock.unverified,
        "unverified_since": text_time(clock.unverified_since),
        "usage_through": text_time(clock.usage_through),
        "payments_through": text_time(clock.payments_through),
    }


def as_effect(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Any:
    """Rows as an effect: inside the record when few, as a table beside it when many."""
    return list(rows) if len(rows) <= INLINE_MAX else as_table(rows, columns)


def as_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pa.Table:
    """Rows as an Arrow table of text."""
    schema = pa.schema([(name, pa.string()) for name in columns])
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def clock_of(row: Sequence[Any] | None) -> Clock:
    """The clock from statement `clock`, or the one before any judgement."""
    if row is None:
        return Clock()
    return Clock(
        judged_at=aware(row[0]),
        verified_seconds=row[1],
        verified_until=aware(row[2]),
        unverified=row[3],
        unverified_since=aware(row[4]),
        usage_through=aware(row[5]),
        payments_through=aware(row[6]),
    )


def case_of(row: Mapping[str, Any], settings: BalanceSettings) -> tuple[Figures, Standing, Policy]:
    """What the decision needs of one account, from a row of statement `candidates`."""
    figures = Figures(
        account_id=row["account_id"],
        currency=row["currency"],
        available=int(row["available"]),
        open_amount=int(row["open_amount"]),
        payable_hour=int(row["payable_hour"]),
        payable_7_hours=int(row["payable_7_hours"]),
        payable_24_hours=int(row["payable_24_hours"]),
        payable_168_hours=int(row["payable_168_hours"]),
        payable_day=int(row["payable_day"]),
        hours_known=row["hours_known"],
    )
    standing = Standing(
        account_id=row["account_id"],
        version=row["version"],
        state=State(row["state"]),
        previous=State(row["state"]),
        since=aware(row["since"]),
        reason=row["reason"],
        overdue_since=aware(row["overdue_since"]),
        overdue_clock=row["overdue_clock"],
        cause=Cause(row["cause"]) if row["cause"] else None,
    )
    threshold = row["low_balance_threshold"]
    policy = Policy(
        grace_seconds=row["grace_hours"] * 3600,
        automatic=row["suspension_policy"] == "auto",
        daily=row["billing_method"] == DAILY_METHOD,
        threshold=None if threshold is None else int(threshold),
        hysteresis_percent=settings.hysteresis_percent,
        release_seconds=settings.release_days * 86_400,
    )
    return figures, standing, policy


def _json(evidence: Mapping[str, object]) -> str:
    """Evidence as text; amounts as text too, since JSON readers elsewhere cut numbers at 2^53."""
    return orjson.dumps(_plain(dict(evidence)), option=orjson.OPT_SORT_KEYS).decode()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, datetime):
        return text_time(value)
    if isinstance(value, bool) or value is None:
        return value
    return str(value) if isinstance(value, int) and abs(value) >= 2**53 else value
