"""States of all accounts: compute, decide, commit. Also what a person orders about one account.

`refresh` is called after every rating run and by `billing alerts`. SQL finds the accounts whose
state would change; the pure decision judges only those; one journal record takes the new standings,
their events and the clock in together. Nothing changed: nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import sql
from billing.balance import alerts, figures
from billing.balance.events import Event, state_event
from billing.balance.grace_clock import Clock, differs, judge_trust
from billing.balance.records import Act, Moment, Standing, State
from billing.balance.rows import (
    ALERT_COLUMNS,
    EVENT_COLUMNS,
    STATE_COLUMNS,
    alert_row,
    as_effect,
    aware,
    clock_row,
    event_row,
    state_row,
)
from billing.balance.settings import BalanceSettings, read_settings
from billing.balance.state_rules import decide, obey
from billing.store.store import Store
from edge.errors import InputError

# The journal number that an open store's figures were computed at: nothing is computed twice.
_figures_of: WeakKeyDictionary[Store, tuple[int, int]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What one look at all accounts came to."""

    at: datetime
    journal_no: int | None
    """The record that took the changes in; None: nothing changed."""
    changed: tuple[Standing, ...]
    unverified: str | None
    events: tuple[Event, ...]


def refresh(
    store: Store,
    *,
    now: datetime,
    payments_through: datetime | None = None,
    settings: BalanceSettings | None = None,
) -> Refreshed:
    """Judge every account at `now` and record what changed, in one journal record.

    `payments_through`: the payment feed's promise that all payments up to then have been posted.
    The session's table account_figures holds the figures afterwards, for commands and the lake.
    """
    settings = settings or read_settings(store.home)
    old, clock = look(store, now=now, payments_through=payments_through, settings=settings)
    moment = moment_of(clock, now=now, ledger_version=store.journal.last_no)
    figures.compute(store.connection, store.home, now=now, usage_through=clock.usage_through)
    moment = figures.known_through(store.connection, moment)
    standings: list[Standing] = []
    events: list[Event] = []
    for known, prior, policy in figures.cases(store.connection, settings, moment):
        standing = decide(known, prior, policy, moment)
        if standing is not None:
            standings.append(standing)
            events.append(state_event(standing, currency=known.currency))
    raised = alerts.raised_alerts(store.connection, store.home, now=now, clock=clock)
    events += [one.event for one in raised]
    effects = effects_of(standings, events)
    if raised:
        effects["alerts"] = as_effect([alert_row(one) for one in raised], ALERT_COLUMNS)
    if differs(old, clock):
        effects["clock"] = clock_row(clock)
    session = store.sessions
    number = store.commit("account_states", effects, at=now) if effects else None
    _figures_of[store] = session, store.journal.last_no
    return Refreshed(
        at=now,
        journal_no=number,
        changed=tuple(standings),
        unverified=clock.unverified,
        events=tuple(events),
    )


def prepare_lake(store: Store, *, now: datetime) -> None:
    """Bring the session's table account_figures up to date; the lake's account_states reads it."""
    if _figures_of.get(store) == (store.sessions, store.journal.last_no):
        return
    settings = read_settings(store.home)
    _old, clock = look(store, now=now, payments_through=None, settings=settings)
    figures.compute(store.connection, store.home, now=now, usage_through=clock.usage_through)
    _figures_of[store] = store.sessions, store.journal.last_no


def look(
    store: Store,
    *,
    now: datetime,
    payments_through: datetime | None,
    settings: BalanceSettings,
) -> tuple[Clock, Clock]:
    """The clock as recorded, and as it is at `now`."""
    old = figures.read_clock(store.connection)
    known = [at for at in (old.payments_through, payments_through) if at is not None]
    health = figures.read_health(store.connection, store.home, max(known, default=None))
    clock = judge_trust(
        health,
        old,
        now=now,
        usage_limit_hours=settings.usage_limit_hours,
        payments_limit_hours=settings.payments_limit_hours,
    )
    return old, clock


def moment_of(clock: Clock, *, now: datetime, ledger_version: int) -> Moment:
    """What is true for all accounts at `now`."""
    return Moment(
        now=now,
        ledger_version=ledger_version,
        verified_seconds=clock.verified_seconds,
        unverified=clock.unverified,
        usage_through=clock.usage_through,
        payments_through=clock.payments_through,
    )


def present(connection: Any, account_id: str) -> Standing:
    """How an account stands now; one that never left `ok` has no reason and no time."""
    row = connection.execute(
        sql.text("statements/balance/present_standing"), {"account_id": account_id}
    ).fetchone()
    if row is None:
        return Standing(account_id=account_id)
    version, state, since, reason = row
    return Standing(
        account_id=account_id,
        version=version,
        state=State(state),
        since=aware(since),
        reason=reason,
    )


def order(store: Store, account_id: str, act: Act, *, now: datetime) -> Standing:
    """Carry out what a person ordered about one account, and record who and why.

    First everything that is due is recorded, so that the order meets the account as it stands now.
    InputError: no such account. ConflictError: the order may not be followed, with the reason.
    """
    settings = read_settings(store.home)
    refresh(store, now=now, settings=settings)
    _old, clock = look(store, now=now, payments_through=None, settings=settings)
    moment = moment_of(clock, now=now, ledger_version=store.journal.last_no)
    moment = figures.known_through(store.connection, moment)
    found = next(figures.cases(store.connection, settings, moment, accounts=[account_id]), None)
    if found is None:
        raise InputError(f"there is no account {account_id!r}", "see: edgetoll billing accounts")
    known, prior, policy = found
    standing = obey(act, known, prior, policy, moment)
    effects = effects_of([standing], [state_event(standing, currency=known.currency)])
    effects["act"] = {"by": act.by, "reason": act.reason, "suspend": act.suspend}
    store.commit("account_act", effects, at=now)
    return standing


def funding_effects(store: Store, deltas: Mapping[str, int], *, now: datetime) -> dict[str, Any]:
    """The state effects of a change of funds, to travel in the record that changes them.

    `deltas`: per account, by how much its cash, vouchers or credit limit grow (10^-10 units, may
    be negative). The evidence names the record about to be written as its ledger version.
    """
    settings = read_settings(store.home)
    _old, clock = look(store, now=now, payments_through=None, settings=settings)
    moment = moment_of(clock, now=now, ledger_version=store.journal.last_no + 1)
    standings: list[Standing] = []
    events: list[Event] = []
    figures.compute(
        store.connection,
        store.home,
        now=now,
        usage_through=clock.usage_through,
        accounts=deltas.keys(),
    )
    moment = figures.known_through(store.connection, moment)
    for known, prior, policy in figures.cases(
        store.connection, settings, moment, accounts=deltas.keys()
    ):
        delta = deltas[known.account_id]
        moved = replace(known, available=known.available + delta)
        standing = decide(moved, prior, policy, moment) if delta else None
        if standing is not None:
            standings.append(standing)
            events.append(state_event(standing, currency=known.currency))
    return effects_of(standings, events)


def effects_of(standings: Sequence[Standing], events: Sequence[Event]) -> dict[str, Any]:
    """Standings and events as effects of a record; none of them: no effects."""
    effects: dict[str, Any] = {}
    if standings:
        effects["states"] = as_effect([state_row(one) for one in standings], STATE_COLUMNS)
    if events:
        effects["events"] = as_effect([event_row(one) for one in events], EVENT_COLUMNS)
    return effects
