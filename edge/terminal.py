"""What people see: tables, progress, one JSON document; and the options all commands share."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import InputError
from edge.escaping import bare, escaped
from edge.instants import now as now
from edge.instants import parse_time as parse_time
from edge.instants import utc_text as utc_text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="EDGETOLL_HOME",
        help="The home: the folder that `edgetoll init` made.",
        show_default=True,
    ),
]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
DEFAULT_HOME = Path("edgetoll-home")
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output, for programs.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="Act as at that time (RFC 3339). Default: now."),
]


def as_of_time(text: str | None) -> datetime:
    """What `--as-of` says, else now."""
    return parse_time(text) if text else now()


Speaker = Callable[[str, str], None]
"""Takes what is said: its kind, `said` or `warning`, and the line."""
_speakers: list[Speaker] = []


@contextmanager
def spoken_by(speaker: Speaker) -> Iterator[None]:
    """While the block runs, `speaker` gets what would be printed for a person: a service's log is
    JSON, every line of it.
    """
    _speakers.append(speaker)
    try:
        yield
    finally:
        _speakers.remove(speaker)


def many(count: int, noun: str) -> str:
    """«1 hour», «2 hours», «1,000 hours»."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def say(text: str) -> None:
    """A line for a person, on standard error, so that output stays for programs."""
    if _speakers:
        _speakers[-1]("said", text)
        return
    print(text, file=sys.stderr)


def warn(text: str) -> None:
    """A warning line on standard error."""
    if _speakers:
        _speakers[-1]("warning", text)
        return
    if sys.stderr.isatty():
        print(f"\x1b[33m{escaped(text)}\x1b[0m", file=bare(sys.stderr))
    else:
        print(text, file=sys.stderr)


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Collection[str] = (),
    expanded: bool = False,
) -> None:
    """Print a table on standard output, as wide as the terminal; the columns named in `right` are
    aligned right. How it is fitted into the width is told in edge/tables.py. `expanded`: each row
    as a record, however wide the terminal is.

    Text is printed as it is: markup and control characters in data have no effect.
    """
    from edge.tables import layout, records

    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
    names = [printable(column) for column in columns]
    places = {place for place, column in enumerate(columns) if column in right}
    width, rule = _width(), "─" if _can_show("─") else "-"
    lines = (
        records(names, cells, width or 80)
        if expanded
        else layout(printable(title), names, cells, right=places, width=width)
    )
    for line in lines:
        if line.bold and _is_bright():
            print(f"\x1b[1m{escaped(line.text)}\x1b[0m", file=bare(sys.stdout))
        else:
            print(line.text.replace("─", rule))


def _width() -> int | None:
    """The columns of the terminal; None without one, since a pipe has no width to keep to."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return None


def _can_show(char: str) -> bool:
    """Whether the encoding of standard output has the character."""
    try:
        char.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_bright() -> bool:
    if "NO_COLOR" in os.environ:
        return False
    return sys.stdout.isatty() or "FORCE_COLOR" in os.environ


def printable(text: str) -> str:
    """`text` with control characters escaped, so that a domain cannot drive the terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def emit(document: object, *, as_json: bool, human: Callable[[], None]) -> None:
    """With `--json` print `document` as one JSON document; else let `human` print for people."""
    if as_json:
        print(json.dumps(document, default=_plain, ensure_ascii=False, indent=2))
    else:
        human()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def checked_names(**options: str) -> None:
    """Raise InputError for an edge id or region that cannot name a folder and travel in a batch."""
    for option, value in options.items():
        if not _NAME.match(value):
            raise InputError(
                f"--{option} «{value}» cannot be used",
                "use at most 63 letters, digits, dots, dashes and underscores",
            )


def checked_words(**options: str) -> None:
    """Raise InputError for a reason or name, kept for ever, that is blank or hides a character."""
    for option, text in options.items():
        if not text.strip():
            raise InputError(f"--{option} is blank", "it is kept for ever: say who, and why")
        if escaped(text) != text or any(char in text for char in "\t\r\n"):
            raise InputError(
                f"--{option} «{text}» holds a character that nobody can see",
                "it is kept for ever: leave that out",
            )


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`; a bar appears on a terminal's standard error once a second has passed."""
    if not sys.stderr.isatty():
        yield lambda _amount: None
        return
    started = time.monotonic()
    done = 0
    bar: Progress | None = None
    task: TaskID | None = None

    def advance(amount: int) -> None:
        nonlocal done, bar, task
        done += amount
        if bar is None and time.monotonic() - started > 1.0:
            bar = _bar()
            bar.start()
            task = bar.add_task(title, total=total)
        if bar is not None and task is not None:
            bar.update(task, completed=done)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.stop()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=bare(sys.stderr)),
        transient=True,
    )
