"""The independent auditor: judges every state the product ever decided, by the money moves alone.

It shares no code with the product: plain lists and dicts, naive loops. What it knows is the trace
of the simulator (who paid and was charged what, in which journal record; when somebody looked and
whether the figures could be trusted then) and what stands in the tables at the end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.simulation.population import Customer
from tests.simulation.simulator import Simulation

ARREARS = {"overdue", "suspend_due", "suspended", "released"}
FLAGGED = {"suspend_due", "suspended", "released"}
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Version:
    """One row of the history."""

    account_id: str
    version: int
    state: str
    previous: str
    since: datetime
    ledger_version: int
    journal_no: int


@dataclass(frozen=True)
class Report:
    """What was checked, so that a run that checked nothing is seen."""

    versions: int
    flags: int
    liveness_checks: int
    payments_that_cleared: int
    events: int


def audit(simulation: Simulation) -> Report:
    """Raise AssertionError at the first thing that is wrong; else say how much was checked."""
    history = read_history(simulation)
    by_account: dict[str, list[Version]] = {c.account_id: [] for c in simulation.customers}
    for one in history:
        by_account[one.account_id].append(one)
    flags = liveness = cleared = 0
    moves: dict[str, list[tuple[int, datetime, int]]] = {}
    for number, at, account_id, amount in simulation.trace.moves:
        moves.setdefault(account_id, []).append((number, at, amount))
    for customer in simulation.customers:
        mine = moves.get(customer.account_id, [])
        versions = by_account[customer.account_id]
        check_versions(versions)
        flags += check_flags(customer, versions, mine, simulation.trace.looks)
        liveness += check_liveness(customer, versions, mine, simulation.trace.looks)
        cleared += check_payments(customer, versions, mine)
    events = check_events(simulation, history)
    return Report(
        versions=len(history),
        flags=flags,
        liveness_checks=liveness,
        payments_that_cleared=cleared,
        events=events,
    )


def read_history(simulation: Simulation) -> list[Version]:
    """Every standing ever decided, in order."""
    rows = simulation.store.connection.execute(
        "SELECT account_id, version, state, previous, since, ledger_version, journal_no"
        " FROM account_state_history ORDER BY account_id, version"
    ).fetchall()
    return [Version(*row[:4], row[4].replace(tzinfo=UTC), *row[5:]) for row in rows]


def check_versions(versions: list[Version]) -> None:
    """U5: versions are 1..n, each a change of state, times never go back."""
    before = "ok"
    for place, one in enumerate(versions, start=1):
        assert one.version == place, one
        assert one.previous == before, one
        assert one.state != before, one
        assert place == 1 or versions[place - 2].since <= one.since, one
        before = one.state


def balance_at(customer: Customer, moves: list[tuple[int, datetime, int]], number: int) -> int:
    """Balance + credit at a ledger version, added up by hand."""
    return customer.credit_limit + sum(amount for no, _at, amount in moves if no <= number)


def check_flags(
    customer: Customer,
    versions: list[Version],
    moves: list[tuple[int, datetime, int]],
    looks: list[tuple[datetime, int, bool]],
) -> int:
    """U1, U3: each flag is justified by the version it names, on trusted figures, in its time."""
    flags = 0
    for one in versions:
        if one.state in ARREARS:
            assert balance_at(customer, moves, one.ledger_version) < 0, (one, "U1")
        if one.state in FLAGGED:
            flags += 1
            assert not bad_at(looks, one.since), (one, "U3")
        if one.state in FLAGGED and one.previous not in FLAGGED:
            start = arrears_began(customer, moves, one.ledger_version)
            most = trusted_at_most(looks, start, one.since)
            assert most >= customer.grace_hours * HOUR, (one, start, most, "too early")
        if one.previous in {"suspended", "released"} and one.state not in FLAGGED:
            assert balance_at(customer, moves, one.ledger_version) >= 0, (one, "resumed unpaid")
        if one.state == "released":
            stopped = versions[one.version - 2]
            assert one.since - stopped.since >= timedelta(days=30), (one, "released early")
    return flags


def arrears_began(
    customer: Customer, moves: list[tuple[int, datetime, int]], number: int
) -> datetime:
    """When balance + credit last fell below zero, as of a ledger version."""
    total, began = customer.credit_limit, None
    for no, at, amount in moves:
        if no > number:
            break
        total += amount
        if total >= 0:
            began = None
        elif began is None:
            began = at
    assert began is not None, "asked only for debtors"
    return began


def bad_at(looks: list[tuple[datetime, int, bool]], at: datetime) -> bool:
    """Whether the figures could not be trusted at the look that was at `at`."""
    found = [bad for when, _no, bad in looks if when == at]
    assert found, f"nobody looked at {at}"
    return all(found)


def trusted_at_most(
    looks: list[tuple[datetime, int, bool]], start: datetime, end: datetime
) -> timedelta:
    """The most that can count as grace: all time but what began with an untrusted look."""
    total = timedelta()
    for (t0, _n0, bad), (t1, _n1, _b1) in pairwise(looks):
        low, high = max(t0, start), min(t1, end)
        if low < high and not bad:
            total += high - low
    return total


def check_liveness(
    customer: Customer,
    versions: list[Version],
    moves: list[tuple[int, datetime, int]],
    looks: list[tuple[datetime, int, bool]],
) -> int:
    """U2: a debt older than grace + 1 h of trusted time is flagged at the next trusted look.

    Time counts here only between two trusted looks at most an hour apart.
    """
    checked, total, place, seen = 0, customer.credit_limit, 0, 0
    trusted: timedelta | None = None
    state = "ok"
    before: tuple[datetime, bool] | None = None
    for at, number, bad in looks:
        if before is not None and trusted is not None:
            near = at - before[0] <= HOUR
            if near and not bad and not before[1]:
                trusted += at - before[0]
        while place < len(moves) and moves[place][0] <= number:
            total += moves[place][2]
            place += 1
            if total >= 0:
                trusted = None
            elif trusted is None:
                trusted = timedelta()
        while seen < len(versions) and versions[seen].journal_no <= number:
            state = versions[seen].state
            seen += 1
        if trusted is not None and not bad and trusted >= (customer.grace_hours + 1) * HOUR:
            checked += 1
            assert state in FLAGGED, (customer, at, state, trusted, "U2")
        before = (at, bad)
    return checked


def check_payments(
    customer: Customer, versions: list[Version], moves: list[tuple[int, datetime, int]]
) -> int:
    """U4: the record that brings the balance back to zero or above ends the arrears itself."""
    cleared, total = 0, customer.credit_limit
    for number, _at, amount in moves:
        was, total = total, total + amount
        if was < 0 <= total:
            present = [one for one in versions if one.journal_no <= number]
            assert not present or present[-1].state not in ARREARS, (customer, number, "U4")
            cleared += bool(present) and present[-1].journal_no == number
    return cleared


def check_events(simulation: Simulation, history: list[Version]) -> int:
    """Each crossing is one event with one id, and the receiver ends up with what is stored."""
    rows: list[Any] = simulation.store.connection.execute(
        "SELECT event_id, account_id, version, body, journal_no FROM outbox"
    ).fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    events = {(row[1], row[2]): row for row in rows}
    assert len(events) == len(rows) == len(history)
    for one in history:
        row = events[one.account_id, one.version]
        assert row[4] == one.journal_no, "event and state are one record"
        data = json.loads(row[3])["data"]
        assert (data["state"], data["ledger_version"]) == (one.state, one.ledger_version)
    told = simulation.trace.told
    assert set(told.bodies) <= {row[0] for row in rows}
    last = {one.account_id: (one.version, one.state) for one in history}
    recent = {name: value for name, value in last.items() if name in told.highest}
    assert told.highest == recent, "the last delivered is the stored state"
    return len(rows)
