"""The invariants of money: every file in sql/checks that speaks of billing returns no rows.

A check that takes `$after` looks at what journal records above it touched; 0 is everything.
One that does not is about the whole, and is left out when only a run's part is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

import sql

_OTHERS = ("metering_", "usage_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A check that returned rows: its name, what it says of itself, and the first rows."""

    check: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def names() -> list[str]:
    """The checks over the billing store, by name."""
    return [name for name in sql.names("checks") if not name.rsplit("/", 1)[1].startswith(_OTHERS)]


def run(connection: duckdb.DuckDBPyConnection, scope: int | None = None) -> list[Failure]:
    """Run every check over the store; `scope`: only what that journal record touched (None: all).

    Returns the failures, none in a sound store.
    """
    failures = []
    for name in names():
        text = sql.text(name)
        if scope is not None and "$after" not in text:
            continue
        parameters = {"after": scope - 1 if scope else 0} if "$after" in text else {}
        result = connection.execute(text, parameters)
        columns = tuple(column[0] for column in result.description or ())
        rows = tuple(result.fetchmany(20))
        if rows:
            about = text.splitlines()[0].removeprefix("-- ")
            failures.append(
                Failure(check=name.rsplit("/", 1)[1], about=about, columns=columns, rows=rows)
            )
    return failures
