"""Applies a rating run's effects to rating's own tables; called by the applier of "rating_run".

SQL over the effects alone (the views effect_*), so that replaying the journal gives the same
tables.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

import sql

# effect -> the statement it needs, in order. An effect that a run does not have changes nothing.
_STATEMENTS = {
    "replayed": "statements/rating/apply/forget_replayed_months",
    "month_state": "statements/rating/apply/keep_replayed_months",
    "plan_use": "statements/rating/apply/keep_plan_use",
    "rating_held": "statements/rating/apply/replace_held",
    "price_versions": "statements/rating/apply/replace_price_versions",
    "price_cards": "statements/rating/apply/replace_price_cards",
    "price_labels": "statements/rating/apply/replace_price_labels",
    "price_tiers": "statements/rating/apply/replace_price_tiers",
    "price_periods": "statements/rating/apply/replace_price_periods",
}


def apply(connection: duckdb.DuckDBPyConnection, effects: Mapping[str, object]) -> None:
    """Move month_state, plan_use, plan_state, rating_held, rating_marks, price_* by `effects`."""
    for effect, statement in _STATEMENTS.items():
        if effect in effects:
            connection.execute(sql.text(statement))
    if "charges" in effects:
        _move_months_on(connection)
    connection.execute(sql.text("statements/rating/apply/keep_mark"), effects["rating_mark"])


def _move_months_on(connection: duckdb.DuckDBPyConnection) -> None:
    """By the charges of new hours. Adding up is left out where there is nothing to add."""
    connection.execute(sql.text("statements/rating/apply/charges_at_hand"))
    connection.execute(sql.text("statements/rating/apply/number_charged"))
    connection.execute(sql.text("statements/rating/apply/month_moves"))
    repeats = connection.execute(sql.text("statements/rating/apply/moves_repeat")).fetchall()
    if repeats[0][0]:
        connection.execute(sql.text("statements/rating/apply/add_moves_up"))
    connection.execute(sql.text("statements/rating/apply/move_months_on"))
