"""Which tables billing.duckdb has: a store laid out by another version is not written to.

`CREATE TABLE IF NOT EXISTS` would leave an older table as it is, and a statement would fail on a
column it lacks, or worse, fill a new table from today on only.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

import duckdb

import sql

_TEMPORARY = re.compile(r"^CREATE (OR REPLACE )?TEMP ", re.MULTILINE)


def names() -> list[str]:
    """The files of sql/schema whose tables are billing's."""
    return [name for name in sql.names("schema") if not name.startswith("schema/metering")]


@cache
def present() -> str:
    """What the tables of this program look like; comments and spaces make no difference."""
    texts = [
        " ".join(line.partition("--")[0] for line in sql.text(name).splitlines())
        for name in names()
    ]
    return hashlib.sha256(" ".join(" ".join(texts).split()).encode()).hexdigest()[:16]


def stored(connection: duckdb.DuckDBPyConnection) -> str | None:
    """What the tables of the open store look like: None for an empty one, "" if it does not say."""
    try:
        noted = connection.execute(sql.text("statements/store/session/store_layout")).fetchone()
    except duckdb.CatalogException:
        return "" if lasting_tables(connection) else None
    return str(noted[0]) if noted else ""


def lasting_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The names of the tables that the store keeps, in order."""
    found = connection.execute(sql.text("statements/store/session/lasting_tables")).fetchall()
    return [name for (name,) in found]


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that are not there, temporary ones too, and note what they look like."""
    for name in names():
        connection.execute(sql.text(name))
    connection.execute(
        sql.text("statements/store/session/note_store_layout"), {"layout": present()}
    )


@cache
def of_session() -> str:
    """Of those statements the ones whose tables and macros end with the session: all that a store
    laid out by this program lacks. To run the others, too, is a seventh of opening it.
    """
    found = [one.query for name in names() for one in duckdb.extract_statements(sql.text(name))]
    return ";\n".join(one for one in found if _TEMPORARY.search(one))
