"""`edgetoll check`: every invariant of metering and billing; exit 1 if one of them is broken.

What it finds is also written to HOME/checks.json, since nobody is suspended while a check is red. A
check that could not be made is as red as a broken one, and is counted: it is never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from billing.checks import red
from billing.checks.red import CheckResult
from edge.errors import Corrupt, EdgetollError, InputError
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, now, progress, say, table

CLOSED_FILES = "Each closed hour's file has the hash that its certificate names."
ONE_CHAIN = "Each certificate names the hash of the one before it."


def closed_hours(home: Path) -> list[CheckResult]:
    """Each closed file has the hash its certificate says, and the certificates are one chain."""
    from metering.closed import list_closed, verify, verify_chain

    broken: list[tuple[object, ...]] = []
    closed = list_closed(home)
    with progress("closed hours", len(closed)) as advance:
        for file in closed:
            try:
                verify(file)
            except (EdgetollError, OSError) as error:
                broken.append((file.data_path.name, str(error)))
            advance(1)
    chain: list[tuple[object, ...]] = []
    try:
        verify_chain(closed)
    except (EdgetollError, OSError) as error:
        chain.append((str(error),))
    return [
        CheckResult(
            check="closed_files_match_certificates", about=CLOSED_FILES, rows=tuple(broken)
        ),
        CheckResult(check="certificates_are_one_chain", about=ONE_CHAIN, rows=tuple(chain)),
    ]


def metering(home: Path) -> list[CheckResult]:
    """The invariants of the usage store."""
    from metering.worker.checks import run

    return [
        CheckResult(check=found["check"], about=found["about"], rows=tuple(found["rows"]))
        for found in run(home)
    ]


def money(home: Path) -> list[CheckResult]:
    """The invariants of the billing store, after the journal has been verified."""
    from billing.checks import invariants
    from billing.store.store import PATIENCE_SECONDS, Store

    if not (home / "journal").is_dir() and not (home / "billing.duckdb").exists():
        return []
    with Store.open(home, owner="check", now=now(), wait_seconds=PATIENCE_SECONDS) as store:
        return invariants.results(store.connection)


def opens(store: str, results: Callable[[], list[CheckResult]]) -> list[CheckResult]:
    """What `results` finds; a store that refuses to open because its content is wrong is red."""
    try:
        return results()
    except Corrupt as error:
        about = f"The {store} store opens: its content, its journal and its history agree."
        rows = ((error.message, error.hint),)
        return [CheckResult(check=f"{store}_opens", about=about, rows=rows)]


def every_check(home: Path, *, quick: bool = False) -> list[CheckResult]:
    """Every check of a home, made; `quick` leaves the hashes of closed files out."""
    return [
        *opens("metering", lambda: metering(home)),
        *([] if quick else closed_hours(home)),
        *opens("billing", lambda: money(home)),
    ]


def check(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    quick: Annotated[bool, typer.Option(help="Leave the hashes of closed files out.")] = False,
) -> None:
    """Run every invariant of sql/checks, the hashes and the chains; exit 1 if one is broken.

    Example: edgetoll check --home ./edgetoll-home
    """
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    results = every_check(home, quick=quick)
    at = now()
    if quick:
        red.note_part(home, results)
    else:
        red.note_full(home, results, at=at)
    broken = [one for one in results if one.is_red]
    document = {
        "at": at.isoformat().replace("+00:00", "Z"),
        "checks": len(results),
        "red": [f"{one.check}: {one.found}" for one in broken],
        "broken": [
            {"check": one.check, "about": one.about, "rows": [list(row) for row in one.rows]}
            for one in broken
        ],
    }
    emit(document, as_json=as_json, human=lambda: _show(len(results), broken))
    if broken:
        raise typer.Exit(1)


def _show(count: int, broken: Iterable[CheckResult]) -> None:
    if not broken:
        say(f"{count} invariants hold.")
        print(f"ok: {count} invariants, none broken")
        return
    rows = [(one.check, one.about, "; ".join(map(str, one.rows[:3])) or one.what) for one in broken]
    table("broken invariants", ("check", "what it says", "first rows"), rows)
    print(f"{len(rows)} of {count} invariants are broken")
