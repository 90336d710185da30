"""How records about states enter the tables.

A record of any kind may carry the effects `states`, `events`, `alerts` and `clock`: a top-up and
the state it clears are one record (FAULTS U4, G17).
"""

from __future__ import annotations

from typing import Any

from billing.balance.figures import run
from billing.balance.rows import ALERT_COLUMNS, EVENT_COLUMNS, STATE_COLUMNS, as_table
from billing.store.journal import Record
from billing.store.store import Effects


def apply_states(connection: Any, record: Record, effects: Effects) -> None:
    """Take the effects of a record that are about balances in; does nothing when it has none."""
    if "states" in effects:
        _bind(connection, "states", effects["states"], STATE_COLUMNS)
        run(connection, "put_states", journal_no=record.number)
        run(connection, "drop_replaced_states")
        run(connection, "put_present_states", journal_no=record.number)
        _unbind(connection, "states", effects["states"])
    if "events" in effects:
        _bind(connection, "events", effects["events"], EVENT_COLUMNS)
        run(connection, "put_events", journal_no=record.number)
        _unbind(connection, "events", effects["events"])
    if "alerts" in effects:
        _bind(connection, "alerts", effects["alerts"], ALERT_COLUMNS)
        run(connection, "put_alerts", journal_no=record.number)
        _unbind(connection, "alerts", effects["alerts"])
    if "clock" in effects:
        run(connection, "clear_clock")
        run(connection, "put_clock", journal_no=record.number, **effects["clock"])


def _bind(connection: Any, name: str, effect: Any, columns: tuple[str, ...]) -> None:
    # A table effect is bound by the store already, under the same name.
    if isinstance(effect, list):
        connection.register(f"effect_{name}", as_table(effect, columns))


def _unbind(connection: Any, name: str, effect: Any) -> None:
    if isinstance(effect, list):
        connection.unregister(f"effect_{name}")
