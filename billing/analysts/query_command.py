"""`edgetoll query`: the questions of the library, listed, and asked by name."""

from __future__ import annotations

from typing import Annotated

import typer

from billing.analysts import library
from billing.analysts.library import LibraryQuery
from billing.analysts.options import (
    MEMORY,
    SECONDS,
    FormatOption,
    MemoryOption,
    OutputOption,
    TimeoutOption,
    format_of,
    picture_shown,
    refuse_existing,
    rows_shown,
)
from billing.lake.query import QueryLimits, ask_alone
from edge.errors import InputError
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, table


def query(
    name: Annotated[str | None, typer.Argument(help="Which one. Without: all of them.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="A parameter, as month=2026-10.")
    ] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw it; with -o FILE.svg, .png or .html into a file.")
    ] = False,
    kind: Annotated[str, typer.Option(help="Draw another kind: line, bar, stack, heat.")] = "",
    show_sql: Annotated[bool, typer.Option("--sql", help="Print its file, do not ask it.")] = False,
    format_: FormatOption = None,
    output: OutputOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    timeout: TimeoutOption = SECONDS,
    memory: MemoryOption = MEMORY,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Ask a question of the library: who, how much, why. Without a name: list them.

    Example: edgetoll query top_domains_by_https_requests --param month=2026-10 --plot
    """
    if name is None:
        _list(as_json=as_json)
        return
    asked = library.find(name)
    if show_sql:
        print(asked.text, end="")
        return
    chosen = format_of(format_, output, as_json=as_json)
    refuse_existing(output, force=force)
    if plot or kind:
        if asked.chart is None and not kind:
            raise InputError(f"{name} has no picture of its own", "say which: --kind bar")
        show = picture_shown(kind, output, asked.title, drawn=asked.chart)
    else:
        show = rows_shown(chosen, output)
    values = asked.values(param or [])
    limits = QueryLimits(seconds=timeout, memory=memory)
    ask_alone(home, asked.text, show, limits, values=values, output=output)


def _list(*, as_json: bool) -> None:
    found = library.all_queries()

    def human() -> None:
        rows = [(one.name, _short_parameters(one), one.title) for one in found]
        table("", ["query", "parameters", "what it answers"], rows)

    emit([_document(one) for one in found], as_json=as_json, human=human)


def _short_parameters(one: LibraryQuery) -> str:
    return " ".join(
        f"{each.name}={each.default}" if each.default else each.name for each in one.parameters
    )


def _document(one: LibraryQuery) -> dict[str, object]:
    return {
        "query": one.name,
        "title": one.title,
        "grain": one.grain,
        "parameters": [
            {"name": each.name, "kind": each.kind, "default": each.default, "about": each.about}
            for each in one.parameters
        ],
        "chart": one.chart.kind if one.chart else None,
    }
