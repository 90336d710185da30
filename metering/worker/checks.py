"""The invariants of a home's usage stores and checkpoints.

No file of sql/checks/metering_* returns a row; from every newest checkpoint a lost store could be
rebuilt, and the newest certificates, which no later one names, are those it wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

import sql
from edge.durable import sha256_file
from edge.errors import EdgetollError
from metering.closed import CLOSED_FOLDER, list_closed, parse_hour, read_certificate
from metering.hour import to_ms
from metering.hours import checkpoint
from metering.status import FOLDER, files, read_file
from metering.store.faults import is_in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCheck:
    """One invariant of metering: its name, what it says, and the first rows that break it."""

    check: str
    about: str
    rows: tuple[tuple[object, ...], ...] = ()


def names() -> tuple[str, ...]:
    """The checks, as `sql.text` takes them."""
    return tuple(name for name in sql.names("checks") if name.startswith("checks/metering_"))


def run(home: Path) -> list[StoreCheck]:
    """Every check over every store of `home`: name, what it says, the first rows that break it.

    A store that a running worker holds open, in whichever process, is not opened: the sums that
    worker publishes in live/status*.json, which it checks at every flush, are checked instead.
    """
    found: list[StoreCheck] = []
    for path in sorted(home.glob("usage*.duckdb")):
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if not is_in_use(error):
                raise
            found.append(_published(home, path.name))
            continue
        with connection:
            connection.register("certificates", _certificates(home))
            found.extend(_check(connection, name) for name in names())
    return [*found, checkpoints(home)]


def checkpoints(home: Path) -> StoreCheck:
    """Whether each partition's newest checkpoint is whole, with all that it names."""
    wrong = [
        row
        for place in sorted((home / CLOSED_FOLDER / "checkpoints").glob("partition=*"))
        for row in _checkpoint(home, place.name.removeprefix("partition="))
    ]
    return StoreCheck(
        check="metering_checkpoints_are_whole",
        about="The newest checkpoint, its files and its certificates are as they were written.",
        rows=tuple(wrong[:10]),
    )


def _checkpoint(home: Path, partition: str) -> list[tuple[str, str]]:
    """What is wrong with the newest checkpoint of a partition, as (file, why)."""
    numbers = checkpoint.numbers(home, partition)
    if not numbers:
        return []
    path = checkpoint.path_of(home, partition, numbers[-1])
    try:
        head = checkpoint.read_head(path)
    except EdgetollError as error:
        return [(path.name, str(error))]
    named = [(path.with_name(one.file), one.sha256) for one in head.sidecars]
    for one in head.pending:
        text = hashlib.sha256(one.text.encode()).hexdigest()
        named.extend(((home / one.certificate, text), (home / one.data, one.data_sha256)))
    return [
        (file.name, f"{file} is missing or differs from what {path.name} names")
        for file, sha256 in named
        if not file.is_file() or sha256_file(file) != sha256
    ]


def older_live(home: Path) -> Iterator[tuple[str, str]]:
    """(file, why) of what workers that rest published and that is gone or not the newest: their
    stores say which commit they stopped at, and the status which files it left beside itself.
    """
    told = {row.partition for path in files(home) for row in read_file(path).partitions}
    for store in sorted(home.glob("usage*.duckdb")):
        path = home / FOLDER / f"status{store.stem.removeprefix('usage')}.json"
        try:
            connection = duckdb.connect(str(store), read_only=True)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if not is_in_use(error):
                raise
            continue  # it writes them anew every second
        with connection:
            result = connection.execute(sql.text("statements/metering/partition/flushes"))
            stored = {row.partition: row.flush_no for row in sql.rows(result, _Flushed)}
        if not path.is_file():
            for partition in sorted(stored.keys() - told):
                yield path.name, f"missing, and no other worker speaks of partition {partition}"
            continue
        status = read_file(path)
        for row in status.partitions:
            if row.flush and row.flush != stored.get(row.partition):
                yield (
                    path.name,
                    f"an older copy: of commit {row.flush} of partition {row.partition}",
                )
        for left in status.files:
            live = path.with_name(left.name)
            if not live.is_file() or sha256_file(live) != left.sha256:
                yield left.name, "missing, or not the file that the worker left"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flushed:
    """The last commit of a partition."""

    partition: str
    flush_no: int


def _check(connection: duckdb.DuckDBPyConnection, name: str) -> StoreCheck:
    text = sql.text(name)
    return StoreCheck(
        check=name.removeprefix("checks/"),
        about=text.splitlines()[0].removeprefix("-- "),
        rows=tuple(connection.execute(text).fetchmany(10)),
    )


def _published(home: Path, store: str) -> StoreCheck:
    """What the worker that holds a store publishes of itself."""
    wrong = []
    for path in sorted((home / "live").glob("status*.json")):
        document = json.loads(path.read_bytes())
        if not document["adds_up"]:
            wrong.append((path.name, document["read"]))
    return StoreCheck(
        check="metering_conservation",
        about=f"Everything read is accounted for ({store} is in use: its published sums).",
        rows=tuple(wrong),
    )


def _certificates(home: Path) -> pa.Table:
    """What each certificate says was requested in its hour."""
    rows = [read_certificate(file.certificate_path) for file in list_closed(home)]
    return pa.table(
        {
            "partition": pa.array([row.partition for row in rows], type=pa.string()),
            "hour_ms": pa.array([to_ms(parse_hour(row.hour)) for row in rows], type=pa.int64()),
            "requests": pa.array([row.requests for row in rows], type=pa.int64()),
        }
    )
