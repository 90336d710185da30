"""What the hours still open will cost: live usage of owned domains, priced by rating itself.

Nothing is posted: rating prices the live rows on top of the month so far, plans and quotas
included, into a table of the session. Within a session the same live files are priced once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sql
from billing.balance.rows import naive


def add_open_value(
    connection: Any, home: Path, *, now: datetime, usage_through: datetime | None
) -> None:
    """Fill the session's tables open_value and open_names from HOME/live/ (DESIGN §3.6).

    Live usage of an hour that has not begun at `now` (an edge's clock runs fast) is left out.
    """
    files = sorted((home / "live").glob("partition=*.parquet"))
    hour = now.replace(minute=0, second=0, microsecond=0)
    made_from = _fingerprint(files, (hour, usage_through))
    known = connection.execute(sql.text("statements/balance/open_hours_made_from")).fetchone()
    if known is not None and known[0] == made_from:
        return
    connection.execute(sql.text("statements/balance/empty_open_hours"))
    if files and _add_live_usage(connection, files):
        from billing.prices import load_books
        from billing.rating.engine import project

        books = load_books(home / "prices")
        project(connection, books=books, through=hour + timedelta(hours=1))
        connection.execute(sql.text("statements/balance/add_open_value"))
    connection.execute(
        sql.text("statements/balance/note_open_hours"),
        {"live_files": made_from, "now": naive(now)},
    )


def _add_live_usage(connection: Any, files: list[Path]) -> bool:
    """Take the live rows of hours not imported yet in; False when none is of an owned domain."""
    paths = [str(path) for path in files]
    connection.register(
        "live_files", connection.read_parquet(paths, filename=True, union_by_name=True)
    )
    try:
        connection.execute(sql.text("statements/balance/add_live_usage"))
    finally:
        connection.unregister("live_files")
    row = connection.execute(sql.text("statements/balance/has_open_usage")).fetchone()
    return bool(row is not None and row[0])


def _fingerprint(files: Iterable[Path], others: Iterable[object]) -> str:
    """What the open hours depend on within one session, as text."""
    seen = [f"{path.name}:{path.stat().st_mtime_ns}" for path in files]
    return "|".join([*seen, *(str(other) for other in others)])
