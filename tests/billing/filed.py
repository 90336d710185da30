"""Charges for tests: of a world without a journal, and files of charges edited by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb

from billing.store import charge_files

AS_THEY_ARE = "SELECT * FROM filed"


def made_charges(connection: duckdb.DuckDBPyConnection) -> None:
    """A table `made_charges` that the session reads as its charges: for worlds that have no
    journal, and so no files.
    """
    charge_files.show(connection)
    connection.execute("CREATE TABLE made_charges AS FROM charges")
    connection.execute("CREATE OR REPLACE TEMP VIEW charges AS FROM made_charges")


def refile(home: Path, query: str = AS_THEY_ARE) -> None:
    """Make each file of charges what `query` gives of it as `filed`, as somebody may by hand."""
    files = sorted((home / "journal" / "effects").glob("*-charges.parquet"))
    assert files, "nothing was charged"
    for file in files:
        with duckdb.connect() as by_hand:
            filed: Any = by_hand.read_parquet(str(file))
            by_hand.register("filed", filed)
            by_hand.sql(query).write_parquet(f"{file}.new")
        os.replace(f"{file}.new", file)
