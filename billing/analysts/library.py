"""The query library: each file of sql/queries is a question with a title, parameters and a chart.

All of it stands in the file's own header, so that a file says everything about itself:

    -- Parameter month (month): the month asked about
    -- Parameter top (number, 20): how many rows
    -- Chart: bar, domain, requests
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Literal, get_args

import sql
from billing.analysts.chart import KINDS, Chart, ChartKind
from edge.errors import InputError

ParameterKind = Literal["month", "day", "number", "text"]
Value = str | int | date
FOLDER = "queries"
_PARAMETER = re.compile(r"Parameter ([a-z_]+) \(([a-z]+)(?:, ([^)]+))?\): (.+)")
_CHART = re.compile(r"Chart: ([a-z]+), (\w+), (\w+)(?:, (\w+))?")
_EXAMPLES = {"month": "2026-10", "day": "2026-10-31", "number": "20", "text": "TEXT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """A value that a question needs; `default` is as a person would write it, None: none."""

    name: str
    kind: ParameterKind
    default: str | None
    about: str

    def read(self, text: str) -> Value:
        """The value that `text` means. Raises InputError when it is none of its kind."""
        try:
            if self.kind == "month":
                return date.fromisoformat(f"{text}-01").isoformat()[:7]
            if self.kind == "day":
                return date.fromisoformat(text)
            if self.kind == "number":
                return int(text)
        except ValueError as error:
            raise InputError(
                f"--param {self.name}: «{text}» is no {self.kind}",
                f"write it like {self.name}={_EXAMPLES[self.kind]}",
            ) from error
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryQuery:
    """A question of the library."""

    name: str
    title: str
    grain: str
    parameters: tuple[QueryParameter, ...]
    chart: Chart | None
    text: str

    def values(self, given: Sequence[str]) -> dict[str, Value]:
        """The parameters' values from words like `month=2026-10`; InputError for what is missing,
        unknown, given twice or of the wrong kind.
        """
        said = _pairs(given)
        known = {one.name: one for one in self.parameters}
        for name in said:
            if name not in known:
                raise InputError(
                    f"{self.name} has no parameter «{name}»",
                    f"it takes {', '.join(known) or 'none'}",
                )
        values = {}
        for name, one in known.items():
            text = said.get(name, one.default)
            if text is None:
                raise InputError(
                    f"{self.name} needs {name}: {one.about}",
                    f"edgetoll query {self.name} --param {name}={_EXAMPLES[one.kind]}",
                )
            values[name] = one.read(text)
        return values


def _pairs(words: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise InputError(f"--param {word} has no value", "write it like --param month=2026-10")
        if name in found:
            raise InputError(f"parameter {name} is given twice", "give it once")
        found[name] = value
    return found


def all_queries() -> list[LibraryQuery]:
    """Every question, by name."""
    return [_parsed(path) for path in sql.names(FOLDER)]


def find(name: str) -> LibraryQuery:
    """The question called `name`; InputError that names the nearest ones."""
    known = [path.rpartition("/")[2] for path in sql.names(FOLDER)]
    if name not in known:
        meant = nearest(name, known) or "edgetoll query lists them"
        raise InputError(f"no query «{name}»", meant)
    return _parsed(f"{FOLDER}/{name}")


def nearest(name: str, known: Sequence[str]) -> str:
    """«did you mean …?», of the names nearest to one that is not there; empty: none is near."""
    near = get_close_matches(name, known) or [one for one in known if name in one][:3]
    return f"did you mean {', '.join(near)}?" if near else ""


def header(text: str) -> list[str]:
    """The comment lines that open an SQL file."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("-- "):
            break
        lines.append(line.removeprefix("-- "))
    return lines


def _parsed(path: str) -> LibraryQuery:
    text = sql.text(path)
    lines = header(text)
    parameters = []
    chart = None
    for line in lines:
        if found := _PARAMETER.fullmatch(line):
            name, kind, default, about = found.groups()
            assert kind in get_args(ParameterKind), f"{path}: no kind {kind}"
            parameters.append(
                QueryParameter(name=name, kind=kind, default=default, about=about)  # type: ignore[arg-type]
            )
        elif found := _CHART.fullmatch(line):
            shape, x, y, series = found.groups()
            assert shape in KINDS, f"{path}: no chart {shape}"
            drawn: ChartKind = shape
            chart = Chart(kind=drawn, x=x, y=y, series=series, title=lines[0])
    grain = next(line for line in lines if line.startswith("Grain: "))
    return LibraryQuery(
        name=path.rpartition("/")[2],
        title=lines[0],
        grain=grain.removeprefix("Grain: "),
        parameters=tuple(parameters),
        chart=chart,
        text=text,
    )
