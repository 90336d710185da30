"""The base relations and the public views of a reader: made in the order of their needs, and of a
query only what it can reach, since a view is bound in milliseconds and there are many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from billing.lake.own_rows import RULES, narrow, narrowed_by
from billing.lake.result import one_line
from billing.lake.tables import BESIDE, MOVED, SHAPES
from billing.lake.version import MEND
from edge.errors import Corrupt, EdgetollError, InputError
from metering.status import ANEW
from sql import names as sql_names
from sql import text as sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from billing.lake.sources import Sources

WITHOUT_MOVED = {
    "lake_account_states": "statements/lake/read/lake_account_states",
    "lake_accounts": "statements/lake/read/lake_accounts",
}
"""What makes a relation of the file of all accounts and that of those that moved since."""
CLOSED_HOURS = "closed_hour_list"
_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"^--[^\n]*$", re.MULTILINE)
_READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)|\b(\w+)\(")
# Who asks for these may get to a view whose name the query does not hold.
_ASKS_FOR_ALL = re.compile(
    r"duckdb_|information_schema|\bpg_|sqlite_master|\bshow\b|\bdescribe\b|\bsummarize\b|query_table",
    re.IGNORECASE,
)


@cache
def products() -> dict[str, str]:
    """The public views and macros: name -> its path in sql/."""
    return {path.rpartition("/")[2]: path for path in (*sql_names("views"), *sql_names("macros"))}


@cache
def reads(name: str) -> tuple[str, ...]:
    """What a view or macro reads: relations, views and macros."""
    known = products().keys() | SHAPES.keys() | {CLOSED_HOURS}
    bare = _COMMENT.sub("", sql_text(products()[name]))
    found = (one[0] or one[1] for one in _READ.findall(bare))
    return tuple(dict.fromkeys(one for one in found if one in known and one != name))


def everything() -> list[str]:
    """All that a reader may ask for, each after what it reads."""
    return list(_after_their_needs([*SHAPES, *products()], set()))


def reached(query: str) -> list[str]:
    """What the words of `query` may lead to, each after what it reads."""
    if _ASKS_FOR_ALL.search(query):
        return everything()
    words = dict.fromkeys(_WORD.findall(query.lower()))
    known = products().keys() | SHAPES.keys() | {CLOSED_HOURS}
    return list(_after_their_needs((one for one in words if one in known), set()))


def named(query: str) -> list[str]:
    """The views and macros that the words of `query` name; all, where it may mean others too."""
    if _ASKS_FOR_ALL.search(query):
        return list(products())
    words = dict.fromkeys(_WORD.findall(query.lower()))
    return [one for one in words if one in products()]


def _after_their_needs(names: Iterable[str], done: set[str]) -> Iterator[str]:
    for name in names:
        if name not in done:
            done.add(name)
            if name in products():
                yield from _after_their_needs(reads(name), done)
            yield name


def bind(
    connection: DuckDBPyConnection,
    sources: Sources,
    names: Iterable[str] | None = None,
    *,
    account: str | None = None,
) -> None:
    """Make what is called `names`, in their order; without: everything. `account`: each view holds
    its rows only.
    """
    names = everything() if names is None else list(names)
    bind_relations(connection, sources, names)
    create_views(connection, names, account=account)


def bind_copies(
    connection: DuckDBPyConnection, sources: Sources, query: str | None, account: str
) -> None:
    """Make what `query` names (None: all) as tables that hold copies of the rows of `account`, and
    drop all else: what is not there, no name, function or file gives. InputError when there is no
    such account.
    """
    wanted = list(products()) if query is None else named(query)
    macros = [
        name
        for name in _after_their_needs(wanted, set())
        if products().get(name, "").startswith("macros/") and not SHAPES.keys() & set(reads(name))
    ]
    views = [one for name in [*wanted, *macros] for one in (name, *reads(name)) if one in RULES]
    connection.execute(sql_text("statements/lake/read/begin_copies"))
    needed = _after_their_needs([*narrowed_by(()), *views], set())
    bind(connection, sources, needed, account=account)
    if not connection.table("accounts").limit(1).fetchall():
        raise InputError(
            f"there is no account «{account}», whose rows this reader may see",
            "correct it in edgetoll.toml: [billing.readers]",
        )
    for name in dict.fromkeys(views):
        connection.table(name).create(f"main.{name}")
    connection.execute(sql_text("statements/lake/read/end_copies"))
    create_views(connection, macros)


def bind_relations(connection: DuckDBPyConnection, sources: Sources, names: Iterable[str]) -> None:
    """Make those of `names` that are base relations: views of files, or empty tables."""
    for name in names:
        if name == CLOSED_HOURS:
            _list_closed_hours(connection, sources)
        elif files := sources.relations.get(name):
            held = sources.held.get(name)
            _read_files(connection, name, files, held.places if held else {})
        elif sources.published and name not in BESIDE and name in sources.relations:
            raise no_table(name)
        elif name in sources.relations:
            connection.execute(sql_text(SHAPES[name]))


def _list_closed_hours(connection: DuckDBPyConnection, sources: Sources) -> None:
    connection.execute(sql_text("statements/lake/read/create_closed_hour_list"))
    if sources.closed_hours:
        partitions, hours = zip(*sources.closed_hours, strict=True)
        connection.execute(
            sql_text("statements/lake/read/add_closed_hours"),
            {
                "partitions": " ".join(partitions),
                "hours": " ".join(hour.isoformat() for hour in hours),
            },
        )


def _name_live_files(connection: DuckDBPyConnection, places: Mapping[Path, str]) -> None:
    """Give live usage the names of its files in live/: they say whose partition it is."""
    connection.execute(sql_text("statements/lake/read/create_live_file_names"))
    connection.execute(
        sql_text("statements/lake/read/add_live_file_names"),
        {"places": "\n".join(map(str, places)), "names": "\n".join(places.values())},
    )
    connection.execute(sql_text("statements/lake/read/live_usage"))


def _read_files(
    connection: DuckDBPyConnection, name: str, files: list[Path], held: Mapping[Path, str]
) -> None:
    """Make relation `name` of Parquet files; Corrupt when one cannot be read. `held`: the names of
    those that are held open.
    """
    import duckdb

    moved = [path for path in files if path.name.startswith(MOVED)]
    try:
        relation = connection.read_parquet(
            [str(path) for path in files if path not in moved],
            # Files of the lake have the columns of its layout; looking into thousands takes long.
            union_by_name=not name.startswith("lake_"),
            filename=name == "live_usage",
            hive_partitioning=False,
        )
        if name == "live_usage":
            relation.create_view(f"{name}_files")
            _name_live_files(connection, held)
            return
        if moved:
            relation.create_view(f"{name}_whole")
            connection.read_parquet([str(path) for path in moved]).create_view(f"{name}_moved")
    except (duckdb.Error, UnicodeDecodeError) as error:
        why = one_line(error)
        for place, known_as in held.items():
            why = why.replace(f"'{place}'", f"'{known_as}'")
        raise Corrupt(f"a file of {name} cannot be read: {why}", mend(name)) from error
    if moved:
        connection.execute(sql_text(WITHOUT_MOVED[name]))
    else:
        relation.create_view(name)


def no_table(relation: str) -> Corrupt:
    """What to say where a lake lacks a table, as one does that an older program wrote: empty it
    would be a wrong answer.
    """
    name = relation.removeprefix("lake_")
    return Corrupt(f"lake/ has no table {name}: another version of edgetoll wrote it", MEND)


def mend(relation: str) -> str:
    """What brings back the files behind a relation."""
    if relation.startswith("lake_"):
        return MEND
    if relation.startswith("live_"):
        return ANEW
    return "run edgetoll check, it names the file; restore closed/ from its backup"


def create_views(
    connection: DuckDBPyConnection,
    names: Iterable[str] | None = None,
    *,
    account: str | None = None,
) -> None:
    """Make those of `names` that are views or macros, over base relations that are there."""
    import duckdb

    names = everything() if names is None else names
    for name in names if account is None else narrowed_by(names):
        if name in products():
            try:
                connection.execute(sql_text(products()[name]))
                if account is not None and products()[name].startswith("views/"):
                    narrow(connection, name, account)
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise EdgetollError(
                    "lake/, closed/ or live/ was written by another version of edgetoll or is"
                    f" damaged: {name} does not fit: {one_line(error)}",
                    "run edgetoll billing rate and edgetoll metering run once: they write lake/ and"
                    " live/ anew; edgetoll check looks at closed/",
                ) from error
