"""A chart in the terminal, by plotext: as wide as the terminal. Parts of a stack and the cells of a
heat map differ by their shade, so that a picture without colours (a pipe, an e-mail) reads alike.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import pyarrow as pa

from billing.analysts.chart import Chart, Points, points
from edge.errors import InputError

LINES = 22
LABEL = 30
PARTS_MAX = 6
BARS_MAX = 40
SHADES = " ░▒▓█"
MARKS = "█▒░#+o"


def draw(table: pa.Table, chart: Chart) -> str:
    """The picture as text, in colour where standard output is a terminal."""
    import plotext

    shown = points(table, chart)
    if not shown.values:
        raise InputError("nothing to draw: the result has no rows", "ask about another month")
    width = shutil.get_terminal_size((80, 24)).columns
    if chart.kind == "heat":
        return _titled(chart, width, _heat(shown, width))
    figure = plotext.figure
    figure.clear()
    bright = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    figure.theme("default" if bright else "colorless")
    figure.canvas("default")
    figure.plot_size(width, LINES)
    if chart.kind == "line":
        _line(figure, shown)
    elif chart.kind == "bar":
        _bar(figure, shown, width)
    else:
        _stack(figure, shown)
    text = figure.build().string(colorless=not bright)
    legend = _legend(shown) if chart.kind == "stack" else ""
    return _titled(chart, width, f"{text.rstrip()}\n{legend}")


def _titled(chart: Chart, width: int, text: str) -> str:
    return f"{_short(chart.title, width)}\n{text}" if chart.title else text


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _order(shown: Points) -> list[str]:
    """The places across: as they come, times in their order."""
    found = list(dict.fromkeys(shown.places))
    return sorted(found) if shown.times else found


def _part_names(shown: Points) -> list[str]:
    """The parts, the largest first; what is beyond the room for them is told, not dropped."""
    sums: dict[str, float] = {}
    for part, value in zip(shown.parts, shown.values, strict=True):
        sums[part] = sums.get(part, 0) + abs(value)
    names = sorted(sums, key=lambda part: (-sums[part], part))
    if len(names) > PARTS_MAX:
        raise InputError(
            f"{len(names)} parts are too many to tell apart in a terminal",
            f"narrow the query to {PARTS_MAX}, or draw it: -o chart.svg",
        )
    return names


def _values(shown: Points, part: str, order: list[str]) -> list[float | None]:
    found: dict[str, float] = {}
    for place, value, one in zip(shown.places, shown.values, shown.parts, strict=True):
        if one == part:
            found[place] = found.get(place, 0) + value
    return [found.get(place) for place in order]


def _line(figure: Any, shown: Points) -> None:
    order = _order(shown)
    names = _part_names(shown)
    for part in names:
        known = [(n, v) for n, v in enumerate(_values(shown, part, order)) if v is not None]
        signal = figure.signal([n for n, _ in known], [v for _, v in known])
        signal.lines()
        if len(names) > 1:
            signal.label(part)
        figure.draw(signal)
    ticks = sorted({(len(order) - 1) * n // 4 for n in range(5)})
    figure.ruler("x").ticks(ticks, [order[n] for n in ticks])


def _bar(figure: Any, shown: Points, width: int) -> None:
    names = _order(shown)[:BARS_MAX]
    sums: dict[str, float] = dict.fromkeys(names, 0)
    for place, value in zip(shown.places, shown.values, strict=True):
        if place in sums:
            sums[place] += value
    labels = [_short(name, LABEL) for name in reversed(names)]
    figure.plot_size(width, 2 * len(names) + 3)
    values = [sums[name] for name in reversed(names)]
    figure.draw(figure.bar(labels, values, orientation="horizontal", width=0))


def _stack(figure: Any, shown: Points) -> None:
    order = _order(shown)[:BARS_MAX]
    names = _part_names(shown)
    heights = [[value or 0 for value in _values(shown, part, order)] for part in names]
    figure.draw(figure.bar(order, heights, stacked=True, marker=list(MARKS[: len(names)])))
    step = 1 + len(order) * 12 // 80
    places = list(range(0, len(order), step))
    figure.ruler("x").ticks([n + 1 for n in places], [order[n] for n in places])


def _legend(shown: Points) -> str:
    pairs = zip(MARKS, _part_names(shown), strict=False)
    return "   ".join(f"{mark} {name}" for mark, name in pairs)


def _heat(shown: Points, width: int) -> str:
    """A grid of shades: parts down, places across."""
    order = _order(shown)
    parts = sorted(dict.fromkeys(shown.parts))
    most = max(map(abs, shown.values))
    beside = min(LABEL, max(map(len, parts)))
    cell = max(1, min(6, (width - beside - 1) // max(len(order), 1)))
    lines = []
    for part in parts:
        shades = [
            SHADES[0 if not value else 1 + min(3, int(4 * abs(value) // most) if most else 0)]
            for value in _values(shown, part, order)
        ]
        row = "".join(shade * cell for shade in shades)
        lines.append(f"{_short(part, beside):>{beside}} {row}")
    lines.append(f"{'':>{beside}} {order[0]} … {order[-1]}   █ up to {most:,.0f}")
    return "\n".join(lines)
