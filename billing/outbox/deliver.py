"""Delivering what is due: read it, release the store, send, then record how it went.

Sending is at least once: a crash between sending and recording sends again, with the same id
(FAULTS H7). The store is not held while anybody is waited for.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import orjson

import sql
from billing.balance.appliers import DELIVERY_COLUMNS
from billing.balance.events import Event, envelope, event_id
from billing.balance.rows import (
    EVENT_COLUMNS,
    Row,
    as_effect,
    event_row,
)
from billing.instants import aware_or_none, exact_text, naive, naive_or_none, stamp
from billing.outbox.address import Resolver, resolve
from billing.outbox.daily_state import record_state_now
from billing.outbox.retry import next_attempt
from billing.outbox.sending import Due, Outcome, SendingRound, never, send_all
from billing.outbox.settings import HOOK, DeliverySettings, read_delivery
from billing.outbox.undone import Undone, endpoints, undone
from billing.outbox.webhook import Attempt, AttemptResult
from billing.store.store import PATIENCE_SECONDS, Opener, Store
from edge.crash_point import crash_point
from edge.durable import FileLock
from edge.errors import ConfigError, InputError

NEW_HOURS = 76
"""An event nobody tried to deliver for longer than this is history: the daily state tells it."""
FARTHEST_HOURS = 30
"""No retry lies farther ahead: one that does was noted by a clock that ran fast, and is due now."""
ROUND_MAX = 5000
RECORD_WAIT_SECONDS = 120
"""What was sent must be noted, or it is sent again: whoever holds the store is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """An event that was told for the first time in this round, and how it went where."""

    event_id: str
    kind: str
    account_id: str
    previous: str
    state: str
    reason: str
    went: Mapping[str, str]
    """Status by endpoint."""

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a round came to: counts by status, endpoints that were switched off, wrong settings,
    what was told for the first time, and what has not reached its endpoint.
    """

    counts: dict[str, int]
    disabled: tuple[str, ...] = ()
    problems: tuple[ConfigError, ...] = ()
    told: tuple[ToldEvent, ...] = ()
    undone: tuple[Undone, ...] = ()

    @property
    def lost(self) -> tuple[Undone, ...]:
        """The endpoints for which a person is needed."""
        return tuple(one for one in self.undone if one.lost)


def ignore(_store: Store) -> None:
    """What is done with the store after recording where nothing more is asked of it."""


def deliver(
    home: Path,
    *,
    open_store: Opener,
    now: datetime,
    jitter_permille: Callable[[], int],
    resolver: Resolver = resolve,
    stop: Callable[[], bool] = never,
    recorded: Callable[[Store], None] = ignore,
) -> Delivered:
    """Send everything that is due and record it; endpoints that fail are tried again later.

    One at a time: who tells holds a lock of its own from reading what is due until it is recorded,
    so that a cron line beside the daemon tells nobody twice; Busy when the other takes too long.
    `stop`: asked while waiting; once it says so, nothing more is begun. Messages whose settings are
    wrong wait, and what is wrong comes back as `problems`: it never keeps the others from being
    recorded, since what is not recorded is sent again. `recorded` gets the store then.
    """
    settings = read_delivery(home)
    with FileLock(home / "delivery.lock", "billing delivery", wait_seconds=PATIENCE_SECONDS):
        with open_store(home, owner="billing delivery", now=now) as store:
            due = due_now(store.connection, settings, now=now)
            known = undone(store.connection, settings, now=now)
        if not due:
            return Delivered(counts={}, undone=known)
        this = SendingRound(
            home=home,
            settings=settings,
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
            known = undone(store.connection, settings, now=now)
            recorded(store)
    return replace(done, problems=sent.problems, undone=known)


def due_now(
    connection: duckdb.DuckDBPyConnection, settings: DeliverySettings, *, now: datetime
) -> tuple[Due, ...]:
    """What must be sent now, the oldest first, filtered by what each endpoint takes."""
    connection.execute(sql.text("statements/balance/outbox/make_endpoints"))
    for name in endpoints(settings):
        connection.execute(sql.text("statements/balance/outbox/add_endpoint"), {"endpoint": name})
    result = connection.execute(
        sql.text("statements/balance/outbox/due"),
        {
            "now": naive(now),
            "not_before": naive(now - timedelta(hours=NEW_HOURS)),
            "farthest": naive(now + timedelta(hours=FARTHEST_HOURS)),
            "most": ROUND_MAX,
        },
    )
    return tuple(
        replace(one, first_at=aware_or_none(one.first_at)) for one in sql.rows(result, Due)
    )


def record(
    store: Store,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    jitter_permille: Callable[[], int],
) -> Delivered:
    """Record one round in the journal: how each went, which endpoints are off from now."""
    rows: list[Row] = []
    off: dict[str, str] = {}
    put_off: list[Due] = []
    for one, attempt in outcomes:
        if attempt.result is AttemptResult.PUT_OFF:
            put_off.append(one)
            continue
        row = row_of(one, attempt, now=now, jitter_permille=jitter_permille())
        rows.append(row)
        lost = row["status"] == "given_up" and is_dead(store.connection, one)
        if attempt.result is AttemptResult.GONE or lost:
            off.setdefault(one.endpoint, attempt.answer)
    rows += [put_off_row(one, rows, now=now) for one in put_off]
    events = [endpoint_event(name, why, now=now) for name, why in sorted(off.items())]
    effects: dict[str, object] = {"deliveries": as_effect(rows, DELIVERY_COLUMNS)}
    if off:
        effects["disabled"] = [
            {"endpoint": name, "disabled_at": exact_text(now), "reason": why}
            for name, why in sorted(off.items())
        ]
        effects["events"] = as_effect([event_row(event) for event in events], EVENT_COLUMNS)
    if rows:
        store.commit("deliveries", effects, at=now)
    counts = Counter(str(row["status"]) for row in rows)
    return Delivered(counts=dict(counts), disabled=tuple(sorted(off)), told=_told(outcomes, rows))


def _told(outcomes: Sequence[Outcome], rows: Sequence[Row]) -> tuple[ToldEvent, ...]:
    """The events about accounts that were tried for the first time, each once, in their order."""
    went: dict[str, dict[str, str]] = {}
    for row in rows:
        name, answer = str(row["endpoint"]), str(row["answer"])
        if not answer.startswith("not "):  # «not mailed»: this endpoint takes no such event
            went.setdefault(str(row["event_id"]), {})[name] = str(row["status"])
    firsts = {one.event_id: one for one, _ in outcomes if one.attempts == 0 and one.account_id}
    found = []
    for one in firsts.values():
        data = orjson.loads(one.body)["data"]
        found.append(
            ToldEvent(
                event_id=one.event_id,
                kind=one.kind,
                account_id=one.account_id,
                previous=str(data.get("previous") or ""),
                state=str(data.get("state") or one.kind),
                reason=str(data.get("reason") or ""),
                went=went.get(one.event_id, {}),
            )
        )
    return tuple(found)


def is_dead(connection: duckdb.DuckDBPyConnection, one: Due) -> bool:
    """Whether a receiver that never took `one` took nothing else either since its first attempt.

    One message that a receiver chokes on must not cost it all the others.
    """
    if not one.endpoint.startswith(HOOK):
        return False
    (row,) = connection.execute(
        sql.text("statements/balance/outbox/took_since"),
        {"endpoint": one.endpoint, "since": naive_or_none(one.first_at)},
    ).fetchall()
    return not row[0]


def put_off_row(one: Due, rows: Sequence[Row], *, now: datetime) -> Row:
    """How an event waits that was not tried because others just failed at its endpoint."""
    again = [row["next_at"] for row in rows if row["endpoint"] == one.endpoint and row["next_at"]]
    return {
        "event_id": one.event_id,
        "endpoint": one.endpoint,
        "status": "waiting",
        "attempts": str(one.attempts),
        "first_at": exact_text(one.first_at or now),
        "next_at": max(again, default=exact_text(now + timedelta(minutes=5))),
        "answer": "put off: the receiver does not answer",
    }


def row_of(one: Due, attempt: Attempt, *, now: datetime, jitter_permille: int) -> Row:
    """How an event stands at an endpoint after an attempt."""
    attempts = one.attempts + 1
    again = None
    if attempt.result is AttemptResult.DELIVERED:
        status = "superseded" if attempt.answer.startswith("superseded") else "delivered"
    elif attempt.result is AttemptResult.GONE:
        status = "given_up"
    else:
        again = next_attempt(attempts=attempts, now=now, jitter_permille=jitter_permille)
        status = "waiting" if again else "given_up"
    return {
        "event_id": one.event_id,
        "endpoint": one.endpoint,
        "status": status,
        "attempts": str(attempts),
        "first_at": exact_text(one.first_at or now),
        "next_at": exact_text(again) if again else None,
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
    off = undone(store.connection, read_delivery(store.home), now=now)
    if endpoint not in {one.endpoint for one in off if one.off_since is not None}:
        raise InputError(f"{endpoint} is not switched off", "there is nothing to enable")
    store.commit("deliveries", {"enabled": [endpoint]}, at=now)
    record_state_now(store, now=now)
    return endpoint
