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

from billing.store import layout
from billing.store.session import exact
from billing.store.store import Store


def differences(store: Store) -> list[str]:
    """One line per table that differs from a replay of the journal; empty when all agree.

    Raises Corrupt when the journal or one of its effect files is damaged. The store notes how it
    came out.
    """
    found = _compared(store)
    store.note_audit(agrees=not found)
    return found


def _compared(store: Store) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix=".audit-", dir=store.home))
    try:
        scratch = Store.replayed(
            store.home, folder / "billing.duckdb", now=store.now, appliers=store.appliers
        )
        try:
            here = set(layout.lasting_tables(store.connection))
            there = set(layout.lasting_tables(scratch.connection))
            return [
                *(f"table {name} is none of billing's" for name in sorted(here - there)),
                *(f"table {name} is missing" for name in sorted(there - here)),
                *(
                    line
                    for name in sorted(here & there)
                    if (line := _difference(name, store.connection, scratch.connection))
                ),
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
