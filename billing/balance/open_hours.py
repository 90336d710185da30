"""What the hours still open will cost: live usage of owned domains, priced by rating itself.

Nothing is posted: rating prices the live rows on top of the month so far, plans and quotas
included, into a table of the session.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sql


def add_open_value(connection: Any, home: Path, *, now: datetime) -> None:
    """Fill the session's table open_value from HOME/live/ (DESIGN §3.6); nothing live: no rows.

    Live usage of an hour that has not begun at `now` (an edge's clock runs fast) is left out.
    """
    files = sorted(str(path) for path in (home / "live").glob("partition=*.parquet"))
    if not files:
        return
    connection.register("live_files", connection.read_parquet(files, filename=True))
    try:
        connection.execute(sql.text("statements/balance/add_live_usage"))
    finally:
        connection.unregister("live_files")
    from billing.prices import load_books
    from billing.rating.engine import project

    books = load_books(home / "prices")
    hour = now.replace(minute=0, second=0, microsecond=0)
    project(connection, books=books, through=hour + timedelta(hours=1))
    connection.execute(sql.text("statements/balance/add_open_value"))
