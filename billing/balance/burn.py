"""What each account burns: what it was charged in the last 1, 7, 24 and 168 rated hours.

Forecasts and low balance go by it. It is moved on by each rating run instead of being added up from
a week of charges, which are 168 times as many as the run's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

import sql
from billing.store import charges_at_hand
from billing.store.journal import Record
from billing.store.store import Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """Up to where the runs before have rated, and the files that have charges of their last week;
    None: there was none.
    """

    through: datetime | None
    files: list[str] | None


def apply_burn(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Move account_burn on by a run whose own tables have not moved yet."""
    before = sql.row(connection.execute(sql.text("statements/balance/burn/before")), _Before)
    assert before is not None, "what was before is one row"
    through = datetime.fromisoformat(effects["run"]["through_hour"]).replace(tzinfo=None)
    connection.execute(
        sql.text("statements/balance/burn/span"),
        {
            "through": through,
            "before": before.through,
            "files": before.files,
            "journal_no": record.number,
        },
    )
    if charges_at_hand.facts(connection).of_hour_ending == through:
        connection.execute(sql.text("statements/balance/burn/come_of_one_hour"))
    else:
        connection.execute(sql.text("statements/balance/burn/come"))
    if before.files and before.through is not None:
        connection.execute(sql.text("statements/balance/burn/go"))
    else:
        connection.execute(sql.text("statements/balance/burn/nothing_goes"))
    connection.execute(sql.text("statements/balance/burn/moved"))
