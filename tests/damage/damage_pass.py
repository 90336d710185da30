"""The damage pass: each kind of file, each damage; then the usual commands, and what is true.

After each damage either the totals are right, or a usual command ends with one true line and
`check` is red; so is it before those commands, where readers are told anything else than the truth.
Anything else is a silent loss.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.damage.damages import DAMAGES
from tests.damage.program import is_told, run, seen, totals
from tests.damage.records import Damage, Homes, Kind, Outcome

COMMANDS: tuple[tuple[str, ...], ...] = (("metering", "run", "--drain"), ("check",))
"""The usual commands, in order; the last one is the verdict of the program."""


def pass_over(
    homes: Homes, kinds: Iterable[Kind], place: Path, damages: Mapping[str, Damage] = DAMAGES
) -> Iterator[Outcome]:
    """Every kind with every damage, each on a fresh copy of today's home below `place`."""
    for kind in kinds:
        for name, damage in damages.items():
            yield one(homes, kind, name, damage, place)


def one(homes: Homes, kind: Kind, name: str, damage: Damage, place: Path) -> Outcome:
    """What comes of one kind and one damage."""
    home = place / "damaged"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(homes.today, home)
    file = kind.find(home)
    if file is None or not damage(home, homes, kind, file):
        return Outcome(kind=kind.name, damage=name, verdict="–")
    told = is_told(home, readers=seen(home), right=homes.seen)
    ran = tuple(run(*words, "--home", str(home)) for words in COMMANDS)
    right = totals(home) == homes.truth
    red = ran[-1].code != 0
    if any(one.defect for one in ran):
        verdict = "TRACEBACK"
    elif not told:
        verdict = "SILENT"  # mended by the commands, and wrong until then
    elif right:
        verdict = "right, red" if red else "right"
    else:
        verdict = "told" if red else "SILENT"
    return Outcome(kind=kind.name, damage=name, verdict=verdict, ran=ran)


def table_of(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """A row per kind, a column per damage."""
    rows: dict[str, dict[str, str]] = {}
    for outcome in outcomes:
        rows.setdefault(outcome.kind, {})[outcome.damage] = outcome.verdict
    return [(kind, *(row.get(name, "") for name in DAMAGES)) for kind, row in rows.items()]
