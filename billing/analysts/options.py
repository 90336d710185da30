"""What `sql` and `query` share: options, and how a result is shown, as rows or as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from billing.lake import limited
from billing.lake.export import FORMATS, NOT_TEXT, whole, write_result
from billing.lake.query import MEMORY_LIMIT
from billing.lake.result import QueryResult
from edge.errors import InputError

FormatOption = Annotated[
    str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}. Default: by -o, else table.")
]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="Write there, not to standard output.")
]
TimeoutOption = Annotated[int, typer.Option(min=1, help="Seconds one query may take.")]
MemoryOption = Annotated[str, typer.Option(help="Memory one query may take.")]
SECONDS = 30
MEMORY = MEMORY_LIMIT
_BY_SUFFIX = {
    ".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".md": "markdown", ".parquet": "parquet",
    ".arrow": "arrow", ".arrows": "arrow", ".xlsx": "xlsx",
}  # fmt: skip


def format_of(said: str | None, output: Path | None, *, as_json: bool) -> str:
    """The format asked for, else that of the file's name. Raises InputError for an unknown one."""
    if said is None:
        by_name = _BY_SUFFIX.get(output.suffix, "table") if output else "table"
        return "json" if as_json else by_name
    if said not in FORMATS:
        raise InputError(f"no format «{said}»", f"one of {', '.join(FORMATS)}")
    return said


def refuse_existing(output: Path | None, *, force: bool) -> None:
    """A file that is there is somebody's work: it is replaced only when that is asked for."""
    if output is not None and output.is_file() and not force:
        raise InputError(f"{output} is there already", "name another file, or give --force")


def rows_shown(format_: str, output: Path | None) -> Callable[[QueryResult], None]:
    """How a result is written as rows; what is not text needs a file, told before it is asked."""
    if output is None and format_ in NOT_TEXT:
        raise InputError(f"{format_} is not text", "say where to write it: -o FILE")
    return lambda result: write_result(result, format_, output)


def picture_shown(
    kind: str, output: Path | None, title: str, *, drawn: object = None
) -> Callable[[QueryResult], None]:
    """How a result is drawn: in the terminal, or into a file that ends in .svg, .png or .html.

    `drawn`: the Chart that the question names; `kind` is then "" for its own kind, or another one.
    """
    from dataclasses import replace

    from billing.analysts import charts, terminal
    from billing.analysts.chart import KINDS, Chart, choose

    if kind and kind not in KINDS:
        raise InputError(f"no kind of chart «{kind}»", f"one of {', '.join(KINDS)}")
    if output is not None and output.suffix not in charts.SUFFIXES:
        raise InputError(
            f"{output} is no picture by its name", f"end it in one of {', '.join(charts.SUFFIXES)}"
        )

    def show(result: QueryResult) -> None:
        table = result.table()
        if isinstance(drawn, Chart):
            chart = replace(drawn, kind=kind) if kind else drawn
        else:
            chart = choose(kind, result.names, table, title)
        if output is None:
            print(terminal.draw(table, chart))
            return
        limited.free_memory()
        with whole(output) as path:
            charts.save(table, chart, path, output.suffix)

    return show
