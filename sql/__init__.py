"""sql: the SQL of edgetoll, as data, and the two ways between it and Python.

Products (a view, a check, a macro, a query, a table of the lake) are one file each. Statements are
named queries: `-- name: open_plans` opens one, and a file of them is a chapter, in the order in
which they run. The same files serve a source checkout and an installed wheel. `text` hands SQL
out; `rows` and `row` bring a result in by the names of its columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


class Result(Protocol):
    """What DuckDB gives for a query: a connection after `execute`, or a relation."""

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """One entry a column, its name first."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""


@cache
def text(name: str) -> str:
    """The SQL called `name`: a product's path below sql/ without `.sql` (`views/charges`), or a
    chapter's path and a statement of it (`statements/rating/plans/plans_at_hand`).

    Raises FileNotFoundError naming what is missing.
    """
    product = _read(name)
    if product is not None:
        return product
    chapter, _, statement = name.rpartition("/")
    try:
        return chapters(chapter)[statement]
    except KeyError:
        raise FileNotFoundError(f"sql/{name}.sql, or -- name: {statement} in {chapter}") from None


@cache
def temporary(macro: str) -> str:
    """The SQL of the product `macro` (`macros/curve_at`), made for one session only."""
    return text(macro).replace("CREATE MACRO ", "CREATE OR REPLACE TEMP MACRO ", 1)


@cache
def chapters(name: str) -> dict[str, str]:
    """The statements of chapter `name` (a path below sql/ without `.sql`) by name, in the order
    in which they stand; empty when there is no such chapter. Raises ValueError on a name twice.
    """
    found: dict[str, str] = {}
    _before, *parts = _NAME.split(_read(name) or "")
    for statement, body in zip(parts[::2], parts[1::2], strict=True):
        if statement in found:
            raise ValueError(f"sql/{name}.sql names {statement} twice")
        found[statement] = body.strip() + "\n"
    return found


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names of the SQL files directly in `folder` below sql/, sorted, as `text` takes them."""
    resource = files(__name__).joinpath(*PurePosixPath(folder).parts)
    if not resource.is_dir():
        return ()
    found = (entry.name for entry in resource.iterdir())
    return tuple(sorted(f"{folder}/{name[:-4]}" for name in found if name.endswith(".sql")))


def rows(result: Result, kind: Callable[..., T]) -> list[T]:
    """The rows of `result`, each as a `kind` made by column name (a frozen dataclass, say).

    A column that `kind` does not know, or one that it needs and does not get, raises TypeError.
    """
    columns = [column[0] for column in result.description or ()]
    return [kind(**dict(zip(columns, row, strict=True))) for row in result.fetchall()]


def row(result: Result, kind: Callable[..., T]) -> T | None:
    """The one row of `result` as `rows` makes it, or None; ValueError when there are several."""
    found = rows(result, kind)
    if len(found) > 1:
        raise ValueError(f"one row was expected, {len(found)} came")
    return found[0] if found else None


def _read(name: str) -> str | None:
    path = PurePosixPath(name)
    resource = files(__name__).joinpath(*path.parent.parts, f"{path.name}.sql")
    return resource.read_text(encoding="utf-8") if resource.is_file() else None
