"""Whether billing.duckdb is what journal and closed hours say, table by table and row by row
(FAULTS L3).

The journal is replayed into a scratch database, and each table is compared both ways. Costs as much
as a rebuild; runs in `edgetoll check`, and at a start that finds the file changed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TypeAlias

import duckdb

from billing.store import layout
from billing.store.session import exact
from billing.store.store import Store

FEW_ROWS = 1_000
Row: TypeAlias = tuple[object, ...]


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
    """What differs in a table. Few rows are compared as Python has them: asking DuckDB costs twenty
    times as much, and most tables of most homes are small.
    """
    few = [side.table(name).limit(FEW_ROWS + 1).fetchall() for side in (here, there)]
    if max(map(len, few)) <= FEW_ROWS:
        return _said(name, *few)
    wanted = exact(there.table(name)).to_arrow_table()
    here.register("audited", wanted)
    try:
        stored, journaled = exact(here.table(name)), here.table("audited")
        rows = stored.except_(journaled).limit(1).fetchall()
        rows = rows or journaled.except_(stored).limit(1).fetchall()
        return _differs(name, rows, stored.shape[0], journaled.shape[0])
    finally:
        here.unregister("audited")


def _said(name: str, stored: list[Row], journaled: list[Row]) -> str | None:
    known, wanted = Counter(map(repr, stored)), Counter(map(repr, journaled))
    rows = [one for one in stored if repr(one) not in wanted]
    rows = rows or [one for one in journaled if repr(one) not in known]
    if not rows and len(stored) == len(journaled) and known != wanted:
        rows = [one for one in stored if known[repr(one)] != wanted[repr(one)]]
    return _differs(name, rows, len(stored), len(journaled))


def _differs(name: str, rows: list[Row], stored: int, journaled: int) -> str | None:
    if rows:
        return f"table {name} differs from the journal at {rows[0]}"
    if stored != journaled:
        return f"table {name} has {stored} rows, the journal gives {journaled}"
    return None
