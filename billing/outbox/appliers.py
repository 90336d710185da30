"""Appliers of records about delivery: how sending went, endpoints switched off and on."""

from __future__ import annotations

from typing import Any

from billing.balance.appliers import apply_states
from billing.balance.figures import run
from billing.balance.rows import as_table
from billing.store.journal import Record
from billing.store.store import Effects

DELIVERY_COLUMNS = (
    "event_id", "endpoint", "status", "attempts", "first_at", "next_at", "answer",
)  # fmt: skip


def apply_deliveries(connection: Any, record: Record, effects: Effects) -> None:
    """Take in how events went, which endpoints are off, and the events that tell of that."""
    rows = effects.get("deliveries", [])
    if isinstance(rows, list):
        connection.register("effect_deliveries", as_table(rows, DELIVERY_COLUMNS))
    run(connection, "drop_replaced_deliveries")
    run(connection, "put_deliveries", journal_no=record.number)
    if isinstance(rows, list):
        connection.unregister("effect_deliveries")
    for endpoint in effects.get("disabled", []):
        run(connection, "disable_endpoint", journal_no=record.number, **endpoint)
    for name in effects.get("enabled", []):
        run(connection, "enable_endpoint", endpoint=name)
    apply_states(connection, record, {k: v for k, v in effects.items() if k == "events"})


def apply_full_state(connection: Any, record: Record, effects: Effects) -> None:
    """Take the day's messages with all states in."""
    apply_states(connection, record, effects)
