"""No damage to a file of a home is silent: totals are right, or a command and `check` say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.damage.damage_pass import pass_over
from tests.damage.damages import some
from tests.damage.homes import build
from tests.damage.kinds import KINDS
from tests.damage.records import Homes, Kind


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """The homes that are damaged, made once."""
    return build(tmp_path_factory.mktemp("homes"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_m1_m2_e13_no_damage_to_a_file_is_silent(kind: Kind, homes: Homes, tmp_path: Path) -> None:
    outcomes = list(pass_over(homes, (kind,), tmp_path, some(KINDS.index(kind))))
    assert [one for one in outcomes if one.silent] == []
    assert any(one.verdict != "–" for one in outcomes)
