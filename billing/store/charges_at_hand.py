"""The charges of the record being applied, for all who apply it: account and lane by number.

A run that has just priced them knows these numbers, and of most charges what their month-to-date
comes to; a file has the names of accounts and lanes alone, which are looked up then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """What is known of all charges of a record: how many of new hours move a month-to-date that has
    no number, that the run did not know, and that it knew; whether several of the unknown may move
    one; the first month; the end of the one hour that all are for (None: they are for others too).
    """

    unnumbered: int
    unknown: int
    known: int
    repeats: bool
    first_month: str | None
    of_hour_ending: datetime | None


def facts(connection: duckdb.DuckDBPyConnection) -> ChargeFacts:
    """What is known of the charges that `gather` has gathered."""
    found = sql.row(
        connection.execute(sql.text("statements/ledger/charges_at_hand/facts")), ChargeFacts
    )
    assert found is not None, "facts are one row"
    return found


def gather(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the view charges_at_hand of the record's effect."""
    if "account_no" in connection.table("effect_charges").columns:
        connection.execute(sql.text("statements/ledger/charges_at_hand/charges_by_number"))
    else:
        connection.execute(sql.text("statements/ledger/charges_at_hand/charges_by_name"))
    connection.execute(sql.text("statements/ledger/charges_at_hand/gather_facts"))


def let_go(connection: duckdb.DuckDBPyConnection) -> None:
    """The record is applied."""
    connection.execute(sql.text("statements/ledger/charges_at_hand/let_go"))
