"""What a run would change: from rating_should_cost to the effects that the journal records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb

import sql
from billing.prices import tables
from billing.prices.records import PriceBooks
from billing.rating.records import HeldHour, MarkEffect, RatingOutcome

HELD_TOLD = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """Which of the effects that replace a table's content would change it."""

    plan_use: bool
    rating_held: bool
    price_versions: bool
    price_cards: bool
    price_labels: bool
    price_tiers: bool
    price_periods: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldRow:
    account_id: str
    hour: datetime
    problem: str
    hint: str
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _CurrencyTotal:
    currency: str
    amount: int
    charges: int


def outcome_of(
    connection: duckdb.DuckDBPyConnection,
    *,
    books: PriceBooks,
    last_through: datetime,
    first_month: str | None,
    mark: MarkEffect,
) -> RatingOutcome:
    """The effects of what has been priced; `first_month` is the earliest of a replay, None without
    one.
    """
    connection.execute(sql.text("statements/rating/outcome/numbers"))
    connection.execute(sql.text("statements/rating/outcome/new_charges"))
    connection.execute(sql.text("statements/rating/outcome/new_charges_by_number"))
    effects = {"charges": "rating_out_charges"}
    if first_month is not None:
        connection.execute(
            sql.text("statements/rating/outcome/revisions"),
            {"first_month": first_month, "last_through": last_through},
        )
        connection.execute(sql.text("statements/rating/outcome/replayed_months"))
        connection.execute(sql.text("statements/rating/outcome/all_charges"))
        effects |= {"month_state": "rating_out_month_state", "replayed": "rating_out_replayed"}
    else:
        connection.execute(sql.text("statements/rating/outcome/no_revisions"))
    connection.execute(sql.text("statements/rating/outcome/plan_use"))
    connection.execute(sql.text("statements/rating/outcome/held"))
    effects |= {"plan_use": "rating_out_plan_use", "rating_held": "rating_out_held"}
    effects |= tables.offer(connection, books)
    (changed,) = sql.rows(
        connection.execute(sql.text("statements/rating/outcome/changed")), _Changed
    )
    unchanged = {name for name, differs in asdict(changed).items() if not differs}
    held = sql.rows(
        connection.execute(sql.text("statements/rating/outcome/held_to_tell"), {"most": HELD_TOLD}),
        _HeldRow,
    )
    unnumbered = connection.execute(sql.text("statements/rating/outcome/without_number"))
    (unnumbered,) = unnumbered.fetchall()[0]
    totals = sql.rows(
        connection.execute(sql.text("statements/rating/outcome/run_totals")), _CurrencyTotal
    )
    return RatingOutcome(
        connection=connection,
        effects={name: table for name, table in effects.items() if name not in unchanged},
        mark=mark,
        held=tuple(
            HeldHour.stored(
                account_id=one.account_id, hour=one.hour, problem=one.problem, hint=one.hint
            )
            for one in held
        ),
        held_count=held[0].held if held else 0,
        totals={one.currency: int(one.amount) for one in totals},
        charges=sum(one.charges for one in totals),
        numbered=None if unnumbered else "rating_out_numbered",
    )
