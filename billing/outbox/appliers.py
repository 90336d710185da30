"""Appliers of records about delivery: how sending went, endpoints switched off and on."""

from __future__ import annotations

import duckdb

import sql
from billing.balance.appliers import apply_states, bound
from billing.store.journal import Record
from billing.store.store import Effects

DELIVERY_COLUMNS = (
    "event_id", "endpoint", "status", "attempts", "first_at", "next_at", "answer",
)  # fmt: skip


def apply_deliveries(
    connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects
) -> None:
    """Take in how events went, which endpoints are off, and the events that tell of that."""
    numbered = {"journal_no": record.number}
    with bound(connection, "deliveries", effects.get("deliveries", []), DELIVERY_COLUMNS):
        connection.execute(sql.text("statements/balance/outbox/drop_replaced_deliveries"))
        connection.execute(sql.text("statements/balance/outbox/put_deliveries"), numbered)
    for endpoint in effects.get("disabled", []):
        connection.execute(sql.text("statements/balance/outbox/disable"), {**numbered, **endpoint})
    for name in effects.get("enabled", []):
        connection.execute(sql.text("statements/balance/outbox/enable"), {"endpoint": name})
    apply_states(connection, record, {k: v for k, v in effects.items() if k == "events"})
