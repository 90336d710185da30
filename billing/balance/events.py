"""What others are told: one event per change of state, with an id made from what it is about.

The id is a function of account and version, so that no crash, resend or second process can tell the
same thing under two ids. Money is a decimal string; receivers keep the highest version per account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from billing.balance.records import STOPPED, Standing
from billing.money import floor_to_minor, format_amount

AMOUNTS = ("available", "open_amount", "projected", "payable_7_hours", "payable_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message for the outbox; `body` is the JSON text that every receiver gets."""

    event_id: str
    account_id: str
    version: int
    kind: str
    happened_at: datetime
    body: str


def event_id(*parts: object) -> str:
    """An id that depends on what the event is about and on nothing else."""
    text = "\x1f".join(str(part) for part in parts)
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def state_event(standing: Standing, *, currency: str) -> Event:
    """The event of one change of state."""
    resumed = standing.previous in STOPPED and standing.state not in STOPPED
    kind = "account.resumed" if resumed else f"account.{standing.state}"
    assert standing.since is not None, "a decided standing has a time"
    data = {
        "account_id": standing.account_id,
        "version": standing.version,
        "state": standing.state.value,
        "previous": standing.previous.value,
        "since": stamp(standing.since),
        "reason": standing.reason,
        "cause": standing.cause.value if standing.cause else None,
        "by": standing.by or None,
        "currency": currency,
        "amount_due": amount_due(standing.evidence, currency),
        **public_evidence(standing.evidence, currency),
    }
    return Event(
        event_id=event_id("state", standing.account_id, standing.version),
        account_id=standing.account_id,
        version=standing.version,
        kind=kind,
        happened_at=standing.since,
        body=envelope(kind, standing.since, data),
    )


def amount_due(evidence: dict[str, object], currency: str) -> str:
    """What must be paid for the balance to be at zero again, in whole minor units, never less."""
    available = evidence.get("available")
    owed = -floor_to_minor(available, currency) if isinstance(available, int) else 0
    return format_amount(max(0, owed), currency)


def envelope(kind: str, at: datetime, data: dict[str, Any]) -> str:
    """The payload layout of Standard Webhooks: type, timestamp, data."""
    document = {"type": kind, "timestamp": stamp(at), "data": data}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def public_evidence(evidence: dict[str, object], currency: str) -> dict[str, object]:
    """Evidence as receivers see it: amounts as decimal strings, times in RFC 3339."""
    return {name: _public(name, value, currency) for name, value in evidence.items()}


def _public(name: str, value: object, currency: str) -> object:
    if name in AMOUNTS and isinstance(value, int):
        return format_amount(value, currency)
    if name == "burn_per_hour" and isinstance(value, dict):
        return {key: format_amount(amount, currency) for key, amount in value.items()}
    if isinstance(value, datetime):
        return stamp(value)
    return value


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with Z."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
