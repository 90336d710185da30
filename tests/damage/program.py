"""The program, run in this process as a person would run it, and what it leaves to read."""

from __future__ import annotations

import io
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import duckdb

import edgetoll
from billing.lake import query
from edge.errors import EdgetollError
from metering.closed import hour_text, list_closed
from metering.hour import time_of
from metering.status import read
from tests.damage.records import Ran, Totals


def run(*words: str) -> Ran:
    """One command line; a traceback is a defect of ours, whatever the cause."""
    out, error = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(error):
            code = edgetoll.main(words)
    except Exception:
        last = traceback.format_exc().strip().splitlines()
        return Ran(words=words, code=1, said=error.getvalue(), defect="\n".join(last[-6:]))
    return Ran(words=words, code=code, said=error.getvalue() + out.getvalue())


def seen(home: Path) -> object:
    """What `edgetoll sql` tells of a home's usage and hours; None: that it, or what metering
    publishes of itself, cannot be read. A status of another day says its own time.
    """
    try:
        read(home)
        with query.connect(home, query="usage_hourly hours") as connection:
            return (
                connection.execute(
                    "SELECT hour, domain, sum(requests) FROM usage_hourly GROUP BY ALL ORDER BY ALL"
                ).fetchall(),
                connection.execute(
                    "SELECT hour, state, accepted FROM hours ORDER BY ALL"
                ).fetchall(),
            )
    except (EdgetollError, duckdb.Error):
        return None


def is_told(home: Path, *, readers: object, right: object) -> bool:
    """Whether readers are told the truth before a command mends it, or `check` is red then."""
    return readers is None or readers == right or run("check", "--home", str(home)).code != 0


def totals(home: Path) -> Totals | None:
    """Requests by (hour, domain), closed and live, as a reader of the files sees them.

    None: a file cannot be read, and every reader is told so.
    """
    found: Counter[tuple[str, str]] = Counter()
    try:
        files = list_closed(home)
        closed = {file.hour for file in files}
        for file in files:
            _add(found, str(file.data_path))
        for path in sorted((home / "live").glob("partition=*.parquet")):
            live: Counter[tuple[str, str]] = Counter()
            _add(live, str(path))
            names = {hour_text(hour) for hour in closed}
            found.update({key: count for key, count in live.items() if key[0] not in names})
    except (duckdb.Error, OSError, ValueError, OverflowError):
        return None
    return dict(found)


def _add(found: Counter[tuple[str, str]], path: str) -> None:
    rows = duckdb.execute(
        "SELECT epoch_ms(date_trunc('hour', bucket)), domain, requests FROM read_parquet($path,"
        " hive_partitioning = false)",
        {"path": path},
    ).fetchall()
    for hour_ms, domain, requests in rows:
        found[hour_text(time_of(hour_ms)), domain] += requests
