"""How records about states, and about who was told of them, enter the tables.

A record of any kind may carry the effects `states`, `events`, `alerts` and `clock`: a top-up and
the state it clears are one record (FAULTS U4, G17).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

import sql
from billing.balance.rows import ALERT_COLUMNS, EVENT_COLUMNS, STATE_COLUMNS
from billing.store.given import TEXT, register
from billing.store.journal import Record
from billing.store.store import Effects

DELIVERY_COLUMNS = (
    "event_id", "endpoint", "status", "attempts", "first_at", "next_at", "answer",
)  # fmt: skip


def apply_states(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Take the effects of a record that are about balances in; does nothing when it has none."""
    numbered = {"journal_no": record.number}
    if "states" in effects:
        with bound(connection, "states", effects["states"], STATE_COLUMNS):
            connection.execute(sql.text("statements/balance/states/put_history"), numbered)
            connection.execute(sql.text("statements/balance/states/drop_replaced_states"))
            connection.execute(sql.text("statements/balance/states/put_current"), numbered)
    if "events" in effects:
        with bound(connection, "events", effects["events"], EVENT_COLUMNS):
            connection.execute(sql.text("statements/balance/outbox/put_events"), numbered)
    if "alerts" in effects:
        with bound(connection, "alerts", effects["alerts"], ALERT_COLUMNS):
            connection.execute(sql.text("statements/balance/customer_alerts/put_raised"), numbered)
    if "clock" in effects:
        connection.execute(sql.text("statements/balance/grace_clock/clear"))
        connection.execute(
            sql.text("statements/balance/grace_clock/put"), {**numbered, **effects["clock"]}
        )


@contextmanager
def bound(
    connection: duckdb.DuckDBPyConnection, name: str, effect: object, columns: Sequence[str]
) -> Iterator[None]:
    """An effect's rows as the table effect_NAME; one that is a file is bound by the store."""
    if not isinstance(effect, list):
        yield
        return
    rows = [tuple(row.get(column) for column in columns) for row in effect]
    register(connection, f"effect_{name}", [(column, TEXT) for column in columns], rows)
    try:
        yield
    finally:
        connection.unregister(f"effect_{name}")


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
