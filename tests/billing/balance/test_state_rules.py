"""The decision by itself, as a table and as properties; and the SQL that finds whom to judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sql
from billing.balance.figures import cases
from billing.balance.records import Cause, Figures, Moment, Policy, Standing, State
from billing.balance.rows import DAILY_METHOD, naive
from billing.balance.settings import BalanceSettings
from billing.balance.state_rules import decide, grace_used

NOW = datetime(2026, 10, 3, 8, tzinfo=UTC)
DAY = 86_400
U = 10**10


def figures(available: int, projected: int | None = None, seven: int = 0, day: int = 0) -> Figures:
    """Figures of account `a`; amounts in 10^-10 units."""
    return Figures(
        account_id="a",
        currency="USD",
        available=available,
        open_amount=available - (available if projected is None else projected),
        payable_7_hours=seven,
        payable_day=day,
    )


def moment(clock: int = 0, unverified: str | None = None) -> Moment:
    """Now, with `clock` verified seconds."""
    return Moment(now=NOW, ledger_version=7, verified_seconds=clock, unverified=unverified)


def standing(state: State, clock: int | None = None, days_ago: int = 1) -> Standing:
    """A standing of account `a` since some days."""
    since = NOW - timedelta(days=days_ago)
    cause = Cause.ARREARS if state in (State.SUSPENDED, State.RELEASED) else None
    return Standing(
        account_id="a",
        version=3,
        state=state,
        since=since,
        overdue_clock=clock,
        overdue_since=None if clock is None else since,
        cause=cause,
    )


S = State
TABLE = [
    # id, was, figures (available, projected, sum of 7 hours), policy, moment, becomes
    ("all well", S.OK, figures(12 * U, seven=28 * U), Policy(), moment(), S.OK),
    ("a unit less", S.OK, figures(12 * U - 1, seven=28 * U), Policy(), moment(), S.LOW_BALANCE),
    ("within margin", S.LOW_BALANCE, figures(13 * U, seven=28 * U), Policy(), moment(),
     S.LOW_BALANCE),
    ("margin reached", S.LOW_BALANCE, figures(132 * U // 10, seven=28 * U), Policy(), moment(),
     S.OK),
    ("nothing used", S.OK, figures(0), Policy(), moment(), S.OK),
    ("open hours", S.OK, figures(1, -1), Policy(), moment(), S.PROJECTED_OVERDUE),
    ("still projected", S.PROJECTED_OVERDUE, figures(U, U, 28 * U), Policy(), moment(),
     S.PROJECTED_OVERDUE),
    ("projected ends", S.PROJECTED_OVERDUE, figures(14 * U, 12 * U // 10, 28 * U), Policy(),
     moment(), S.OK),
    ("below zero", S.OK, figures(-1), Policy(), moment(), S.OVERDUE),
    ("zero is not below", S.OVERDUE, figures(0), Policy(), moment(), S.OK),
    ("threshold", S.OK, figures(9 * U), Policy(threshold=10 * U), moment(), S.LOW_BALANCE),
    ("on threshold", S.OK, figures(10 * U), Policy(threshold=10 * U), moment(), S.OK),
    ("daily", S.OK, figures(9 * U, day=10 * U), Policy(daily=True), moment(), S.LOW_BALANCE),
    ("hourly has no day", S.OK, figures(9 * U, day=10 * U), Policy(), moment(), S.OK),
    ("grace not over", S.OVERDUE, figures(-1), Policy(), moment(DAY - 1), S.OVERDUE),
    ("grace over", S.OVERDUE, figures(-1), Policy(), moment(DAY), S.SUSPEND_DUE),
    ("grace over, auto", S.OVERDUE, figures(-1), Policy(automatic=True), moment(DAY), S.SUSPENDED),
    ("no grace", S.OK, figures(-1), Policy(grace_seconds=0), moment(), S.SUSPEND_DUE),
    ("unverified", S.OVERDUE, figures(-1), Policy(), moment(DAY, "red"), S.OVERDUE),
    ("unverified, due", S.SUSPEND_DUE, figures(-1), Policy(), moment(DAY, "red"), S.SUSPEND_DUE),
    ("unverified, paid", S.SUSPEND_DUE, figures(0), Policy(), moment(DAY, "red"), S.OK),
    ("due waits", S.SUSPEND_DUE, figures(-1), Policy(), moment(9 * DAY), S.SUSPEND_DUE),
    ("due, now auto", S.SUSPEND_DUE, figures(-1), Policy(automatic=True), moment(DAY), S.SUSPENDED),
    ("stays stopped", S.SUSPENDED, figures(-1), Policy(), moment(9 * DAY), S.SUSPENDED),
    ("paid", S.SUSPENDED, figures(0), Policy(), moment(), S.OK),
    ("paid in part", S.SUSPENDED, figures(-1), Policy(grace_seconds=99 * DAY), moment(),
     S.SUSPENDED),
    ("released and paid", S.RELEASED, figures(U), Policy(), moment(), S.OK),
]  # fmt: skip


@pytest.mark.parametrize(
    ("was", "known", "policy", "at", "becomes"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_rules_as_a_table(
    was: State, known: Figures, policy: Policy, at: Moment, becomes: State
) -> None:
    prior = standing(was, clock=0 if was in (S.OVERDUE, S.SUSPEND_DUE, S.SUSPENDED) else None)
    decided = decide(known, prior, policy, at)
    assert (decided.state if decided else was) is becomes
    if decided:
        assert decided.version == prior.version + 1
        assert decided.previous is was
        assert decided.evidence["ledger_version"] == 7


def test_released_after_30_days_unless_unverified() -> None:
    prior = standing(S.SUSPENDED, clock=0, days_ago=30)
    decided = decide(figures(-1), prior, Policy(), moment(31 * DAY))
    assert decided is not None
    assert decided.state is S.RELEASED
    assert decide(figures(-1), prior, Policy(), moment(31 * DAY, "red")) is None
    younger = replace(prior, since=NOW - timedelta(days=30) + timedelta(seconds=1))
    assert decide(figures(-1), younger, Policy(), moment(31 * DAY)) is None


def test_an_https_debt_counts_for_the_whole_account_whatever_a_plan_has_left() -> None:
    """DOMAIN §9 #11: nothing about plans enters the decision; the balance alone decides."""
    names = set(Figures.__dataclass_fields__) | set(Policy.__dataclass_fields__)
    assert not [name for name in names if "plan" in name]


AMOUNTS = st.integers(-20, 60)
PRIORS = st.sampled_from(list(State))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Figures, Standing, Policy]:
    """One account in any state with small figures, so that limits are met exactly and often."""
    available = draw(AMOUNTS)
    state = draw(PRIORS)
    in_arrears = state in (S.OVERDUE, S.SUSPEND_DUE, S.SUSPENDED, S.RELEASED)
    stopped = state in (S.SUSPENDED, S.RELEASED)
    cause = draw(st.sampled_from(list(Cause))) if stopped else None
    since = NOW - timedelta(hours=draw(st.sampled_from([0, 1, 719, 720, 721])))
    prior = Standing(
        account_id="a",
        version=0 if state is S.OK else 4,
        state=state,
        previous=state,
        since=None if state is S.OK else since,
        reason="" if state is S.OK else "before",
        overdue_since=since if in_arrears else None,
        overdue_clock=draw(st.integers(0, 30)) * 3600 if in_arrears else None,
        cause=cause,
    )
    known = Figures(
        account_id="a",
        currency="USD",
        available=available,
        open_amount=draw(st.integers(0, 30)),
        payable_7_hours=draw(st.integers(0, 70)),
        payable_day=draw(st.integers(0, 30)),
        hours_known=168,
    )
    policy = Policy(
        grace_seconds=draw(st.sampled_from([0, 1, 24])) * 3600,
        automatic=draw(st.booleans()),
        daily=draw(st.booleans()),
        threshold=draw(st.none() | st.integers(0, 30)),
    )
    return known, prior, policy


@cache
def base() -> duckdb.DuckDBPyConnection:
    """One empty store in memory; each example works in a transaction that is rolled back."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(sql.text("schema/billing"))
    connection.execute(sql.text("schema/balance"))
    return connection


MOMENTS = st.builds(
    Moment,
    now=st.just(NOW),
    ledger_version=st.just(7),
    verified_seconds=st.integers(24, 60).map(lambda hours: hours * 3600),
    unverified=st.sampled_from([None, None, "red"]),
)


@settings(max_examples=300)
@given(situations(), MOMENTS)
def test_what_the_decision_never_does(
    situation: tuple[Figures, Standing, Policy], at: Moment
) -> None:
    known, prior, policy = situation
    decided = decide(known, prior, policy, at)
    if decided is None:
        return
    newly_flagged = decided.state in (S.SUSPEND_DUE, S.SUSPENDED, S.RELEASED)
    if newly_flagged:
        assert known.available < 0, "U1"
        assert at.unverified is None, "U3"
        if prior.state in (S.OK, S.LOW_BALANCE, S.PROJECTED_OVERDUE, S.OVERDUE):
            assert grace_used(prior, at) >= policy.grace_seconds
    if known.available >= 0:
        assert decided.overdue_clock is None
        assert decided.state in (S.OK, S.LOW_BALANCE, S.PROJECTED_OVERDUE), "U4"
    assert prior.cause is not Cause.ADMINISTRATIVE, "only a person lifts what a person imposed"
    again = decide(known, decided, policy, at)
    if again is not None:
        assert (decided.state, again.state) != (prior.state, decided.state), "no oscillation"
        assert again.state is not prior.state


@settings(max_examples=40)
@given(st.lists(situations(), min_size=1, max_size=12), MOMENTS)
def test_the_sql_finds_exactly_those_the_decision_would_move(
    found: list[tuple[Figures, Standing, Policy]], at: Moment
) -> None:
    rules = BalanceSettings()
    connection = base()
    connection.execute("BEGIN")
    try:
        for number, (known, prior, policy) in enumerate(found):
            put(connection, f"a{number:02}", known, prior, policy)
        everyone = list(cases(connection, rules, at, everyone=True))
        by_sql = {case[0].account_id for case in cases(connection, rules, at)}
    finally:
        connection.execute("ROLLBACK")
    by_python = {
        known.account_id
        for known, prior, policy in everyone
        if decide(known, prior, policy, at) is not None
    }
    assert len(everyone) == len(found)
    for (known, prior, policy), case in zip(found, everyone, strict=True):
        name = case[0].account_id
        assert case[0] == replace(known, account_id=name)
        assert case[1] == replace(prior, account_id=name)
        assert case[2] == policy
    assert by_sql == by_python


def put(
    connection: duckdb.DuckDBPyConnection,
    account_id: str,
    known: Figures,
    prior: Standing,
    policy: Policy,
) -> None:
    """The account's rows as the store would hold them."""
    connection.execute(
        "INSERT INTO accounts (account_id, effective_from, name, currency, timezone, price_book,"
        " billing_method, credit_limit, grace_hours, suspension_policy, tax_rate_bp, email,"
        " address, country, tax_id, low_balance_threshold, opened_at)"
        " VALUES ($1, $2, '', 'USD', 'UTC', '',"
        " $3, 0, $4, $5, 0, '', '', '', '', $6, $2)",
        [
            account_id,
            datetime(2026, 1, 1),  # noqa: DTZ001
            DAILY_METHOD if policy.daily else "data_transfer",
            policy.grace_seconds // 3600,
            "auto" if policy.automatic else "confirm",
            policy.threshold,
        ],
    )
    connection.execute(
        "INSERT INTO account_figures VALUES ($1, 'USD', $2, $3, $4, 0, $5, 0, 0, $6, 168)",
        [
            account_id,
            known.available,
            known.open_amount,
            known.projected,
            known.payable_7_hours,
            known.payable_day,
        ],
    )
    if prior.version:
        connection.execute(
            "INSERT INTO account_state VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, '', '{}', 0, 0)",
            [
                account_id,
                prior.version,
                prior.state.value,
                naive(prior.since),
                prior.reason,
                naive(prior.overdue_since),
                prior.overdue_clock,
                prior.cause.value if prior.cause else None,
            ],
        )
