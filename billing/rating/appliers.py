"""Applies a rating run's effects to rating's own tables; called by the applier of "rating_run".

SQL over the effects alone (the views effect_*), so that replaying the journal gives the same
tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

import sql

# effect -> the statements it needs, in order. An effect that a run does not have changes nothing.
_STATEMENTS = {
    "replayed": ("apply_month_state_forget",),
    "month_state": ("apply_month_state_replaced",),
    "charges": ("month_moves", "apply_month_state_moved", "drop_month_moves"),
    "plan_use": ("apply_plan_use", "apply_plan_state"),
    "rating_held": ("apply_held_forget", "apply_held"),
    "price_versions": ("apply_price_versions_forget", "apply_price_versions"),
    "price_cards": ("forget_price_cards", "keep_price_cards"),
    "price_labels": ("forget_price_labels", "keep_price_labels"),
    "price_tiers": ("forget_price_tiers", "keep_price_tiers"),
    "price_periods": ("forget_price_periods", "keep_price_periods"),
}


def apply(connection: duckdb.DuckDBPyConnection, effects: Mapping[str, Any]) -> None:
    """Move month_state, plan_use, plan_state, rating_held, rating_marks, price_* by `effects`."""
    for effect, statements in _STATEMENTS.items():
        if effect in effects:
            for name in statements:
                connection.execute(sql.text(f"statements/rating/{name}"))
    connection.execute(sql.text("statements/rating/apply_mark"), effects["rating_mark"])
