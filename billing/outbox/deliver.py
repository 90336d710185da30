"""Delivering what is due: read it, release the store, send, then record how it went.

Sending is at least once: a crash between sending and recording sends again, with the same id
(FAULTS H7). The store is not held while anybody is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sql
from billing.balance.events import Event, envelope, event_id, stamp
from billing.balance.figures import run
from billing.balance.rows import EVENT_COLUMNS, as_effect, aware, event_row, naive, text_time
from billing.outbox.address import Resolver, resolve
from billing.outbox.appliers import DELIVERY_COLUMNS
from billing.outbox.daily_state import record_state_now
from billing.outbox.retry import next_attempt
from billing.outbox.sending import FILE, HOOK, MAIL, Due, Outcome, Round, never, send_all
from billing.outbox.settings import DeliverySettings, read_delivery
from billing.outbox.webhook import Attempt, Result
from billing.store.store import Opener, Store
from edge.crash_point import crash_point
from edge.errors import ConfigError, InputError

NEW_HOURS = 76
"""An event nobody tried to deliver for longer than this is history: the daily state tells it."""
FARTHEST_HOURS = 30
"""No retry lies farther ahead: one that does was noted by a clock that ran fast, and is due now."""
ROUND_MAX = 5000
RECORD_WAIT_SECONDS = 120
"""What was sent must be noted, or it is sent again: whoever holds the store is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a round came to: counts by status, endpoints that were switched off, wrong settings."""

    counts: dict[str, int]
    disabled: tuple[str, ...] = ()
    problems: tuple[ConfigError, ...] = ()


def deliver(
    home: Path,
    *,
    open_store: Opener,
    now: datetime,
    jitter_permille: Callable[[], int],
    resolver: Resolver = resolve,
    stop: Callable[[], bool] = never,
) -> Delivered:
    """Send everything that is due and record it; endpoints that fail are tried again later.

    `stop`: asked while waiting; once it says so, nothing more is begun. Messages whose settings are
    wrong wait, and what is wrong comes back as `problems`: it never keeps the others from being
    recorded, since what is not recorded is sent again.
    """
    settings = read_delivery(home)
    with open_store(home, owner="billing delivery", now=now) as store:
        due = due_now(store.connection, settings, now=now)
    if not due:
        return Delivered(counts={})
    this = Round(
        home=home,
        settings=settings,
        now=now,
        began=time.monotonic(),
        resolver=resolver,
        stop=stop,
    )
    sent = send_all(this, due)
    crash_point("delivery-sent")
    with open_store(
        home, owner="billing delivery", now=now, wait_seconds=RECORD_WAIT_SECONDS
    ) as store:
        done = record(store, sent.outcomes, now=now, jitter_permille=jitter_permille)
    return replace(done, problems=sent.problems)


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
            "farthest": naive(now + timedelta(hours=FARTHEST_HOURS)),
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
    put_off: list[Due] = []
    for one, attempt in outcomes:
        if attempt.result is Result.PUT_OFF:
            put_off.append(one)
            continue
        row = row_of(one, attempt, now=now, jitter_permille=jitter_permille())
        rows.append(row)
        lost = row["status"] == "given_up" and is_dead(store.connection, one)
        if attempt.result is Result.GONE or lost:
            off.setdefault(one.endpoint, attempt.answer)
    rows += [put_off_row(one, rows, now=now) for one in put_off]
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


def is_dead(connection: Any, one: Due) -> bool:
    """Whether a receiver that never took `one` took nothing else either since its first attempt.

    One message that a receiver chokes on must not cost it all the others.
    """
    if not one.endpoint.startswith(HOOK):
        return False
    row = connection.execute(
        sql.text("statements/balance/took_since"),
        {"endpoint": one.endpoint, "since": naive(one.first_at)},
    ).fetchone()
    return row is None or not row[0]


def put_off_row(one: Due, rows: Sequence[dict[str, Any]], *, now: datetime) -> dict[str, Any]:
    """How an event waits that was not tried because others just failed at its endpoint."""
    again = [row["next_at"] for row in rows if row["endpoint"] == one.endpoint and row["next_at"]]
    return {
        "event_id": one.event_id,
        "endpoint": one.endpoint,
        "status": "waiting",
        "attempts": str(one.attempts),
        "first_at": text_time(one.first_at or now),
        "next_at": max(again, default=text_time(now + timedelta(minutes=5))),
        "answer": "put off: the receiver does not answer",
    }


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


def enable(store: Store, name: str, *, now: datetime) -> str:
    """Switch a webhook on again and tell it at once how all accounts stand; returns its endpoint.

    InputError: the settings have no webhook of that name, or it is not switched off.
    """
    known = endpoints(read_delivery(store.home))
    endpoint = name if name in known else HOOK + name
    if endpoint not in known:
        raise InputError(f"there is no endpoint {name!r}", f"the settings have {', '.join(known)}")
    off = store.connection.execute(sql.text("statements/balance/disabled_endpoints")).fetchall()
    if endpoint not in {row[0] for row in off}:
        raise InputError(f"{endpoint} is not switched off", "there is nothing to enable")
    store.commit("deliveries", {"enabled": [endpoint]}, at=now)
    record_state_now(store, now=now)
    return endpoint
