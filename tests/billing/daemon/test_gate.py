"""A daemon issues what somebody approved, or what the policy lets pass, unless it is told to issue
without that gate, or not at all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.close import steps
from billing.daemon import rounds
from billing.daemon.metrics import Board
from billing.invoices.documents.kept import read_invoice_settings
from billing.runs.import_hours import SeenFolders
from tests.billing.homes import SETTINGS, copied
from tests.billing.invoices.world import ISSUE, World, october
from tests.billing.runner import published

CLOSE = '[invoices.close]\nrequires = []\npolicy = "{policy}"\n'


def numbers(home: Path, settings: str, said: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """How many documents a round of the daemon with these settings issues, and its log."""
    home.joinpath("edgetoll.toml").write_text(SETTINGS + settings)
    turn = rounds.Turn(home=home, board=Board(), seen=SeenFolders(), now=ISSUE)
    try:
        rounds.invoice(turn)
    finally:
        turn.leave()
    return len(World.at(home).documents("2026-10")), said.readouterr().err


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October of two accounts, closed, rated and published, as tests copy it."""
    return published(october(tmp_path_factory.mktemp("rated")).home)


@pytest.fixture
def home(rated: Path, tmp_path: Path) -> Path:
    """October of two accounts, closed and rated."""
    return copied(rated, tmp_path / "home")


def test_nothing_is_issued_before_somebody_approved_and_then_it_is(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = CLOSE.format(policy="approve")
    issued, log = numbers(home, settings, capsys)
    assert issued == 0
    assert "nobody has approved its close: edgetoll billing close --month 2026-10" in log
    with open_store(home, owner="test", now=ISSUE) as store:
        steps.approve(
            store,
            "2026-10",
            by="Ada",
            reason="looked at it",
            settings=read_invoice_settings(home),
            at=ISSUE,
        )
    issued, log = numbers(home, settings, capsys)
    assert issued == 2
    assert '"event":"invoiced"' in log


@pytest.mark.parametrize(
    ("settings", "issued"),
    [
        (CLOSE.format(policy="auto"), 2),
        ("[billing.daemon]\ninvoices = true\n", 2),
        ("[billing.daemon]\ninvoices = false\n" + CLOSE.format(policy="auto"), 0),
    ],
)
def test_the_policy_and_the_daemons_own_setting_decide(
    settings: str, issued: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert numbers(home, settings, capsys)[0] == issued


def test_auto_leaves_an_account_with_a_finding_by_name(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """beta has no address."""
    settings = CLOSE.format(policy="auto").replace("[]", '["address"]')
    issued, log = numbers(home, settings, capsys)
    assert issued == 1
    assert '"account":"beta"' in log
    assert "nobody has approved what was found of it: no address" in log
