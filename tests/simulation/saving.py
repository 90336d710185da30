"""A simulated year that can be cut off: saved now and then, gone on with at the last saved hour.

FOLDER/home is the product's home. FOLDER/saved holds the store's file and the simulator's own
state as they were at one hour; the journal, which only grows, is cut back to that hour.
"""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulation.simulator import Simulation

STORE = "billing.duckdb"


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved hour."""

    state: dict[str, Any]
    journal_bytes: int
    journal_no: int
    wall_seconds: int


def save(simulation: Simulation, folder: Path, *, wall_seconds: int) -> None:
    """Put the present hour beside the home, whole or not at all."""
    number = simulation.store.journal.last_no
    size = simulation.store.journal.path.stat().st_size
    simulation.store.close()
    new = folder / "saved.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    shutil.copyfile(simulation.home / STORE, new / STORE)
    state = {name: value for name, value in vars(simulation).items() if name != "store"}
    with (new / "simulation.pickle").open("wb") as file:
        pickle.dump(Saved(state, size, number, wall_seconds), file, pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.fsync(file.fileno())
    old, kept = folder / "saved", folder / "saved.old"
    shutil.rmtree(kept, ignore_errors=True)
    if old.exists():
        old.rename(kept)
    new.rename(old)
    shutil.rmtree(kept, ignore_errors=True)
    simulation.store = simulation.open_store()


def go_on(folder: Path) -> tuple[Simulation, int] | None:
    """The simulation as last saved and the wall seconds it had taken; None: nothing was saved."""
    place = next((p for p in (folder / "saved", folder / "saved.old") if p.exists()), None)
    if place is None:
        return None
    with (place / "simulation.pickle").open("rb") as file:
        saved = pickle.load(file)
    simulation = Simulation.__new__(Simulation)
    vars(simulation).update(saved.state)
    home = simulation.home = folder / "home"
    for left in (f"{STORE}.wal", f"{STORE}.left"):
        (home / left).unlink(missing_ok=True)
    shutil.copyfile(place / STORE, home / STORE)
    os.truncate(home / "journal" / "journal.jsonl", saved.journal_bytes)
    for effect in (home / "journal" / "effects").iterdir():
        name = effect.name.lstrip(".")
        if int(name.partition("-")[0]) > saved.journal_no:
            effect.unlink()
    simulation.store = simulation.open_store()
    return simulation, saved.wall_seconds
