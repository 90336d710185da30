"""How billing left its store file: size and time of change, noted at every orderly end.

A file that is as it was left has been opened by nobody else (DuckDB changes its header). One that
is not may have been edited by hand, and is compared with the journal before it is believed (FAULTS
G24). After a crash there is no note: then DuckDB's own recovery and the journal decide.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge.durable import write_atomically


def _note_path(store: Path) -> Path:
    return store.with_name(f"{store.name}.left")


def _state(store: Path) -> dict[str, int]:
    found = store.stat()
    return {"size": found.st_size, "changed_ns": found.st_mtime_ns}


def note(store: Path) -> None:
    """Note how `store` was left; call after its session is closed."""
    write_atomically(_note_path(store), json.dumps(_state(store)).encode() + b"\n")


def agrees(store: Path) -> bool:
    """False if there is a note and `store` is not as it says."""
    try:
        left = json.loads(_note_path(store).read_bytes())
    except (OSError, ValueError):
        return True
    return not store.exists() or bool(left == _state(store))


def clear(store: Path) -> None:
    """Take the note away: a session begins, having believed the file."""
    _note_path(store).unlink(missing_ok=True)
