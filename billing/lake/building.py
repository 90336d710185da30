"""The files of a version while it is made: written anew, or linked from where they stand already.

What did not change is linked: a table whose rows are those of the version before, and of a large
table of accounts all but the rows that moved since it was written whole.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import sql
from billing.lake import version as versions
from billing.lake.tables import MOVED, TABLES, LakeTable
from billing.lake.version import Version, VersionFile
from billing.store.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

NO_DAY = "2000-01-01"


@dataclass(slots=True, kw_only=True)
class Building:
    """A version while it is made: what it may link from the one before, what it holds so far."""

    store: Store
    folder: Path
    base: Version | None
    broken: frozenset[str]
    files: list[VersionFile] = field(default_factory=list)
    ranged: dict[str, object] = field(default_factory=dict)
    """The range of records and the day that the session has now."""
    kinds: frozenset[str] | None = None
    """The kinds of the journal's records since the base, once somebody asked."""
    pruned: object = None
    """The day before which usage is gone, once somebody asked; blank: all is there."""

    @property
    def start(self) -> int:
        """The journal record up to which the base goes."""
        return self.base.journal_no if self.base else 0

    def stands(self, table: LakeTable) -> bool:
        """Whether no record since the base is of a kind that changes rows of a table."""
        if self.kinds is None:
            records = self.store.journal.records(after=self.start)
            self.kinds = frozenset(one.kind for one in records)
        return table.moved_by is not None and not table.moved_by & self.kinds

    def whole(self, table: str) -> list[VersionFile]:
        """The base's files of a table; none when one of them is not as it was written."""
        if self.base is None:
            return []
        files = self.base.of(table)
        return [] if any(one.path in self.broken for one in files) else files

    def link(self, old: VersionFile) -> None:
        """Take over a file of the base."""
        assert self.base is not None
        path = self.folder.joinpath(old.path)
        path.unlink(missing_ok=True)
        os.link(self.base.folder.joinpath(old.path), path)
        # A file copied with its home has another time of change, and was hashed for it.
        changed_ns = path.stat().st_mtime_ns
        self.files.append(replace(old, changed_ns=changed_ns))

    def place(self, table: LakeTable) -> Path:
        """The table's folder, made."""
        folder = self.folder.joinpath(table.name)
        folder.mkdir()
        return folder

    def numbered(self) -> str:
        """The version's number as it stands in names of files: a reader that comes by
        `lake/current` meets no file that has the name of another one and not its content.
        """
        return self.folder.name.strip(".").partition(".")[0]

    def drop(self, path: Path) -> None:
        """Take a file out again."""
        path.unlink()
        name = str(path.relative_to(self.folder))
        self.files = [one for one in self.files if one.path != name]


def write(
    building: Building,
    table: LakeTable,
    path: Path,
    *,
    after: int = 0,
    through: int = 0,
    day: str = NO_DAY,
    accounts: Collection[str] | None = None,
    select: str | None = None,
) -> VersionFile:
    """Write the SELECT of a table (or `select`), of all accounts or of some, to `path` and list
    the file.

    The range travels as a session variable: a query with parameters would be held in memory whole.
    """
    connection = building.store.connection
    ranged = {"after": after, "through": through, "day": day}
    if ranged != building.ranged:
        connection.execute(sql.text("statements/lake/publish/set_lake_range"), ranged)
        building.ranged = ranged
    relation = connection.sql(sql.text(select or table.select))
    if accounts is not None:
        connection.register("lake_rows", relation)
        relation = connection.sql(
            sql.text("statements/lake/publish/rows_of_accounts"), params={"accounts": [*accounts]}
        )
    return _save(building, table, path, relation)


def keep_one(building: Building, table: LakeTable, path: Path) -> None:
    """A table without files gets an empty one, `path`: other tools want one of each."""
    if any(path.parent.iterdir()):
        return
    name = str(path.relative_to(building.folder))
    old = next((one for one in building.whole(table.name) if one.path == name), None)
    if old is not None:
        building.link(old)
    else:
        relation = building.store.connection.sql(sql.text(table.select)).limit(0)
        _save(building, table, path, relation)


def merge(building: Building, table: LakeTable, path: Path, parts: Collection[Path]) -> None:
    """Add up files of a day into `path`, which may be one of them; the others go."""
    assert table.merged is not None
    connection = building.store.connection
    found = connection.read_parquet([str(one) for one in parts], hive_partitioning=False)
    connection.register("lake_rows", found)
    try:
        relation = connection.sql(sql.text(table.merged))
        for one in parts:
            name = str(one.relative_to(building.folder))
            building.files = [file for file in building.files if file.path != name]
        _save(building, table, path, relation)
    finally:
        connection.unregister("lake_rows")
    for one in parts:
        if one != path:
            one.unlink()


def _save(
    building: Building, table: LakeTable, path: Path, relation: DuckDBPyRelation
) -> VersionFile:
    """Write rows to `path` and list the file."""
    hidden = path.with_name(f".{path.name}.tmp")
    relation.write_parquet(str(hidden), compression="snappy")
    with open(hidden, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(hidden, path)
    rows = building.store.rows_of(path)
    made = versions.described(building.folder, table.name, path, rows)
    building.files.append(made)
    return made


def write_whole(building: Building, table: LakeTable) -> None:
    """Write a table, unless its rows are those of the version before."""
    folder = building.place(table)
    old = next(iter(building.whole(table.name)), None)
    if old is not None and building.stands(table):
        building.link(old)
        return
    content = content_of(building.store, table)
    if old is not None and old.content == content:
        building.link(old)
        return
    write(building, table, folder.joinpath(f"{building.numbered()}.parquet"))
    building.files[-1] = replace(building.files[-1], content=content)


def content_of(store: Store, table: LakeTable) -> str:
    """What the rows of a table are now, in a word; their order is that of their names."""
    store.connection.register("lake_rows", store.connection.sql(sql.text(table.select)))
    try:
        return str(store.value("statements/lake/publish/content"))
    finally:
        store.connection.unregister("lake_rows")


def published_through(building: Building) -> int | None:
    """The journal record up to which the base's tables of accounts were written whole; None where
    one is not there, or not as it was written.
    """
    found = []
    for table in TABLES:
        if table.kept == "by account":
            written = [one for one in building.whole(table.name) if MOVED not in one.path]
            if not written:
                return None
            found.append(int(Path(written[0].path).stem))
    return min(found)


def write_accounts(building: Building, table: LakeTable, touched: Collection[str] | None) -> None:
    """Write a table of accounts: all of them (`touched` None), or those touched since it was
    written whole beside that file, which readers then leave out of it. The second file is always
    there: what other tools attach names both.
    """
    folder = building.place(table)
    if touched is None:
        last = building.store.journal.last_no
        write(building, table, folder.joinpath(f"{last:08d}.parquet"))
    else:
        for one in building.whole(table.name):
            if MOVED not in one.path:
                building.link(one)
    path = folder.joinpath(f"{MOVED}.{building.numbered()}.parquet")
    write(building, table, path, accounts=touched or ())
