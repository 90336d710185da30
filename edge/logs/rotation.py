"""The files behind one log: the one written to now, and what rotation made of earlier ones.

Rotated names are the log's name, or its stem, and then a dot or dash and a digit: `access.log.1`,
`access.log.2.gz`, `access.log-20261123`, `access-20261123.log.gz`. Which of them holds what is
found by content (edge/logs/streams.py); names only say where to look.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_ROTATED = r"[.-][0-9][0-9A-Za-z:_-]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file as the folder shows it.

    `inode` (with its device) outlives a rename; `state` (size and time of the last change, in ns)
    differs whenever the content may differ.
    """

    path: Path
    live: bool
    modified_ms: int
    inode: tuple[int, int]
    state: tuple[int, int]


def files_of(log: Path) -> list[SeenFile]:
    """The files of `log`, oldest first, the live one last."""
    pattern = _rotated_names(log)
    found: list[SeenFile] = []
    try:
        with os.scandir(log.parent) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    for name in names:
        live = name == log.name
        if not live and not pattern.fullmatch(name):
            continue
        seen = _look(log.parent / name, live=live)
        if seen is not None:
            found.append(seen)
    return sorted(found, key=lambda each: (each.live, each.modified_ms, each.path.name))


def _rotated_names(log: Path) -> re.Pattern[str]:
    stem, suffix = re.escape(log.stem), re.escape(log.suffix)
    whole = rf"{re.escape(log.name)}{_ROTATED}(\.gz)?"
    between = rf"{stem}{_ROTATED}{suffix}(\.gz)?" if log.suffix else whole
    return re.compile(f"{whole}|{between}")


def _look(path: Path, *, live: bool) -> SeenFile | None:
    """None when it is gone, or no plain file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not path.is_file():
        return None
    return SeenFile(
        path=path,
        live=live,
        modified_ms=found.st_mtime_ns // 1_000_000,
        inode=(found.st_dev, found.st_ino),
        state=(found.st_size, found.st_mtime_ns),
    )
