"""Which objects a spool has taken, by name, size and time, or name and ETag: they are not fetched
again.

Only a saving: what an object holds is known by its content, so a lost list costs a second look.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

FILE: Final = "objects-taken"


class TakenObjects:
    """The states of objects that were read to their end by one format into one spool."""

    def __init__(self, folder: Path, form: str) -> None:
        self._path = folder / FILE
        self._form = form
        text = (
            self._path.read_text(encoding="ascii", errors="replace") if self._path.exists() else ""
        )
        self._known = set(text.split())

    def _mark(self, state: str) -> str:
        return hashlib.blake2b(f"{self._form}\t{state}".encode(), digest_size=16).hexdigest()

    def __contains__(self, state: str) -> bool:
        return self._mark(state) in self._known

    def add(self, *states: str) -> None:
        """Remember an object whose lines are durable, by what it is known by. Raises OSError."""
        marks = [self._mark(state) for state in states]
        self._known.update(marks)
        with open(self._path, "a", encoding="ascii") as file:
            file.write("".join(mark + "\n" for mark in marks))
            file.flush()
            os.fsync(file.fileno())
