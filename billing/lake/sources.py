"""Which Parquet files stand behind each relation that the public views read.

`lake_*` comes from the lake's current version, `closed_usage` from closed hours that billing has
not imported yet, `live_*` from what metering republishes every second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sql
from billing.lake import version as versions
from billing.lake.tables import TABLES
from edge.errors import Corrupt
from metering.closed import ClosedFile, list_closed, verify
from metering.status import HeldFiles

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LIVE_KINDS = {
    "live_usage": "partition=",
    "live_hours": "hours",
    "live_quarantine": "quarantine",
    "live_refused": "refused",
}
"""The files of live/ behind each relation, by how their names begin."""
# Closed hours wait for billing for an hour or a day: so many of them are hashed at each opening.
VERIFIED_AT_OPENING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files per relation (none: an empty relation of the right type) and the closed hours."""

    relations: dict[str, list[Path]]
    closed_hours: list[tuple[str, datetime]]
    published: bool = False
    """Billing has published a lake: each of its tables has a file."""
    held: dict[str, HeldFiles] = field(default_factory=dict)
    """The files of live/ by relation: metering replaces them while they are read."""

    def show(self) -> None:
        """Let the places of live files be these files: before they are only allowed."""
        for files in self.held.values():
            files.show()

    def close(self) -> None:
        """Let the live files go: nobody reads them any more."""
        for files in self.held.values():
            files.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """A closed-hour file that billing has taken in; its hour as UTC without zone."""

    hour: datetime
    partition: str
    revision: int


def find_sources(home: Path, connection: DuckDBPyConnection, *, held: bool = True) -> Sources:
    """List the files of `home` that readers may see: the lake first, live hours last. The reader's
    `connection` reads which hours are imported. `held`: live files stay those that are there now.

    An hour goes from live to closed to the lake. Looked for in that order, one that moves on
    meanwhile would be seen twice; in this order it is found once, where it was. Raises Corrupt
    when the lake's version is not whole, or a live file not as metering wrote it. Show what it
    returns before it is read, and close it.
    """
    lake = versions.current(home)
    if lake is not None:
        versions.verify_open(lake)
    closed = list_closed(home)
    relations: dict[str, list[Path]] = {
        table.relation: lake.paths(table.name) if lake else [] for table in TABLES
    }
    imported = _imported(connection, relations["lake_imported_files"])
    waiting = [file for file in closed if _identity(file) not in imported]
    for file in waiting[-VERIFIED_AT_OPENING:]:
        verify(file)
    relations["closed_usage"] = [file.data_path for file in waiting]
    hours = sorted({(file.partition, _naive(file.hour)) for file in closed})
    found = Sources(relations=relations, closed_hours=hours, published=lake is not None)
    try:
        for name, kind in LIVE_KINDS.items():
            found.held[name] = HeldFiles(home, kind, held=held)
            relations[name] = list(found.held[name].places)
    except BaseException:
        found.close()
        raise
    return found


def _imported(connection: DuckDBPyConnection, files: list[Path]) -> set[ImportedFile]:
    if not files:
        return set()
    import duckdb

    try:
        table = connection.read_parquet([str(path) for path in files])
        return set(sql.rows(table.project("hour, partition, revision"), ImportedFile))
    except duckdb.Error as error:
        raise Corrupt(
            f"{files[0]} cannot be read: {str(error).splitlines()[0]}", versions.MEND
        ) from error


def _identity(file: ClosedFile) -> ImportedFile:
    return ImportedFile(hour=_naive(file.hour), partition=file.partition, revision=file.revision)


def _naive(moment: datetime) -> datetime:
    """UTC without the zone, as it stands in Parquet."""
    return moment.replace(tzinfo=None)
