"""Asking: the public views over lake, closed and live hours, for any number of readers.

A reader opens an in-memory DuckDB of its own and Parquet files that nobody changes in place, so it
never meets a lock and never holds one. It can read nothing else: other files, the network, settings
and extensions are refused (FAULTS H13, H14).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from billing.lake import limited, named
from billing.lake.result import QueryResult, one_line, run
from billing.lake.tables import MOVED, SHAPES
from billing.lake.version import MEND
from edge.errors import Corrupt, EdgetollError, InputError
from metering.status import ANEW
from sql import row as sql_row
from sql import text as sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from billing.lake.sources import Sources

Made = TypeVar("Made")
WITHOUT_MOVED = {
    "lake_account_states": "statements/lake/read/lake_account_states",
    "lake_accounts": "statements/lake/read/lake_accounts",
}
"""What makes a relation of the file of all accounts and that of those that moved since."""
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
    home: Path, limits: QueryLimits | None = None, *, asked: str | None = None
) -> DuckDBPyConnection:
    """An in-memory DuckDB with the public views of DESIGN §5 over `home`, locked against all else;
    `asked`: the text of all that will be asked, and only the views that it names.

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
    bind(connection, find_sources(home, connection), asked=asked)
    _lock(connection, home, limits)
    return connection


def bind(connection: DuckDBPyConnection, sources: Sources, *, asked: str | None = None) -> None:
    """Create the base relations and then every view of sql/views in the order of their needs, or
    those that `asked` names.
    """
    made, relations = named.everything() if asked is None else named.in_query(asked)
    for name, files in sources.relations.items():
        if name not in relations:
            continue
        if files:
            _read_files(connection, name, files)
        else:
            connection.execute(sql_text(SHAPES[name]))
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
    create_views(connection, made)


def _read_files(connection: DuckDBPyConnection, name: str, files: list[Path]) -> None:
    """Make relation `name` of Parquet files; Corrupt when one cannot be read."""
    import duckdb

    moved = [path for path in files if path.name.startswith(MOVED)]
    try:
        relation = connection.read_parquet(
            [str(path) for path in files if path not in moved],
            union_by_name=name != "lake_charges",  # thousands of files with the same columns
            filename=name == "live_usage",
            hive_partitioning=False,
        )
        if moved:
            relation.create_view(f"{name}_whole")
            connection.read_parquet([str(path) for path in moved]).create_view(f"{name}_moved")
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise Corrupt(f"a file of {name} cannot be read: {one_line(error)}", mend(name)) from error
    if moved:
        connection.execute(sql_text(WITHOUT_MOVED[name]))
    else:
        relation.create_view(name)


def mend(relation: str) -> str:
    """What brings back the files behind a relation."""
    if relation.startswith("lake_"):
        return MEND
    if relation.startswith("live_"):
        return ANEW
    return "run edgetoll check, it names the file; restore closed/ from its backup"


def create_views(connection: DuckDBPyConnection, made: Sequence[str] | None = None) -> None:
    """Every view and macro, or those of `made`, over base relations that are there. They may build
    on others: what cannot be bound yet waits for the next round.
    """
    import duckdb

    waiting = named.everything()[0] if made is None else made
    while waiting:
        failed: list[str] = []
        reasons: dict[str, duckdb.Error] = {}
        for name in waiting:
            try:
                connection.execute(sql_text(name))
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                failed.append(name)
                reasons[name] = error
        if len(failed) == len(waiting):
            # What lacks a view only waits for another; what lacks a column is the cause.
            name = next((n for n in failed if not isinstance(reasons[n], duckdb.CatalogException)),
                        failed[0])  # fmt: skip
            raise EdgetollError(
                "lake/, closed/ or live/ was written by another version of edgetoll or is damaged:"
                f" {name.rpartition('/')[2]} does not fit: {one_line(reasons[name])}",
                "run edgetoll billing rate and edgetoll metering run once: they write lake/ and"
                " live/ anew; edgetoll check looks at closed/",
            ) from reasons[name]
        waiting = failed


def _lock(connection: DuckDBPyConnection, home: Path, limits: QueryLimits) -> None:
    import duckdb

    connection.execute("SET TimeZone = 'UTC'")
    readable = [str((home.joinpath(folder)).resolve()) for folder in ("lake", "closed", "live")]
    connection.execute("SET allowed_directories = $readable", {"readable": readable})
    connection.execute("SET threads = $threads", {"threads": limits.threads})
    try:
        connection.execute("SET memory_limit = $memory", {"memory": limits.memory})
    except duckdb.Error as error:
        raise InputError(
            f"«{limits.memory}» is no amount of memory", "write 512MB or 2GB"
        ) from error
    # By itself DuckDB spills into the folder the analyst happens to stand in.
    spill = spill_folder(os.getpid())
    connection.execute("SET temp_directory = $spill", {"spill": str(spill)})
    connection.execute("SET max_temp_directory_size = $spill", {"spill": SPILL_LIMIT})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def spill_folder(process: int) -> Path:
    """Where the query of a process spills to."""
    return Path(tempfile.gettempdir()) / f"edgetoll-sql-{process}"


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
    alone: bool = False,
) -> None:
    """Ask `query` and let `show` fetch what it gives; `alone`: this process is there for it alone.

    `values`: those of the parameters of its last statement, by name.
    """

    def asked(connection: DuckDBPyConnection) -> None:
        statements = readable_statements(connection, query)
        if alone:
            limited.bound_memory(memory_bytes(connection))
        show(run(connection, statements, limits.seconds, values=values, alone=alone))

    with_views_of(home, query, limits, asked)


def with_views_of(
    home: Path, text: str, limits: QueryLimits, ask: Callable[[DuckDBPyConnection], Made]
) -> Made:
    """What `ask` makes of a connection with the views that `text` names; with all of them where it
    names one that is not there: then DuckDB says which may be meant.
    """
    import duckdb

    try:
        with connect(home, limits, asked=text) as connection:
            return ask(connection)
    except InputError as error:
        if not isinstance(error.__cause__, duckdb.CatalogException):
            raise
    with connect(home, limits) as connection:
        return ask(connection)


def ask_alone(
    home: Path,
    query: str,
    show: Callable[[QueryResult], None],
    limits: QueryLimits,
    *,
    values: Mapping[str, object] | None = None,
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
        lambda: ask(home, query, show, limits, values=values, alone=True),
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
