"""States of accounts: measure, decide, commit. Also what a person orders about one account.

`refresh` is called after every change of money and by `billing alerts`. SQL leaves out the accounts
that no rule could move; the pure decision judges the others; one journal record takes the new
states, their events and the grace clock in together. Nothing changed: nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import duckdb

import sql
from billing.balance import customer_alert_measures, figures
from billing.balance.events import Event, state_event
from billing.balance.grace_clock import GraceClock, differs, judge_trust
from billing.balance.records import AccountState, Act, Conditions, State
from billing.balance.rows import (
    ALERT_COLUMNS,
    EVENT_COLUMNS,
    STATE_COLUMNS,
    alert_row,
    as_effect,
    clock_row,
    event_row,
    state_row,
)
from billing.balance.settings import BalanceSettings, read_settings
from billing.balance.state_rules import apply_order, decide
from billing.instants import aware, stamp
from billing.store.store import Store
from edge.errors import InputError

FEED_AHEAD = timedelta(hours=1)
"""So far may the clock of a payment feed be ahead of ours."""
# Records that move the figures or the state of the accounts they name, and of no other.
_OF_FEW_ACCOUNTS = frozenset(
    {"load", "transfers", "payments", "account_states", "account_act", "invoice_paid", "deliveries",
     "full_state"}
)  # fmt: skip
# Session and journal number at which an open store's figures were computed, and of which accounts.
_Measured = tuple[int, int, frozenset[str] | None]
_figures_of: WeakKeyDictionary[Store, _Measured] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What one judgement of the accounts came to."""

    at: datetime
    journal_no: int | None
    """The record that took the changes in; None: nothing changed."""
    changed: tuple[AccountState, ...]
    unverified: str | None
    events: tuple[Event, ...]


def refresh(
    store: Store,
    *,
    now: datetime,
    payments_through: datetime | None = None,
    settings: BalanceSettings | None = None,
    accounts: Collection[str] | None = None,
) -> Refreshed:
    """Judge the accounts at `now` and record what changed, in one journal record.

    `payments_through`: the payment feed's promise that all payments up to then have been posted.
    `accounts`: only these, since a change of money touched no other; None: every account.
    The session's table account_figures holds their figures afterwards.
    """
    settings = settings or read_settings(store.home)
    if payments_through is not None and payments_through > now + FEED_AHEAD:
        raise InputError(
            f"payments up to {stamp(payments_through)} cannot be posted yet",
            "a promise is never taken back, and while it stands no late feed is noticed: promise"
            " what is over",
        )
    old, clock = gather(store, now=now, payments_through=payments_through, settings=settings)
    conditions = measure(store, clock, now=now, accounts=accounts)
    cases = figures.cases(store.connection, settings, everyone=accounts is not None)
    states, events = _decided(cases, conditions)
    raised = customer_alert_measures.raised_alerts(
        store.connection,
        store.home,
        now=now,
        clock=clock,
        known_through=conditions.known_through,
        margin_percent=settings.hysteresis_percent,
        accounts=accounts,
    )
    events += [one.event for one in raised]
    effects = effects_of(states, events)
    if raised:
        effects["alerts"] = as_effect([alert_row(one) for one in raised], ALERT_COLUMNS)
    if differs(old, clock):
        effects["clock"] = clock_row(clock)
    session = store.sessions
    number = store.commit("account_states", effects, at=now) if effects else None
    measured = None if accounts is None else frozenset(accounts)
    _figures_of[store] = session, store.journal.last_no, measured
    return Refreshed(
        at=now,
        journal_no=number,
        changed=tuple(states),
        unverified=clock.unverified,
        events=tuple(events),
    )


def prepare_lake(store: Store, *, now: datetime, accounts: Collection[str] | None = None) -> None:
    """Make what the lake's account_states reads: the figures of these accounts, or of all.

    `accounts` are those that records touched since the table was written whole: one payment must
    not cost a look at every account.
    """
    few = None if accounts is None else frozenset(accounts)
    here = store.sessions, store.journal.last_no
    if _figures_of.get(store) not in ((*here, None), (*here, few)):
        settings = read_settings(store.home)
        _old, clock = gather(store, now=now, payments_through=None, settings=settings)
        measure(store, clock, now=now, accounts=accounts)
        _figures_of[store] = (*here, few)


def touched(store: Store, since: int) -> list[str] | None:
    """The accounts whose rows may be others than at journal record `since`; None: any may, or all
    were measured now.
    """
    if _figures_of.get(store) == (store.sessions, store.journal.last_no, None):
        return None
    for record in store.journal.records(after=since):
        changes_all = {"clock", "account_dates"} & record.effects.keys()
        if record.kind not in _OF_FEW_ACCOUNTS or changes_all:
            return None
    rows = store.connection.execute(
        sql.text("statements/balance/states/touched"),
        {"since": since, "most": figures.APART_MAX + 1},
    ).fetchall()
    return None if len(rows) > figures.APART_MAX else [account_id for (account_id,) in rows]


def gather(
    store: Store,
    *,
    now: datetime,
    payments_through: datetime | None,
    settings: BalanceSettings,
) -> tuple[GraceClock, GraceClock]:
    """The grace clock as recorded, and as it is at `now`."""
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


def measure(
    store: Store,
    clock: GraceClock,
    *,
    now: datetime,
    accounts: Collection[str] | None = None,
    moved: Mapping[str, int] | None = None,
) -> Conditions:
    """Fill account_figures, of all accounts or some; what is true for all of them at `now`.

    `moved`: by how much the funds of each account grow in the record about to be written, which
    then is the ledger version; only these accounts are measured.
    """
    _figures_of.pop(store, None)
    figures.compute(
        store.connection,
        store.home,
        now=now,
        usage_through=clock.usage_through,
        accounts=accounts,
        moved=moved,
    )
    conditions = Conditions(
        now=now,
        ledger_version=store.journal.last_no + (1 if moved else 0),
        verified_seconds=clock.verified_seconds,
        unverified=clock.unverified,
        usage_through=clock.usage_through,
        payments_through=clock.payments_through,
    )
    return figures.with_open_hours(store.connection, conditions)


def _decided(
    cases: Iterable[figures.Case], conditions: Conditions
) -> tuple[list[AccountState], list[Event]]:
    """The states that change, and the event of each."""
    states: list[AccountState] = []
    events: list[Event] = []
    for known, prior, terms in cases:
        decided = decide(known, prior, terms, conditions)
        if decided is not None:
            states.append(decided)
            events.append(state_event(decided, currency=known.currency))
    return states, events


@dataclass(frozen=True, slots=True, kw_only=True)
class _CurrentRow:
    """Row of `current`."""

    account_id: str
    version: int
    state: str
    since: datetime
    reason: str


def current_state(connection: duckdb.DuckDBPyConnection, account_id: str) -> AccountState:
    """How an account stands; one that never left `ok` has no reason and no time."""
    result = connection.execute(
        sql.text("statements/balance/states/current"), {"account_id": account_id}
    )
    row = sql.row(result, _CurrentRow)
    if row is None:
        return AccountState(account_id=account_id)
    return AccountState(
        account_id=account_id,
        version=row.version,
        state=State(row.state),
        since=aware(row.since),
        reason=row.reason,
    )


def order(store: Store, account_id: str, act: Act, *, now: datetime) -> AccountState:
    """Carry out what a person ordered about one account, and record who and why.

    First everything that is due for it is recorded, so that the order meets the account as it
    stands now. InputError: no such account. ConflictError: the order may not be followed, with the
    reason.
    """
    settings = read_settings(store.home)
    refresh(store, now=now, settings=settings, accounts=[account_id])
    _old, clock = gather(store, now=now, payments_through=None, settings=settings)
    conditions = measure(store, clock, now=now, accounts=[account_id])
    found = next(figures.cases(store.connection, settings, everyone=True), None)
    if found is None:
        raise InputError(f"there is no account {account_id!r}", "see: edgetoll billing accounts")
    known, prior, terms = found
    decided = apply_order(act, known, prior, terms, conditions)
    effects = effects_of([decided], [state_event(decided, currency=known.currency)])
    effects["act"] = {"by": act.by, "reason": act.reason, "suspend": act.suspend}
    store.commit("account_act", effects, at=now)
    return decided


def funding_effects(store: Store, moved: Mapping[str, int], *, now: datetime) -> dict[str, object]:
    """The state effects of a change of funds, to travel in the record that changes them.

    `moved`: per account, by how much its cash, vouchers or credit limit grow (10^-10 units, may
    be negative). The evidence names the record about to be written as its ledger version.
    """
    moved = {account_id: amount for account_id, amount in moved.items() if amount}
    if not moved:
        return {}
    settings = read_settings(store.home)
    _old, clock = gather(store, now=now, payments_through=None, settings=settings)
    conditions = measure(store, clock, now=now, moved=moved)
    # Of many, only those are judged whose state any rule could move.
    few = len(moved) <= figures.APART_MAX
    cases = figures.cases(store.connection, settings, everyone=few)
    return effects_of(*_decided((one for one in cases if one[0].account_id in moved), conditions))


def effects_of(states: Sequence[AccountState], events: Sequence[Event]) -> dict[str, object]:
    """States and events as effects of a record; none of them: no effects."""
    effects: dict[str, object] = {}
    if states:
        effects["states"] = as_effect([state_row(one) for one in states], STATE_COLUMNS)
    if events:
        effects["events"] = as_effect([event_row(one) for one in events], EVENT_COLUMNS)
    return effects
