"""Files of charges of months long past, merged into fewer: a run leaves one each hour, 744 a month.

A record of kind `charges_merged` names the files, their hashes and sums, and the file that has
their rows from then on, each with its run and record. Only then are the old ones deleted. Whoever
applies the journal anew takes the rows of an old record from the merged file
(`charge_files.look_ahead`), and the sums are held against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

import sql
from billing.instants import naive
from billing.store import charge_files
from billing.store.charge_files import ChargeFile
from billing.store.journal import Journal, Record
from billing.store.session import TableRef
from billing.store.store import Effects, Store
from edge.durable import sha256_file
from edge.errors import Corrupt

ROWS_MAX = 100_000_000
"""A merged file has so many charges at most, unless one run has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Files of charges of one month's runs that may become one."""

    month: str
    files: tuple[ChargeFile, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileOfMonth:
    month: str
    journal_no: int
    file: str
    sha256: str
    rows: int
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    journal_no: int
    currency: str
    charges: int
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Differs:
    journal_no: int


def due(store: Store, *, before: datetime) -> list[Merge]:
    """What may be merged: files of runs that rated hours before `before` alone, by month, those
    with the same columns together.
    """
    found = store.connection.execute(
        sql.text("statements/prune/merging/files_to_merge"), {"before": naive(before)}
    )
    merges = []
    listed = sql.rows(found, _FileOfMonth)
    if len(listed) < 2:
        return []
    for (month, _columns), group in groupby(
        listed, key=lambda one: (one.month, _columns_of(store, one.file))
    ):
        for files in _bounded(group):
            if len(files) > 1:
                places = [store.journal.effect_path(one.file) for one in files]
                size = sum(place.stat().st_size for place in places if place.exists())
                merges.append(Merge(month=month, files=tuple(files), bytes=size))
    return merges


def _columns_of(store: Store, file: str) -> tuple[str, ...]:
    return tuple(store.connection.read_parquet(str(store.journal.effect_path(file))).columns)


def _bounded(group: Iterable[_FileOfMonth]) -> Iterator[list[ChargeFile]]:
    files: list[ChargeFile] = []
    for one in group:
        if files and sum(file.rows for file in files) + one.rows > ROWS_MAX:
            yield files
            files = []
        files.append(
            ChargeFile(
                journal_no=one.journal_no,
                file=one.file,
                sha256=one.sha256,
                rows=one.rows,
                form=one.form,
            )
        )
    yield files


def merge(store: Store, wanted: Merge, *, at: datetime) -> int:
    """Write the merged file and the record that names it; returns its number. The old files stay.

    Corrupt for one of them that is missing or changed.
    """
    for one in wanted.files:
        charge_files.refuse_damaged_file(one, store.journal)
    paths = [str(store.journal.effect_path(one.file)) for one in wanted.files]
    store.connection.execute(sql.text("statements/prune/merging/set_merging"), {"paths": paths})
    store.connection.execute(sql.text("statements/prune/merging/charges_to_merge"))
    sums = sql.rows(store.connection.execute(sql.text("statements/prune/merging/sums")), _Sum)
    stated = {
        "month": wanted.month,
        "files": [
            {
                "journal_no": one.journal_no,
                "file": one.file,
                "sha256": one.sha256,
                "rows": one.rows,
            }
            for one in wanted.files
        ],
        "sums": [asdict(one) for one in sums],
    }
    effects = {"merge": stated, charge_files.MERGED_EFFECT: TableRef("charges_to_merge")}
    return store.commit(charge_files.MERGED_KIND, effects, at=at)


def apply_merge(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Let the merged file stand for those it was made of, if it has what they had."""
    files = charge_files.merged_files(record)
    _refuse_other_sums(connection, record)
    merged = record.effects[charge_files.MERGED_EFFECT]
    assert "file" in merged, "what is merged is a table, and so a file"
    connection.execute(
        sql.text("statements/prune/merging/let_go"),
        {"numbers": [one.journal_no for one in files]},
    )
    connection.execute(
        sql.text("statements/prune/merging/take_in"),
        {
            "journal_no": record.number,
            "file": merged["file"],
            "sha256": merged["sha256"],
            "rows": merged["rows"],
        },
    )


def _refuse_other_sums(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Corrupt where the rows of effect_merged_charges are not what the record says of them."""
    effect = record.effects["merge"]
    assert "json" in effect, "what was merged stands in the record"
    found = connection.execute(
        sql.text("statements/prune/merging/differs"), {"merge": json.dumps(effect["json"])}
    )
    for one in sql.rows(found, _Differs):
        raise Corrupt(
            f"journal record {record.number} merged the charges of record {one.journal_no}, and its"
            " file has others",
            charge_files.RESTORE,
        )


def replaced(journal: Journal) -> Iterator[tuple[Record, list[Path]]]:
    """Each record that merged files, and those of them that are still there."""
    for record in journal.of_kind(charge_files.MERGED_KIND):
        places = [journal.effect_path(one.file) for one in charge_files.merged_files(record)]
        if left := [place for place in places if place.exists()]:
            yield record, left


def delete_replaced(store: Store, record: Record, left: Sequence[Path]) -> None:
    """Delete what `record` merged, once its file is read and has all of it; Corrupt if not."""
    merged = record.effects[charge_files.MERGED_EFFECT]
    assert "file" in merged, "what is merged is a table, and so a file"
    place = store.journal.effect_path(merged["file"])
    if not place.exists() or sha256_file(place) != merged["sha256"]:
        raise Corrupt(f"{merged['file']} is missing or changed", charge_files.RESTORE)
    name = f"effect_{charge_files.MERGED_EFFECT}"
    store.connection.register(name, store.connection.read_parquet(str(place)))
    try:
        _refuse_other_sums(store.connection, record)
    finally:
        store.connection.unregister(name)
    for one in left:
        one.unlink()
