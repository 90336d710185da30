"""The simulated year: accounts under a virtual clock on the real store, then the auditor's verdict.

    python bench/trials/simulate_year.py --accounts 1000 --days 365 --seed 1 --home FOLDER

Without options a month of 100 accounts. Prints what happened on purpose, and how much was checked.
Exit 1 when the auditor finds anything. With --home it saves itself every few minutes; after an
interruption the same command goes on from the last saved hour.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from billing.checks import invariants
from tests.simulation import saving
from tests.simulation.auditor import audit
from tests.simulation.simulator import Simulation

MUST_HAPPEN = (
    "top-ups", "chargebacks", "late usage", "price changes", "days of 23 or 25 hours charged",
    "import_outage", "red_check", "held_run", "daemon_down", "payments_stale", "restarts",
    "stores lost and rebuilt",
)  # fmt: skip
MONEY = ("ledger_", "charge_revisions_once", "transfer_ids_once")
"""The invariants that hold without usage, which this simulation does not have."""


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="where to work and to save; else thrown away")
    parser.add_argument("--save-minutes", type=float, default=4)
    chosen = parser.parse_args()
    folder = chosen.home or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        simulation, wall = run(chosen, folder)
        try:
            return verdict(chosen, simulation, wall)
        finally:
            simulation.store.close()
    finally:
        if chosen.home is None:
            shutil.rmtree(folder)


def run(chosen: argparse.Namespace, folder: Path) -> tuple[Simulation, int]:
    """The year to its end, from where it was saved, and the wall seconds of all its parts."""
    started = time.monotonic()
    found = saving.go_on(folder)
    if found:
        simulation, before = found
        note(f"going on after {simulation.hours / 24:.1f} days")
    else:
        shutil.rmtree(folder / "home", ignore_errors=True)
        simulation, before = (
            Simulation(folder / "home", accounts=chosen.accounts, seed=chosen.seed), 0,
        )  # fmt: skip
    saved_at = time.monotonic()
    while simulation.hours < chosen.days * 24:
        simulation.step()
        wall = before + int(time.monotonic() - started)
        if simulation.hours % 240 == 0:
            note(f"{simulation.hours // 24:4} days in {wall:6} s")
        if chosen.home and time.monotonic() - saved_at > chosen.save_minutes * 60:
            saving.save(simulation, folder, wall_seconds=wall)
            saved_at = time.monotonic()
    wall = before + int(time.monotonic() - started)
    if chosen.home and simulation.hours % 24 == 0:
        saving.save(simulation, folder, wall_seconds=wall)
    simulation.calm()
    return simulation, wall


def verdict(chosen: argparse.Namespace, simulation: Simulation, wall: int) -> int:
    """Print what the auditor says; 1 when something is wrong."""
    started = time.monotonic()
    try:
        checked = audit(simulation)
    except AssertionError as error:
        print(f"VIOLATION (seed {chosen.seed}, hour {simulation.hours}): {error}")
        return 1
    red = [
        failure
        for failure in invariants.run(simulation.store.connection)
        if failure.check.startswith(MONEY)
    ]
    if red:
        print(f"VIOLATION (seed {chosen.seed}): {red[0].check} {red[0].rows[:3]}")
        return 1
    trace = simulation.trace
    missing = [name for name in MUST_HAPPEN if not trace.counts[name]]
    rows: dict[str, object] = {
        "accounts": chosen.accounts,
        "seed": chosen.seed,
        "virtual days": simulation.hours // 24,
        "wall seconds (all parts)": wall,
        "auditor's seconds": int(time.monotonic() - started),
        "journal records": simulation.store.journal.last_no,
        "money moves": sum(len(moves.numbers) for moves in trace.moves.values()),
        "judgements of all accounts": sum(look.everyone for look in trace.looks),
        **{f"happened: {name}": count for name, count in sorted(trace.counts.items())},
        **{f"checked: {name}": count for name, count in sorted(checked.items())},
        "messages received": trace.told.times,
        "of which again, with the same id": trace.told.times - len(trace.told.bodies),
        "violations": 0,
        "trace": trace.digest()[:16],
    }
    for name, value in rows.items():
        print(f"{name:46} {value}")
    for name in missing:
        print(f"never happened: {name}")
    return 1 if missing and chosen.days >= 365 else 0


def note(text: str) -> None:
    """How far it is, for who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
