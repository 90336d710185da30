"""No damage to what an edge keeps of HTTPS is silent: it is as it was, or a command and `check`
say so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.damage.https_pass import HTTPS, build, pass_over
from tests.damage.records import Homes, Kind

pytestmark = pytest.mark.needs_nginx


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """The homes that are damaged, made once."""
    return build(tmp_path_factory.mktemp("https"))


@pytest.mark.parametrize("kind", HTTPS, ids=lambda kind: str(kind.name))
def test_issue_11_no_damage_to_https_files_is_silent(
    kind: Kind, homes: Homes, tmp_path: Path
) -> None:
    outcomes = list(pass_over(homes, (kind,), tmp_path))
    assert [one for one in outcomes if one.silent] == []
    if kind.name in ("TLS: settings of a domain", "TLS: certificate and key"):
        told = {one.verdict for one in outcomes}
        assert told <= {"told", "right, red", "–"}, "nothing else has what stood in it"
