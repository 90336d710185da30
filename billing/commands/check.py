"""`edgetoll check`: every invariant of metering and billing; exit 1 if one of them is broken.

Its verdict is also written to HOME/checks.json, since nobody is suspended while a check is red.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.durable import write_atomically
from edge.errors import Corrupt, EdgetollError, InputError
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, now, progress, say, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One invariant: its name, what it says, and the first rows that break it (none: it holds)."""

    check: str
    about: str
    rows: tuple[tuple[Any, ...], ...] = ()


def closed_hours(home: Path) -> list[Verdict]:
    """Each closed file has the hash its certificate says, and the certificates are one chain."""
    from metering.closed import list_closed, verify, verify_chain

    broken: list[tuple[Any, ...]] = []
    closed = list_closed(home)
    with progress("closed hours", len(closed)) as advance:
        for file in closed:
            try:
                verify(file)
            except (EdgetollError, OSError) as error:
                broken.append((file.data_path.name, str(error)))
            advance(1)
    chain: list[tuple[Any, ...]] = []
    try:
        verify_chain(closed)
    except (EdgetollError, OSError) as error:
        chain.append((str(error),))
    return [
        Verdict(
            check="closed_files_match_certificates",
            about="Each closed hour's file has the hash that its certificate names.",
            rows=tuple(broken),
        ),
        Verdict(
            check="certificates_are_one_chain",
            about="Each certificate names the hash of the one before it.",
            rows=tuple(chain),
        ),
    ]


def metering(home: Path) -> list[Verdict]:
    """The invariants of the usage store."""
    from metering.worker.checks import run

    return [
        Verdict(check=found["check"], about=found["about"], rows=tuple(found["rows"]))
        for found in run(home)
    ]


def money(home: Path) -> list[Verdict]:
    """The invariants of the billing store, after the journal has been verified."""
    from billing.appliers import open_store
    from billing.checks import invariants
    from billing.store.store import PATIENCE_SECONDS

    if not (home / "journal").is_dir() and not (home / "billing.duckdb").exists():
        return []
    with open_store(home, owner="check", now=now(), wait_seconds=PATIENCE_SECONDS) as store:
        failures = {failure.check: failure for failure in invariants.run(store.connection)}
    verdicts: list[Verdict] = []
    for name in invariants.names():
        short = name.rsplit("/", 1)[1]
        failure = failures.get(short)
        verdicts.append(
            Verdict(
                check=short,
                about=failure.about if failure else "",
                rows=failure.rows if failure else (),
            )
        )
    return verdicts


def opens(store: str, verdicts: Callable[[], list[Verdict]]) -> list[Verdict]:
    """What `verdicts` finds; a store that refuses to open because its content is wrong is red."""
    try:
        return verdicts()
    except Corrupt as error:
        about = f"The {store} store opens: its content, its journal and its history agree."
        return [Verdict(check=f"{store}_opens", about=about, rows=((error.message, error.hint),))]


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
    verdicts = [
        *opens("metering", lambda: metering(home)),
        *([] if quick else closed_hours(home)),
        *opens("billing", lambda: money(home)),
    ]
    red = [verdict for verdict in verdicts if verdict.rows]
    document = {
        "at": now().isoformat().replace("+00:00", "Z"),
        "checks": len(verdicts),
        "red": [f"{verdict.check}: {len(verdict.rows)} rows" for verdict in red],
    }
    write_atomically(home / "checks.json", json.dumps(document, indent=2).encode() + b"\n")
    broken = [
        {"check": verdict.check, "about": verdict.about, "rows": [list(r) for r in verdict.rows]}
        for verdict in red
    ]
    emit({**document, "broken": broken}, as_json=as_json, human=lambda: _show(verdicts, red))
    if red:
        raise typer.Exit(1)


def _show(verdicts: list[Verdict], red: list[Verdict]) -> None:
    if not red:
        say(f"{len(verdicts)} invariants hold.")
        print(f"ok: {len(verdicts)} invariants, none broken")
        return
    rows = [
        (verdict.check, verdict.about, "; ".join(str(row) for row in verdict.rows[:3]))
        for verdict in red
    ]
    table("broken invariants", ("check", "what it says", "first rows"), rows)
    print(f"{len(red)} of {len(verdicts)} invariants are broken")
