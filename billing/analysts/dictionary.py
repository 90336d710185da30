"""What the public views mean: title, grain and owner from each view's file, columns from
sql/views/dictionary.toml. docs/analysts.md and the shell's `\\d` are made of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import sql
from billing.analysts.library import header

FOLDER = "views"
# The columns of one view stand in another's section too.
_AS = {"focus_1_3": "focus"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewEntry:
    """A public view as people read of it."""

    name: str
    title: str
    grain: str
    owner: str
    meanings: Mapping[str, str]

    def meaning(self, column: str) -> str:
        """What a column means. Raises KeyError when the dictionary does not say."""
        return self.meanings[column]


@cache
def _sections() -> dict[str, dict[str, str]]:
    text = files("sql").joinpath("views", "dictionary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def views() -> list[ViewEntry]:
    """Every public view, by name."""
    return [view(path.rpartition("/")[2]) for path in sql.names(FOLDER)]


def view(name: str) -> ViewEntry:
    """The entry of one view."""
    lines = header(sql.text(f"{FOLDER}/{name}"))
    said = {line.partition(": ")[0]: line.partition(": ")[2] for line in lines if ": " in line}
    sections = _sections()
    return ViewEntry(
        name=name,
        title=lines[0],
        grain=said["Grain"],
        owner=said["Owner"].rstrip("."),
        meanings={
            **sections["all"],
            **sections.get(_AS.get(name, ""), {}),
            **sections.get(name, {}),
        },
    )
