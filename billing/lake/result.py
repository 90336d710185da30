"""The result of a query: its columns and its rows, a part at a time, as exact values.

DuckDB hands rows out as it finds them, so that a result of any length takes no more memory than
`--memory`. Types that Python or Parquet would bend are cast first: a HUGEINT becomes DECIMAL(38,0)
in Parquet and never DOUBLE, an INTERVAL of months never 30 days.
"""

from __future__ import annotations

import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from billing.lake import limited
from edge.errors import Corrupt, EdgetollError, InputError
from edge.terminal import progress

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pyarrow import RecordBatchReader, Table

Rows = list[tuple[object, ...]]
Made = TypeVar("Made")
CHUNK_ROWS = 10_000
PROGRESS_SECONDS = timedelta(milliseconds=300).total_seconds()
_QUOTED = r'"(?:[^"]|"")*"'
# Their Python values lose something (a month of an interval, the place of a time) or need pytz.
_AS_TEXT = re.compile(
    rf"{_QUOTED}|\b(INTERVAL|BLOB|TIMESTAMP WITH TIME ZONE|TIME WITH TIME ZONE|UUID|BIT)\b"
)
_HUGE = re.compile(rf"{_QUOTED}|\b(U?HUGEINT)\b")
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\)|DOUBLE|FLOAT")


class Budget:
    """The seconds a query may still take; writing its rows away to somebody slow is not counted."""

    def __init__(
        self, connection: DuckDBPyConnection, seconds: int, *, alone: bool = False
    ) -> None:
        """`alone`: this process is there for the query, and ends if it cannot be interrupted."""
        self._connection = connection
        self._alone = alone
        self._seconds = seconds
        self._left = timedelta(seconds=seconds)

    def spend(self, work: Callable[[], Made]) -> Made:
        """`work()`, interrupted when no time is left; DuckDB's errors as one line."""
        import duckdb

        timer = threading.Timer(
            max(self._left, timedelta()).total_seconds(), self._connection.interrupt
        )
        timer.daemon = True
        began = time.monotonic()
        timer.start()
        quiet = self._told_of() if self._alone and sys.stderr.isatty() else None
        if self._alone:
            limited.alarm(math.ceil(self._left.total_seconds()) + limited.GRACE_SECONDS)
        try:
            return work()
        except MemoryError as error:
            raise EdgetollError(
                "the query needed more memory than it may take", limited.MEMORY_GONE
            ) from error
        except UnicodeDecodeError as error:
            raise Corrupt(
                f"a value read is not text ({error}): a file is damaged",
                "run edgetoll check, it names the file",
            ) from error
        except duckdb.InterruptException as error:
            raise EdgetollError(
                f"the query took longer than {self._seconds} s and was stopped",
                limited.TIME_GONE,
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise EdgetollError(one_line(error), limited.MEMORY_GONE) from error
        except duckdb.Error as error:
            raise InputError(one_line(error), _hint(error)) from error
        finally:
            timer.cancel()
            if quiet is not None:
                quiet()
            if self._alone:
                limited.alarm(0)
            self._left -= timedelta(seconds=time.monotonic() - began)

    def _told_of(self) -> Callable[[], None]:
        """Tell how far the work is, on a terminal; what is given ends that."""
        over = threading.Event()

        def tell() -> None:
            with progress("percent of the query (Ctrl-C stops it)", total=100) as advance:
                done = 0
                while not over.wait(PROGRESS_SECONDS):
                    now = max(done, int(self._connection.query_progress()))
                    advance(now - done)
                    done = now

        telling = threading.Thread(target=tell, daemon=True)
        telling.start()

        def quiet() -> None:
            over.set()
            telling.join()

        return quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """The rows of one query, still to be fetched. `names` are the columns, each name once."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    budget: Budget
    relation: DuckDBPyRelation

    @classmethod
    def of(
        cls, relation: DuckDBPyRelation, connection: DuckDBPyConnection, seconds: int
    ) -> QueryResult:
        """What a relation of `connection` gives, within so many seconds."""
        return cls._of(relation, Budget(connection, seconds))

    @classmethod
    def _of(cls, relation: DuckDBPyRelation, budget: Budget) -> QueryResult:
        return cls(
            columns=tuple(relation.columns),
            types=tuple(str(kind) for kind in relation.types),
            budget=budget,
            relation=relation,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns with a number after a name that was there before, as DuckDB does it."""
        names: list[str] = []
        for column in self.columns:
            name, number = column, 0
            while name in names:
                number += 1
                name = f"{column}_{number}"
            names.append(name)
        return tuple(names)

    def is_number(self, place: int) -> bool:
        """Whether the column at `place` holds numbers."""
        return _NUMBER.fullmatch(self.types[place]) is not None

    def chunks(self) -> Iterator[Rows]:
        """The rows as Python values, some thousands at a time."""
        shown = self._cast(lambda kind: _AS_TEXT.sub(_or_quoted("VARCHAR"), kind))
        while rows := self.budget.spend(lambda: shown.fetchmany(CHUNK_ROWS)):
            yield rows

    def arrow(self) -> RecordBatchReader:
        """The rows as a reader of Arrow batches, every type as Parquet keeps it exactly."""
        exact = self._cast(
            lambda kind: _HUGE.sub(_or_quoted("DECIMAL(38,0)"), _AS_TEXT.sub(_parquet, kind))
        )
        reader: RecordBatchReader = self.budget.spend(lambda: exact.to_arrow_reader(CHUNK_ROWS))
        return reader

    def table(self) -> Table:
        """All rows as an Arrow table with the names of the columns, each once."""
        import pyarrow as pa

        reader = self.arrow()
        return pa.Table.from_batches(
            self.budget.spend(lambda: list(reader)), reader.schema
        ).rename_columns(list(self.names))

    def _cast(self, wanted: Callable[[str], str]) -> DuckDBPyRelation:
        """The relation with the columns of which `wanted` gives another type cast to it."""
        kinds = [wanted(kind) for kind in self.types]
        if kinds == list(self.types):
            return self.relation
        parts = [
            f"#{place}" if kind == before else f"CAST(#{place} AS {kind})"
            for place, (kind, before) in enumerate(zip(kinds, self.types, strict=True), start=1)
        ]
        return self.budget.spend(lambda: self.relation.project(", ".join(parts)))


def run(
    connection: DuckDBPyConnection,
    statements: list[str],
    seconds: int,
    *,
    values: Mapping[str, object] | None = None,
    alone: bool = False,
) -> QueryResult:
    """The result of the last of `statements`; the ones before it are run and their rows dropped.

    `values`: those of the last one's parameters.
    """
    budget = Budget(connection, seconds, alone=alone)
    for statement in statements[:-1]:
        budget.spend(lambda text=statement: connection.execute(text).fetchmany(1))  # type: ignore[misc]
    relation = budget.spend(
        lambda: connection.sql(statements[-1], params=dict(values or {}) or None)
    )
    return QueryResult._of(relation, budget)


def one_line(error: Exception) -> str:
    """DuckDB's message on one line, its drawing of the place as «line 2, column 9»."""
    lines = str(error).splitlines()
    kept = []
    place = ""
    for number, line in enumerate(lines):
        if drawn := re.match(r"LINE (\d+): ", line):
            arrow = lines[number + 1].find("^") if number + 1 < len(lines) else -1
            column = f", column {arrow - drawn.end() + 1}" if arrow >= drawn.end() else ""
            place = f" (line {drawn[1]}{column})"
        elif line.strip() and line.strip() != "^":
            kept.append(line.strip())
    return " ".join(kept)[:500] + place


def _hint(error: Exception) -> str:
    import duckdb

    if isinstance(error, duckdb.PermissionException):
        return "queries read the public views and nothing else: edgetoll sql alone lists them"
    if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException)):
        return "a value does not fit: cast it to VARCHAR, or to a wider type"
    return "edgetoll sql alone lists the views"


def _or_quoted(kind: str) -> Callable[[re.Match[str]], str]:
    """A replacement for a type's name that leaves the quoted name of a field alone."""
    return lambda match: kind if match[1] else match[0]


def _parquet(match: re.Match[str]) -> str:
    """Parquet has bytes and instants of its own."""
    keeps = (None, "BLOB", "TIMESTAMP WITH TIME ZONE")
    return match[0] if match[1] in keeps else "VARCHAR"
