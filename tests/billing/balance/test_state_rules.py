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
from billing.balance.records import AccountState, Cause, Conditions, Figures, State
from billing.balance.records import SuspensionTerms as Terms
from billing.balance.rows import DAILY_METHOD
from billing.balance.settings import BalanceSettings
from billing.balance.state_rules import decide, grace_used
from billing.instants import naive_or_none
from billing.store import charge_files

NOW = datetime(2026, 10, 3, 8, tzinfo=UTC)
DAY = 86_400
U = 10**10
TERMS = Terms()


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


def at(clock: int = 0, unverified: str | None = None) -> Conditions:
    """Now, with `clock` verified seconds."""
    return Conditions(now=NOW, ledger_version=7, verified_seconds=clock, unverified=unverified)


def standing(state: State, clock: int | None = None, days_ago: int = 1) -> AccountState:
    """A standing of account `a` since some days."""
    since = NOW - timedelta(days=days_ago)
    cause = Cause.ARREARS if state in (State.SUSPENDED, State.RELEASED) else None
    return AccountState(
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
    # id, was, figures (available, projected, sum of 7 hours), terms, conditions, becomes
    ("all well", S.OK, figures(12 * U, seven=28 * U), TERMS, at(), S.OK),
    ("a unit less", S.OK, figures(12 * U - 1, seven=28 * U), TERMS, at(), S.LOW_BALANCE),
    ("within margin", S.LOW_BALANCE, figures(13 * U, seven=28 * U), TERMS, at(),
     S.LOW_BALANCE),
    ("margin reached", S.LOW_BALANCE, figures(132 * U // 10, seven=28 * U), TERMS, at(),
     S.OK),
    ("nothing used", S.OK, figures(0), TERMS, at(), S.OK),
    ("open hours", S.OK, figures(1, -1), TERMS, at(), S.PROJECTED_OVERDUE),
    ("still projected", S.PROJECTED_OVERDUE, figures(U, U, 28 * U), TERMS, at(),
     S.PROJECTED_OVERDUE),
    ("projected ends", S.PROJECTED_OVERDUE, figures(14 * U, 12 * U // 10, 28 * U), TERMS,
     at(), S.OK),
    ("below zero", S.OK, figures(-1), TERMS, at(), S.OVERDUE),
    ("zero is not below", S.OVERDUE, figures(0), TERMS, at(), S.OK),
    ("threshold", S.OK, figures(9 * U), Terms(threshold=10 * U), at(), S.LOW_BALANCE),
    ("on threshold", S.OK, figures(10 * U), Terms(threshold=10 * U), at(), S.OK),
    ("daily", S.OK, figures(9 * U, day=10 * U), Terms(daily=True), at(), S.LOW_BALANCE),
    ("hourly has no day", S.OK, figures(9 * U, day=10 * U), TERMS, at(), S.OK),
    ("grace not over", S.OVERDUE, figures(-1), TERMS, at(DAY - 1), S.OVERDUE),
    ("grace over", S.OVERDUE, figures(-1), TERMS, at(DAY), S.SUSPEND_DUE),
    ("grace over, auto", S.OVERDUE, figures(-1), Terms(automatic=True), at(DAY), S.SUSPENDED),
    ("no grace", S.OK, figures(-1), Terms(grace_seconds=0), at(), S.SUSPEND_DUE),
    ("unverified", S.OVERDUE, figures(-1), TERMS, at(DAY, "red"), S.OVERDUE),
    ("unverified, due", S.SUSPEND_DUE, figures(-1), TERMS, at(DAY, "red"), S.SUSPEND_DUE),
    ("unverified, paid", S.SUSPEND_DUE, figures(0), TERMS, at(DAY, "red"), S.OK),
    ("due waits", S.SUSPEND_DUE, figures(-1), TERMS, at(9 * DAY), S.SUSPEND_DUE),
    ("due, now auto", S.SUSPEND_DUE, figures(-1), Terms(automatic=True), at(DAY), S.SUSPENDED),
    ("stays stopped", S.SUSPENDED, figures(-1), TERMS, at(9 * DAY), S.SUSPENDED),
    ("paid", S.SUSPENDED, figures(0), TERMS, at(), S.OK),
    ("paid in part", S.SUSPENDED, figures(-1), Terms(grace_seconds=99 * DAY), at(),
     S.SUSPENDED),
    ("released and paid", S.RELEASED, figures(U), TERMS, at(), S.OK),
]  # fmt: skip


@pytest.mark.parametrize(
    ("was", "known", "terms", "at", "becomes"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_rules_as_a_table(
    was: State, known: Figures, terms: Terms, at: Conditions, becomes: State
) -> None:
    prior = standing(was, clock=0 if was in (S.OVERDUE, S.SUSPEND_DUE, S.SUSPENDED) else None)
    decided = decide(known, prior, terms, at)
    assert (decided.state if decided else was) is becomes
    if decided:
        assert decided.version == prior.version + 1
        assert decided.previous is was
        assert decided.evidence["ledger_version"] == 7


def test_released_after_30_days_unless_unverified() -> None:
    prior = standing(S.SUSPENDED, clock=0, days_ago=30)
    decided = decide(figures(-1), prior, TERMS, at(31 * DAY))
    assert decided is not None
    assert decided.state is S.RELEASED
    assert decide(figures(-1), prior, TERMS, at(31 * DAY, "red")) is None
    younger = replace(prior, since=NOW - timedelta(days=30) + timedelta(seconds=1))
    assert decide(figures(-1), younger, TERMS, at(31 * DAY)) is None


def test_an_https_debt_counts_for_the_whole_account_whatever_a_plan_has_left() -> None:
    """DOMAIN §9 #11: nothing about plans enters the decision; the balance alone decides."""
    names = set(Figures.__dataclass_fields__) | set(Terms.__dataclass_fields__)
    assert not [name for name in names if "plan" in name]


AMOUNTS = st.integers(-20, 60)
PRIORS = st.sampled_from(list(State))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Figures, AccountState, Terms]:
    """One account in any state with small figures, so that limits are met exactly and often."""
    available = draw(AMOUNTS)
    state = draw(PRIORS)
    in_arrears = state in (S.OVERDUE, S.SUSPEND_DUE, S.SUSPENDED, S.RELEASED)
    stopped = state in (S.SUSPENDED, S.RELEASED)
    cause = draw(st.sampled_from(list(Cause))) if stopped else None
    since = NOW - timedelta(hours=draw(st.sampled_from([0, 1, 719, 720, 721])))
    prior = AccountState(
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
    terms = Terms(
        grace_seconds=draw(st.sampled_from([0, 1, 24])) * 3600,
        automatic=draw(st.booleans()),
        daily=draw(st.booleans()),
        threshold=draw(st.none() | st.integers(0, 30)),
    )
    return known, prior, terms


@cache
def base() -> duckdb.DuckDBPyConnection:
    """One empty store in memory; each example works in a transaction that is rolled back."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(sql.text("schema/billing"))
    connection.execute(sql.text("schema/balance"))
    charge_files.show(connection)
    return connection


CONDITIONS = st.builds(
    Conditions,
    now=st.just(NOW),
    ledger_version=st.just(7),
    verified_seconds=st.integers(24, 60).map(lambda hours: hours * 3600),
    unverified=st.sampled_from([None, None, "red"]),
)


@settings(max_examples=300)
@given(situations(), CONDITIONS)
def test_what_the_decision_never_does(
    situation: tuple[Figures, AccountState, Terms], at: Conditions
) -> None:
    known, prior, terms = situation
    decided = decide(known, prior, terms, at)
    if decided is None:
        return
    newly_flagged = decided.state in (S.SUSPEND_DUE, S.SUSPENDED, S.RELEASED)
    if newly_flagged:
        assert known.available < 0, "U1"
        assert at.unverified is None, "U3"
        if prior.state in (S.OK, S.LOW_BALANCE, S.PROJECTED_OVERDUE, S.OVERDUE):
            assert grace_used(prior, at) >= terms.grace_seconds
    if known.available >= 0:
        assert decided.overdue_clock is None
        assert decided.state in (S.OK, S.LOW_BALANCE, S.PROJECTED_OVERDUE), "U4"
    assert prior.cause is not Cause.ADMINISTRATIVE, "only a person lifts what a person imposed"
    again = decide(known, decided, terms, at)
    if again is not None:
        assert (decided.state, again.state) != (prior.state, decided.state), "no oscillation"
        assert again.state is not prior.state


@settings(max_examples=40)
@given(st.lists(situations(), min_size=1, max_size=12), CONDITIONS)
def test_everybody_whom_the_decision_would_move_is_among_those_that_sql_hands_out(
    found: list[tuple[Figures, AccountState, Terms]], at: Conditions
) -> None:
    rules = BalanceSettings()
    connection = base()
    connection.execute("BEGIN")
    try:
        for number, (known, prior, terms) in enumerate(found):
            put(connection, f"a{number:02}", known, prior, terms)
        everyone = list(cases(connection, rules, everyone=True))
        handed_out = {case[0].account_id for case in cases(connection, rules)}
    finally:
        connection.execute("ROLLBACK")
    moved = {
        known.account_id
        for known, prior, terms in everyone
        if decide(known, prior, terms, at) is not None
    }
    assert len(everyone) == len(found)
    for (known, prior, terms), case in zip(found, everyone, strict=True):
        name = case[0].account_id
        assert case[0] == replace(known, account_id=name)
        assert case[1] == replace(prior, account_id=name)
        assert case[2] == terms
    assert moved <= handed_out


def test_who_is_ok_with_more_than_any_rule_looks_at_is_not_handed_out() -> None:
    connection = base()
    ok = AccountState(account_id="a")
    connection.execute("BEGIN")
    try:
        for name, available in (("rich", 31), ("poor", 29)):
            known = replace(figures(available, seven=30, day=30), account_id=name)
            put(connection, name, known, ok, Terms(threshold=30))
        found = [known.account_id for known, _prior, _terms in cases(connection, BalanceSettings())]
    finally:
        connection.execute("ROLLBACK")
    assert found == ["poor"]


def put(
    connection: duckdb.DuckDBPyConnection,
    account_id: str,
    known: Figures,
    prior: AccountState,
    terms: Terms,
) -> None:
    """The account's rows as the store would hold them."""
    connection.execute(
        "INSERT INTO accounts (account_id, effective_from, name, currency, timezone, price_book,"
        " billing_method, credit_limit, grace_hours, suspension_policy, tax_rate_bp, email,"
        " address, country, tax_id, low_balance_threshold, opened_at, journal_no)"
        " VALUES ($1, $2, '', 'USD', 'UTC', '',"
        " $3, 0, $4, $5, 0, '', '', '', '', $6, $2, 0)",
        [
            account_id,
            datetime(2026, 1, 1),  # noqa: DTZ001
            DAILY_METHOD if terms.daily else "data_transfer",
            terms.grace_seconds // 3600,
            "auto" if terms.automatic else "confirm",
            terms.threshold,
        ],
    )
    connection.execute(
        "INSERT INTO account_figures VALUES ($1, 'USD', $2, $3, $4, 0, $5, 0, 0, $6, 168, 0,"
        " NULL, NULL, NULL)",
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
                naive_or_none(prior.since),
                prior.reason,
                naive_or_none(prior.overdue_since),
                prior.overdue_clock,
                prior.cause.value if prior.cause else None,
            ],
        )
