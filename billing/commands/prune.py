"""`edgetoll prune`: what a home need not keep as it is, shown and then done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import InputError
from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    emit,
    table,
)

if TYPE_CHECKING:
    from billing.prune.plan import PruneStep

OWNER = "prune"


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Merge charges of months long past into a file a month, let usage and texts of messages older
    than their months go, delete what nothing names any more.

    The policy stands in [billing.prune] of edgetoll.toml. Nothing goes that an issued document, a
    check or a rebuild from the journal needs. Example: edgetoll prune --dry-run
    """
    from billing.follow_up import changing
    from billing.prune import plan as plans
    from billing.prune.settings import read_prune

    at = as_of_time(as_of)
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    settings = read_prune(home)
    with changing(home, owner=OWNER, at=at) as store:
        steps = plans.look(store, settings=settings, at=at).steps()
    ready = [one for one in steps if not one.waits]
    done = bool(ready) and not dry_run and (yes or _agreed(steps, as_json=as_json))
    if done:
        with changing(home, owner=OWNER, at=at) as store:
            plans.carry_out(store, plans.look(store, settings=settings, at=at), at=at)
    document = {
        "done": done,
        "steps": [
            {
                "what": one.what,
                "files": one.files,
                "bytes": one.bytes,
                "why": one.why,
                "waits": one.waits,
            }
            for one in steps
        ],
    }
    asked = bool(ready) and not (yes or dry_run)
    emit(document, as_json=as_json, human=lambda: _show(steps, done=done, asked=asked))


def _agreed(steps: list[PruneStep], *, as_json: bool) -> bool:
    """Ask, where somebody is there to answer."""
    if as_json or not sys.stdin.isatty():
        return False
    _table(steps)
    return typer.confirm("Do this?", default=False)


def _table(steps: list[PruneStep]) -> None:
    names = ("what", "files", "holds", "why")
    rows = [
        (
            one.what,
            f"{one.files:,}",
            _size(one.bytes),
            (one.waits and f"WAITS: {one.waits}") or one.why,
        )
        for one in steps
    ]
    table("Prune", names, rows, right=("files", "holds"))


def _show(steps: list[PruneStep], *, done: bool, asked: bool) -> None:
    if not steps:
        print("Nothing to prune.")
        return
    if done:
        if not asked:  # else it was shown before the answer
            _table(steps)
        print("Done. What readers of the lake still hold is freed when they let it go.")
        return
    _table(steps)
    print("Nothing was deleted." + (" To do it: edgetoll prune --yes" if asked else ""))


def _size(count: int) -> str:
    size, unit = count, "B"
    for larger in ("KiB", "MiB", "GiB"):
        if size < 10_240:
            break
        size, unit = size // 1024, larger
    return f"{size:,} {unit}"
