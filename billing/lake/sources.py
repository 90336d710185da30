"""Which Parquet files stand behind each relation that the public views read.

`lake_*` comes from the lake's current version, `closed_usage` from closed hours that billing has
not imported yet, `live_*` from what metering republishes every second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sql as statements
from edge.errors import Corrupt
from metering.closed import ClosedFile, list_closed

LIVE = ("live_usage", "live_hours", "live_quarantine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files per relation (none: an empty relation of the right type) and the closed hours."""

    relations: dict[str, list[Path]]
    closed_hours: list[tuple[str, datetime]]


def find_sources(home: Path) -> Sources:
    """List the files of `home` that readers may see: the lake first, live hours last.

    An hour goes from live to closed to the lake. Looked for in that order, one that moves on
    meanwhile would be seen twice; in this order it is found once, where it was.
    """
    lake = current_version(home)
    closed = list_closed(home)
    relations: dict[str, list[Path]] = {}
    for schema in statements.names("lake_schema"):
        table = schema.rsplit("/", 1)[1]
        if table == "closed_usage" or table in LIVE:
            continue
        relations[f"lake_{table}"] = table_files(lake, table)
    imported = _imported(relations.get("lake_imported_files", []))
    relations["closed_usage"] = [
        file.data_path for file in closed if _identity(file) not in imported
    ]
    live = home / "live"
    relations["live_usage"] = sorted(live.glob("partition=*.parquet"))
    relations["live_hours"] = sorted(live.glob("hours*.parquet"))
    relations["live_quarantine"] = sorted(live.glob("quarantine*.parquet"))
    hours = sorted({(file.partition, _naive(file.hour)) for file in closed})
    return Sources(relations=relations, closed_hours=hours)


def current_version(home: Path) -> Path | None:
    """The folder of the lake's current version; None before billing has published one."""
    pointer = home / "lake" / "CURRENT"
    if not pointer.is_file():
        return None
    return home / "lake" / "versions" / pointer.read_text(encoding="utf-8").strip()


def table_files(version: Path | None, table: str) -> list[Path]:
    """The Parquet files of one lake table: a single file, or a folder of them."""
    if version is None:
        return []
    single = version / f"{table}.parquet"
    return [single] if single.is_file() else sorted((version / table).glob("*.parquet"))


def _imported(files: list[Path]) -> set[tuple[datetime, str, int]]:
    if not files:
        return set()
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        try:
            table = connection.read_parquet([str(path) for path in files])
            rows = table.project("hour, partition, revision").fetchall()
        except duckdb.Error as error:
            raise Corrupt(
                f"{files[0]} cannot be read: {str(error).splitlines()[0]}",
                "run edgetoll check; lake/ is rebuilt by edgetoll billing rate",
            ) from error
    return {(_naive(hour), partition, revision) for hour, partition, revision in rows}


def _identity(file: ClosedFile) -> tuple[datetime, str, int]:
    return (_naive(file.hour), file.partition, file.revision)


def _naive(moment: datetime) -> datetime:
    """UTC without the zone, as it stands in Parquet."""
    return moment.replace(tzinfo=None)
