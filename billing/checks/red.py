"""HOME/checks.json: which checks stand red, and when all of them last ran. The one writer of it.

Nobody moves to suspension while a check is red (FAULTS U3), so three things are told apart here: a
full run over everything, which is the night's check and alone may clear what was red; a run over
what one journal record touched, which can only add; and a run that left some checks out, which
clears none of those. What stands here is for operators: customers are told none of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.durable import write_atomically
from edge.terminal import many

FILE = "checks.json"
DAMAGED = "checks.json is damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check that was run: its name, what it says, and the first rows that break it.

    `unable` says why it could not run: then it is as red as a broken one. `missing`: it speaks of
    usage that is not counted, while nothing that is stored is wrong. Then the command says so and
    ends with 1, but nobody's suspension waits for it: missing usage makes a debt look smaller only
    (DESIGN 3.8).
    """

    check: str
    about: str
    rows: tuple[tuple[object, ...], ...] = ()
    unable: str | None = None
    missing: bool = False

    @property
    def is_red(self) -> bool:
        """Whether the check is broken or could not be made."""
        return bool(self.rows) or self.unable is not None

    @property
    def found(self) -> str:
        """«3 rows», or why the check could not run."""
        if self.unable is not None:
            return f"it could not run: {self.unable}"
        return many(len(self.rows), "row")

    @property
    def what(self) -> str:
        """The first row that breaks it, or why it could not run; for operators."""
        return str(self.rows[0]) if self.rows else f"it could not run: {self.unable}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedCheck:
    """A check that stands red, and what was found: its rows, or why it could not run."""

    check: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """What is known of a home's checks. `full_at`: when all last ran; `checks`: how many did."""

    full_at: datetime | None = None
    checks: int = 0
    red: tuple[RedCheck, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the red checks, for operators."""
        return tuple(one.check for one in self.red)


def read(home: Path) -> CheckState:
    """What HOME/checks.json says; nothing known is nothing red.

    A file that cannot be read as that is itself a red check: unknown is not green.
    """
    try:
        text = (home.joinpath(FILE)).read_bytes()
    except FileNotFoundError:
        return CheckState()
    except OSError as error:
        return _damaged(error.strerror or str(error))
    try:
        document = json.loads(text)
        # Homes made before wrote the time of a run's checks here, too, but not how many they were.
        full = document.get("at") if "checks" in document else None
        return CheckState(
            full_at=None if full is None else _instant(full),
            checks=int(document.get("checks", 0)),
            red=tuple(_red_check(one) for one in document["red"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _damaged(f"{type(error).__name__}: {error}")


def note_full(home: Path, results: Sequence[CheckResult], *, at: datetime) -> CheckState:
    """Write what a run of every check found; only this clears what was red before."""
    return _write(home, CheckState(full_at=at, checks=len(results), red=_found(results)))


def note_part(home: Path, results: Sequence[CheckResult]) -> CheckState:
    """Write what a run of some checks found: those it left out stay as they were."""
    return _add(home, _found(results), ran={one.check for one in results})


def note_record(
    home: Path, results: Sequence[CheckResult], *, record: int, at: datetime
) -> CheckState:
    """Add what the checks over one journal record found; what was red before stays red."""
    found = _found(results, f", by record {record} at {_text(at)}")
    return _add(home, found, ran={one.check for one in found})


def _add(home: Path, found: tuple[RedCheck, ...], *, ran: set[str]) -> CheckState:
    before = read(home)
    kept = tuple(one for one in before.red if one.check not in ran)
    after = CheckState(full_at=before.full_at, checks=before.checks, red=(*kept, *found))
    return before if after == before else _write(home, after)


def _found(results: Sequence[CheckResult], since: str = "") -> tuple[RedCheck, ...]:
    return tuple(
        RedCheck(check=one.check, found=one.found + since)
        for one in results
        if one.is_red and not one.missing
    )


def _write(home: Path, state: CheckState) -> CheckState:
    document = {
        "at": None if state.full_at is None else _text(state.full_at),
        "checks": state.checks,
        "red": [f"{one.check}: {one.found}" for one in state.red],
    }
    write_atomically(home.joinpath(FILE), json.dumps(document, indent=2).encode() + b"\n")
    return state


def _red_check(one: object) -> RedCheck:
    """A red check as it stands in the file: «ledger_balances: 3 rows»."""
    if not isinstance(one, str):
        raise TypeError(f"{one!r} is no red check")
    check, _, found = one.partition(": ")
    return RedCheck(check=check, found=found)


def _damaged(why: str) -> CheckState:
    return CheckState(red=(RedCheck(check=DAMAGED, found=why),))


def _instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
