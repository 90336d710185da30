"""Asking: the public views over lake, closed and live hours, for any number of readers.

A reader opens an in-memory DuckDB of its own and Parquet files that nobody changes in place, so it
never meets a lock and never holds one. It can read nothing else: other files, the network, settings
and extensions are refused (FAULTS H13, H14).
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from billing.lake import limited
from billing.lake.binding import bind, bind_copies, named, reached
from billing.lake.own_rows import withheld
from billing.lake.result import QueryResult, one_line, run
from edge.errors import InputError
from sql import row as sql_row
from sql import text as sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from billing.lake.sources import Sources

READABLE = ("lake", "closed", "live")
Made = TypeVar("Made")
MEMORY_LIMIT = "1GB"
SPILL_LIMIT = "4GB"
# Functions of a SELECT that do more than read: a log may be made to write files, and the other two
# run text that nobody has looked at.
_DOES_MORE = re.compile(
    r"\b(enable_logging|disable_logging|truncate_duckdb_logs|json_execute_serialized_sql"
    r"|query(?=\"?(?:\s|/\*.*?\*/|--[^\n]*\n)*\())\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimit:
    """What DuckDB says of its limit, as «286.1 MiB»."""

    memory_limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """How much one query may take."""

    seconds: int = 30
    memory: str = MEMORY_LIMIT
    threads: int = 2


def connect(
    home: Path,
    limits: QueryLimits | None = None,
    *,
    query: str | None = None,
    account: str | None = None,
    shut: bool = False,
    follows: bool = False,
) -> DuckDBPyConnection:
    """An in-memory DuckDB with the public views of DESIGN §5 over `home`, locked against all else.
    `query`: only what this one can reach is made, without it everything. `account`: the views hold
    its rows and no others (own_rows); `shut`: they are copies, and no file can be read, as it must
    be where the text asked is a stranger's. `follows`: for a connection that lives on, whose live
    hours move on; without it they stay as they are now.

    The closed hours are listed before the live file is read: an hour that closes in between is
    still in the live file (DESIGN §3.6), so no reader sees an hour twice or not at all.
    """
    import duckdb

    from billing.lake.sources import find_sources

    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    limits = limits or QueryLimits()
    connection = duckdb.connect()
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    sources = find_sources(home, connection, held=not follows)
    weakref.finalize(connection, sources.close)
    copied = account is not None and shut
    if not copied:
        _allow(connection, home, sources)
    sources.show()
    if account is not None and copied:
        _limit(connection, limits)
        bind_copies(connection, sources, query, account)
    else:
        reachable = None if query is None else reached(query)
        bind(connection, sources, reachable, account=account)
    _lock(connection, limits)
    return connection


def _allow(connection: DuckDBPyConnection, home: Path, sources: Sources) -> None:
    """What may be read once everything else is shut."""
    folders = [str(home.joinpath(folder).resolve()) for folder in READABLE]
    live = [str(place) for files in sources.held.values() for place in files.places]
    connection.execute("SET allowed_directories = $folders", {"folders": folders})
    connection.execute("SET allowed_paths = $files", {"files": live})


def _lock(connection: DuckDBPyConnection, limits: QueryLimits) -> None:
    """Shut everything but reading what is allowed, for good."""
    connection.execute("SET TimeZone = 'UTC'")
    _limit(connection, limits)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _limit(connection: DuckDBPyConnection, limits: QueryLimits) -> None:
    import duckdb

    connection.execute("SET threads = $threads", {"threads": limits.threads})
    try:
        connection.execute("SET memory_limit = $memory", {"memory": limits.memory})
    except duckdb.Error as error:
        raise InputError(
            f"«{limits.memory}» is no amount of memory", "write 512MB or 2GB"
        ) from error
    # By itself DuckDB spills into the folder the analyst happens to stand in.
    spill = spill_folder(os.getpid())
    _make_private(spill.parent)
    connection.execute("SET temp_directory = $spill", {"spill": str(spill)})
    connection.execute("SET max_temp_directory_size = $spill", {"spill": SPILL_LIMIT})


def spill_folder(process: int) -> Path:
    """Where the query of a process spills to: a folder of this user's, since rows of customers lie
    in it while the query runs.
    """
    return Path(tempfile.gettempdir()).joinpath(f"edgetoll-sql-{os.getuid()}", str(process))


def _make_private(folder: Path) -> None:
    """Make the folder that nobody else may enter; InputError where another user has taken its name.

    Where it cannot be made only a query that has to spill fails, and says so.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or stat.S_ISLNK(found.st_mode):
        raise InputError(
            f"{folder} can be entered by other users: queries do not spill into it",
            "remove it, or set TMPDIR to a folder of your own",
        )


def readable_statements(connection: DuckDBPyConnection, query: str) -> list[str]:
    """The statements of `query`; InputError unless each one only reads."""
    import duckdb

    try:
        found = connection.extract_statements(query)
    except duckdb.Error as error:
        raise InputError(one_line(error), "correct the SQL") from error
    if not found:
        raise InputError("the query is empty", 'write one: edgetoll sql "SELECT * FROM invoices"')
    for statement in found:
        if statement.type != duckdb.StatementType.SELECT:
            raise InputError(
                f"only queries are taken here, not {statement.type.name}",
                "write SELECT …; use --format csv, parquet or xlsx with -o FILE to export",
            )
    if used := _DOES_MORE.search(query):
        raise InputError(f"{used[1]}() is not taken here: it does more than read", "leave it out")
    return [statement.query for statement in found]


def answer(home: Path, query: str, format_: str, output: Path | None, limits: QueryLimits) -> None:
    """Ask `query` and write what it gives."""
    from billing.lake.export import write_result

    ask(home, query, lambda result: write_result(result, format_, output), limits)


def ask(
    home: Path,
    query: str,
    show: Callable[[QueryResult], None],
    limits: QueryLimits,
    *,
    values: Mapping[str, object] | None = None,
    account: str | None = None,
    alone: bool = False,
) -> None:
    """Ask `query` and let `show` fetch what it gives; `alone`: this process is there for it alone.

    `values`: those of the parameters of its last statement, by name; `account`: whose rows alone
    it may see.
    """

    def asked(connection: DuckDBPyConnection) -> None:
        statements = readable_statements(connection, query)
        if alone:
            limited.bound_memory(memory_bytes(connection))
        show(run(connection, statements, limits.seconds, values=values, alone=alone))

    if alone:
        limited.alarm(limits.seconds + limited.GRACE_SECONDS)
    with_views_of(home, query, limits, asked, account=account)


def with_views_of(
    home: Path,
    query: str,
    limits: QueryLimits,
    work: Callable[[DuckDBPyConnection], Made],
    *,
    account: str | None = None,
) -> Made:
    """What `work` makes of a connection with what `query` can reach; with everything where it names
    what is not there: that has its neighbours among all that are. `account`: with copies of its
    rows alone.
    """
    import duckdb

    try:
        with connect(home, limits, query=query, account=account, shut=True) as connection:
            return work(connection)
    except InputError as error:
        if not isinstance(error.__cause__, duckdb.CatalogException):
            raise
        # A name that is not there has its neighbours among all that are.
        if account is not None and (kept := withheld(named(query))):
            raise InputError(
                f"not kept by account, and not for this reader: {', '.join(kept)}",
                "ask views that have an account_id",
            ) from error
    with connect(home, limits, account=account, shut=True) as connection:
        return work(connection)


def ask_alone(
    home: Path,
    query: str,
    show: Callable[[QueryResult], None],
    limits: QueryLimits,
    *,
    values: Mapping[str, object] | None = None,
    account: str | None = None,
    output: Path | None = None,
) -> None:
    """`ask` in a process of its own, which ends with its time or memory; `output` is what `show`
    writes, whole or not at all.
    """
    from billing.lake.export import hidden_output

    def clean(child: int) -> None:
        shutil.rmtree(spill_folder(child), ignore_errors=True)
        if output is not None:
            hidden_output(output, child).unlink(missing_ok=True)

    limited.run(
        lambda: ask(home, query, show, limits, values=values, account=account, alone=True),
        seconds=limits.seconds,
        memory=limits.memory,
        clean=clean,
    )


def memory_bytes(connection: DuckDBPyConnection) -> int:
    """How much memory DuckDB may take in this session."""
    size = sql_row(connection.execute(sql_text("statements/lake/read/memory_limit")), MemoryLimit)
    assert size is not None
    number, unit = size.memory_limit.split()
    power = ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit)
    return int(Decimal(number) * 1024**power)
