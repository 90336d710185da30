"""A charge stands once: the Parquet file that the journal record of its run names is the charge.

billing.duckdb knows which files there are; a session reads them as its views `charges` and
`transfers` (a charge is its own transfer). Nothing writes to a file again. One that is not as it
was written is found by its hash: by whoever opens a home in which files were touched, and by
`edgetoll check`, which replays the journal. Files of months long past are merged into fewer by a
record of its own kind (billing.prune.merging); then the merged file is these charges.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

import sql
from billing.store.journal import FileEffect, Journal, Record
from edge.durable import sha256_file
from edge.errors import Corrupt

EFFECT = "charges"
"""The effect of a record whose file is charges."""
MERGED_KIND = "charges_merged"
MERGED_EFFECT = "merged_charges"
"""The effect of a record whose file is the charges of several earlier ones."""
_VIEWS = {
    "of a run": "statements/ledger/charge_files/with_present",
    "merged": "statements/ledger/charge_files/with_merged",
    "older": "statements/ledger/charge_files/with_older",
}
RESTORE = "restore journal/effects/ from a backup: what was charged stands there and nowhere else"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFile:
    """A file of charges as the store knows it; `file` lies in journal/effects. `form`: `of a run`,
    `merged`, or `older`, in which files did not name their run and record.
    """

    journal_no: int
    file: str
    sha256: str
    rows: int
    form: str


class Opened(Protocol):
    """What is asked of an open store."""

    connection: duckdb.DuckDBPyConnection
    journal: Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCharges:
    """What the views of a session read: the files, in the order of their records."""

    files: tuple[ChargeFile, ...]

    @property
    def forms(self) -> frozenset[str]:
        """The forms of which there are files."""
        return frozenset(one.form for one in self.files)


def merged_files(record: Record) -> list[ChargeFile]:
    """The files that a record merged, as it names them."""
    effect = record.effects["merge"]
    assert "json" in effect, "what was merged stands in the record"
    files: list[dict[str, Any]] = effect["json"]["files"]  # type: ignore[index]
    return [ChargeFile(**one, form="of a run") for one in files]


def elsewhere(
    connection: duckdb.DuckDBPyConnection, journal: Journal, record: Record, effect: FileEffect
) -> duckdb.DuckDBPyRelation | None:
    """The rows of a file of charges that is gone, from the one it was merged into; None: it was
    not, or they are not all there.
    """
    found = connection.execute(
        sql.text("statements/ledger/charge_files/merged_into"), {"file": effect["file"]}
    ).fetchone()
    if found is None or not journal.effect_path(found[0]).exists():
        return None
    rows = connection.read_parquet(str(journal.effect_path(found[0]))).filter(
        duckdb.ColumnExpression("journal_no") == duckdb.ConstantExpression(record.number)
    )
    return rows if rows.shape[0] == effect["rows"] else None


def take_in(connection: duckdb.DuckDBPyConnection, record: Record, *, run_id: str) -> None:
    """Note the file of `record`, whose rows are charges of `run_id` from now on. They are seen
    once the record is applied whole (`show`).
    """
    effect = record.effects[EFFECT]
    assert "file" in effect, "charges are a table, and so a file"
    columns = connection.table(f"effect_{EFFECT}").columns
    connection.execute(
        sql.text("statements/ledger/charge_files/take_in"),
        {
            "journal_no": record.number,
            "file": effect["file"],
            "sha256": effect["sha256"],
            "rows": effect["rows"],
            "run_id": run_id,
            "is_older": "journal_no" not in columns,
        },
    )


def is_of_charges(record: Record) -> bool:
    """Whether a record brings or merges files of charges."""
    return EFFECT in record.effects or MERGED_EFFECT in record.effects


def show(
    connection: duckdb.DuckDBPyConnection,
    journal: Journal | None = None,
    before: ShownCharges | None = None,
) -> ShownCharges:
    """Make the views `charges` and `transfers` of this session what the store's tables say.
    `before`: what they read until now.

    Corrupt, where `journal` is given, names a file that DuckDB cannot read.
    """
    now = ShownCharges(files=tuple(listed(connection)))
    places = {form: [one.file for one in now.files if one.form == form] for form in _VIEWS}
    connection.execute(
        sql.text("statements/ledger/charge_files/set_places"),
        {
            "present": places["of a run"],
            "merged": sorted({*places["merged"]}),
            "older": places["older"],
            "through": max((one.journal_no for one in now.files), default=0),
        },
    )
    if before is not None and before.forms == now.forms:
        return now
    connection.execute(sql.text("statements/ledger/charge_files/charges"))
    try:
        for form in now.forms:
            connection.execute(sql.text(_VIEWS[form]))
    except duckdb.Error:
        if journal is not None:
            for one in now.files:
                refuse_damaged_file(one, journal)
        raise
    return now


def listed(connection: duckdb.DuckDBPyConnection) -> list[ChargeFile]:
    """The files of charges, in the order of their records."""
    return sql.rows(connection.execute(sql.text("statements/ledger/charge_files/list")), ChargeFile)


def state_of(shown: ShownCharges, journal: Journal) -> str:
    """What the files of charges look like, in one word: another one where any was touched. A link
    made to a file does not touch it.
    """
    digest = hashlib.sha256()
    for one in shown.files:
        digest.update(f"{one.file} {_looks(journal.effect_path(one.file))}\n".encode())
    return digest.hexdigest()


def _looks(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def refuse_damaged(store: Opened) -> None:
    """Read every file of charges; Corrupt for the first that is missing or changed."""
    for one in listed(store.connection):
        refuse_damaged_file(one, store.journal)


def refuse_damaged_file(one: ChargeFile, journal: Journal) -> None:
    """Read one file of charges; Corrupt if it is missing or changed, or if it is as the journal
    says and the store says something else of it.
    """
    path = journal.effect_path(one.file)
    found = sha256_file(path) if path.exists() else None
    if found == one.sha256:
        return
    for record in journal.records(after=one.journal_no - 1):
        effect = record.effects.get(MERGED_EFFECT if one.form == "merged" else EFFECT)
        if found is not None and effect is not None and effect.get("sha256") == found:
            raise Corrupt(
                f"billing.duckdb was changed by something other than billing: what it says of"
                f" {one.file} differs from the journal",
                "move it away: it is rebuilt from the journal",
            )
        break
    raise Corrupt(
        f"{one.file} of journal record {one.journal_no}, which is its charges, is missing or"
        " changed",
        RESTORE,
    )


def link(file: Path, place: Path) -> None:
    """Make `place` the same file of charges; a copy where the two lie on different disks."""
    try:
        os.link(file, place)
    except FileNotFoundError as error:
        raise Corrupt(f"{file.name}, which is charges, is missing", RESTORE) from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copy2(file, place)
