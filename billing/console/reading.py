"""Asking the lake for many readers of a console: one connection a scope, as fresh as the lake is.

A connection is opened as `edgetoll sql` opens its own, and refused where the lake is not whole. It
is kept as long as the pointer and the files it was opened on are what they were; a version that is
swapped meanwhile, or a file that is touched, means a new one. Live hours are read at each question.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from billing.analysts import library
from billing.lake import version as versions
from billing.lake.query import QueryLimits, connect
from billing.lake.result import QueryResult, Rows, run
from edge.errors import EdgetollError, InputError
from metering.closed import ClosedMark, closed_mark
from sql import text as sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyarrow import Table

Fetched = TypeVar("Fetched")
SECONDS = 30
SCOPES = 32
"""So many accounts' connections are kept; who comes after them waits for a new one."""
AT_ONCE = 4
"""Queries that run at the same time; others wait their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A question with its values and the rows that came."""

    asked: library.LibraryQuery
    values: Mapping[str, library.Value]
    columns: tuple[str, ...]
    numbers: tuple[bool, ...]
    table: Table
    """All rows, as DuckDB left them: of many only those that are shown become Python's."""

    @property
    def count(self) -> int:
        """How many rows came."""
        return self.table.num_rows

    def part(self, start: int = 0, most: int | None = None) -> Rows:
        """The rows from number `start` on, at most so many."""
        kept = self.table.slice(start, most)
        columns = [_plain(kept, place) for place in range(len(self.columns))]
        return list(zip(*columns, strict=True))

    def records(self) -> list[dict[str, object]]:
        """The rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.part()]


@dataclass(slots=True, kw_only=True)
class _Opened:
    """A connection, and on what it was opened."""

    connection: DuckDBPyConnection
    lake: versions.Version | None
    closed: ClosedMark


class LakeReader:
    """What a console asks. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._limits = QueryLimits(seconds=SECONDS)
        self._opened: OrderedDict[str | None, _Opened] = OrderedDict()
        self._lock = threading.Lock()
        self._looked = threading.local()
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, name: str, words: Mapping[str, str], account: str | None) -> Answer:
        """What question `name` of the library gives a reader; `words`: its parameters as people
        write them. InputError for what cannot be asked, Corrupt where the lake is not whole.
        """
        asked = library.find(name)
        values = asked.values([f"{key}={value}" for key, value in words.items()])
        return self._found(
            asked.text,
            values,
            account,
            lambda result: Answer(
                asked=asked,
                values=values,
                columns=result.names,
                numbers=tuple(map(result.is_number, range(len(result.columns)))),
                table=result.table(),
            ),
        )

    def records(
        self, statement: str, values: Mapping[str, library.Value], account: str | None
    ) -> list[dict[str, object]]:
        """The rows of a statement of sql/, by the names of their columns."""
        return self._found(sql_text(statement), values, account, _as_records)

    @contextmanager
    def one_look(self, account: str | None, *, files: bool = True) -> Iterator[None]:
        """Whatever this thread asks for a reader within: the lake is looked at once, at the start.
        `files`: each of its files too, of which there may be thousands.
        """
        self._connection(account, files=files)
        self._looked.account = (account,)
        try:
            yield
        finally:
            self._looked.account = None

    def result(
        self, text: str, values: Mapping[str, library.Value], account: str | None
    ) -> QueryResult:
        """A query's rows still to be fetched: for a file of them."""
        cursor = self._connection(account).cursor()
        return run(cursor, [text], SECONDS, values=values)

    def version(self) -> str:
        """What changes whenever an answer may: the lake's pointer and what is live."""
        pointer = self.home.joinpath(versions.LAKE, versions.POINTER)
        name = pointer.read_text("ascii") if pointer.is_file() else ""
        live = self.home.joinpath("live")
        moved = live.stat().st_mtime_ns if live.is_dir() else 0
        closed = closed_mark(self.home).folder_ns
        return f"{name.split()[0] if name else 0}-{moved}-{closed}"

    def warm(self) -> None:
        """Open the lake before anybody asks; what is wrong with it is told to who asks."""
        try:
            self._connection(None)
        except EdgetollError:
            return

    def _found(
        self,
        text: str,
        values: Mapping[str, library.Value],
        account: str | None,
        fetch: Callable[[QueryResult], Fetched],
    ) -> Fetched:
        with self._places:
            try:
                return fetch(self.result(text, values, account))
            except InputError:
                # A version that was swapped while it was read: its files are gone, the new one's
                # are there. Anything else is said again.
                if not self._moved_on(account):
                    raise
                return fetch(self.result(text, values, account))

    def _moved_on(self, account: str | None) -> bool:
        with self._lock:
            opened = self._opened.get(account)
            if opened is None or self._as_opened(opened):
                return opened is None
            del self._opened[account]
            return True

    def _connection(self, account: str | None, *, files: bool = True) -> DuckDBPyConnection:
        looked = getattr(self._looked, "account", None) == (account,)
        with self._lock:
            opened = self._opened.get(account)
            if opened is None or not (looked or self._as_opened(opened, files=files)):
                self._opened.pop(account, None)
                closed, lake = closed_mark(self.home), versions.current(self.home)
                opened = _Opened(
                    connection=connect(self.home, self._limits, account=account, follows=True),
                    lake=lake,
                    closed=closed,
                )
                self._opened[account] = opened
                while len(self._opened) > SCOPES:
                    self._opened.popitem(last=False)
            self._opened.move_to_end(account)
            return opened.connection

    def _as_opened(self, opened: _Opened, *, files: bool = True) -> bool:
        """Whether everything still stands as it was when the connection was opened."""
        if closed_mark(self.home) != opened.closed:
            return False
        pointer = self.home.joinpath(versions.LAKE, versions.POINTER)
        lake = opened.lake
        if lake is None:
            return not pointer.exists()
        return (
            pointer.is_file()
            and pointer.read_bytes() == versions.pointer_bytes(lake)
            and not (
                files and any(versions.wrong_with(lake, file, hashed=False) for file in lake.files)
            )
        )


def _as_records(result: QueryResult) -> list[dict[str, object]]:
    return [dict(zip(result.names, row, strict=True)) for chunk in result.chunks() for row in chunk]


def _plain(table: Table, place: int) -> list[object]:
    """The values of a column as Python has them, a map as a dictionary."""
    import pyarrow as pa

    column = table.column(place)
    values: list[object] = column.to_pylist()
    if pa.types.is_map(column.type):
        return [dict(one) if one is not None else None for one in values]  # type: ignore[call-overload]
    return values
