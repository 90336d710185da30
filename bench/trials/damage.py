"""The damage pass as a command: prints what came of each kind of file and each damage.

    python bench/trials/damage.py [--only TEXT] [--words]

Exits with 1 when a damage was silent: totals wrong, and neither a command nor `check` said so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.terminal import table
from tests.damage import billing_pass, https_pass
from tests.damage.billing_pass import BILLING
from tests.damage.damage_pass import pass_over, table_of
from tests.damage.damages import DAMAGES
from tests.damage.homes import build
from tests.damage.https_pass import HTTPS
from tests.damage.kinds import KINDS


def main() -> int:
    """Damage everything, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="kinds whose name holds this text")
    parser.add_argument("--words", action="store_true", help="what the commands said, too")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "billed").mkdir()
        (place / "https").mkdir()
        kinds = [kind for kind in KINDS if options.only in kind.name]
        of_billing = [kind for kind in BILLING if options.only in kind.name]
        of_https = [kind for kind in HTTPS if options.only in kind.name]
        cells = []
        if kinds:
            cells.append(pass_over(build(place), kinds, place))
        if of_billing:
            billed = billing_pass.build(place / "billed")
            cells.append(billing_pass.pass_over(billed, of_billing, place))
        if of_https:
            cells.append(https_pass.pass_over(https_pass.build(place / "https"), of_https, place))
        for outcome in chain(*cells):
            outcomes.append(outcome)
            if options.words or outcome.silent:
                print(f"{outcome.kind}, {outcome.damage}: {outcome.verdict}")
                for ran in outcome.ran:
                    said = (ran.defect or ran.said).strip().splitlines()
                    print(f"  {' '.join(ran.words[:3])}: {ran.code}: {' / '.join(said[:6])}")
    table("Damage", ("kind", *DAMAGES), table_of(outcomes))
    silent = sum(one.silent for one in outcomes)
    print(f"{len(outcomes)} cells, {silent} silent")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
