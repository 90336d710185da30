"""Goal: what credit pays, set-based over all accounts, is what the reference finds cost by cost.

Method: random costs, some below zero, and random credits with scopes that overlap; all at once,
and in two passes of which the second goes on from the month so far.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise

import duckdb
import pytest

from billing.rating.agreements import pay_by_credit
from tests.effort import THOROUGH
from tests.reference import Account, Credit, Rating

FIRST = datetime(2026, 2, 28, 20)  # noqa: DTZ001 (times here are UTC without a zone)
HOUR = timedelta(hours=1)
HOURS = 10
ENDS = (4, 5, HOURS)
LANES = [
    ("https_requests", "all"), ("data_transfer", "CN"), ("data_transfer", "NA"), ("plan", "all"),
]  # fmt: skip
ACCOUNTS = 40
Costs = dict[tuple[tuple[date, str, str], datetime], int]


def a_credit(dice: random.Random, name: str) -> Credit:
    starts = FIRST + dice.choice([-HOUR, timedelta(minutes=25), 3 * HOUR])
    return Credit(
        name,
        dice.choice([1, 9, 30, 1000]),
        dice.choice([(), (), ("https_requests",), ("data_transfer", "plan")]),
        dice.choice([(), (), ("all",), ("CN",), ("OverSeas", "all")]),
        dice.choice([1, 100]),
        starts,
        starts + dice.choice([HOUR, 5 * HOUR, 30 * HOUR]),
    )


def costs_of(dice: random.Random) -> Costs:
    """By lane and hour; a lane never ends a pass below zero, though it may be on its way."""
    falls = dice.choice([0, 0.2, 0.5])
    found: Costs = {}
    total: dict[tuple[date, str, str], int] = defaultdict(int)
    for number in range(HOURS):
        for item, region in LANES:
            lane = (date(2026, 2, 1) if number < 4 else date(2026, 3, 1), item, region)
            amount = dice.choice([0, 1, 7, 40])
            if dice.random() < falls:
                amount = -dice.randrange(total[lane] + 6)
            if number + 1 in ENDS:
                amount = max(amount, -total[lane])
            found[lane, FIRST + number * HOUR] = amount
            total[lane] += amount
    return found


def made(people: dict[int, tuple[Account, Costs]]) -> duckdb.DuckDBPyConnection:
    """What the chapter reads, of these accounts."""
    connection = duckdb.connect()
    connection.execute(
        "SET threads = 1;"
        "CREATE TABLE rating_parties (account_key BIGINT, account_id VARCHAR,"
        " replay_from TIMESTAMP, replay_month VARCHAR);"
        "CREATE TABLE rating_should_cost (account_key BIGINT, account_id VARCHAR, month VARCHAR,"
        " item VARCHAR, region VARCHAR, period_start TIMESTAMP, period_end TIMESTAMP,"
        " amount HUGEINT);"
        "CREATE TABLE month_state (account_id VARCHAR, month VARCHAR, item VARCHAR,"
        " region VARCHAR, rate_card VARCHAR, amount HUGEINT);"
        "CREATE TABLE agreements (agreement_id VARCHAR, account_id VARCHAR, kind VARCHAR,"
        " amount HUGEINT, items VARCHAR, regions VARCHAR, priority INTEGER, starts_at TIMESTAMP,"
        " ends_at TIMESTAMP);"
        "CREATE TABLE rating_agreed (account_key BIGINT, item VARCHAR, region VARCHAR,"
        " month VARCHAR, period_start TIMESTAMP, period_end TIMESTAMP, rate_card VARCHAR,"
        " term VARCHAR, amount HUGEINT)"
    )
    granted = [
        (one.credit_id, account.account_id, one.amount, ",".join(one.items),
         ",".join(one.regions), one.priority, one.starts, one.ends)
        for account, _ in people.values() for one in account.credits
    ]  # fmt: skip
    connection.executemany(
        "INSERT INTO agreements VALUES (?, ?, 'credit', ?, ?, ?, ?, ?, ?)", granted
    )
    return connection


def paid_in(
    connection: duckdb.DuckDBPyConnection,
    people: dict[int, tuple[Account, Costs]],
    hours: range,
    *,
    replays: bool,
) -> None:
    """One pass over these hours: what credit pays stands in rating_agreed and the month so far."""
    connection.execute("DELETE FROM rating_parties; DELETE FROM rating_should_cost")
    rows = [
        (key, account.account_id, f"{month:%Y-%m}", item, region, hour, hour + HOUR, amount)
        for key, (account, costs) in people.items()
        for ((month, item, region), hour), amount in costs.items()
        if (hour - FIRST) // HOUR in hours and amount
    ]
    connection.executemany("INSERT INTO rating_should_cost VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    since = FIRST if replays else None
    connection.executemany(
        "INSERT INTO rating_parties VALUES (?, ?, ?, ?)",
        [(key, one.account_id, since, since and "2026-02") for key, (one, _) in people.items()],
    )
    before = connection.table("rating_agreed").shape[0]
    pay_by_credit(connection, last_through=FIRST + hours.start * HOUR)
    connection.execute(
        "INSERT INTO month_state SELECT account_id, month, item, region, 'card', amount"
        " FROM rating_should_cost"
    )
    connection.execute(
        "INSERT INTO month_state SELECT account_id, month, item, region, rate_card, amount"
        " FROM rating_agreed JOIN rating_parties USING (account_key)"
        " WHERE rating_agreed.rowid >= ?",
        [before],
    )


@pytest.mark.parametrize("ends", [(HOURS,), ENDS])
@pytest.mark.parametrize("seed", range(20 if THOROUGH else 2))
def test_credit_pays_in_running_sums_what_it_pays_cost_by_cost(
    seed: int, ends: tuple[int, ...]
) -> None:
    dice = random.Random(seed)
    people, wanted = {}, {}
    for key in range(1, ACCOUNTS + 1):
        account = Account(f"a{key}", "UTC", FIRST, "data_transfer")
        account.credits = [a_credit(dice, f"g{n}") for n in range(dice.choice([0, 1, 2, 4]))]
        people[key] = account, costs_of(dice)
        reference = Rating(account, [], {}, FIRST + HOURS * HOUR)
        reference.credit(defaultdict(int, people[key][1]))
        for ((month, item, region), hour, card), amount in reference.agreed.items():
            if amount:
                wanted[key, f"{month:%Y-%m}", item, region, hour, card] = amount
    connection = made(people)
    for start, end in pairwise((0, *ends)):
        paid_in(connection, people, range(start, end), replays=ends == (HOURS,))
    found = connection.execute(
        "SELECT account_key, month, item, region, period_start, rate_card, amount::BIGINT"
        " FROM rating_agreed"
    ).fetchall()
    assert len(wanted) > ACCOUNTS
    assert any(amount > 0 for amount in wanted.values()), "some credit gets back"
    assert {row[:6]: row[6] for row in found} == wanted
    assert len(found) == len(wanted)
