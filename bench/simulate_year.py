"""The simulated year: accounts under a virtual clock on the real store, then the auditor's verdict.

    python bench/simulate_year.py --accounts 1000 --days 365 --seed 1 [--minutes 60]

Prints how far it came (it stops after --minutes of wall time and audits what there is), what went
wrong on purpose, and how much was checked. Exit 1 when the auditor finds anything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulation.auditor import audit
from tests.simulation.simulator import Simulation


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=int, default=600)
    chosen = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        simulation = Simulation(Path(folder) / "home", accounts=chosen.accounts, seed=chosen.seed)
        hours = 0
        while hours < chosen.days * 24 and time.monotonic() - started < chosen.minutes * 60:
            simulation.step()
            hours += 1
            if hours % 240 == 0:
                spent = time.monotonic() - started
                print(f"{hours // 24:4} days in {spent:6.0f} s", file=sys.stderr, flush=True)
        simulation.calm()
        try:
            report = audit(simulation)
        except AssertionError as error:
            print(f"VIOLATION (seed {chosen.seed}, hour {hours}): {error}")
            return 1
        finally:
            simulation.store.close()
    trace = simulation.trace
    rows = {
        "accounts": chosen.accounts,
        "seed": chosen.seed,
        "virtual days": f"{hours / 24:.1f} of {chosen.days}",
        "wall seconds": int(time.monotonic() - started),
        "money moves": len(trace.moves),
        "judgements of all accounts": len(trace.looks),
        "troubles": trace.troubles,
        "restarts": trace.restarts,
        "states decided": report.versions,
        "flags (suspend_due, suspended, released)": report.flags,
        "debts seen flagged in time": report.liveness_checks,
        "payments that cleared arrears themselves": report.payments_that_cleared,
        "events": report.events,
        "messages received (resends included)": trace.told.times,
        "violations": 0,
        "trace": trace.digest()[:16],
    }
    for name, value in rows.items():
        print(f"{name:42} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
