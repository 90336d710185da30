"""What the hours still open will cost: live usage of owned domains, priced by rating itself.

Nothing is posted: rating prices the live rows on top of the month so far, plans and quotas
included, into a table of the session.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import sql


def add_open_value(connection: Any, home: Path, *, through: datetime) -> None:
    """Fill the session's table open_value from HOME/live/ (DESIGN §3.6); nothing live: no rows.

    `through`: naive UTC end of the last rated hour, from where the projection goes on.
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
    project(connection, books=books, through=through)
    connection.execute(sql.text("statements/balance/add_open_value"))
