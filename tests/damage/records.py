"""The nouns of the damage pass: kinds of files, ways to damage one, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Totals = Mapping[tuple[str, str], int]
"""Requests by (hour, domain)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of file of a home: which one is damaged, as a pattern below the home (its last match).

    `pattern` may match hidden names only when it names them. `command`: what reads such a file,
    where none of the usual commands does; `{file}` stands for it.
    """

    name: str
    pattern: str
    command: tuple[str, ...] = ()

    def find(self, home: Path) -> Path | None:
        """The file of this kind, relative to the home; None when there is none."""
        found = sorted(path for path in home.glob(self.pattern) if path.is_file())
        return found[-1].relative_to(home) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """A home as it is today, the same a day earlier, another one; and what today's must hold."""

    today: Path
    yesterday: Path
    other: Path
    truth: Totals
    seen: object = None
    """What a reader is told of today's home before any command runs again."""


Damage = Callable[[Path, Homes, Kind, Path], bool]
"""(a copy of today's home, all homes, what kind the file is, the file) -> whether it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One command of the pass: its words, how it ended, what it said, a defect of ours if any."""

    words: tuple[str, ...]
    code: int
    said: str
    defect: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one kind and one damage."""

    kind: str
    damage: str
    verdict: str
    ran: tuple[Ran, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether totals are wrong and nobody was told, or a command ended in a traceback."""
        return self.verdict in ("SILENT", "TRACEBACK")
