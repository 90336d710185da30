"""edgetoll: the front door. One command that joins edge, metering and billing; for Python, the
functions by which analysts read what it knows (billing/analysts/door.py).

Nothing heavy is imported before it is known which command runs: `edgetoll --help` answers at once.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer

    from billing.analysts.door import ask as ask
    from billing.analysts.door import plot as plot
    from billing.analysts.door import query as query
    from billing.analysts.door import query_arrow as query_arrow
    from billing.analysts.door import read as read
    from billing.analysts.door import read_arrow as read_arrow
    from billing.analysts.door import read_polars as read_polars

DOOR = ("ask", "plot", "query", "query_arrow", "read", "read_arrow", "read_polars")
VERSION = "0.1.0"

GROUPS = {
    "edge": ("edge.cli", "Turn access logs into durable batches of request events."),
    "metering": ("metering.cli", "Count each event exactly once and prove hours complete."),
    "billing": (
        "billing.cli",
        "Price usage, keep balances, issue invoices, flag accounts at risk.",
    ),
}
COMMANDS = {
    "init": (
        "billing.commands.init",
        "init",
        "Make a home: settings, an example price book and accounts.",
    ),
    "sql": (
        "billing.analysts.sql_command",
        "sql",
        "Ask usage, charges and invoices in SQL, while all of it runs.",
    ),
    "query": (
        "billing.analysts.query_command",
        "query",
        "Ask a question of the library: who, how much, why; as rows or a picture.",
    ),
    "report": (
        "billing.analysts.report",
        "report",
        "The month on one HTML page that a manager reads, with charts.",
    ),
    "console": (
        "billing.console.command",
        "console",
        "Look at all of it with a browser: pages and a read API, writes nothing.",
    ),
    "check": (
        "billing.commands.check",
        "check",
        "Run every invariant; exit 1 if one of them returns a row.",
    ),
    "status": (
        "billing.commands.status",
        "status",
        "One screen for the person on call; exit 1 when one is needed.",
    ),
    "prune": (
        "billing.commands.prune",
        "prune",
        "Keep less of months long past: charges in a file a month, old usage gone.",
    ),
    "demo": ("examples.demo", "demo", "Real work end to end in a new home, in under a minute."),
    "run": ("billing.daemon.host", "run", "Edge tail, metering and billing in one process."),
}
HELP_FLAGS = {"--help", "-h", "help"}


def __getattr__(name: str) -> object:
    """The functions for analysts, imported when one of them is used."""
    if name in DOOR:
        return getattr(import_module("billing.analysts.door"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def front_page() -> str:
    """What `edgetoll --help` prints."""
    width = max(map(len, (*GROUPS, *COMMANDS))) + 2
    lines = [
        "edgetoll: from what CDN edges saw to what customers owe, each request counted once.",
        "",
        "Usage: edgetoll COMMAND …        (each COMMAND has --help with an example)",
        "",
        *(f"  {name:<{width}}{about}" for name, (_, about) in GROUPS.items()),
        "",
        *(f"  {name:<{width}}{about}" for name, (_, _, about) in COMMANDS.items()),
        "",
        "Everywhere: --home DIR or EDGETOLL_HOME (default ./edgetoll-home); --json for programs.",
        "Completion for bash, zsh, fish: edgetoll --show-completion SHELL",
        "Example:",
        "  edgetoll init && edgetoll edge import a.log --format nginx --edge e1 --region DE",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0, 1 error, 2 wrong usage, 75 busy."""
    from edge.escaping import escaping_streams

    with escaping_streams():
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    from edge.errors import EdgetollError

    words = list(sys.argv[1:] if arguments is None else arguments)
    for word in (*words, os.environ.get("EDGETOLL_HOME", "")):
        if not word.isascii() and any("\ud800" <= char <= "\udfff" for char in word):
            print(
                f"edgetoll: «{word}» is not UTF-8 text\n"
                "  hint: give files names in UTF-8; where the locale is not, set LC_ALL=C.UTF-8",
                file=sys.stderr,
            )
            return 2
    if not words or words[0] in HELP_FLAGS:
        print(front_page())
        return 0
    if words[0] == "--version":
        print(f"edgetoll {VERSION}")
        return 0
    if words[0] == "--complete":
        for candidate in complete(words[1:]):
            print(candidate)
        return 0
    name, rest = words[0], words[1:]
    if "--show-completion" in words[:2] or "--install-completion" in words[:2]:
        return show_completion(words)
    if name not in GROUPS and name not in COMMANDS:
        print(f"edgetoll: no command «{name}». See edgetoll --help", file=sys.stderr)
        return 2
    try:
        application(name)(rest, prog_name=f"edgetoll {name}")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except EdgetollError as error:
        print(f"edgetoll: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: that is its right, not our failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from edge.trouble import is_interrupt, remedy

        if is_interrupt(error):
            return 130
        said = trouble_of_the_machine(error)
        if said is None:
            raise
        print(f"edgetoll: {said}", file=sys.stderr)
        advice = remedy(said) or "look at free space, memory and permissions"
        print(
            f"  hint: {advice}. What was committed stands, a second run takes up the rest",
            file=sys.stderr,
        )
        return 1
    return 0


def complete(words: Sequence[str]) -> list[str]:
    """The candidates for the word at PLACE of a command line: `--complete PLACE WORD…`."""
    from edge.completion import Command, candidates

    def command(name: str) -> Command:
        from typer.main import get_command

        found: Command = get_command(application(name))
        return found

    place = int(words[0]) if words and words[0].isdigit() else 0
    typed = [*words[1 : place + 2], *[""] * (place + 2 - len(words))]
    return candidates(typed, (*GROUPS, *COMMANDS), command)


def show_completion(words: Sequence[str]) -> int:
    """`edgetoll [GROUP] --show-completion [SHELL]`: the script for a shell to read."""
    from edge.completion import SHOW, how_to_install, script
    from edge.errors import InputError

    if SHOW not in words:
        print(f"edgetoll: completion is kept where your shell looks for it:\n{how_to_install()}")
        return 0
    try:
        print(script(words), end="")
    except InputError as error:
        print(f"edgetoll: {error.message}\n  hint: {error.hint}", file=sys.stderr)
        return 2
    return 0


def trouble_of_the_machine(error: Exception) -> str | None:
    """One line for a full disk, a folder that is read-only, too little memory; None for our own
    mistakes, which keep their traceback.
    """
    if isinstance(error, MemoryError):
        return os.strerror(errno.ENOMEM)
    if isinstance(error, OSError):
        said = error.strerror or str(error)
        return f"{said}: {error.filename}" if error.filename else said
    if type(error).__module__ in ("duckdb", "_duckdb") and type(error).__name__ in (
        "IOException",
        "TransactionException",
        "FatalException",
        "OutOfMemoryException",
    ):
        return str(error).strip().splitlines()[0]
    return None


def application(name: str) -> Typer:
    """The typer application of a group, or one made around a single command."""
    import typer

    if name in GROUPS:
        made: Typer = import_module(GROUPS[name][0]).app
    else:
        module, attribute, _about = COMMANDS[name]
        made = typer.Typer(add_completion=False)
        made.command(name)(getattr(import_module(module), attribute))
    if name not in ("edge", "metering"):  # these know no --as-of
        from billing.as_of import bounded

        bounded(made)
    made.pretty_exceptions_enable = False
    # Plain help: «[edge] of edgetoll.toml» is a section, not markup; and it starts faster.
    made.rich_markup_mode = None
    return made


# What no command uses, but DuckDB imports at the first statement that has a parameter and pyarrow
# at the first list or file it is given: over a second of CPU for each command.
UNUSED = frozenset({"pandas", "pyarrow._s3fs", "pyarrow._gcsfs", "pyarrow._azurefs"})
# Imports make hundreds of thousands of objects that stay: looking for cycles among them every few
# hundred is a seventh of the start.
OBJECTS_BETWEEN_COLLECTIONS = 50_000


class Withheld:
    """An import finder by which the modules named are not to be found."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def release(self, name: str) -> None:
        """Let `name` be found after all: this command needs it (edge/objects/places.py)."""
        self.names -= {name}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse the modules withheld; leave every other one to the finders after this one."""
        if name in self.names:
            raise ModuleNotFoundError(f"edgetoll's commands do without {name}", name=name)


def settle() -> None:
    """Choose what this process does not import, before it imports anything: it is our own."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # we have none to look for
    # pyarrow loads numpy, whose linear algebra we have no use for: its threads wait by turning.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.meta_path.insert(0, Withheld(UNUSED))


def script() -> None:
    """Entry point of the `edgetoll` program."""
    settle()
    sys.exit(main())


if __name__ == "__main__":
    script()
