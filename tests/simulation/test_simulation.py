"""A simulated stretch of a year on the real store, judged by an independent auditor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.effort import THOROUGH
from tests.simulation.auditor import audit, read_history
from tests.simulation.simulator import Odds, Simulation, open_simulated

STORMY = Odds(
    import_outage=(0.01, 50),
    red_check=(0.01, 20),
    held_run=(0.008, 12),
    daemon_down=(0.008, 9),
    payments_stale=(0.008, 20),
    restart=0.03,
    late=0.1,
    chargeback=0.001,
)


def test_g17_to_g22_every_suspension_of_a_simulated_spring_is_justified(
    tmp_path: Path, seed: int
) -> None:
    """Top-ups, chargebacks, late usage, a price change, DST (29 March), outages and restarts."""
    simulation = Simulation(
        tmp_path, accounts=40 if THOROUGH else 12, seed=seed, odds=STORMY, funded_percent=10
    )
    simulation.now = datetime(2026, 3, 18 if THOROUGH else 28, tzinfo=UTC)
    simulation.run(24 * (30 if THOROUGH else 5))
    simulation.calm()
    report = audit(simulation)
    assert report["states decided"] > 5
    assert report["events"] == report["states decided"]
    history = read_history(simulation)
    simulation.store.close()
    (tmp_path / "billing.duckdb").unlink()
    simulation.store = open_simulated(tmp_path, owner="simulation", now=simulation.now)
    assert read_history(simulation) == history, "the journal rebuilds every state"
    simulation.store.close()


def test_one_seed_gives_one_run(tmp_path: Path) -> None:
    digests = []
    for name in ("first", "second"):
        simulation = Simulation(tmp_path / name, accounts=4, seed=11, odds=STORMY)
        digests.append(simulation.run(24).digest())
        simulation.store.close()
    assert digests[0] == digests[1]


MUTANTS = {
    "suspends without grace": ("grace_used", lambda _prior, _conditions: 10**9),
    "never suspends": ("grace_used", lambda _prior, _conditions: -1),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_auditor_catches_a_planted_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The canary: an auditor that lets these pass would let anything pass."""
    from billing.balance import state_rules

    attribute, replacement = MUTANTS[name]
    monkeypatch.setattr(state_rules, attribute, replacement)
    simulation = Simulation(tmp_path, accounts=8, seed=3, odds=Odds(), funded_percent=5)
    simulation.run(24 * 2)
    simulation.calm()
    with pytest.raises(AssertionError, match=r"too early|U2"):
        audit(simulation)
    simulation.store.close()
