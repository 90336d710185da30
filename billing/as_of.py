"""`--as-of`: a time that a command may act at without being asked whether it is meant.

Records are in the order of their times, and so is what customers are told. A time before the
newest record, or more than a day ahead, is nearly always a slip of the keyboard: it needs
`--really`. Every command that has `--as-of` gets `--really` beside it here, and is held to this.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Annotated, get_type_hints

import typer

from billing.instants import stamp
from billing.store.journal import newest_at
from edge.errors import InputError
from edge.terminal import now, parse_time

AHEAD = timedelta(days=1)
Really = Annotated[
    bool,
    typer.Option(
        "--really", help="Mean --as-of, though it is before the newest record or far ahead."
    ),
]


def refuse_far(at: datetime, home: Path) -> None:
    """InputError if `at` is before the newest record of the home's journal, or too far ahead."""
    newest = newest_at(home / "journal" / "journal.jsonl")
    if newest is not None and at < newest:
        raise InputError(
            f"--as-of {stamp(at)} is before the newest record, of {stamp(newest)}",
            "give a later time; or say --really, if what happened then is to be told now",
        )
    if at > now() + AHEAD:
        raise InputError(
            f"--as-of {stamp(at)} is more than a day ahead",
            "give an earlier time; or say --really, if time itself is to be tried out",
        )


def bounded(app: typer.Typer) -> None:
    """Give each command of `app` that has --as-of the option --really, and hold it to bounds."""
    for group in app.registered_groups:
        if group.typer_instance is not None:
            bounded(group.typer_instance)
    for command in app.registered_commands:
        if command.callback is not None and not hasattr(command.callback, "is_bounded"):
            command.callback = _bounded(command.callback)


def _bounded(callback: Callable[..., object]) -> Callable[..., object]:
    signature = inspect.signature(callback)
    if "as_of" not in signature.parameters:
        return callback

    @wraps(callback)
    def bounded_command(*args: object, really: bool = False, **options: object) -> object:
        as_of, home = options["as_of"], options["home"]
        if isinstance(as_of, str) and isinstance(home, Path) and not really:
            refuse_far(parse_time(as_of), home)
        return callback(*args, **options)

    # typer reads names, types and defaults from the signature, so it must be that of the callback.
    types = get_type_hints(callback, include_extras=True)
    parameters = [one.replace(annotation=types[name]) for name, one in signature.parameters.items()]
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters.append(inspect.Parameter("really", kind, default=False, annotation=Really))
    vars(bounded_command).pop("__wrapped__")
    vars(bounded_command)["__signature__"] = signature.replace(parameters=parameters)
    vars(bounded_command)["is_bounded"] = True
    bounded_command.__annotations__ = {**types, "really": Really}
    return bounded_command
