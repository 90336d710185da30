"""`edgetoll sql --attach FILE`: the public views as a small DuckDB file that any tool opens.

The file holds no rows: its views read `lake/current`, which moves on with each version, and
`live/`. DuckDB's own shell, DBeaver, Metabase, Superset and pandas open it without edgetoll. They
cannot refuse a lake that is not whole, and one query may meet two versions: edgetoll's own doors
do better.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from billing.lake import version as versions
from billing.lake.binding import WITHOUT_MOVED, create_views, no_table
from billing.lake.export import whole
from billing.lake.tables import BESIDE, MOVED, TABLES
from edge.errors import InputError
from edge.terminal import say
from sql import text as sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LIVE = {
    "live_usage": "partition=*.parquet",
    "live_hours": "hours*.parquet",
    "live_quarantine": "quarantine*.parquet",
    "live_refused": "refused*.parquet",
}


def attach(home: Path, output: Path) -> None:
    """Write `output`, or replace one that this wrote before. InputError when the home has no lake
    yet, or the file is somebody else's.
    """
    import duckdb

    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    version = versions.current(home)
    if version is None:
        raise InputError("billing has published no lake yet", "edgetoll billing rate publishes it")
    versions.verify_open(version)
    for table in TABLES:
        if not version.of(table.name):
            raise no_table(table.relation)
    if output.exists() and not _is_ours(output):
        raise InputError(f"{output} is there already, and is no file of edgetoll's", "name another")
    with whole(output) as path:
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            empty = _create_relations(connection, home.resolve())
            create_views(connection)
            connection.execute("CHECKPOINT")
        Path(f"{path}.wal").unlink(missing_ok=True)
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
    if empty:
        say(f"open hours are missing: {home / 'live'} is empty; attach again once metering ran")
    say(f"open it with any DuckDB 1.5 or newer: duckdb -readonly {output}")


def _is_ours(output: Path) -> bool:
    import duckdb

    try:
        with duckdb.connect(str(output), read_only=True) as connection:
            views = connection.execute(sql_text("statements/lake/read/list_views")).fetchall()
    except duckdb.Error:
        return False
    return any(name == "usage_parts" for name, _columns in views)


def _create_relations(connection: DuckDBPyConnection, home: Path) -> bool:
    """The base relations, by the names of their files in any version; True when live/ is empty."""
    current = home.joinpath(versions.LAKE, versions.LINK)
    for table in TABLES:
        place = current.joinpath(table.name)
        if table.kept == "by account":
            _read(connection, f"{table.relation}_whole", place.joinpath("[0-9]*.parquet"))
            _read(connection, f"{table.relation}_moved", place.joinpath(f"{MOVED}.*.parquet"))
            connection.execute(sql_text(WITHOUT_MOVED[table.relation]))
        else:
            _read(connection, table.relation, place.joinpath("*.parquet"))
    empty = False
    for name in BESIDE:
        pattern = LIVE.get(name)
        if pattern and any((home / "live").glob(pattern)):
            _read(connection, name, home.joinpath("live", pattern))
        else:
            empty = empty or name == "live_usage"
            connection.execute(sql_text(f"lake_schema/{name}"))
    connection.execute(sql_text("statements/lake/read/imported_hours_are_closed"))
    return empty


def _read(connection: DuckDBPyConnection, name: str, files: Path) -> None:
    """A view over files. Not by the union of their names: for that DuckDB opens each file twice,
    and one that is replaced meanwhile would be read by the description of the other.
    """
    connection.read_parquet(
        [str(files)], filename=name == "live_usage", hive_partitioning=False
    ).create_view(name)
