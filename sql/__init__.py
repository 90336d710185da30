"""sql: every SQL statement, view, check and analysts' query of edgetoll, one per file.

This package is data. The functions below only hand the text out, so that the same files serve a
source checkout and an installed wheel.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath


@cache
def text(name: str) -> str:
    """The SQL of file `name`: its path below sql/ without `.sql`, as `statements/metering/add`.

    Raises FileNotFoundError naming the file when there is none.
    """
    path = PurePosixPath(name)
    resource = files(__name__).joinpath(*path.parent.parts, f"{path.name}.sql")
    if not resource.is_file():
        raise FileNotFoundError(f"sql/{name}.sql")
    return resource.read_text(encoding="utf-8")


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names of the SQL files directly in `folder` below sql/, sorted, as `text` takes them."""
    resource = files(__name__).joinpath(*PurePosixPath(folder).parts)
    if not resource.is_dir():
        return ()
    found = (entry.name for entry in resource.iterdir())
    return tuple(sorted(f"{folder}/{name[:-4]}" for name in found if name.endswith(".sql")))
