"""Charts as shapes with whole-number places, for an SVG that a browser stretches to its width.

Each shape has its value as its title and, where it leads somewhere, a link: a chart is readable
without a script, prints, and follows light and dark by the page's style alone (decision 2172).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.analysts.chart import Chart
from billing.console.reading import Answer
from billing.lake.export import as_text

WIDTH, HEIGHT = 10_000, 2_000
GAP = 8
"""Of a bar's place, one part in so many stays empty."""
LABELS = 6
NAMES = 12
"""So many names stand beside each other with a bar each; of more, those that come first."""
SERIES = 8
"""So many have a colour of their own; what comes after them shares the last."""
STEPS = ((1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))
SCALE = 10**10
COLOURS = {"http": 0, "https": 1, "quic": 2}
"""Classes come in this order, with the same colours on every page; other names as they come."""
MONTH = re.compile(r"\d{4}-\d{2}")
MOST_ROWS = 30_000
MOST_PLACES = 3_000
LONG = timedelta(days=4)
"""From so much on an axis names days, not hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle of the plot, in its units; a dot on a line has neither width nor height."""

    x: int
    y: int
    width: int = 0
    height: int = 0
    series: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What stands at one place and leads to one page; `href` blank: nowhere."""

    href: str
    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polyline:
    """A line through points, as SVG writes them."""

    points: str
    series: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A level that is named: its height in the plot, in hundredths from above, and its text."""

    percent: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value of one series at one place, in 10^-10, what is said of it and where it leads."""

    amount: int
    title: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From `low` (0 or less) to `top` (0 or more), in 10^-10, over so many places."""

    top: int
    low: int
    count: int

    def y(self, amount: int) -> int:
        """How far below the plot's upper end an amount stands."""
        return HEIGHT - (amount - self.low) * HEIGHT // (self.top - self.low)

    def ticks(self) -> tuple[Tick, ...]:
        """Its ends, zero, and half of it."""
        named = {self.top, 0, self.low} | ({self.top // 2} if self.top >= -self.low else set())
        return tuple(
            Tick(percent=self.y(amount) * 100 // HEIGHT, text=short(amount))
            for amount in sorted(named, reverse=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A chart: what is drawn, and the words around it. `name` says in words what is seen;
    `left_out`: so many names have no place in it; `each`: each label is one place's.
    """

    name: str
    marks: tuple[Mark, ...]
    lines: tuple[Polyline, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[str, ...]
    legend: tuple[tuple[int, str], ...]
    left_out: int = 0
    each: bool = False

    @property
    def leads(self) -> bool:
        """Whether anything in it can be followed."""
        return any(mark.href for mark in self.marks)


def units(value: object) -> int:
    """A number in 10^-10, exact; 0 for what is none."""
    if isinstance(value, Decimal):
        return int(value * SCALE)
    return value * SCALE if isinstance(value, int) else 0


def nice(most: int) -> int:
    """The least of 1, 2, 5 × 10^n that is not below `most`; 0 for what is not above zero."""
    if most <= 0:
        return 0
    power = 10 ** max(0, len(str(max(1, most))) - 1)
    found: int = next(step * power for step in (1, 2, 5, 10) if step * power >= most)
    return found


def short(amount: int) -> str:
    """An amount in 10^-10 for an axis: 1.5M, 20, 0.004."""
    if amount < 0:
        return f"-{short(-amount)}"
    whole = amount // SCALE
    for size, unit in STEPS:
        if whole >= size:
            tenths = whole * 10 // size
            return f"{tenths // 10}{f'.{tenths % 10}' if tenths % 10 else ''}{unit}"
    rest = f"{amount % SCALE:010d}".rstrip("0")
    return f"{whole}.{rest}" if rest else str(whole)


def drawn(
    answer: Answer,
    chart: Chart,
    leads: Callable[[Sequence[object]], str] = lambda _row: "",
    local: Callable[[object], object] = lambda value: value,
) -> Drawing | None:
    """The chart of an answer as bars or lines; None where there is nothing to see. `leads`: where
    a row's shape leads; `local`: a value of the x axis as the page shows it.
    """
    x, y = answer.columns.index(chart.x), answer.columns.index(chart.y)
    series = answer.columns.index(chart.series) if chart.series else None
    rows = [row for row in answer.part(0, MOST_ROWS) if row[x] is not None and row[y] is not None]
    stacked = chart.kind in ("stack", "bar")
    known = list(dict.fromkeys(local(row[x]) for row in rows))
    each = stacked and not _times(known)
    named = each and not all(MONTH.fullmatch(as_text(value)) for value in known)
    kept = set(known[:NAMES] if named else known)
    rows = [row for row in rows if local(row[x]) in kept]
    places = _places([local(row[x]) for row in rows], stacked=stacked)
    names = list(dict.fromkeys(as_text(row[series]) if series is not None else "" for row in rows))
    names.sort(key=lambda name: COLOURS.get(name, SERIES))
    points: dict[tuple[int, int], Point] = {}
    for row in rows:
        name = as_text(row[series]) if series is not None else ""
        at = local(row[x])
        key = (places[_key(at)], min(names.index(name), SERIES - 1))
        before = points[key].amount if key in points else 0
        said = " · ".join(filter(None, (as_text(at), name, as_text(row[y]))))
        points[key] = Point(amount=before + units(row[y]), title=said, href=leads(row))
    heights = [one.amount for one in points.values()]
    if stacked:
        heights = [
            sum(one.amount for (at, _), one in points.items() if at == place and one.amount > 0)
            for place in places.values()
        ] + [amount for amount in heights if amount < 0]
    if not any(heights):
        return None
    scale = Scale(top=nice(max(heights)), low=-nice(-min(heights)), count=max(places.values()) + 1)
    return Drawing(
        name=f"{chart.title}: {chart.y.replace('_', ' ')} by {chart.x.replace('_', ' ')}",
        marks=tuple(_marks(points, _bars(points, scale) if stacked else _dots(points, scale))),
        lines=() if stacked else tuple(_lines(points, names, scale)),
        ticks=scale.ticks(),
        labels=tuple(as_text(one) for one in known if one in kept) if each else _labels(known),
        legend=tuple((place, name) for place, name in enumerate(names[:SERIES]) if name),
        left_out=len(known) - len(kept),
        each=each,
    )


def _marks(
    points: Mapping[tuple[int, int], Point], shapes: Mapping[tuple[int, int], Bar]
) -> Iterator[Mark]:
    """The shapes, those of a place that lead to the same page together: one stop of the keyboard.
    What leads nowhere has a title alone, and a dot that leads nowhere is none.
    """
    for _, group in itertools.groupby(sorted(shapes), key=lambda key: (key[0], points[key].href)):
        keys = list(group)
        href = points[keys[0]].href
        bars = tuple(shapes[key] for key in keys if href or shapes[key].width)
        if bars:
            yield Mark(href=href, title="; ".join(points[key].title for key in keys), bars=bars)


def _key(value: object) -> str:
    return as_text(value)


def _times(values: Sequence[object]) -> list[date]:
    """The values of a time axis in their order, each once; none when it is no time axis."""
    known = list(dict.fromkeys(values))
    times = [value for value in known if isinstance(value, date)]
    return sorted(times) if len(times) == len(known) else []


def _places(values: Sequence[object], *, stacked: bool) -> dict[str, int]:
    """Where each value of the x axis stands: times and numbers by their distance, others one after
    another. Bars have a place for each step of time, also for those in which nothing was.
    """
    times = _times(values)
    numbers = [value for value in values if isinstance(value, int)]
    if numbers and len(numbers) == len(values):
        return {_key(value): value - min(numbers) for value in numbers}
    if len(times) > 1 and not stacked:
        span = times[-1] - times[0]
        return {_key(value): (value - times[0]) * WIDTH // span for value in times}
    if len(times) > 1:
        step = min(later - sooner for sooner, later in itertools.pairwise(times))
        found = {_key(value): (value - times[0]) // step for value in times}
        if max(found.values()) < MOST_PLACES:
            return found
    known: Sequence[object] = times or list(dict.fromkeys(values))
    return {_key(value): place for place, value in enumerate(known)}


def _bars(points: Mapping[tuple[int, int], Point], scale: Scale) -> dict[tuple[int, int], Bar]:
    """What is above zero stands on what is below it in the stack; what is less hangs from zero."""
    step = WIDTH // scale.count
    base = dict.fromkeys(range(scale.count), 0)
    found = {}
    for (place, series), one in sorted(points.items()):
        if one.amount:
            low = base[place] if one.amount > 0 else 0
            base[place] += max(0, one.amount)
            ends = sorted((scale.y(low), scale.y(low + one.amount)))
            found[place, series] = Bar(
                x=place * WIDTH // scale.count + step // GAP,
                y=ends[0],
                width=max(1, step - 2 * (step // GAP)),
                height=max(ends[1] - ends[0], 1),
                series=series,
                title=one.title,
            )
    return found


def _dots(points: Mapping[tuple[int, int], Point], scale: Scale) -> dict[tuple[int, int], Bar]:
    last = max(1, scale.count - 1)
    return {
        (place, series): Bar(
            x=place * WIDTH // last, y=scale.y(one.amount), series=series, title=one.title
        )
        for (place, series), one in points.items()
    }


def _lines(
    points: Mapping[tuple[int, int], Point], names: Sequence[str], scale: Scale
) -> Iterator[Polyline]:
    dots = _dots(points, scale)
    for series in range(min(len(names), SERIES)):
        known = [(dots[key].x, dots[key].y) for key in sorted(dots) if key[1] == series]
        if len(known) == 1:  # one value is a level, not a point that nobody sees
            known = [(0, known[0][1]), (WIDTH, known[0][1])]
        yield Polyline(
            points=" ".join(f"{x},{y}" for x, y in known), series=series, title=names[series]
        )


def _labels(values: Sequence[object]) -> tuple[str, ...]:
    times = _times(values)
    if len(times) > LABELS:
        span, last = times[-1] - times[0], LABELS - 1
        marks = [times[0] + span * number // last for number in range(LABELS)]
        form = "%Y-%m-%d" if span >= LONG or not isinstance(times[0], datetime) else "%m-%d %H:%M"
        return tuple(f"{mark:{form}}" for mark in marks)
    known = list(dict.fromkeys(as_text(value) for value in times or values))
    if len(known) <= LABELS:
        return tuple(known)
    last = len(known) - 1
    return tuple(known[place * last // (LABELS - 1)] for place in range(LABELS))
