"""Charges for tests: of a world without a journal, and files of charges edited by hand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from billing.store import charge_files
from billing.store.journal import Journal
from edge.durable import sha256_file

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


def as_older_versions_wrote(home: Path, *columns: str) -> None:
    """The home as a version left it whose files of charges did not have `columns`."""
    before = Journal(home / "journal")
    before.verify()
    records = list(before.records())
    before.path.unlink()
    after = Journal(home / "journal")
    for record in records:
        effects = dict(record.effects)
        if "file" in (charges := effects.get("charges", {"json": None})):
            path = before.effect_path(charges["file"])
            kept = pq.read_table(path).drop_columns(list(columns))
            path.unlink()
            pq.write_table(kept, path)
            effects["charges"] = {**charges, "sha256": sha256_file(path)}
        after.append(after.next_record(record.kind, effects, at=record.at))
    shutil.rmtree(home / "lake")
    (home / "billing.duckdb").unlink()
