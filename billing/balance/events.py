"""What others are told: one event per change of state, with an id made from what it is about.

The id is a function of account and version, so that no crash, resend or second process can tell the
same thing under two ids. Money is a decimal string; receivers keep the highest version per account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from billing.balance.records import STOPPED, AccountState
from billing.instants import stamp
from billing.money import floor_to_minor, format_amount

BEING_VERIFIED = "the figures are being verified"
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


def state_event(decided: AccountState, *, currency: str) -> Event:
    """The event of one change of state."""
    resumed = decided.previous in STOPPED and decided.state not in STOPPED
    kind = "account.resumed" if resumed else f"account.{decided.state}"
    assert decided.since is not None, "a decided state has a time"
    data = {
        "account_id": decided.account_id,
        "version": decided.version,
        "state": decided.state.value,
        "previous": decided.previous.value,
        "since": stamp(decided.since),
        "reason": decided.reason,
        "cause": decided.cause.value if decided.cause else None,
        "by": decided.by or None,
        "currency": currency,
        "amount_due": amount_due(decided.evidence, currency),
        **public_evidence(decided.evidence, currency),
    }
    return Event(
        event_id=event_id("state", decided.account_id, decided.version),
        account_id=decided.account_id,
        version=decided.version,
        kind=kind,
        happened_at=decided.since,
        body=envelope(kind, decided.since, data),
    )


def amount_due(evidence: dict[str, object], currency: str) -> str:
    """What must be paid for the balance to be at zero again, in whole minor units, never less."""
    available = evidence.get("available")
    owed = -floor_to_minor(available, currency) if isinstance(available, int) else 0
    return format_amount(max(0, owed), currency)


def envelope(kind: str, at: datetime, data: Mapping[str, object]) -> str:
    """The payload layout of Standard Webhooks: type, timestamp, data."""
    document = {"type": kind, "timestamp": stamp(at), "data": data}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def public_evidence(evidence: dict[str, object], currency: str) -> dict[str, object]:
    """Evidence as receivers see it: amounts as decimal strings, times in RFC 3339; of a check that
    is red, or a run that is held, only that figures are being verified.
    """
    return {name: _public(name, value, currency) for name, value in evidence.items()}


def _public(name: str, value: object, currency: str) -> object:
    if name in AMOUNTS and isinstance(value, int):
        return format_amount(value, currency)
    if name == "burn_per_hour" and isinstance(value, dict):
        return {key: format_amount(amount, currency) for key, amount in value.items()}
    if isinstance(value, datetime):
        return stamp(value)
    if name == "unverified" and value is not None:
        return BEING_VERIFIED
    return value
