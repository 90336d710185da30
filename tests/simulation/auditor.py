"""The independent auditor: judges every state the product ever decided, by the money moves alone.

It shares no code with the product: plain lists and dicts, naive loops. What it knows is the trace
of the simulator (who paid and was charged what, in which journal record; when somebody looked and
whether the figures could be trusted then) and what stands in the tables at the end.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.population import Customer
from tests.simulation.simulator import Simulation
from tests.simulation.trace import DAILY, HOURLY, PAYMENT, Look, Moves, seconds

ARREARS = {"overdue", "suspend_due", "suspended", "released"}
FLAGGED = {"suspend_due", "suspended", "released"}
HOUR = 3600


@dataclass(frozen=True)
class Version:
    """One row of the history. Times are seconds since 1970."""

    account_id: str
    version: int
    state: str
    previous: str
    since: int
    ledger_version: int
    journal_no: int
    evidence: dict[str, Any]


class Account:
    """What the auditor knows of one customer: the balance after each move."""

    def __init__(self, customer: Customer, moves: Moves) -> None:
        self.customer = customer
        self.moves = moves
        sums = accumulate(moves.amounts, initial=customer.credit_limit)
        self.after = list(sums)
        """after[n]: balance + credit once the first n moves have happened."""

    def upto(self, number: int) -> int:
        """How many moves the journal holds up to record `number`."""
        return bisect_right(self.moves.numbers, number)

    def balance(self, number: int) -> int:
        """Balance + credit at a ledger version."""
        return self.after[self.upto(number)]

    def arrears_began(self, number: int) -> int:
        """When balance + credit last fell below zero, as of a ledger version."""
        place = self.upto(number)
        assert self.after[place] < 0, "asked only for debtors"
        while place > 0 and self.after[place - 1] < 0:
            place -= 1
        return self.moves.times[place - 1]

    def payable(self, number: int, after: int, through: int, kinds: set[int]) -> int:
        """Charges known at a ledger version whose periods ended in (after, through]."""
        total = 0
        for place in range(self.upto(number) - 1, -1, -1):
            if self.moves.times[place] <= after:
                break  # what was posted before cannot belong to a period that ended later
            if (
                self.moves.kinds[place] in kinds
                and after < self.moves.period_ends[place] <= through
            ):
                total -= self.moves.amounts[place]
        return total


class Looks:
    """When somebody looked, and whether the figures could be trusted."""

    def __init__(self, looks: list[Look]) -> None:
        self.all = looks
        self.times = [one.at for one in looks]
        assert self.times == sorted(self.times)

    def bad_at(self, at: int) -> bool:
        """Whether the figures could not be trusted at the look that was at `at`."""
        first, last = bisect_left(self.times, at), bisect_right(self.times, at)
        assert first < last, f"nobody looked at {at}"
        return all(one.bad for one in self.all[first:last])

    def trusted_at_most(self, start: int, end: int) -> int:
        """The most that can count as grace: all time but what began with an untrusted look."""
        total = 0
        for place in range(max(0, bisect_right(self.times, start) - 1), len(self.all) - 1):
            low = max(self.times[place], start)
            if low >= end:
                break
            if not self.all[place].bad:
                total += max(0, min(self.times[place + 1], end) - low)
        return total


def audit(simulation: Simulation) -> Counter[str]:
    """Raise AssertionError at the first thing that is wrong; else say how much was checked."""
    history = read_history(simulation)
    by_account: dict[str, list[Version]] = {c.account_id: [] for c in simulation.customers}
    for one in history:
        by_account[one.account_id].append(one)
    looks = Looks(simulation.trace.looks)
    checked: Counter[str] = Counter()
    for customer in simulation.customers:
        account = Account(customer, simulation.trace.moves[customer.account_id])
        versions = by_account[customer.account_id]
        check_versions(versions)
        checked["flags justified"] += check_flags(account, versions, looks)
        checked["evidence recomputed"] += check_evidence(account, versions, simulation.trace.rated)
        checked["debts seen flagged in time"] += check_liveness(account, versions, looks)
        checked["payments that cleared arrears"] += check_payments(account, versions)
        for one in versions:
            checked[f"to {one.state}"] += 1
    checked["events"] = check_events(simulation, history)
    checked["states decided"] = len(history)
    return checked


def read_history(simulation: Simulation) -> list[Version]:
    """Every standing ever decided, in order."""
    rows = simulation.store.connection.execute(
        "SELECT account_id, version, state, previous, since, ledger_version, journal_no, evidence"
        " FROM account_state_history ORDER BY account_id, version"
    ).fetchall()
    return [Version(*row[:4], seconds(row[4]), *row[5:7], json.loads(row[7])) for row in rows]


def check_versions(versions: list[Version]) -> None:
    """U5: versions are 1..n, each a change of state, times never go back."""
    before = "ok"
    for place, one in enumerate(versions, start=1):
        assert one.version == place, (one, "version")
        assert one.previous == before, (one, "previous")
        assert one.state != before, (one, "no change")
        assert place == 1 or versions[place - 2].since <= one.since, (one, "back in time")
        before = one.state


def check_evidence(account: Account, versions: list[Version], rated: list[tuple[int, int]]) -> int:
    """What each version says it rests on is what the moves say, and gives its state.

    A payment's own record is judged with the money it brings and with the usage before it.
    """
    numbers = [number for number, _through in rated]
    for one in versions:
        said, number = one.evidence, one.ledger_version
        have = account.balance(number)
        assert int(said["available"]) == have, (one, have, "available")
        place = bisect_right(numbers, number)
        if place == 0:
            continue
        through = rated[place - 1][1]
        week = account.payable(number, through - 7 * HOUR, through, {HOURLY})
        assert int(said["payable_7_hours"]) == week, (one, week, "payable of 7 hours")
        day = 0
        if account.customer.daily:
            begin, end = last_local_day(through, account.customer.zone)
            day = account.payable(number, begin, end, {HOURLY, DAILY})
        assert int(said["payable_day"]) == day, (one, day, "payable of the day")
        low = 7 * have < 3 * week or have < day
        # Once low, it stays so until a tenth above the limit.
        nearly = 70 * have < 33 * week or 10 * have < 11 * day
        if one.state == "ok":
            assert have >= 0, (one, "is not ok but owes")
            assert not low, (one, "is not ok")
        if one.state == "low_balance":
            assert have >= 0, (one, "is not low but owes")
            assert nearly, (one, "is not low")
    return len(versions)


def last_local_day(at: int, zone: str) -> tuple[int, int]:
    """The last whole day of a zone that was over at `at`: its two midnights."""
    where = ZoneInfo(zone)
    today = datetime.fromtimestamp(at, tz=where).date()
    bounds = (today - timedelta(days=1), today)
    first, last = (datetime(d.year, d.month, d.day, tzinfo=where).astimezone(UTC) for d in bounds)
    return seconds(first), seconds(last)


def check_flags(account: Account, versions: list[Version], looks: Looks) -> int:
    """U1, U3: each flag is justified by the version it names, on trusted figures, in its time."""
    flags = 0
    for one in versions:
        if one.state in ARREARS:
            assert account.balance(one.ledger_version) < 0, (one, "U1")
        if one.state in FLAGGED:
            flags += 1
            assert not looks.bad_at(one.since), (one, "U3")
        if one.state in FLAGGED and one.previous not in FLAGGED:
            start = account.arrears_began(one.ledger_version)
            most = looks.trusted_at_most(start, one.since)
            assert most >= account.customer.grace_hours * HOUR, (one, start, most, "too early")
        if one.previous in {"suspended", "released"} and one.state not in FLAGGED:
            assert account.balance(one.ledger_version) >= 0, (one, "resumed unpaid")
        if one.state == "released":
            stopped = versions[one.version - 2]
            assert one.since - stopped.since >= 30 * 24 * HOUR, (one, "released early")
    return flags


def check_liveness(account: Account, versions: list[Version], looks: Looks) -> int:
    """U2: a debt older than grace + 1 h of trusted time is flagged at the next trusted look, and
    whenever all accounts are looked at, those in arrears are the ones that owe.

    Looks are those at all accounts: one that judges only those who paid (others' payments while the
    daemon is down) sees nobody else's debt. Time counts here only between two trusted looks at most
    an hour apart.
    """
    checked = place = seen = 0
    trusted: int | None = None
    state, limit = "ok", (account.customer.grace_hours + 1) * HOUR
    numbers, after = account.moves.numbers, account.after
    before: Look | None = None
    for look in looks.all:
        if not look.everyone:
            continue
        if before is not None and trusted is not None:
            near = look.at - before.at <= HOUR
            if near and not look.bad and not before.bad:
                trusted += look.at - before.at
        while place < len(numbers) and numbers[place] <= look.number:
            place += 1
            if after[place] >= 0:
                trusted = None
            elif trusted is None:
                trusted = 0
        while seen < len(versions) and versions[seen].journal_no <= look.number:
            state = versions[seen].state
            seen += 1
        assert (after[place] < 0) == (state in ARREARS), (account.customer, look, state, "debt")
        if trusted is not None and not look.bad and trusted >= limit:
            checked += 1
            assert state in FLAGGED, (account.customer, look, state, trusted, "U2")
        before = look
    return checked


def check_payments(account: Account, versions: list[Version]) -> int:
    """U4: the record that brings the balance back to zero or above ends the arrears itself."""
    cleared = 0
    records = [one.journal_no for one in versions]
    for place, number in enumerate(account.moves.numbers):
        if account.after[place] < 0 <= account.after[place + 1]:
            assert account.moves.kinds[place] == PAYMENT, "only money ends a debt here"
            present = bisect_right(records, number)
            assert present == 0 or versions[present - 1].state not in ARREARS, (
                versions[present - 1], number, "U4",
            )  # fmt: skip
            cleared += present > 0 and records[present - 1] == number
    return cleared


def check_events(simulation: Simulation, history: list[Version]) -> int:
    """Each crossing is one event with one id, and the receiver ends up with what is stored: what is
    newer than what it has was given up, after every attempt failed.
    """
    rows: list[Any] = simulation.store.connection.execute(
        "SELECT event_id, account_id, version, body, journal_no FROM outbox"
    ).fetchall()
    assert len({row[0] for row in rows}) == len(rows), "an id stands twice"
    events = {(row[1], row[2]): row for row in rows}
    assert len(events) == len(rows), "a crossing has two events"
    for one in history:
        row = events.get((one.account_id, one.version))
        assert row is not None, (one, "has no event")
        assert row[4] == one.journal_no, (one, "event and state are not one record")
        data = json.loads(row[3])["data"]
        said = (data["state"], data["ledger_version"])
        assert said == (one.state, one.ledger_version), (one, "the event says otherwise")
    assert len(events) == len(history), "an event without a crossing"
    told = simulation.trace.told
    assert set(told.bodies) <= {row[0] for row in rows}, "told of what is not stored"
    crossings = {(one.account_id, one.version): one.state for one in history}
    for name, (version, state) in told.highest.items():
        assert crossings.get((name, version)) == state, (name, "was told another state")
    given_up = {event_id for (event_id,) in simulation.store.connection.execute(
        "SELECT event_id FROM deliveries WHERE status = 'given_up'").fetchall()}  # fmt: skip
    for name, version in crossings:
        newer = version > told.highest.get(name, (0, ""))[0]
        assert not newer or events[name, version][0] in given_up, (
            name, version, "the last delivered is not the stored state",
        )  # fmt: skip
    return len(rows)
