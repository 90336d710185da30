"""The Python door: `import edgetoll` gives an analyst exact frames of the public views.

Money is decimal128 in Arrow and Decimal in pandas and polars, counts are int64: no float is made of
either. Each call opens the lake as it is then, as `edgetoll sql` does, and refuses one that is not
whole. pandas and polars are imported when a frame of theirs is asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from billing.analysts.library import nearest
from billing.lake.query import QueryLimits, connect, readable_statements, with_views_of
from billing.lake.result import QueryResult, run
from edge.errors import InputError
from edge.terminal import DEFAULT_HOME
from sql import names as sql_names

if TYPE_CHECKING:
    from datetime import date, datetime

    import altair
    import pandas
    import polars
    import pyarrow
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    Frame: TypeAlias = pandas.DataFrame | polars.DataFrame | pyarrow.Table
    Value: TypeAlias = str | int | date | datetime | bool | None

SECONDS = 300
_MONTHS = ("month", "day", "hour", "bucket", "period_start", "since", "paid_at", "happened_at")


def read_arrow(
    view: str,
    *,
    month: str | None = None,
    accounts: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    home: str | Path | None = None,
) -> pyarrow.Table:
    """The rows of a public view, of a month (YYYY-MM) and of some accounts, if said.

    Raises edge.errors.InputError for a view, column or month that is not there.
    """
    limits = QueryLimits(seconds=SECONDS)
    with connect(_home(home), limits, query=view) as connection:
        relation = _view(connection, view)
        if month is not None:
            relation = relation.filter(_in_month(relation, view, month))
        if accounts is not None:
            relation = relation.filter(_of_accounts(relation, view, accounts))
        if columns is not None:
            relation = relation.select(*[_known(relation, view, name) for name in columns])
        return QueryResult.of(relation, connection, SECONDS).table()


def read(
    view: str,
    *,
    month: str | None = None,
    accounts: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    home: str | Path | None = None,
) -> pandas.DataFrame:
    """The same as a pandas frame whose columns are Arrow's: decimals stay decimals."""
    found = read_arrow(view, month=month, accounts=accounts, columns=columns, home=home)
    return _pandas(found)


def read_polars(
    view: str,
    *,
    month: str | None = None,
    accounts: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    home: str | Path | None = None,
) -> polars.DataFrame:
    """The same as a polars frame."""
    import polars as pl

    found = read_arrow(view, month=month, accounts=accounts, columns=columns, home=home)
    frame = pl.from_arrow(found)
    assert isinstance(frame, pl.DataFrame)
    return frame


def query_arrow(
    sql: str, params: Mapping[str, Value] | None = None, *, home: str | Path | None = None
) -> pyarrow.Table:
    """What a query over the public views gives; `$name` in it is `params["name"]`."""

    def asked(connection: DuckDBPyConnection) -> pyarrow.Table:
        statements = readable_statements(connection, sql)
        return run(connection, statements, SECONDS, values=params).table()

    return with_views_of(_home(home), sql, QueryLimits(seconds=SECONDS), asked)


def query(
    sql: str, params: Mapping[str, Value] | None = None, *, home: str | Path | None = None
) -> pandas.DataFrame:
    """The same as a pandas frame."""
    return _pandas(query_arrow(sql, params, home=home))


def ask(name: str, *, home: str | Path | None = None, **params: str | int) -> pandas.DataFrame:
    """A question of the library, as `edgetoll query NAME --param k=v`, as a pandas frame."""
    from billing.analysts import library

    asked = library.find(name)
    values = asked.values([f"{key}={value}" for key, value in params.items()])
    return _pandas(query_arrow(asked.text, values, home=home))


def plot(
    frame: Frame,
    kind: str = "line",
    *,
    x: str | None = None,
    y: str | None = None,
    series: str | None = None,
    title: str = "",
) -> altair.Chart:
    """A picture of a frame: line, bar, stack or heat. The frame keeps its exact values."""
    from dataclasses import replace

    from billing.analysts import charts
    from billing.analysts.chart import choose

    table = _arrow(frame)
    chart = choose(kind, table.column_names, table, title)
    chart = replace(
        chart,
        x=x or chart.x,
        y=y or chart.y,
        series=series if series or x or y else chart.series,
    )
    return charts.picture(table, chart)


def _home(home: str | Path | None) -> Path:
    return Path(home or os.environ.get("EDGETOLL_HOME") or DEFAULT_HOME)


def _pandas(table: pyarrow.Table) -> pandas.DataFrame:
    import pandas as pd

    frame: pandas.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _arrow(frame: Frame) -> pyarrow.Table:
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if "polars" in sys.modules:
        import polars as pl

        if isinstance(frame, pl.DataFrame):
            made: pyarrow.Table = frame.to_arrow()
            return made
    return pa.Table.from_pandas(frame, preserve_index=False)


def _view(connection: DuckDBPyConnection, view: str) -> DuckDBPyRelation:
    known = [name.rpartition("/")[2] for name in sql_names("views")]
    if view not in known:
        raise InputError(f"no view «{view}»", nearest(view, known) or "edgetoll sql lists them")
    return connection.table(view)


def _known(relation: DuckDBPyRelation, view: str, name: str) -> str:
    if name not in relation.columns:
        meant = nearest(name, relation.columns) or f"it has {', '.join(relation.columns)}"
        raise InputError(f"{view} has no column «{name}»", meant)
    return name


def _in_month(relation: DuckDBPyRelation, view: str, month: str) -> object:
    import duckdb

    from billing.analysts.library import QueryParameter

    asked = QueryParameter(name="month", kind="month", default=None, about="").read(month)
    place = next((name for name in _MONTHS if name in relation.columns), None)
    if place is None:
        raise InputError(f"{view} has nothing to tell months by", "leave month out")
    column = duckdb.ColumnExpression(place)
    if place != "month":
        pattern = duckdb.ConstantExpression("%Y-%m")
        column = duckdb.FunctionExpression("strftime", column, pattern)
    return column == duckdb.ConstantExpression(asked)


def _of_accounts(relation: DuckDBPyRelation, view: str, accounts: Sequence[str]) -> object:
    import duckdb

    if isinstance(accounts, str):
        raise InputError("accounts is one text", f"give a list: accounts=[{accounts!r}]")
    column = duckdb.ColumnExpression(_known(relation, view, "account_id"))
    return column.isin(*(duckdb.ConstantExpression(name) for name in accounts))
