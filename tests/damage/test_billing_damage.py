"""No damage to what billing keeps is silent: totals are right, or a command and `check` say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.billing.homes import THOROUGH
from tests.damage.billing_pass import BILLING, Billed, build, pass_over
from tests.damage.damages import DAMAGES
from tests.damage.records import Kind

# Usual runs take a sample; all of it with EDGETOLL_THOROUGH=1, or by bench/trials/damage.py.
SAMPLE = ("billing store", "journal", "effect: charges", "lake: imported files", "lake: pointer",
          "document: HTML", "stop list")  # fmt: skip
KINDS = [kind for kind in BILLING if THOROUGH or kind.name in SAMPLE]
USUAL = ("deleted", "one bit", "yesterday's")
CHOSEN = {name: damage for name, damage in DAMAGES.items() if THOROUGH or name in USUAL}


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Billed:
    """The homes that are damaged, made once."""
    return build(tmp_path_factory.mktemp("billed"), CHOSEN)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_m1_m2_g1_g2_no_damage_to_billings_files_is_silent(
    kind: Kind, billed: Billed, tmp_path: Path
) -> None:
    outcomes = list(pass_over(billed, (kind,), tmp_path, CHOSEN))
    assert [one for one in outcomes if one.silent] == []
    assert any(one.verdict != "–" for one in outcomes)
    if kind.name.startswith("document"):
        told = {one.verdict for one in outcomes}
        assert told <= {"right, red", "–"}, "a document that is not as it was issued is red"
