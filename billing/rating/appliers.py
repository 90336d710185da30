"""Applies a rating run's effects to rating's own tables; called by the applier of "rating_run".

SQL over the effects alone (the views effect_*), so that replaying the journal gives the same
tables.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

import sql
from billing.store import charges_at_hand

# effect -> the statements it needs, in order. An effect that a run does not have changes nothing.
_STATEMENTS = {
    "replayed": ("statements/rating/apply/forget_replayed_months",),
    "month_state": (
        "statements/rating/apply/keep_replayed_months",
        "statements/rating/apply/put_months",
    ),
    "plan_use": ("statements/rating/apply/keep_plan_use",),
    "rating_held": ("statements/rating/apply/replace_held",),
    "price_versions": ("statements/rating/apply/replace_price_versions",),
    "price_cards": ("statements/rating/apply/replace_price_cards",),
    "price_labels": ("statements/rating/apply/replace_price_labels",),
    "price_tiers": ("statements/rating/apply/replace_price_tiers",),
    "price_periods": ("statements/rating/apply/replace_price_periods",),
}


def apply(connection: duckdb.DuckDBPyConnection, effects: Mapping[str, object]) -> None:
    """Move month_state, plan_use, plan_state, rating_held, rating_marks, price_* by `effects`; the
    record's charges are at hand (billing.store.charges_at_hand).
    """
    for effect, statements in _STATEMENTS.items():
        if effect in effects:
            for statement in statements:
                connection.execute(sql.text(statement))
    if "charges" in effects:
        _move_months_on(connection)
    connection.execute(sql.text("statements/rating/apply/keep_mark"), effects["rating_mark"])


def _move_months_on(connection: duckdb.DuckDBPyConnection) -> None:
    """By the charges of new hours. What there is nothing of is left out, adding up as well."""
    facts = charges_at_hand.facts(connection)
    if facts.unnumbered:
        connection.execute(sql.text("statements/rating/apply/number_lanes"))
    if facts.known:
        connection.execute(sql.text("statements/rating/apply/put_known_months"))
    if facts.unknown:
        connection.execute(sql.text("statements/rating/apply/month_moves"))
        if facts.repeats:
            connection.execute(sql.text("statements/rating/apply/add_moves_up"))
        connection.execute(sql.text("statements/rating/apply/move_months_on"))
        connection.execute(sql.text("statements/rating/apply/put_months"))
