"""The spine: what follows every change of money, in one order, for the accounts it touched.

The checks of the record come first, since nobody moves to suspension while one is red (FAULTS U3).
Then payments settle invoices, accounts are judged, the stop list, what edges are told of accounts
and the owned names are written, and the lake is published. Who pays is off the list before the
command ends. Each step finds in the store what it has to do, so that following up twice, or after a
crash, changes nothing more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from billing.accounts.owned_names import OWNED_NAMES, publish_owned_domains
from billing.appliers import open_store
from billing.balance import figures, states
from billing.checks import invariants, red
from billing.https import edge_accounts, edge_facts, expiry
from billing.invoices import payments
from billing.lake import publish
from billing.outbox import daily_state, stop_list, stop_topic
from billing.outbox.settings import read_delivery
from billing.store.store import PATIENCE_SECONDS, Store
from edge.crash_point import crash_point
from edge.terminal import warn

RED_HINT = "no account moves to suspension meanwhile; run edgetoll check"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedUp:
    """What followed a change of money: the check that is red in one line (None: none), how many
    invoices changed their standing, and how the accounts were judged.
    """

    red: str | None
    settled: int
    judged: states.Refreshed


@contextmanager
def changing(
    home: Path, *, owner: str, at: datetime, wait_seconds: int = PATIENCE_SECONDS
) -> Iterator[Store]:
    """The billing store for a command that may change money. Where a broker is set it hears which
    names are stopped once the store is closed: nobody waits for a broker with the store in hand.
    """
    with open_store(home, owner=owner, now=at, wait_seconds=wait_seconds) as store:
        yield store
    stop_topic.follow(home)


def follow_up(
    store: Store,
    *,
    at: datetime,
    accounts: Collection[str] | None = None,
    record: int | None = None,
    payments_through: datetime | None = None,
    daily: bool = False,
    owners: bool = False,
    new: bool = True,
) -> FollowedUp:
    """Do everything that follows a change of money of `accounts` (None: of everybody).

    `record`: the journal record to hold the checks against. `payments_through`: the payment feed's
    promise. `daily`: also put the day's message on all states into the outbox, if it is due.
    `owners`: domains changed hands. `new`: something did change; a command that found all of it
    stored already (False) judges nobody as at a time before the last judgement.
    """
    failing = check_record(store, record, at=at)
    settled = payments.settle(
        store, at=at, accounts=None if accounts is None else sorted(set(accounts))
    )
    if not new and is_past(store.connection, at):
        accounts = ()
    if accounts is None:
        _hear_edges(store, at=at)
    judged = _judge(store, accounts, at=at, payments_through=payments_through)
    crash_point("rate-judged")
    if daily:
        due_hour = read_delivery(store.home).daily_state_hour
        daily_state.record_daily_state(store, now=at, due_hour=due_hour)
    stop_list.publish(store, now=at)
    edge_accounts.publish(store, now=at, everyone=owners or accounts is None)
    names = store.home.joinpath("lake", OWNED_NAMES)
    if owners or accounts is None or not names.exists():
        publish_owned_domains(store, names)
    publish.publish(store)
    return FollowedUp(red=failing, settled=settled, judged=judged)


def _hear_edges(store: Store, *, at: datetime) -> None:
    """Take in what edges told of HTTPS, and whose TLS certificate will expire."""
    for trouble in edge_facts.take_in(store, at=at):
        warn(trouble)
    expiry.record(store, now=at)


def check_record(store: Store, record: int | None, *, at: datetime) -> str | None:
    """Hold the checks against one journal record; says which is red, None if none is.

    What is red is noted before anybody is judged; `edgetoll check` notes it green again.
    """
    failures = invariants.run(store.connection, scope=record) if record else []
    if not failures or record is None:
        return None
    red.note_record(store.home, failures, record=record, at=at)
    return f"check {failures[0].check} is red after record {record}: {failures[0].what}"


def is_past(connection: duckdb.DuckDBPyConnection, at: datetime) -> bool:
    """True when accounts were judged after `at` already."""
    judged_at = figures.read_clock(connection).judged_at
    return judged_at is not None and at < judged_at


def _judge(
    store: Store,
    accounts: Collection[str] | None,
    *,
    at: datetime,
    payments_through: datetime | None,
) -> states.Refreshed:
    if accounts is not None and not accounts:
        return states.Refreshed(at=at, journal_no=None, changed=(), unverified=None, events=())
    return states.refresh(store, now=at, payments_through=payments_through, accounts=accounts)
