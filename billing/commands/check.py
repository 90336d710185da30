"""`edgetoll check`: every invariant of metering and billing; exit 1 if one of them is broken.

What it finds is also written to HOME/checks.json, since nobody is suspended while a check is red. A
check that could not be made is as red as a broken one, and is counted: it is never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from billing.checks import red
from billing.checks.red import CheckResult
from edge.errors import Busy, EdgetollError, InputError
from edge.terminal import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    emit,
    now,
    progress,
    say,
    table,
    warn,
)
from edge.trouble import is_interrupt, remedy

CHECKPOINTS = "metering_checkpoints_are_whole"
OPENS = "its content, its journal and its history agree."
CLOSED = {
    "closed_files_match_certificates": "Each closed file has the hash that its certificate names.",
    "certificates_are_one_chain": "Each certificate names the hash of the one before it.",
    "metering_checkpoints_are_there": "The checkpoint that each newest certificate names is there.",
    "metering_stores_are_there": "Where a worker ran and closed hours, its usage store is there.",
}
HASHES = "closed_files_match_certificates"
LAKE = {"lake_version_is_whole": "Each file of the lake's version is as it was written."}
HTTPS = {
    "https_files_are_whole": "Each domain's settings and TLS bundle are as they were last written."
}
LIVE = {"live_files_are_whole": "Each file of live/ is as metering wrote it."}
LOSSES = {
    "metering_spools_are_read": "Everything durable in the spools can be read and is counted.",
    "metering_no_batch_is_lost": "No edge lost batches in hours that nobody has waived.",
    "metering_quarantine_is_empty": "No unit waits in quarantine for a person.",
}
MENDS = {
    "losses": "stop the worker and move the store away: edgetoll metering run makes it anew",
    "metering": "stop the worker and move the file away: edgetoll metering run makes the store anew"
    " from its last checkpoint",
    "closed_hours": "restore closed/ from its backup",
    "billing": "if the journal is whole, move billing.duckdb away: it is made anew from it",
    "lake": "run edgetoll billing rate: it writes lake/ anew from the store",
}
Rows = tuple[tuple[object, ...], ...]


def closed_hours(home: Path, *, quick: bool = False) -> list[CheckResult]:
    """Each closed file has the hash its certificate says, the certificates are one chain, and what
    the newest ones name is there.
    """
    from billing.prune.usage import pruned_before
    from metering.closed import list_closed, read_certificate, verify, verify_chain
    from metering.worker.losses import lost_checkpoints, lost_stores

    found: dict[str, list[tuple[object, ...]]] = {name: [] for name in CLOSED}
    closed = list_closed(home)
    if quick:
        del found[HASHES]
    else:
        is_missing = any(not file.data_path.exists() for file in closed)
        pruned = pruned_before(home) if is_missing else None
        with progress("closed hours", len(closed)) as advance:
            for file in closed:
                if pruned is not None and file.hour < pruned and not file.data_path.exists():
                    continue
                try:
                    verify(file)
                except (EdgetollError, OSError) as error:
                    found[HASHES].append((file.data_path.name, str(error)))
                advance(1)
    try:
        verify_chain(closed)
    except (EdgetollError, OSError) as error:
        found["certificates_are_one_chain"].append((str(error),))
    certificates = [read_certificate(file.certificate_path) for file in closed]
    found["metering_checkpoints_are_there"] += lost_checkpoints(home, certificates)
    found["metering_stores_are_there"] += lost_stores(home, certificates)
    return [
        CheckResult(check=name, about=CLOSED[name], rows=tuple(rows))
        for name, rows in found.items()
    ]


def metering(home: Path) -> list[CheckResult]:
    """The invariants of the usage stores, each once, whatever the number of stores."""
    from metering.worker import checks

    rows: dict[str, Rows] = {}
    about = _metering_names()
    for found in checks.run(home):
        name = found.check
        about[name] = found.about
        rows[name] = (*rows.get(name, ()), *found.rows)
    return [
        CheckResult(check=name, about=said, rows=rows.get(name, ())) for name, said in about.items()
    ]


def losses(home: Path) -> list[CheckResult]:
    """What edges have sent and nobody has counted: not read, lost, refused."""
    from metering.worker.losses import missing

    return [
        CheckResult(check=name, about=LOSSES[name], rows=tuple(rows), missing=True)
        for name, rows in missing(home).items()
    ]


def _metering_names() -> dict[str, str]:
    from billing.checks.invariants import about
    from metering.worker import checks

    said = {name.removeprefix("checks/"): about(name) for name in checks.names()}
    return said | {CHECKPOINTS: "The newest checkpoint and all it names are as they were written."}


def lake(home: Path) -> list[CheckResult]:
    """The lake's version, each of its files hashed; and whether this program wrote it: readers
    refuse tables of another form.
    """
    from billing.lake import publish
    from billing.lake import version as versions

    ((name, about),) = LAKE.items()
    version = versions.current(home)
    rows: Rows = () if version is None else tuple(versions.damage(version))
    if version is not None and version.layout != publish.layout():
        rows += (("lake/", "another version of edgetoll wrote it", MENDS["lake"]),)
    return [CheckResult(check=name, about=about, rows=rows)]


def live(home: Path) -> list[CheckResult]:
    """The files that metering replaces every second, each held against its seal, and where the
    worker rests against what it left.
    """
    import duckdb

    from metering.status import ANEW, live_files, read
    from metering.worker.checks import older_live

    ((name, about),) = LIVE.items()
    try:
        live_files(home, "")
        read(home)
        rows = tuple((f"live/{file}", why, ANEW) for file, why in older_live(home))
    except EdgetollError as error:
        return [CheckResult(check=name, about=about, rows=((error.message, error.hint),))]
    except duckdb.Error as error:
        return [CheckResult(check=name, about=about, unable=str(error).splitlines()[0])]
    return [CheckResult(check=name, about=about, rows=rows)]


def https(home: Path) -> list[CheckResult]:
    """What this edge keeps of its domains' HTTPS; a home without any has nothing to break."""
    from edge.https.damage import damage

    ((name, about),) = HTTPS.items()
    return [CheckResult(check=name, about=about, rows=tuple(damage(home)))]


def money(home: Path, *, quick: bool = False) -> list[CheckResult]:
    """The invariants of the billing store, and what stands outside it, once the journal holds."""
    from billing.appliers import open_store
    from billing.checks import invariants
    from billing.commands import compare
    from billing.lake import version as versions
    from billing.store.store import PATIENCE_SECONDS
    from edge.errors import Corrupt

    if not (home / "journal").is_dir() and not (home / "billing.duckdb").exists():
        if (home.joinpath(versions.LAKE) / "versions").exists() or any(
            (home / "invoices").glob("*/*")
        ):
            raise Corrupt(
                "journal/ and billing.duckdb are gone, lake/ or invoices/ hold what they made",
                "restore journal/ from its backup: billing.duckdb is made from it",
            )
        return _held(_money_names(quick=quick))
    with open_store(home, owner="check", now=now(), wait_seconds=PATIENCE_SECONDS) as store:
        return [*invariants.results(store.connection), *compare.results(store, quick=quick)]


def _money_names(*, quick: bool) -> dict[str, str]:
    from billing.checks import invariants
    from billing.commands import compare

    own = {name.removeprefix("checks/"): invariants.about(name) for name in invariants.names()}
    return own | {
        name: a for name, a in compare.ABOUT.items() if not (quick and name == compare.REPLAY)
    }


def _held(names: Mapping[str, str]) -> list[CheckResult]:
    """The checks over a store that nothing was ever written to."""
    return [CheckResult(check=name, about=about) for name, about in names.items()]


def group(
    name: str, names: Mapping[str, str], make: Callable[[], list[CheckResult]]
) -> list[CheckResult]:
    """What `make` finds, beside the check that it could look at all.

    Whatever stops it, a damaged store or a defect of our own, is red, and so is every check that
    could not be made for it. Only a lock that another process holds ends the command: then nothing
    was learnt.
    """
    opens = f"{name}_opens"
    about = f"What the checks of {name} read can be opened: {OPENS}"
    try:
        made = make()
    except Busy:
        raise
    except Exception as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        why = _why(error, MENDS[name])
        return [
            CheckResult(check=opens, about=about, rows=(why,)),
            *(CheckResult(check=one, about=a, unable=why[0]) for one, a in names.items()),
        ]
    return [CheckResult(check=opens, about=about), *made]


def _why(error: Exception, mend: str) -> tuple[str, str]:
    if isinstance(error, EdgetollError):
        return error.message, error.hint
    said = str(error).strip().splitlines() or ["it says no more"]
    return f"{type(error).__name__}: {said[0]}", remedy(str(error)) or mend


def every_check(home: Path, *, quick: bool = False) -> list[CheckResult]:
    """Every check of a home, made; `quick` leaves hashes of closed files and the replay out."""
    closed = {name: a for name, a in CLOSED.items() if not (quick and name == HASHES)}
    return [
        *group("metering", _metering_names(), lambda: metering(home)),
        *group("closed_hours", closed, lambda: closed_hours(home, quick=quick)),
        *group("losses", LOSSES, lambda: losses(home)),
        *group("billing", _money_names(quick=quick), lambda: money(home, quick=quick)),
        *of_the_lake(home),
        *live(home),
        *https(home),
    ]


def of_the_lake(home: Path) -> list[CheckResult]:
    """The checks over the lake, made."""
    return group("lake", LAKE, lambda: lake(home))


def check(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    quick: Annotated[
        bool, typer.Option(help="Leave out the hashes of closed files and the journal's replay.")
    ] = False,
) -> None:
    """Run every invariant of sql/checks, the hashes and the chains; exit 1 if one is broken.

    Example: edgetoll check --home ./edgetoll-home
    """
    from billing.checks.exposed import open_to_others

    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    results = every_check(home, quick=quick)
    at = now()
    unnoted = _note(home, results, quick=quick, at=at)
    exposed = open_to_others(home)
    broken = [one for one in results if one.rows]
    unable = [one for one in results if one.unable is not None]
    document = {
        "at": at.isoformat().replace("+00:00", "Z"),
        "checks": len(results),
        "red": [f"{one.check}: {one.found}" for one in results if one.is_red and not one.missing],
        "missing": [f"{one.check}: {one.found}" for one in broken if one.missing],
        "broken": [
            {"check": one.check, "about": one.about, "rows": [list(row) for row in one.rows]}
            for one in broken
        ],
        "unable": [{"check": one.check, "why": one.unable} for one in unable],
        "exposed": exposed,
    }
    for line in exposed:
        warn(line)
    if unnoted:
        warn(f"this was not noted in {red.FILE}: {unnoted}")
    emit(document, as_json=as_json, human=lambda: _show(len(results), broken, unable))
    if broken or unable or unnoted:
        raise typer.Exit(1)


def _note(home: Path, results: Sequence[CheckResult], *, quick: bool, at: datetime) -> str:
    """Note what was found for everybody else; why that was not possible, blank: it was."""
    try:
        if quick:
            red.note_part(home, results)
        else:
            red.note_full(home, results, at=at)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _show(count: int, broken: Sequence[CheckResult], unable: Sequence[CheckResult]) -> None:
    if not broken and not unable:
        say(f"{count} invariants hold.")
        print(f"ok: {count} of {count} invariants hold")
        return
    rows = [(one.check, one.about, "; ".join(map(str, one.rows[:3]))) for one in broken]
    if rows:
        table("broken invariants", ("check", "what it says", "first rows"), rows)
    if unable:
        names = ", ".join(one.check for one in unable)
        print(f"{len(unable)} could not be checked ({unable[0].unable}): {names}")
    wrong = len(broken) + len(unable)
    print(
        f"{count - wrong} of {count} invariants hold, {wrong} {'is' if wrong == 1 else 'are'} red"
    )
