"""Delivering what is due: read it, release the store, send, then record how it went.

Sending is at least once: a crash between sending and recording sends again, with the same id
(FAULTS H7). The store is not held while anybody is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sql
from billing.balance.events import Event, envelope, event_id, stamp
from billing.balance.figures import run
from billing.balance.rows import EVENT_COLUMNS, as_effect, aware, event_row, naive, text_time
from billing.crashpoint import crash_point
from billing.outbox import events_file, mail, webhook
from billing.outbox.address import Resolver, resolve
from billing.outbox.appliers import DELIVERY_COLUMNS
from billing.outbox.schedule import next_attempt
from billing.outbox.settings import DeliverySettings, read_delivery, read_keys
from billing.outbox.webhook import Attempt, Result
from billing.store import Store

MAIL, FILE, HOOK = "mail", "file", "webhook:"
NEW_HOURS = 76
"""An event nobody tried to deliver for longer than this is history: the daily state tells it."""
ROUND_MAX = 5000
AT_ONCE = 16
RECHECKED = frozenset({"account.suspend_due", "account.suspended"})
"""Not sent any more once the account has a later version: nobody acts on a debt that is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One event that one endpoint must get now."""

    event_id: str
    endpoint: str
    account_id: str
    version: int
    kind: str
    body: str
    attempts: int
    first_at: datetime | None
    present_version: int
    email: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a round came to: counts by status, and endpoints that were switched off."""

    counts: dict[str, int]
    disabled: tuple[str, ...]


Outcome = tuple[Due, Attempt]


def deliver(
    home: Path,
    *,
    now: datetime,
    jitter_permille: Callable[[], int],
    resolver: Resolver = resolve,
) -> Delivered:
    """Send everything that is due and record it; endpoints that fail are tried again later."""
    settings = read_delivery(home)
    with Store.open(home, owner="billing delivery", now=now) as store:
        due = due_now(store.connection, settings, now=now)
    if not due:
        return Delivered(counts={}, disabled=())
    outcomes = send_all(home, settings, due, now=now, resolver=resolver)
    crash_point("delivery-sent")
    with Store.open(home, owner="billing delivery", now=now) as store:
        return record(store, outcomes, now=now, jitter_permille=jitter_permille)


def endpoints(settings: DeliverySettings) -> tuple[str, ...]:
    """The names of all endpoints that the settings have."""
    names = [HOOK + hook.name for hook in settings.webhooks]
    names += [MAIL] if settings.mail else []
    names += [FILE] if settings.file else []
    return tuple(names)


def due_now(connection: Any, settings: DeliverySettings, *, now: datetime) -> tuple[Due, ...]:
    """What must be sent now, the oldest first, filtered by what each endpoint takes."""
    run(connection, "empty_endpoints")
    for name in endpoints(settings):
        run(connection, "add_endpoint", endpoint=name)
    rows = connection.execute(
        sql.text("statements/balance/due_deliveries"),
        {
            "now": naive(now),
            "not_before": naive(now - timedelta(hours=NEW_HOURS)),
            "most": ROUND_MAX,
        },
    ).fetchall()
    return tuple(
        Due(
            event_id=row[0],
            endpoint=row[1],
            account_id=row[2],
            version=row[3],
            kind=row[4],
            body=row[5],
            attempts=row[6],
            first_at=aware(row[7]),
            present_version=row[8],
            email=row[9],
            name=row[10],
        )
        for row in rows
    )


def send_all(
    home: Path,
    settings: DeliverySettings,
    due: Sequence[Due],
    *,
    now: datetime,
    resolver: Resolver,
) -> list[Outcome]:
    """Send to every endpoint; what an endpoint does not take counts as delivered there."""
    outcomes: list[Outcome] = []
    waiting: dict[str, list[Due]] = {}
    for one in due:
        answer = needless(one, settings)
        if answer is not None:
            outcomes.append((one, Attempt(result=Result.DELIVERED, answer=answer)))
        else:
            waiting.setdefault(one.endpoint, []).append(one)
    outcomes += _to_file(home, settings, waiting.pop(FILE, []))
    outcomes += _to_mail(home, settings, waiting.pop(MAIL, []))
    outcomes += asyncio.run(_to_hooks(home, settings, waiting, now, resolver))
    return outcomes


def needless(one: Due, settings: DeliverySettings) -> str | None:
    """Why an event need not be sent to this endpoint; None: it must be."""
    if one.kind in RECHECKED and one.version < one.present_version:
        return f"superseded by version {one.present_version}"
    if one.endpoint == MAIL and not (mail.is_mailed(one.kind) and recipients(one, settings)):
        return "not mailed"
    if one.endpoint.startswith(HOOK) and one.account_id:
        hook = next(h for h in settings.webhooks if HOOK + h.name == one.endpoint)
        if hook.accounts and one.account_id not in hook.accounts:
            return "not an account of this endpoint"
    return None


def recipients(one: Due, settings: DeliverySettings) -> tuple[str, ...]:
    """Who gets the mail: the customer (if so set) and the operators."""
    assert settings.mail is not None, "asked only when mail is set"
    customer = (one.email,) if settings.mail.to_customers and one.email else ()
    return (*customer, *settings.mail.operators)


def _to_file(home: Path, settings: DeliverySettings, due: Sequence[Due]) -> list[Outcome]:
    if not due or settings.file is None:
        return []
    lines = [
        events_file.line(
            event_id=one.event_id,
            kind=one.kind,
            account_id=one.account_id,
            version=one.version,
            body=one.body,
        )
        for one in due
    ]
    attempt = events_file.append(home / settings.file.path, lines)
    return [(one, attempt) for one in due]


def _to_mail(home: Path, settings: DeliverySettings, due: Sequence[Due]) -> list[Outcome]:
    if settings.mail is None:
        return []
    outcomes: list[Outcome] = []
    for one in due:
        letter = mail.Letter(
            event_id=one.event_id,
            kind=one.kind,
            body=one.body,
            to=recipients(one, settings),
            name=one.name,
        )
        attempt = mail.send(letter, settings.mail, home)
        outcomes.append((one, attempt))
        if attempt.result is Result.FAILED and attempt.answer.startswith("Connection"):
            break  # the server is away: the others would only wait for the same answer
    return outcomes


async def _to_hooks(
    home: Path,
    settings: DeliverySettings,
    waiting: dict[str, list[Due]],
    now: datetime,
    resolver: Resolver,
) -> list[Outcome]:
    tasks = []
    for hook in settings.webhooks:
        due = waiting.get(HOOK + hook.name, [])
        if due:
            endpoint = webhook.Endpoint(
                name=hook.name,
                url=hook.url,
                keys=read_keys(home, hook.key_files),
                allow_private=hook.allow_private,
            )
            tasks.append(_to_hook(endpoint, due, int(now.timestamp()), resolver))
    return [outcome for part in await asyncio.gather(*tasks) for outcome in part]


async def _to_hook(
    endpoint: webhook.Endpoint, due: Sequence[Due], timestamp: int, resolver: Resolver
) -> list[Outcome]:
    """All of one endpoint, some at once; after a whole group failed the rest keeps waiting."""
    outcomes: list[Outcome] = []
    for start in range(0, len(due), AT_ONCE):
        group = due[start : start + AT_ONCE]
        attempts = await asyncio.gather(
            *(
                webhook.send(
                    endpoint,
                    message_id=one.event_id,
                    body=one.body.encode(),
                    timestamp=timestamp,
                    resolver=resolver,
                )
                for one in group
            )
        )
        outcomes += zip(group, attempts, strict=True)
        if all(attempt.result is not Result.DELIVERED for attempt in attempts):
            break
    return outcomes


def record(
    store: Store,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    jitter_permille: Callable[[], int],
) -> Delivered:
    """Record one round in the journal: how each went, which endpoints are off from now."""
    rows: list[dict[str, Any]] = []
    off: dict[str, str] = {}
    for one, attempt in outcomes:
        row = row_of(one, attempt, now=now, jitter_permille=jitter_permille())
        rows.append(row)
        lost = row["status"] == "given_up" and one.endpoint.startswith(HOOK)
        if attempt.result is Result.GONE or lost:
            off.setdefault(one.endpoint, attempt.answer)
    events = [endpoint_event(name, why, now=now) for name, why in sorted(off.items())]
    effects: dict[str, Any] = {"deliveries": as_effect(rows, DELIVERY_COLUMNS)}
    if off:
        effects["disabled"] = [
            {"endpoint": name, "disabled_at": text_time(now), "reason": why}
            for name, why in sorted(off.items())
        ]
        effects["events"] = as_effect([event_row(event) for event in events], EVENT_COLUMNS)
    if rows:
        store.commit("deliveries", effects, at=now)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return Delivered(counts=counts, disabled=tuple(sorted(off)))


def row_of(one: Due, attempt: Attempt, *, now: datetime, jitter_permille: int) -> dict[str, Any]:
    """How an event stands at an endpoint after an attempt."""
    attempts = one.attempts + 1
    again = None
    if attempt.result is Result.DELIVERED:
        status = "superseded" if attempt.answer.startswith("superseded") else "delivered"
    elif attempt.result is Result.GONE:
        status = "given_up"
    else:
        again = next_attempt(attempts=attempts, now=now, jitter_permille=jitter_permille)
        status = "waiting" if again else "given_up"
    return {
        "event_id": one.event_id,
        "endpoint": one.endpoint,
        "status": status,
        "attempts": str(attempts),
        "first_at": text_time(one.first_at or now),
        "next_at": text_time(again),
        "answer": attempt.answer,
    }


def endpoint_event(name: str, why: str, *, now: datetime) -> Event:
    """What the other channels are told when an endpoint is switched off."""
    data = {"endpoint": name, "reason": why, "since": stamp(now)}
    return Event(
        event_id=event_id("endpoint.disabled", name, stamp(now)),
        account_id="",
        version=0,
        kind="endpoint.disabled",
        happened_at=now,
        body=envelope("endpoint.disabled", now, data),
    )


def enable(store: Store, name: str, *, now: datetime) -> None:
    """Switch an endpoint on again; what it missed is told by the daily state."""
    store.commit("deliveries", {"enabled": [name]}, at=now)
