"""What a picture of a result shows: which column stands where. Pure; two painters draw it.

A picture is for eyes: its positions are floats, which is why they are made here and nowhere else,
from a copy of the columns drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa

from edge.errors import InputError

ChartKind = Literal["line", "bar", "stack", "heat"]
KINDS: tuple[ChartKind, ...] = get_args(ChartKind)
POINTS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture: `x` and `y` are columns; `series` parts lines and stacks, and is the other side
    of a heat map, whose colour is `y`.
    """

    kind: ChartKind
    x: str
    y: str
    series: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What is drawn, in the order of the rows: a place, a value, and the part it belongs to."""

    places: list[str]
    values: list[float]
    parts: list[str]
    times: bool
    """The places are moments, days or months, and stand in their order."""


def choose(kind: str, names: Sequence[str], table: pa.Table, title: str = "") -> Chart:
    """A chart for a result that says nothing of one: the first column that is no number across, the
    first number up, the next column that is no number as parts. InputError when there is none.
    """
    if kind not in KINDS:
        raise InputError(f"no kind of chart «{kind}»", f"one of {', '.join(KINDS)}")
    drawn: ChartKind = kind
    numbers = [name for name in names if is_number_type(table.schema.field(name).type)]
    others = [name for name in names if name not in numbers]
    if not numbers or len(names) < 2:
        raise InputError(
            "nothing to draw: a chart needs a column to stand across and one of numbers",
            "select two columns, say domain and sum(requests)",
        )
    x = others[0] if others else numbers[0]
    y = next(name for name in numbers if name != x)
    series = others[1] if len(others) > 1 else None
    if drawn == "heat" and series is None:
        raise InputError(
            "a heat map needs two columns that are no numbers, and one of numbers",
            "select three columns, say day, class and sum(requests)",
        )
    return Chart(kind=drawn, x=x, y=y, series=series, title=title)


def points(table: pa.Table, chart: Chart) -> Points:
    """The points of `chart` in `table`; rows without a value are no points."""
    for name in (chart.x, chart.y, *([chart.series] if chart.series else [])):
        if name not in table.column_names:
            raise InputError(
                f"the result has no column {name}", f"it has {', '.join(table.column_names)}"
            )
    if not is_number_type(table.schema.field(chart.y).type):
        raise InputError(f"{chart.y} holds no numbers", "draw a column of numbers")
    if table.num_rows > POINTS_MAX:
        raise InputError(
            f"{table.num_rows} rows are too many for a picture", "sum them up in the query"
        )
    table = table.filter(table[chart.y].is_valid())
    values: list[float] = table[chart.y].cast(pa.float64(), safe=False).to_pylist()  # type: ignore[assignment]
    kind = table.schema.field(chart.x).type
    parts = _texts(table[chart.series].to_pylist()) if chart.series else [chart.y] * table.num_rows
    return Points(
        places=_texts(table[chart.x].to_pylist()),
        values=values,
        parts=parts,
        times=pa.types.is_temporal(kind) or chart.x == "month",
    )


def _texts(values: Iterable[object]) -> list[str]:
    from billing.lake.export import as_text

    return ["(none)" if one is None else as_text(one) for one in values]


def is_number_type(kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are numbers."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind)
    )
