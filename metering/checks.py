"""The invariants of a home's usage stores: no file of sql/checks/metering_* returns a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import sql
from metering.closed import list_closed, parse_hour, read_certificate
from metering.settings import to_ms


def names() -> tuple[str, ...]:
    """The checks, as `sql.text` takes them."""
    return tuple(name for name in sql.names("checks") if name.startswith("checks/metering_"))


def run(home: Path) -> list[dict[str, Any]]:
    """Every check over every store of `home`: name, what it says, the first rows that break it.

    A store that a running worker holds open is not opened: the sums that worker publishes in
    live/status*.json, which it checks at every flush, are checked instead.
    """
    found: list[dict[str, Any]] = []
    for path in sorted(home.glob("usage*.duckdb")):
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except duckdb.IOException as error:
            if "could not set lock" not in str(error).lower():
                raise
            found.append(_published(home, path.name))
            continue
        with connection:
            connection.register("certificates", _certificates(home))
            found.extend(_check(connection, name) for name in names())
    return found


def run_on(connection: duckdb.DuckDBPyConnection, home: Path) -> list[dict[str, Any]]:
    """Every check over an open store; those that hold are left out."""
    connection.register("certificates", _certificates(home))
    try:
        return [found for name in names() if (found := _check(connection, name))["rows"]]
    finally:
        connection.unregister("certificates")


def _check(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    text = sql.text(name)
    return {
        "check": name.removeprefix("checks/"),
        "about": text.splitlines()[0].removeprefix("-- "),
        "rows": connection.execute(text).fetchmany(10),
    }


def _published(home: Path, store: str) -> dict[str, Any]:
    """What the worker that holds a store publishes of itself."""
    wrong = []
    for path in sorted((home / "live").glob("status*.json")):
        document = json.loads(path.read_bytes())
        if not document["adds_up"]:
            wrong.append((path.name, document["read"]))
    return {
        "check": "metering_conservation",
        "about": f"Everything read is accounted for ({store} is in use: its published sums).",
        "rows": wrong,
    }


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
