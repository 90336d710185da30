"""A chart as a file, by Altair: SVG and PNG (vl-convert draws them, no browser), or HTML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from billing.analysts.chart import Chart, is_number_type, points

if TYPE_CHECKING:
    import altair

SUFFIXES = (".svg", ".png", ".html")
WIDTH = 640
HEIGHT = 300
BAR_HEIGHT = 22
PLACES_NAMED = 40
COLOURS = ("#1f5a96", "#e08a1e", "#3c8d5a", "#b0413e", "#7b5ea7", "#8c8c8c", "#2aa3a3", "#c9b037")


def picture(table: pa.Table, chart: Chart, *, width: int = WIDTH) -> altair.Chart:
    """The chart as Altair has it, to be changed further in a notebook. Its values are a copy made
    for the picture: the table keeps its exact ones.
    """
    import altair as alt

    alt.data_transformers.disable_max_rows()
    shown = points(table, chart)
    rows = [
        {"x": place, "y": value, "part": part}
        for place, value, part in zip(shown.places, shown.values, shown.parts, strict=True)
    ]
    base = alt.Chart(alt.InlineData(values=rows), title=chart.title or alt.Undefined)
    value = _value_axis(chart.y)
    place = alt.X("x:N", title=chart.x, sort=None if not shown.times else "ascending")
    colour = alt.Color(
        "part:N", title=chart.series, scale=alt.Scale(range=list(COLOURS)), sort=None
    ) if chart.series else alt.value(COLOURS[0])  # fmt: skip
    if chart.kind == "line":
        many = len(set(shown.places)) > PLACES_NAMED
        across = alt.X("x:T", title=chart.x) if shown.times and many else place
        drawn = base.mark_line(point=len(rows) <= 80).encode(x=across, y=alt.Y("y:Q", **value))
        drawn = drawn.encode(color=colour)
    elif chart.kind == "bar":
        names = len(set(shown.places))
        down = alt.Y("x:N", title=None, sort=None, axis=alt.Axis(labelLimit=220))
        drawn = base.mark_bar().encode(y=down, x=alt.X("sum(y):Q", **value), color=colour)
        return _sized(drawn, width, max(60, names * BAR_HEIGHT))
    elif chart.kind == "stack":
        drawn = base.mark_bar().encode(x=place, y=alt.Y("sum(y):Q", **value), color=colour)
    else:
        shade = alt.Color("sum(y):Q", title=chart.y, scale=alt.Scale(scheme="blues"),
                          legend=alt.Legend(format="~s"))  # fmt: skip
        down = alt.Y("part:N", title=chart.series, axis=alt.Axis(labelLimit=220))
        drawn = base.mark_rect().encode(x=place, y=down, color=shade)
    return _sized(drawn, width, HEIGHT)


def _value_axis(name: str) -> dict[str, object]:
    import altair as alt

    return {"title": name, "axis": alt.Axis(format="~s", grid=True)}


def _sized(chart: altair.Chart, width: int, height: int) -> altair.Chart:
    made: altair.Chart = (
        chart.properties(width=width, height=height)
        .configure(font="sans-serif", background="white")
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12, titleFontSize=12, gridColor="#e8e8e8")
        .configure_title(fontSize=14, anchor="start")
        .configure_legend(labelFontSize=12, titleFontSize=12)
    )
    return made


def is_number(table: pa.Table, name: str) -> bool:
    """Whether a column holds numbers."""
    return is_number_type(table.schema.field(name).type)


def svg(table: pa.Table, chart: Chart, *, width: int = WIDTH) -> str:
    """The picture as SVG text."""
    import vl_convert

    made: str = vl_convert.vegalite_to_svg(picture(table, chart, width=width).to_json())
    return made


def save(table: pa.Table, chart: Chart, path: Path, suffix: str) -> None:
    """Write the picture to `path`, as what one of SUFFIXES says. HTML holds all that it needs."""
    import vl_convert

    made = picture(table, chart).to_json()
    if suffix == ".svg":
        path.write_text(vl_convert.vegalite_to_svg(made), encoding="utf-8")
    elif suffix == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(made, scale=2))
    else:
        path.write_text(vl_convert.vegalite_to_html(made, bundle=True), encoding="utf-8")
