"""`edgetoll sql`: a query of one's own over the public views, as rows, as a picture, or a shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

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
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption
from sql import text as sql_text


def sql(
    query: Annotated[str | None, typer.Argument(help="The query. Without one: a shell.")] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="Read the query here; - is standard input.")
    ] = None,
    format_: FormatOption = None,
    output: OutputOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    plot: Annotated[
        str, typer.Option(help="Draw it: line, bar, stack or heat; -o FILE.svg, .png or .html.")
    ] = "",
    attach: Annotated[
        Path | None, typer.Option(help="Write a DuckDB file of all views for other tools.")
    ] = None,
    serve: Annotated[
        str, typer.Option(help="Answer queries over HTTP at HOST:PORT, of readers with a token.")
    ] = "",
    timeout: TimeoutOption = SECONDS,
    memory: MemoryOption = MEMORY,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Ask usage, charges, invoices and states in SQL, while metering and billing run.

    Example: edgetoll sql "SELECT domain, class, sum(requests) FROM usage_daily GROUP BY ALL"
    """
    if attach is not None:
        from billing.analysts.attach import attach as write_attach

        write_attach(home, attach)
        return
    if serve:
        from billing.analysts import remote

        remote.serve(home, serve, QueryLimits(seconds=timeout, memory=memory))
        return
    if query is not None and file is not None:
        raise InputError("a query and a file were given", "give one of them")
    limits = QueryLimits(seconds=timeout, memory=memory)
    if file is not None:
        query = _read(file)
    elif query is None and sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        from billing.analysts import shell

        shell.start(home, limits)
        return
    elif query is None:
        query = sql_text("statements/lake/read/list_views")
    chosen = format_of(format_, output, as_json=as_json)
    refuse_existing(output, force=force)
    show = picture_shown(plot, output, "") if plot else rows_shown(chosen, output)
    ask_alone(home, query, show, limits, output=output)


def _read(file: Path) -> str:
    """The query in `file`, `-` for standard input; InputError when it is not there or not text."""
    try:
        if str(file) == "-":
            return sys.stdin.read()
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"no file {file}", "check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
        raise InputError(f"{file} cannot be read: {reason}", "name a file of SQL text") from error
