"""`edgetoll edge formats`: what logs can be read, and what a mapping makes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import InputError
from edge.instants import now_ms
from edge.terminal import JsonOption, emit, table, warn

if TYPE_CHECKING:
    from edge.logs.trial import Trial

app = typer.Typer(
    add_completion=False,
    help="The log formats that are known by name, and trying a mapping.\n\n"
    "Example: edgetoll edge formats check mine.toml access.log",
)


@app.callback(invoke_without_command=True)
def formats(context: typer.Context, as_json: JsonOption = False) -> None:
    """The formats that are known by name; docs/formats.md says how to switch each of them on.

    A format that does not say the scheme or the host of a request needs --scheme or --host.

    Example: edgetoll edge formats
    """
    if context.invoked_subcommand is not None:
        return
    from edge.logs.formats.shipped import FORMATS, title_of

    found = [
        {"name": name, "title": title_of(name), "say": list(form.lacks)}
        for name, form in FORMATS.items()
    ]
    rows = [
        (each["name"], " ".join(f"--{part}" for part in each["say"]), each["title"])
        for each in found
    ]
    emit(found, as_json=as_json, human=lambda: table("formats", ("name", "say", "what"), rows))


@app.command()
def check(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="A mapping file, or a name.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A log in that format.")],
    log_format: Annotated[
        str, typer.Option("--log-format", help="A server's own format: MAPPING is then «-».")
    ] = "",
    scheme: Annotated[str, typer.Option("--scheme", help="As for edge import.")] = "",
    host: Annotated[str, typer.Option("--host", help="As for edge import.")] = "",
    zone: Annotated[str, typer.Option("--zone", help="As for edge import.")] = "",
    rows: Annotated[int, typer.Option("--rows", min=1, max=1000, help="Lines to show.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """What a mapping makes of a file: its first lines as events beside what stands in the log,
    what is refused and why, and the fields nobody reads. Nothing is imported.

    Ends with 1 when no line can be read, or a tenth of them cannot.

    Example: edgetoll edge formats check mine.toml access.log
    """
    from edge.logs.content import Content
    from edge.logs.formats.shipped import find_format
    from edge.logs.trial import try_format
    from edge.reasons import UNREADABLE

    name = "" if mapping == "-" else mapping
    form = find_format(name, log_format=log_format, scheme=scheme, host=host, zone=zone)
    with Content(file, documents=form.json, records=form.records) as content:
        trial = try_format(form, content, now_ms(), rows=rows)
    emit(trial.document(), as_json=as_json, human=lambda: _show(trial))
    bad = sum(count for reason, count in trial.refused.items() if reason in UNREADABLE)
    if not trial.events or bad * 10 >= trial.lines:
        raise InputError(
            f"{bad:,} of {trial.lines:,} lines cannot be read as {form.name}",
            "the first of each reason stands above, with what was wrong with it",
        )


def _show(trial: Trial) -> None:
    from edge.logs.trial import line_of_trial

    for one in trial.shown:
        print(line_of_trial(one))
    others = [one for one in trial.examples if one not in trial.shown]
    if others:
        print("\nand the first line of each other reason:")
        for one in others:
            print(line_of_trial(one))
    rows = [("lines", f"{trial.lines:,}"), ("events", f"{trial.events:,}")]
    rows += [(f"refused: {reason}", f"{n:,}") for reason, n in sorted(trial.refused.items())]
    print()
    table("the first megabyte", ("", "count"), rows, right=("count",))
    if trial.unmapped:
        print(f"\nfields nobody reads: {', '.join(trial.unmapped)}")
    for note in trial.notes:
        warn(note)
