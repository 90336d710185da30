"""What is gone since a record was written, because a later one pruned it.

A record of years ago names files that are deleted: a later record merged its charges with others,
or says that the usage of its hours is kept no more. Whoever applies records anew learns it first,
and ends with the same tables. Usage that is gone cannot be rated again: who asks for that is
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

import sql
from billing.store.charge_files import MERGED_EFFECT, MERGED_KIND, merged_files
from billing.store.journal import Journal, Record
from edge.errors import ConflictError

USAGE_KIND = "usage_pruned"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    hours_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    account_id: str
    from_bucket: datetime
    reason: str
    hours_before: datetime


def look_ahead(connection: duckdb.DuckDBPyConnection, journal: Journal, *, after: int) -> None:
    """Learn, before the records behind `after` are applied anew, which of their files are gone."""
    for record in journal.of_kind(MERGED_KIND, after=after):
        merged = record.effects[MERGED_EFFECT]
        assert "file" in merged, "what is merged is a table, and so a file"
        for file in merged_files(record):
            if not journal.effect_path(file.file).exists():
                connection.execute(
                    sql.text("statements/prune/gone/merge_away"),
                    {
                        "file": file.file,
                        "merged_file": merged["file"],
                        "sha256": merged["sha256"],
                    },
                )
    for record in journal.of_kind(USAGE_KIND, after=after):
        connection.execute(
            sql.text("statements/prune/gone/usage_goes"), {"hours_before": hours_before(record)}
        )


def hours_before(record: Record) -> str:
    """Before which hour a record of kind USAGE_KIND took usage away."""
    effect = record.effects["usage"]
    assert "json" in effect, "it stands in the record"
    stated: Any = effect["json"]
    return str(stated["hours_before"])


def usage_before(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Before which hour usage was pruned, UTC without zone; None: it never was."""
    found = connection.execute(sql.text("statements/prune/gone/usage_before"))
    return sql.rows(found, _Before)[0].hours_before


def usage_goes(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Before which hour a record takes usage away that is still to be applied anew."""
    found = connection.execute(sql.text("statements/prune/gone/usage_will_go"))
    return sql.rows(found, _Before)[0].hours_before


def refuse_marked(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """ConflictError where `record` asks for hours to be rated again whose usage was pruned."""
    _refuse(
        connection.execute(
            sql.text("statements/prune/gone/marked_past"), {"journal_no": record.number}
        )
    )


def refuse_replayed(connection: duckdb.DuckDBPyConnection) -> None:
    """The same for what a rating run would replay, whatever asks for it."""
    _refuse(connection.execute(sql.text("statements/prune/gone/replayed_past")))


def _refuse(found: duckdb.DuckDBPyConnection) -> None:
    for one in sql.rows(found, _Past)[:1]:
        raise ConflictError(
            f"{one.account_id} would be rated again from {one.from_bucket:%Y-%m-%dT%H:%MZ}"
            f" ({one.reason}): usage of before {one.hours_before:%Y-%m-%d} was pruned",
            "what was charged then stands: let the change begin later, or give the difference back"
            " by a credit note",
        )
