"""The invariants of money: every file in sql/checks that speaks of billing returns no rows.

A check that takes `$after` looks at what journal records above it touched; 0 is everything.
One that does not is about the whole, and is left out when only a run's part is asked for. One that
takes `$part` of `$parts` looks at documents part by part, whose texts at once are too much.
"""

from __future__ import annotations

import duckdb

import sql
from billing.checks.red import CheckResult

FIRST_ROWS = 20
DOCUMENTS_AT_ONCE = 122_880
_OTHERS = ("focus_", "lake_", "metering_", "usage_")
"""Checks over other things than the billing store begin so."""


def names() -> list[str]:
    """The checks over the billing store, as `sql.text` takes them."""
    return [name for name in sql.names("checks") if not name.rsplit("/", 1)[1].startswith(_OTHERS)]


def about(name: str) -> str:
    """What a check says of itself: the first line of its file."""
    return sql.text(name).splitlines()[0].removeprefix("-- ")


def results(connection: duckdb.DuckDBPyConnection, scope: int | None = None) -> list[CheckResult]:
    """Every check over the store, made; `scope`: only what that journal record touched.

    One that DuckDB cannot make is red as well: nothing is green because nobody could look.
    """
    found = []
    for name in names():
        text = sql.text(name)
        if scope is not None and "$after" not in text:
            continue
        rows: tuple[tuple[object, ...], ...] = ()
        unable = None
        try:
            parameters = {"after": scope - 1 if scope else 0} if "$after" in text else {}
            for part in _parts(connection, text, **parameters):
                rows += tuple(connection.execute(text, parameters | part).fetchmany(FIRST_ROWS))
        except duckdb.Error as error:
            unable = str(error).strip().splitlines()[0]
        check = name.rsplit("/", 1)[1]
        found.append(CheckResult(check=check, about=about(name), rows=rows, unable=unable))
    return found


def _parts(
    connection: duckdb.DuckDBPyConnection, text: str, *, after: int = 0
) -> list[dict[str, int]]:
    """What a check takes for each of its parts; nothing, once, where it has none."""
    if "$parts" not in text:
        return [{}]
    touched = connection.table("invoices").filter(f"journal_no > {after:d}").shape[0]
    parts = max(1, -(-touched // DOCUMENTS_AT_ONCE))
    return [{"part": part, "parts": parts} for part in range(parts)]


def run(connection: duckdb.DuckDBPyConnection, scope: int | None = None) -> list[CheckResult]:
    """The checks of `results` that are red: none in a sound store."""
    return [one for one in results(connection, scope) if one.is_red]
