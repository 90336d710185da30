"""Whether billing.duckdb is what journal and closed hours say, table by table and row by row
(FAULTS L3).

The journal is replayed into a scratch database, and each table is compared both ways. Costs as much
as a rebuild; runs in `edgetoll check`, and at a start that finds the file changed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import duckdb

import sql
from billing.store.session import exact
from billing.store.store import Store


def differences(store: Store) -> list[str]:
    """One line per table that differs from a replay of the journal; empty when all agree."""
    folder = Path(tempfile.mkdtemp(prefix=".audit-", dir=store.home))
    try:
        scratch = Store.replayed(
            store.home, folder / "billing.duckdb", now=store.now, appliers=store.appliers
        )
        try:
            return [
                line
                for (name,) in store.connection.execute(
                    sql.text("statements/billing/lasting_tables")
                ).fetchall()
                if (line := _difference(name, store.connection, scratch.connection))
            ]
        finally:
            scratch.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _difference(
    name: str, here: duckdb.DuckDBPyConnection, there: duckdb.DuckDBPyConnection
) -> str | None:
    wanted = exact(there.table(name)).to_arrow_table()
    here.register("audited", wanted)
    try:
        stored, journaled = exact(here.table(name)), here.table("audited")
        extra = stored.except_(journaled)
        missing = journaled.except_(stored)
        rows = extra.limit(1).fetchall() or missing.limit(1).fetchall()
        if rows:
            return f"table {name} differs from the journal at {rows[0]}"
        counts = stored.shape[0], journaled.shape[0]
        if counts[0] != counts[1]:
            return f"table {name} has {counts[0]} rows, the journal gives {counts[1]}"
        return None
    finally:
        here.unregister("audited")
