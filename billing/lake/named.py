"""Which views and macros a query names, with all that these are made of.

Binding every view costs a tenth of a second of CPU, and a query names two or three: a reader makes
those. A word that could be a name counts as one, so that at worst a view is made for nothing.
"""

from __future__ import annotations

import re
from functools import cache

import sql
from billing.lake.tables import SHAPES

_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_COMMENT = re.compile(r"--[^\n]*")
# What lists the views there are, or makes the name of one out of texts: for it all are made.
_LISTS = re.compile(
    r"\b(duckdb_\w+|information_schema|pg_\w+|pragma_\w+|sqlite_\w+|show|describe|summarize"
    r"|query_table|\w*eval\w*)\b",
    re.IGNORECASE,
)


@cache
def products() -> dict[str, str]:
    """Every view and macro: its name, and what `sql.text` calls it."""
    paths = (*sql.names("views"), *sql.names("macros"))
    return {path.rpartition("/")[2]: path for path in paths}


def in_query(text: str) -> tuple[list[str], frozenset[str]]:
    """The views and macros to make before `text` is asked, each after what it is made of, as
    `sql.text` calls them, and the base relations under them.
    """
    if _LISTS.search(text):
        return everything()
    return _made_of(_words(text))


@cache
def everything() -> tuple[list[str], frozenset[str]]:
    """The same for a reader who may ask anything."""
    made, _relations = _made_of(frozenset(products()))
    return made, frozenset(SHAPES)


def _made_of(words: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    known, met, made = products(), set(), []

    def meet(name: str) -> None:
        if name in met:
            return
        met.add(name)
        if name in known:
            for word in sorted(_words_of(name)):
                meet(word)
            made.append(known[name])

    for word in sorted(words):
        meet(word)
    return made, frozenset(met & SHAPES.keys())


@cache
def _words_of(name: str) -> frozenset[str]:
    text = _COMMENT.sub("", sql.text(products()[name]))
    return _words(text) & (products().keys() | SHAPES.keys())


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
