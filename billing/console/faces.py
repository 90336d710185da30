"""From an answer to what a template shows: cells with where they lead, tiles, facts, charts, grids.

Every text is plain text here and is escaped by the template; every link is made of quoted parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from billing.console.drawing import Drawing, drawn, short, units
from billing.console.reading import Answer
from billing.console.site.links import LINKS
from billing.console.site.pages import Block, Leads
from billing.lake.export import as_text

ROWS = 200
"""Of a table on a page; the next ones are a click away, all of them a file."""
LEVELS = 5
UPRIGHT = 9
"""Columns that an upright sheet of paper holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value: its text, where it leads, and how it is set."""

    text: str
    href: str = ""
    kind: str = ""
    exact: str = ""
    """The instant in UTC, where the text is in another zone; else blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A cell of a grid: its level from 0 to 4, or a word for how it stands."""

    text: str
    href: str
    level: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A heat map: names across and down, a square or none where they meet."""

    across: tuple[str, ...]
    said: str
    further: tuple[tuple[str, str], ...]
    """What else there is, and where: the rows before and after."""
    down: tuple[tuple[Cell, tuple[Square | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A block with its answer, as the template needs it."""

    block: Block
    heading: str
    anchor: str
    question: str
    title: str
    sql: str
    command: str
    heads: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    count: int
    start: int
    empty: str
    ask: str
    csv: str
    xlsx: str
    drawing: Drawing | None
    is_small: bool
    """Half as wide as the page, where there is room and another such stands beside it."""
    grid: Grid | None

    @property
    def is_wide(self) -> bool:
        """Whether its table needs a sheet of paper across."""
        return len(self.heads) > UPRIGHT and "table" in self.block.face


def text_of(value: object) -> str:
    """A value for eyes: thousands apart, decimals exact, times without seconds that are zero."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        whole, _, places = f"{value:,f}".partition(".")
        return f"{whole}.{places.rstrip('0'):0<2}" if places else whole
    if isinstance(value, datetime) and value.year in (2000, 9999):
        return "—"  # from ever, or without an end
    if isinstance(value, dict):
        return ", ".join(f"{key}: {as_text(one)}" for key, one in value.items()) or "—"
    if isinstance(value, (list, tuple)):
        return ", ".join(as_text(one) for one in value) or "—"
    return as_text(value) or "—"


def in_url(value: object) -> str:
    """A value as URLs of the console say it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H")
    return as_text(value)


def link(template: Leads, values: Mapping[str, object]) -> str:
    """`template` with quoted values, of several the first that has them all; blank: none has."""
    for one in (template,) if isinstance(template, str) else template:
        address, mark, anchor = one.partition("#")
        path, _, query = address.partition("?")
        try:
            whole = "/".join(_quoted(part, values) for part in path.split("/"))
            pairs = [pair.partition("=") for pair in query.split("&") if pair]
            words = [(name, _raw(value, values)) for name, _, value in pairs]
        except (KeyError, ValueError):
            continue
        return (f"{whole}?{urlencode(words)}" if words else whole) + mark + anchor
    return ""


def _raw(part: str, values: Mapping[str, object]) -> str:
    if not part.startswith("{"):
        return part
    name, _, form = part[1:-1].partition("|")
    value = values[name]
    if value is None or value == "":
        raise KeyError(part)
    return FORMS[form](value)


def _day(value: object) -> str:
    """The day of a time."""
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else in_url(value)


def _last_day(value: object) -> str:
    """The last day of a month."""
    first = date.fromisoformat(f"{value}-01")
    return f"{(first + timedelta(days=31)).replace(day=1) - timedelta(days=1):%Y-%m-%d}"


def _before(month: object) -> str:
    """The month before."""
    return f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"


FORMS: Mapping[str, Callable[[object], str]] = {
    "": in_url,
    "day": _day,
    "month": lambda value: _day(value)[:7],
    "first": lambda month: f"{month}-01",
    "last": _last_day,
    "first before": lambda month: f"{_before(month)}-01",
    "last before": lambda month: _last_day(_before(month)),
    "finer": lambda step: {"month": "day", "day": "hour"}[as_text(step)],
}
"""How a value is written where a link asks for it as `{name|form}`."""


def _quoted(part: str, values: Mapping[str, object]) -> str:
    text = _raw(part, values)
    if part.startswith("{") and text in (".", ".."):
        raise KeyError(part)  # a browser would walk up
    return quote(text, safe="")


def address(question: str, words: Mapping[str, str], ending: str = "") -> str:
    """Where a question is asked by itself."""
    given = urlencode(words)
    return f"/ask/{question}{ending}{f'?{given}' if given else ''}"


def shown(
    block: Block,
    answer: Answer,
    page: Mapping[str, str],
    heading: str,
    *,
    zone: str = "",
    start: int = 0,
) -> Shown:
    """A block's answer with the face that the block asks for; times in `zone`, blank: UTC."""
    chosen = block.columns or answer.columns
    places = [answer.columns.index(name) for name in chosen if name in answer.columns]
    words = {name: in_url(value) for name, value in answer.values.items()}
    has_table = block.face in ("table", "facts", "chart and table", "tiles")
    kept = answer.part(start, ROWS) if has_table else []
    chart = answer.asked.chart
    question = answer.asked.name
    return Shown(
        block=block,
        heading=heading,
        anchor=question.replace("_", "-"),
        question=question,
        title=answer.asked.title,
        sql=answer.asked.text.partition("\n-- Sample:")[0].strip(),
        command=" ".join(
            [
                "edgetoll query",
                question,
                *(f"--param {_shell(f'{k}={v}')}" for k, v in words.items()),
            ]
        ),
        heads=tuple(answer.columns[place].replace("_", " ") for place in places),
        right=tuple(answer.numbers[place] for place in places),
        rows=tuple(_cells(block, answer, row, places, page, zone) for row in kept),
        count=answer.count,
        start=start,
        empty=block.empty,
        ask=address(question, words),
        csv=address(question, words, ".csv"),
        xlsx=address(question, words, ".xlsx"),
        drawing=_drawing(block, answer, page, zone) if chart and "chart" in block.face else None,
        is_small=not answer.count or block.face == "chart",
        grid=_grid(block, answer, page) if block.face == "grid" else None,
    )


def _led(
    block: Block, answer: Answer, row: Sequence[object], page: Mapping[str, str], name: str
) -> str:
    """Where the value of a column leads: as the block says, who knows the page; else by what the
    row and the question say by themselves.
    """
    asked = {key: value for key, value in answer.values.items() if value != "all"}
    asked |= {"account_id": asked["account"]} if "account" in asked else {}
    own = {**asked, **dict(zip(answer.columns, row, strict=True))}
    if name in block.opens:
        return link(block.opens[name], {**page, **own})
    return link(LINKS.get(name, ()), own)


def _drawing(block: Block, answer: Answer, page: Mapping[str, str], zone: str) -> Drawing | None:
    """The chart of a block: a shape leads where its value does, else its part, else its place."""
    chart = answer.asked.chart
    assert chart is not None
    names = [one for one in (chart.y, chart.series, chart.x) if one]

    def leads(row: Sequence[object]) -> str:
        found = (_led(block, answer, row, page, name) for name in names)
        return next(filter(None, found), "")

    return drawn(answer, chart, leads, lambda value: _local(value, zone))


def _shell(word: str) -> str:
    import shlex

    return shlex.quote(word)


def _cells(
    block: Block,
    answer: Answer,
    row: Sequence[object],
    places: Sequence[int],
    page: Mapping[str, str],
    zone: str,
) -> tuple[Cell, ...]:
    tile = block.opens.get(as_text(row[0]), "") if block.face == "tiles" else ""
    cells = []
    for place in places:
        name, value = answer.columns[place], row[place]
        here = "" if value is None else link(tile, {}) or _led(block, answer, row, page, name)
        kind = f"state-{as_text(value)}" if name in ("state", "status") else ""
        text, exact = _instant(value, zone)
        cells.append(Cell(text=text, href=here, kind=kind, exact=exact))
    return tuple(cells)


def _instant(value: object, zone: str) -> tuple[str, str]:
    """A value's text, and for a time what it is in UTC, which has no zone in the lake."""
    if not isinstance(value, datetime) or text_of(value) == "—":
        return text_of(value), ""
    return text_of(_local(value, zone)), f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _local(value: object, zone: str) -> object:
    """A time as clocks of `zone` show it; all else as it is."""
    if not zone or not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _grid(block: Block, answer: Answer, page: Mapping[str, str]) -> Grid | None:
    chart = answer.asked.chart
    assert chart is not None
    assert chart.series is not None
    records = answer.records()
    if not records:
        return None
    across = tuple(sorted({as_text(one[chart.x]) for one in records}))
    down = {as_text(one[chart.series]): one for one in records}
    most = max(units(one[chart.y]) for one in records)
    squares: dict[tuple[str, str], Square] = {}
    for one in records:
        amount = units(one[chart.y])
        state = as_text(one.get("state")) or "closed"
        level = state.replace(" ", "-") if state != "closed" else ""
        missing = text_of(one.get("missing_edges") or ())
        title = f"{text_of(one.get('hour') or one[chart.x])}: {state}, {short(amount)} {chart.y}"
        place = (as_text(one[chart.series]), as_text(one[chart.x]))
        squares[place] = Square(
            text=state[:1] if level else "",
            href=link(block.opens.get(chart.y, ""), {**page, **one}),
            level=level or f"level-{min(LEVELS - 1, amount * LEVELS // max(1, most))}",
            title=title if missing == "—" else f"{title}, missing {missing}",
        )
    said, further = _further(block, answer, page, records)
    lead = block.opens.get(chart.series, "")
    return Grid(
        across=across,
        said=said,
        further=further,
        down=tuple(
            (
                Cell(text=name, href=link(lead, {**page, **down[name]})),
                tuple(squares.get((name, x)) for x in across),
            )
            for name in sorted(down)
        ),
    )


def _further(
    block: Block, answer: Answer, page: Mapping[str, str], records: Sequence[Mapping[str, object]]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Which of numbered rows a grid shows, and where those before and after them are."""
    numbers = [one for one in (row.get("edge_number") for row in records) if isinstance(one, int)]
    known, top = records[0].get("edges"), answer.values.get("top")
    if not (numbers and isinstance(known, int) and isinstance(top, int)):
        return "", ()
    first, last = min(numbers), max(numbers)
    places = {"before": max(1, first - top) if first > 1 else 0, "next": last + 1}
    return f"Edges {first} to {last} of {known:,}.", tuple(
        (word, link(block.opens.get("further", ""), {**page, **records[0], "first": place}))
        for word, place in places.items()
        if 0 < place <= known
    )


def default_of(name: str, today: datetime) -> str:
    """What `this month` and its like are on a day."""
    now = today.astimezone(UTC)
    moment: date = now.date()
    last = moment.replace(day=1) - timedelta(days=1)
    return {
        "this month": f"{moment:%Y-%m}",
        "last of last month": f"{last:%Y-%m-%d}",
        "first of last month": f"{last:%Y-%m}-01",
        "this hour": f"{now:%Y-%m-%dT%H}",
        "this day": f"{moment:%Y-%m-%d}",
        "first of month": f"{moment:%Y-%m}-01",
    }.get(name, name)
