"""Rating: what usage costs, set-based over all accounts at once, by subtraction (DESIGN §3.7).

Two ways, one result. Accounts whose past stands only add their new hours to their month-to-date.
An account whose past changed is replayed from the start of its first changed month, and only
differences come out. Both run through the same statements; they differ in where the month begins
(sql/statements/rating/state) and in what is subtracted (out_charges, out_revisions). Nothing here
writes a lasting table: the outcome names temporary tables, which the journal records and
billing.rating.appliers applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

import sql
from billing.prices import tables
from billing.prices.compiled import PERCENTILE_FACTOR
from billing.prices.edited_cards import Correction, SeenCard, find_corrections
from billing.prices.moved_usage import refuse_moved_usage
from billing.prices.records import PriceBooks
from billing.rating import calendar
from billing.rating.plan_kinds import offset_rows

_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 (stored times are UTC without a zone)
_TIME = pa.timestamp("us")
HELD_TOLD = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldHour:
    """An account-hour that could not be priced: charged nothing, tried again at the next run."""

    account_id: str
    hour: datetime
    problem: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingOutcome:
    """What a run computed. `effects` maps an effect's name to its temporary table, `mark` is
    inline.

    `held` names the oldest account-hours without a price, of this run and of earlier ones;
    `held_count` is how many there are. `totals` is the sum of the charges in 10^-10 units by
    currency, `charges` how many there are.
    """

    connection: duckdb.DuckDBPyConnection
    effects: Mapping[str, str]
    mark: Mapping[str, Any]
    held: tuple[HeldHour, ...]
    held_count: int
    totals: Mapping[str, int]
    charges: int

    @property
    def tables(self) -> dict[str, Any]:
        """The effects as Arrow tables, the mark as it is: `rating_run` effects ready to be
        journaled.
        """
        found: dict[str, Any] = {
            name: self.connection.table(table).to_arrow_table()
            for name, table in self.effects.items()
        }
        return found | {"rating_mark": dict(self.mark)}


@dataclass(slots=True, kw_only=True)
class Pass:
    """One way through the statements: what is known of the past, and the range to be rated."""

    connection: duckdb.DuckDBPyConnection
    through: datetime
    last_through: datetime
    last_import: int
    origin: datetime
    flags: tuple[bool, bool, bool] = (False, False, False)
    parameters: dict[str, Any] = field(default_factory=dict)

    def run(self, name: str, **parameters: Any) -> None:
        """Execute one statement of sql/statements/rating."""
        self.connection.execute(sql.text(f"statements/rating/{name}"), parameters or None)

    def value(self, name: str, **parameters: Any) -> Any:
        """The first value of one statement's first row."""
        cursor = self.connection.execute(sql.text(f"statements/rating/{name}"), parameters or None)
        return cursor.fetchall()[0][0]

    def row(self, name: str) -> tuple[Any, ...]:
        """The first row of one statement."""
        row: tuple[Any, ...] = self.connection.execute(
            sql.text(f"statements/rating/{name}")
        ).fetchall()[0]
        return row


def rate(
    connection: duckdb.DuckDBPyConnection, *, books: PriceBooks, run_id: str, through: datetime
) -> RatingOutcome:
    """Rate all usage of hours before `through` (aware, the end of the last closed hour).

    Reads usage, accounts, account_methods, plans, charges, replay_marks, issued_months and
    rating's own tables. Raises ConflictError for a price edited after use; hours without a price
    are in `held`.
    """
    end = _naive(through)
    mark = last_mark(connection)
    tables.bind(connection, books)
    corrections = find_corrections(
        _seen(connection), books, None if mark is None else mark[1].replace(tzinfo=UTC)
    )
    if mark is not None:
        refuse_moved_usage(connection, books, origin=mark[2], last_through=mark[1])
    connection.execute(sql.text("statements/rating/usage_of_store"))
    connection.execute(sql.text("statements/rating/subjects_of_store"))
    last_import, last_through, origin, books_before = mark or (0, _NEVER, None, "")
    if origin is None:
        origin = _first_hour(connection, end) or end
    one = Pass(
        connection=connection,
        through=end,
        last_through=last_through,
        last_import=last_import,
        origin=origin,
    )
    _register_corrections(connection, corrections)
    fingerprint = books.fingerprint()
    one.run(
        "changes",
        last_through=last_through,
        last_import=last_import,
        retry_held=fingerprint != books_before,
    )
    price(one)
    return _outcome(one, books, run_id, fingerprint)


def price(one: Pass) -> None:
    """From rating_replays and rating_usage to rating_truth: every statement in its order."""
    first_change = one.value("first_change")
    since = max(one.last_through, one.origin)
    if first_change is not None:
        since = min(since, first_change)
    since = min(since, one.through - timedelta(hours=1))
    _accounts(one, since)
    _input(one, since)
    _slices(one)
    _quotas_and_plans(one)
    _amounts(one)


def _accounts(one: Pass, since: datetime) -> None:
    zones = [row[0] for row in one.connection.execute(
        sql.text("statements/rating/time_zones")).fetchall()]  # fmt: skip
    months = calendar.month_rows(zones, since, one.through)
    tables.register(one.connection, "given_months", calendar.MONTH_SCHEMA, months)
    days = calendar.day_rows(zones, since, one.through)
    tables.register(one.connection, "given_days", calendar.DAY_SCHEMA, days)
    for name in ("months", "days", "accounts", "method_periods"):
        one.run(name)
    one.parameters["first_month"] = min((row[2] for row in months), default="0000-00")
    one.parameters["month_zero"] = min((row[1] for row in months), default=0)
    one.parameters["months"] = len({row[1] for row in months}) + 1


def _input(one: Pass, since: datetime) -> None:
    replay_start = one.value("replay_start")
    if replay_start is not None:
        since = min(since, replay_start)
    if one.value("bandwidth_users"):
        # A day or month that ends now may have begun long before the range.
        since = min(since, one.value("first_month_start"))
    since = since.replace(minute=0, second=0, microsecond=0)
    one.parameters["since"] = since
    one.run("buckets", since=since, through=one.through)
    one.run("epochs")
    one.run("input_new", last_through=one.last_through, through=one.through)
    if replay_start is not None:
        one.run("input_replayed", through=one.through)
    one.run(
        "bandwidth_periods",
        factor=PERCENTILE_FACTOR,
        through=one.through,
        last_through=one.last_through,
    )
    one.run("samples", through=one.through)


def _slices(one: Pass) -> None:
    one.flags = one.row("lane_flags")
    for name in ("labels", "routes", "routes_of_accounts", "sold_usage", "sold_bandwidth"):
        one.run(name)
    if one.flags[0]:
        one.run("touches", origin=one.origin, through=one.through, last_through=one.last_through)
    else:
        one.run("no_touches")
    one.run("state", first_month=one.parameters["first_month"])
    one.run("too_large")
    one.run("problems")
    forces, places = one.row("scale")
    since: datetime = one.parameters["since"]
    hour_zero = int(since.replace(tzinfo=UTC).timestamp()) // 3600
    one.run(
        "slices",
        hour_zero=hour_zero,
        hours=int(one.through.replace(tzinfo=UTC).timestamp()) // 3600 - hour_zero + 2,
        month_zero=one.parameters["month_zero"],
        months=one.parameters["months"],
        forces=forces,
        places=places,
    )
    for name in ("drop_input", "drop_sold"):
        one.run(name)


def _quotas_and_plans(one: Pass) -> None:
    one.run("free_none")
    if one.flags[1]:
        one.run("free_work")
        one.run("free_start")
        for segment in range(1, one.value("free_segments") + 1):
            one.run("free_segment", segment=segment)
            one.run("free_move", segment=segment)
    tables.register(
        one.connection,
        "given_offsets",
        [("item", pa.string()), ("plan_kind", pa.string())],
        offset_rows(),
    )
    one.run("plans_at_hand", through=one.through, since=one.parameters["since"])
    one.run("plan_none")
    ranks = one.value("plan_ranks")
    if ranks:
        one.run("plan_work")
    for rank in range(1, ranks + 1):
        one.run("plan_rank", rank=rank)
        if rank < ranks:
            one.run("plan_move", rank=rank)


def _amounts(one: Pass) -> None:
    one.run("placed")
    one.run("drop_slices")
    if one.flags[2]:
        one.run("placed_by_period", since=one.parameters["since"] - timedelta(days=2))
        one.run("placed_moved")
    one.run("priced")
    one.run("drop_placed")
    one.run("totals")
    if one.flags[0]:
        one.run("totals_with_terms")
    for name in ("drop_priced", "truth", "drop_totals"):
        one.run(name)


def _outcome(one: Pass, books: PriceBooks, run_id: str, fingerprint: str) -> RatingOutcome:
    one.run("out_charges")
    effects = {"charges": "rating_out_charges"}
    if one.value("replay_start") is not None:
        one.run(
            "out_revisions",
            first_month=one.parameters["first_month"],
            last_through=one.last_through,
        )
        one.run("out_month_state")
        one.run("out_replayed")
        effects |= {"month_state": "rating_out_month_state", "replayed": "rating_out_replayed"}
    one.run("drop_truth")
    one.run("out_plan_use")
    one.run("out_held")
    effects |= {"plan_use": "rating_out_plan_use", "rating_held": "rating_out_held"}
    tables.offer(one.connection, books)
    one.run("out_price_labels")
    effects |= {
        "price_labels": "rating_out_price_labels",
        "price_versions": "rating_out_price_versions",
        "price_cards": "rating_out_price_cards",
        "price_tiers": "rating_out_price_tiers",
        "price_periods": "rating_out_price_periods",
    }
    held = one.connection.execute(
        sql.text("statements/rating/held_now"), {"most": HELD_TOLD}
    ).fetchall()
    totals = one.connection.execute(sql.text("statements/rating/run_totals")).fetchall()
    return RatingOutcome(
        connection=one.connection,
        effects=_changed(one, effects),
        mark={
            "run_id": run_id,
            "import_no": one.value("last_import"),
            "through": one.through.isoformat(),
            "origin": one.origin.isoformat(),
            "books_sha256": fingerprint,
        },
        held=tuple(
            HeldHour(account_id=who, hour=hour.replace(tzinfo=UTC), problem=problem, hint=hint)
            for who, hour, problem, hint, _ in held
        ),
        held_count=held[0][4] if held else 0,
        totals={currency: int(amount) for currency, amount, _ in totals},
        charges=sum(count for _, _, count in totals),
    )


def project(connection: duckdb.DuckDBPyConnection, *, books: PriceBooks, through: datetime) -> None:
    """Price the open hours in the temporary table open_usage on top of what is rated; nothing is
    posted.

    open_usage(account_id, bucket, region, class, requests, bytes_sent) is made by the caller.
    Leaves rating_projection(account_id, currency, amount in 10^-10 units). Hours without a price
    add nothing.
    """
    mark = last_mark(connection)
    tables.bind(connection, books)
    connection.execute(sql.text("statements/rating/usage_of_open_hours"))
    connection.execute(sql.text("statements/rating/subjects_of_store"))
    end = _naive(through)
    last_import, last_through, origin, _ = mark or (0, _NEVER, end, "")
    one = Pass(
        connection=connection,
        through=end,
        last_through=last_through,
        last_import=last_import,
        origin=origin,
    )
    one.run("no_changes")
    price(one)
    one.run("projection")


def _changed(one: Pass, effects: dict[str, str]) -> dict[str, str]:
    """The effects that would change something; `charges` always, since the ledger expects it."""
    unchanged = {
        name
        for name in effects
        if name != "charges"
        and sql.names("statements/rating").count(f"statements/rating/changed_{name}")
        and not one.value(f"changed_{name}")
    }
    return {name: table for name, table in effects.items() if name not in unchanged}


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None)


def last_mark(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[int, datetime, datetime, str] | None:
    """(last import, end of the last rated hour, first hour ever rated, hash of the books then)."""
    row = connection.execute(sql.text("statements/rating/last_mark")).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def _first_hour(connection: duckdb.DuckDBPyConnection, through: datetime) -> datetime | None:
    statement = sql.text("statements/rating/first_hour")
    hour: datetime | None = connection.execute(statement, {"through": through}).fetchall()[0][0]
    return hour


def _seen(connection: duckdb.DuckDBPyConnection) -> list[SeenCard]:
    rows = connection.execute(sql.text("statements/rating/known_versions")).fetchall()
    return [
        SeenCard(
            card_id=card_id,
            book=book,
            fingerprint=fingerprint,
            effective_from=start.replace(tzinfo=UTC),
            effective_until=None if end is None else end.replace(tzinfo=UTC),
            used=used,
        )
        for card_id, book, fingerprint, start, end, used in rows
    ]


def _register_corrections(
    connection: duckdb.DuckDBPyConnection, corrections: list[Correction]
) -> None:
    schema = [
        ("book", pa.string()), ("account_id", pa.string()), ("item", pa.string()),
        ("effective_from", _TIME), ("reason", pa.string()),
    ]  # fmt: skip
    rows = [(c.book, c.account_id, c.item, c.effective_from, c.reason) for c in corrections]
    tables.register(connection, "given_corrections", schema, rows)
