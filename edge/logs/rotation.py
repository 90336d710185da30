"""The files behind one log: the one written to now, and what rotation made of earlier ones.

Names only say where to look; which of the files holds what is found by content. A name is taken for
a rotated one when it is the log's, or its stem, and then a separator and a number or date
(`access.log.1`, `access.log_20261130.gz`, `access-2026-11-30T04-20-00.123-size.log`) or a word that
rotation uses (`access.log.old`). What lies elsewhere is named by patterns (`--rotated`).
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NUMBER: Final = r"[._-][0-9][0-9A-Za-z.:+_-]*?"
_WORD: Final = (
    r"[._-](?:old|bak|backup|prev|previous|save|saved|orig|last|rotated|archive|archived)"
    r"(?:[._-]?[0-9][0-9A-Za-z.:+_-]*?)?"
)
_PACKED: Final = re.compile(
    r".*\.(xz|bz2|zst|zstd|lz4|lzma|br|Z|zip|7z|rar|tar(\.[A-Za-z0-9]+)?|t[abglxz]z2?|gpg|age|enc)\Z"
)


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

    @classmethod
    def of(cls, path: Path, found: os.stat_result, *, live: bool) -> SeenFile:
        """Of what stat() or fstat() says."""
        return cls(
            path=path,
            live=live,
            modified_ms=found.st_mtime_ns // 1_000_000,
            inode=(found.st_dev, found.st_ino),
            state=(found.st_size, found.st_mtime_ns),
        )


def files_of(
    log: Path, *, others: Iterable[Path] = (), rotated: Sequence[str] = ()
) -> list[SeenFile]:
    """The files of `log`, oldest first, the live one last.

    `others` are the other logs that are followed: theirs are not this one's. `rotated` are
    patterns of files that rotation puts elsewhere.
    """
    not_ours = [other for other in others if other != log]
    found: dict[tuple[int, int], SeenFile] = {}
    for path in (*_in_folder(log, not_ours), *_elsewhere(rotated, [log, *not_ours])):
        seen = _look(path, live=path == log)
        if seen is not None and (seen.live or seen.inode not in found):
            found[seen.inode] = seen
    return sorted(found.values(), key=lambda each: (each.live, each.modified_ms, each.path.name))


def _in_folder(log: Path, others: Sequence[Path]) -> list[Path]:
    """The log and its rotated files by name, in the log's own folder."""
    pattern = _rotated_names(log)
    neighbours = [other for other in others if other.parent == log.parent]
    longer = [
        _rotated_names(other) for other in neighbours if len(other.stem) > len(log.stem)
    ]  # access-2.log.1 and access-2-20261130.log are files of access-2.log, not of access.log
    taken = {other.name for other in neighbours}
    return [
        log.parent / name
        for name in _names(log.parent)
        if name == log.name
        or (
            pattern.fullmatch(name)
            and not _PACKED.match(name)
            and name not in taken
            and not any(each.fullmatch(name) for each in longer)
        )
    ]


def _elsewhere(patterns: Sequence[str], logs: Sequence[Path]) -> list[Path]:
    """What the patterns match: no live log, and nothing packed in a way that is not read."""
    names = [name for pattern in patterns for name in glob.glob(pattern) if _is_text(name)]
    return [Path(name) for name in names if Path(name) not in logs and not _PACKED.match(name)]


def packed_files(log: Path, rotated: Sequence[str] = ()) -> list[SeenFile]:
    """Rotated files of `log` that are packed in a way that is not read."""
    pattern = _rotated_names(log)
    names = [name for name in _names(log.parent) if _PACKED.match(name)]
    near = [log.parent / name for name in names if pattern.fullmatch(name.rpartition(".")[0])]
    far = [Path(name) for each in rotated for name in glob.glob(each) if _PACKED.match(name)]
    found = (_look(path, live=False) for path in (*near, *far))
    return [seen for seen in found if seen is not None]


def neighbours_of(log: Path, *, others: Iterable[Path]) -> list[SeenFile]:
    """Every plain file in the log's folder that is no live log: where a begun file may be."""
    taken = {log, *others}
    paths = [log.parent / name for name in _names(log.parent)]
    found = (_look(path, live=False) for path in paths if path not in taken)
    return [seen for seen in found if seen is not None and seen.state[0]]


def _names(folder: Path) -> list[str]:
    """The names in a folder, in order; none where there is no such folder.

    One that is not UTF-8 could not be told of, nor kept: such a file is passed over, and if it was
    begun it is missed.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(name for entry in entries if _is_text(name := entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def _rotated_names(log: Path) -> re.Pattern[str]:
    stem, suffix = re.escape(log.stem), re.escape(log.suffix)
    whole = rf"{re.escape(log.name)}(?:{_NUMBER}|{_WORD})(?:\.gz)?"
    between = rf"{stem}{_NUMBER}{suffix}(?:\.gz)?" if log.suffix else whole
    return re.compile(f"{whole}|{between}")


def _look(path: Path, *, live: bool) -> SeenFile | None:
    """None when it is gone, or no plain file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not path.is_file():
        return None
    return SeenFile.of(path, found, live=live)
