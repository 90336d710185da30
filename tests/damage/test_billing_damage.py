"""No damage to what billing keeps is silent: totals are right, or a command and `check` say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.damage.billing_pass import BILLING, Billed, build, pass_over
from tests.damage.records import Kind


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Billed:
    """The homes that are damaged, made once."""
    return build(tmp_path_factory.mktemp("billed"))


@pytest.mark.parametrize("kind", BILLING, ids=lambda kind: str(kind.name))
def test_m1_m2_g1_g2_no_damage_to_billings_files_is_silent(
    kind: Kind, billed: Billed, tmp_path: Path
) -> None:
    outcomes = list(pass_over(billed, (kind,), tmp_path))
    assert [one for one in outcomes if one.silent] == []
    assert any(one.verdict != "–" for one in outcomes)
    if kind.name == "document":
        told = {one.verdict for one in outcomes if one.damage != "deleted"}
        assert told <= {"right, red", "–"}, "a document that is not what was issued is red"
