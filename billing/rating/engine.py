"""Rating: what usage costs, set-based over all accounts at once, by subtraction (DESIGN §3.7).

Two ways, one result. Accounts whose past stands only add their new hours to their month-to-date.
An account whose past changed is replayed from the start of its first changed month, and only
differences come out. Both run through the same statements, chapter by chapter of
sql/statements/rating; they differ in where the month begins (slices/months_so_far) and in what is
subtracted (outcome/new_charges, outcome/revisions). Nothing here writes a lasting table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import duckdb

import sql
from billing.instants import aware, naive
from billing.prices import tables
from billing.prices.compiled import PERCENTILE_FACTOR
from billing.prices.edited_cards import Correction, find_corrections, seen_card
from billing.prices.moved_usage import refuse_moved_usage
from billing.prices.records import PriceBooks
from billing.rating import agreements, calendar
from billing.rating.outcome import outcome_of
from billing.rating.plan_kinds import OFFSET_SCHEMA, offset_rows
from billing.rating.records import RatingMark, RatingOutcome
from billing.store.given import TEXT, TIME, Schema, register
from billing.store.gone import refuse_replayed

T = TypeVar("T")
_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 (stored times are UTC without a zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One way through the statements: the range to be rated, and what is known of the past.

    Times are stored ones: UTC without a zone.
    """

    connection: duckdb.DuckDBPyConnection
    through: datetime
    last_through: datetime
    origin: datetime
    narrow: bool = True
    """In 64 bits, or in the 128 that any quantity fits which may be priced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What one pass covers: its first hour, its first month, whether past is replayed, and whether
    anybody buys by bandwidth.
    """

    since: datetime
    first_month: str
    replays: bool
    bandwidth: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _UsageFacts:
    last_import: int
    first_hour: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _CalendarFacts:
    first_change: datetime | None
    first_opening: datetime | None
    timezones: list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _RangeFacts:
    replay_start: datetime | None
    bandwidth_users: int
    first_month_start: datetime | None


def rate(
    connection: duckdb.DuckDBPyConnection, *, books: PriceBooks, run_id: str, through: datetime
) -> RatingOutcome:
    """Rate all usage of hours before `through` (aware, the end of the last closed hour).

    Reads usage, accounts, account_methods, plans, charges, replay_marks, issued_months and
    rating's own tables. Raises ConflictError for a price edited after use; hours without a price
    are in `held`.
    """
    end = naive(through)
    mark = last_mark(connection)
    tables.bind(connection, books)
    seen = sql.rows(
        connection.execute(sql.text("statements/rating/price_books/cards_seen")), seen_card
    )
    corrections = find_corrections(seen, books, None if mark is None else aware(mark.through))
    if mark is not None:
        refuse_moved_usage(connection, books, origin=mark.origin, last_through=mark.through)
    connection.execute(sql.text("statements/rating/changes/usage_and_subjects"))
    facts = _one(
        connection, "statements/rating/changes/usage_facts", _UsageFacts,
        {"first": mark is None, "through": end},
    )  # fmt: skip
    one = Pass(
        connection=connection,
        through=end,
        last_through=_NEVER if mark is None else mark.through,
        origin=mark.origin if mark is not None else facts.first_hour or end,
    )
    _run(one, "statements/rating/changes/origin", {"origin": one.origin})
    _register_corrections(connection, corrections)
    fingerprint = books.fingerprint()
    connection.execute(
        sql.text("statements/rating/changes/replays"),
        {
            "last_through": one.last_through,
            "last_import": 0 if mark is None else mark.import_no,
            "journal_no": 0 if mark is None else mark.journal_no,
            "retry_held": fingerprint != ("" if mark is None else mark.books_sha256),
        },
    )
    refuse_replayed(connection)
    covered = price(one)
    return outcome_of(
        connection,
        books=books,
        last_through=one.last_through,
        first_month=covered.first_month if covered.replays else None,
        mark={
            "run_id": run_id,
            "import_no": facts.last_import,
            "through": one.through.isoformat(),
            "origin": one.origin.isoformat(),
            "books_sha256": fingerprint,
        },
    )


def project(
    connection: duckdb.DuckDBPyConnection,
    *,
    books: PriceBooks,
    through: datetime,
    accounts: list[str] | None = None,
) -> None:
    """Price the open hours in the temporary table open_usage on top of what is rated; nothing is
    posted.

    open_usage(account_id, bucket, region, class, requests, bytes_sent) is made by the caller.
    Leaves rating_projection(account_id, currency, amount in 10^-10 units). Hours without a price
    add nothing. `accounts`: only these; None: all of them.
    """
    _price_ahead(connection, books=books, through=through, accounts=accounts)
    connection.execute(sql.text("statements/rating/what_if/projection"))


def settle_ahead(
    connection: duckdb.DuckDBPyConnection,
    *,
    books: PriceBooks,
    through: datetime,
    accounts: list[str],
) -> None:
    """What is still to be charged before `through` if nothing more is used: minimums, what is
    missing to commitments, fees, and what credit pays of them; nothing is posted.

    Leaves rating_settling(account_id, month, item, region, rate_card, term, amount in 10^-10
    units). Takes the place of open_usage.
    """
    connection.execute(sql.text("statements/rating/what_if/no_open_usage"))
    _price_ahead(connection, books=books, through=through, accounts=accounts)
    connection.execute(sql.text("statements/rating/what_if/settling"))


def _price_ahead(
    connection: duckdb.DuckDBPyConnection,
    *,
    books: PriceBooks,
    through: datetime,
    accounts: list[str] | None,
) -> None:
    mark = last_mark(connection)
    tables.bind(connection, books)
    connection.execute(sql.text("statements/rating/changes/usage_and_subjects"))
    connection.execute(
        sql.text("statements/rating/what_if/projected_accounts"), {"accounts": accounts}
    )
    connection.execute(sql.text("statements/rating/what_if/open_usage"))
    end = naive(through)
    one = Pass(
        connection=connection,
        through=end,
        last_through=_NEVER if mark is None else mark.through,
        origin=end if mark is None else mark.origin,
    )
    _run(one, "statements/rating/changes/origin", {"origin": one.origin})
    price(one)


def price(one: Pass) -> Range:
    """From rating_replays and rating_usage to rating_should_cost, in 64 bits if all of it fits."""
    try:
        return _price(one)
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        return _price(replace(one, narrow=False))


def _price(one: Pass) -> Range:
    """Every chapter in its order."""
    if one.narrow:
        _run(one, "statements/rating/amounts/narrow")
    else:
        _run(one, "statements/rating/amounts/wide")
    covered = _calendar(one)
    _usage(one, covered)
    _plans(one, covered)
    _routes_and_months(one, covered)
    _run(one, "statements/rating/amounts/formulas")
    if _number(one, "statements/rating/slices/how_many_ordered"):
        _run(one, "statements/rating/slices/slices")
        _quotas(one)
        _paid_by_plans(one)
        _ordered_amounts(one, covered)
    else:
        _run(one, "statements/rating/slices/nothing_ordered")
    _run(one, "statements/rating/amounts/plain")
    _run(one, "statements/rating/agreements/nothing_agreed")
    _run(one, "statements/rating/amounts/should_cost")
    agreements.settle(one.connection, through=one.through, last_through=one.last_through)
    return covered


def last_mark(connection: duckdb.DuckDBPyConnection) -> RatingMark | None:
    """How far rating has come; None before the first run."""
    return sql.row(connection.execute(sql.text("statements/rating/changes/last_mark")), RatingMark)


def _calendar(one: Pass) -> Range:
    facts = _one(
        one.connection,
        "statements/rating/calendar/calendar_facts",
        _CalendarFacts,
        {"first": one.last_through == _NEVER, "through": one.through},
    )
    since = max(one.last_through, one.origin)
    if facts.first_change is not None:
        since = min(since, facts.first_change)
    since = min(since, one.through - timedelta(hours=1))
    zones = sorted(facts.timezones or ())
    # Fees begin with an account's opening, which may be long before the first usage.
    first = min(since, facts.first_opening or since)
    months = calendar.month_rows(zones, first, one.through)
    register(one.connection, "given_months", calendar.MONTH_SCHEMA, months)
    days = calendar.day_rows(zones, first, one.through)
    register(one.connection, "given_days", calendar.DAY_SCHEMA, days)
    _run(one, "statements/rating/calendar/months_and_days")
    _run(one, "statements/rating/calendar/accounts")
    _run(one, "statements/rating/calendar/method_periods")
    ranged = _one(one.connection, "statements/rating/calendar/range_facts", _RangeFacts)
    if ranged.replay_start is not None:
        since = min(since, ranged.replay_start)
    if ranged.bandwidth_users and ranged.first_month_start is not None:
        # A day or month that ends now may have begun long before the range.
        since = min(since, ranged.first_month_start)
    return Range(
        since=since.replace(minute=0, second=0, microsecond=0),
        first_month=min((row[2] for row in months), default="0000-00"),
        replays=ranged.replay_start is not None,
        bandwidth=ranged.bandwidth_users > 0,
    )


def _usage(one: Pass, covered: Range) -> None:
    until = {"through": one.through}
    new = until | {"last_through": one.last_through}
    _run(one, "statements/rating/usage/buckets", until | {"since": covered.since})
    _run(one, "statements/rating/usage/pieces", {"last_through": one.last_through})
    _run(one, "statements/rating/usage/input_of_new_hours", new)
    if covered.replays:
        _run(one, "statements/rating/usage/input_of_replays", until)
    if not covered.bandwidth:
        _run(one, "statements/rating/usage/no_bandwidth")
        return
    _run(
        one,
        "statements/rating/usage/bandwidth_periods",
        {
            "factor": PERCENTILE_FACTOR,
            "since": covered.since,
            **new,
        },
    )
    _run(one, "statements/rating/usage/samples", until)


def _routes_and_months(one: Pass, covered: Range) -> None:
    _run(one, "statements/rating/routes/routes")
    _run(one, "statements/rating/routes/sold_usage")
    if covered.bandwidth:
        _run(one, "statements/rating/routes/sold_bandwidth")
    _run(
        one,
        "statements/rating/slices/fixed_term_moments",
        {"through": one.through, "last_through": one.last_through},
    )
    _run(one, "statements/rating/slices/past_lanes", {"first_month": covered.first_month})
    _run(one, "statements/rating/slices/quick_lanes", {"narrow": one.narrow})
    _run(one, "statements/rating/slices/months_so_far")
    _run(one, "statements/rating/slices/too_large")
    _run(one, "statements/rating/slices/held_now")


def _quotas(one: Pass) -> None:
    _run(one, "statements/rating/quotas_and_plans/free_work")
    segments = _number(one, "statements/rating/quotas_and_plans/free_segments") or 0
    for segment in range(1, segments):
        _run(one, "statements/rating/quotas_and_plans/free_next_segment", {"segment": segment})
    _run(one, "statements/rating/quotas_and_plans/free_parts")


def _plans(one: Pass, covered: Range) -> None:
    register(one.connection, "given_offsets", OFFSET_SCHEMA, offset_rows())
    between = {"through": one.through, "since": covered.since}
    _run(one, "statements/rating/quotas_and_plans/plans_at_hand", between)
    _run(one, "statements/rating/quotas_and_plans/plan_buyers")


def _paid_by_plans(one: Pass) -> None:
    _run(one, "statements/rating/quotas_and_plans/plan_work")
    _run(one, "statements/rating/quotas_and_plans/plan_groups")
    group = _number(one, "statements/rating/quotas_and_plans/next_group", {"done": 0})
    while group is not None:
        _run(one, "statements/rating/quotas_and_plans/pay_group", {"group": group})
        _run(one, "statements/rating/quotas_and_plans/left_after_group", {"group": group})
        group = _number(one, "statements/rating/quotas_and_plans/next_group", {"done": group})
    _run(one, "statements/rating/quotas_and_plans/plan_parts")
    turns = _number(one, "statements/rating/quotas_and_plans/slice_turns") or 0
    for turn in range(1, turns + 1):
        _run(one, "statements/rating/quotas_and_plans/pay_slice", {"turn": turn})
        _run(one, "statements/rating/quotas_and_plans/left_after_slice", {"turn": turn})


def _ordered_amounts(one: Pass, covered: Range) -> None:
    _run(one, "statements/rating/amounts/billable")
    _run(
        one,
        "statements/rating/amounts/places_in_periods",
        {"since": covered.since - timedelta(days=2)},
    )
    _run(one, "statements/rating/amounts/priced")
    _run(one, "statements/rating/amounts/fixed_terms")
    _run(one, "statements/rating/amounts/costs")


def _run(one: Pass, name: str, parameters: Mapping[str, object] | None = None) -> None:
    one.connection.execute(sql.text(name), parameters)


def _number(one: Pass, name: str, parameters: Mapping[str, object] | None = None) -> int | None:
    """The one value of a statement that gives one whole number."""
    row = one.connection.execute(sql.text(name), parameters).fetchone()
    return None if row is None else row[0]


def _one(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    kind: type[T],
    parameters: Mapping[str, object] | None = None,
) -> T:
    """The one row of a statement that always gives one."""
    (found,) = sql.rows(connection.execute(sql.text(name), parameters), kind)
    return found


def _register_corrections(
    connection: duckdb.DuckDBPyConnection, corrections: list[Correction]
) -> None:
    schema: Schema = [
        ("book", TEXT), ("account_id", TEXT), ("item", TEXT),
        ("effective_from", TIME), ("reason", TEXT),
    ]  # fmt: skip
    rows = [(c.book, c.account_id, c.item, c.effective_from, c.reason) for c in corrections]
    register(connection, "given_corrections", schema, rows)
