"""A simulated year that is cut off goes on as if it had not been."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation import saving
from tests.simulation.auditor import audit, read_history
from tests.simulation.simulator import Odds, Simulation

ODDS = Odds(restart=0.1, lost_disk=0.3, late=0.1, import_outage=(0.02, 5))


def begun(home: Path) -> Simulation:
    """The run that all parts of this test make."""
    return Simulation(home, accounts=6, seed=9, odds=ODDS, funded_percent=10)


def test_a_run_cut_off_after_its_last_save_ends_like_one_that_never_was(tmp_path: Path) -> None:
    whole = begun(tmp_path / "whole" / "home")
    whole.run(36)
    wanted, history = whole.trace.digest(), read_history(whole)
    whole.store.close()

    folder = tmp_path / "cut"
    cut = begun(folder / "home")
    cut.run(12)
    saving.save(cut, folder, wall_seconds=1)
    cut.run(6)
    saving.save(cut, folder, wall_seconds=2)
    cut.run(9)
    cut.store.close()  # and nothing else is kept of it

    found = saving.go_on(folder)
    assert found is not None
    again, wall = found
    assert (again.hours, wall) == (18, 2)
    again.run(18)
    assert again.trace.digest() == wanted
    assert read_history(again) == history
    again.calm()
    audit(again)
    again.store.close()


@pytest.mark.parametrize("left", ["saved.new", "saved.old"])
def test_a_save_that_was_cut_off_leaves_the_one_before(tmp_path: Path, left: str) -> None:
    simulation = begun(tmp_path / "home")
    simulation.run(5)
    saving.save(simulation, tmp_path, wall_seconds=1)
    simulation.store.close()
    if left == "saved.new":
        (tmp_path / "saved.new").mkdir()
        (tmp_path / "saved.new" / "simulation.pickle").write_bytes(b"torn")
    else:
        (tmp_path / "saved").rename(tmp_path / "saved.old")
    found = saving.go_on(tmp_path)
    assert found is not None
    assert found[0].hours == 5
    found[0].run(2)
    found[0].store.close()


def test_nothing_saved_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    assert saving.go_on(tmp_path) is None
