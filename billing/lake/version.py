"""A version of the lake: its files with rows, size and SHA-256, and whether it is whole.

`lake/CURRENT` names the version to read and the SHA-256 of its version.json; version.json lists the
files. So each byte of a version is covered by a hash that stands elsewhere, and a file that is
missing, cut, changed, swapped or of another version is seen. Opening looks at presence, size and
time of change, and reads again what is small or was touched since; `check` hashes everything.

A list is hidden until the pointer names it. So a version that was once shown is known by its list,
and one above the pointer's says that the pointer is an older copy.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from edge.durable import sha256_file
from edge.errors import Corrupt

LAKE = "lake"
POINTER = "CURRENT"
LINK = "current"
LIST = "version.json"
HIDDEN_LIST = ".version.json"
FORMAT = 2
# Files are hashed at each opening, the smallest first, until this much has been read.
HASHED_AT_OPENING = 8 << 20
MEND = "run edgetoll billing rate: it writes lake/ anew from the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFile:
    """A file of a version as it was written; `path` is below the version's folder. `content`: what
    its rows are, in a word, where the table is written only when they change.
    """

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str
    changed_ns: int
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the lake: where it lies, up to which journal record it goes, what it holds."""

    folder: Path
    number: int
    journal_no: int
    journal_hash: str
    layout: str
    files: tuple[VersionFile, ...]

    def of(self, table: str) -> list[VersionFile]:
        """The files of one table, in the order of their names."""
        return [file for file in self.files if file.table == table]

    def paths(self, table: str) -> list[Path]:
        """Where the files of one table lie."""
        return [self.folder.joinpath(file.path) for file in self.of(table)]

    def to_bytes(self) -> bytes:
        """version.json."""
        document = {
            "format": FORMAT,
            "journal_no": self.journal_no,
            "journal_hash": self.journal_hash,
            "layout": self.layout,
            "files": self.files,
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def described(folder: Path, table: str, path: Path, rows: int) -> VersionFile:
    """A file just written, as its version lists it."""
    state = path.stat()
    return VersionFile(
        table=table,
        path=str(path.relative_to(folder)),
        rows=rows,
        bytes=state.st_size,
        sha256=sha256_file(path),
        changed_ns=state.st_mtime_ns,
    )


def pointer_bytes(version: Version) -> bytes:
    """CURRENT: the version's name, and the hash of its list."""
    seal = hashlib.sha256(version.to_bytes()).hexdigest()
    return f"{version.folder.name}\n{seal}\n".encode()


def point_link(home: Path, version: Version) -> None:
    """Let `lake/current` lead to a version: for readers that know nothing of CURRENT. Swapped by
    rename, so that it is never missing.
    """
    link, target = home.joinpath(LAKE, LINK), f"versions/{version.folder.name}"
    if link.is_symlink() and os.readlink(link) == target:
        return
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)  # a home copied with what its links lead to
    hidden = link.with_name(f".{LINK}.tmp")
    hidden.unlink(missing_ok=True)
    hidden.symlink_to(target)
    os.replace(hidden, link)


def current(home: Path) -> Version | None:
    """The version that readers see; None before billing has published one.

    Raises Corrupt when there must be one and it cannot be told which, or what it holds, or when a
    newer one was shown before: whoever read it would be told of yesterday.
    """
    found = named(home)
    while found is not None and (newer := _newest_shown(home)) > found.number:
        again = named(home)
        if again is not None and again.number == found.number:
            raise Corrupt(
                f"{home.joinpath(LAKE, POINTER)} is an older copy: it names version {found.number},"
                f" readers have seen {newer}",
                MEND,
            )
        found = again  # a publisher was faster
    return found


def is_older_copy(home: Path, version: Version) -> bool:
    """Whether readers have seen a newer version than the pointer's."""
    return _newest_shown(home) > version.number


def _newest_shown(home: Path) -> int:
    """The highest version that the pointer has ever named, of those still there; 0: none."""
    lists = home.joinpath(LAKE, "versions").glob(f"[0-9]*/{LIST}")
    return max((int(one.parent.name) for one in lists if one.parent.name.isdigit()), default=0)


def named(home: Path) -> Version | None:
    """The version that the pointer names, be it an older copy; else as `current`."""
    pointer = home.joinpath(LAKE, POINTER)
    try:
        words = pointer.read_bytes().decode("ascii").split()
    except FileNotFoundError:
        if _was_published(home):
            raise Corrupt(f"{pointer} is missing, though billing has records", MEND) from None
        return None
    except (OSError, ValueError) as error:
        raise Corrupt(f"{pointer} cannot be read: {error}", MEND) from error
    if len(words) == 1:
        raise Corrupt(f"{pointer} is cut, or of an older edgetoll: it has no hash", MEND)
    if len(words) != 2 or not words[0].isdigit():
        raise Corrupt(f"{pointer} names no version", MEND)
    folder = home.joinpath(LAKE, "versions", words[0])
    try:
        listed = read_list(folder)
    except FileNotFoundError as error:
        raise Corrupt(f"{pointer} names version {words[0]}, which is not there", MEND) from error
    except OSError as error:
        raise Corrupt(f"{folder.joinpath(LIST)} cannot be read: {error.strerror}", MEND) from error
    if hashlib.sha256(listed).hexdigest() != words[1]:
        raise Corrupt(f"{folder.joinpath(LIST)} is not the list that {pointer} names", MEND)
    return _parsed(folder, listed)


def read_list(folder: Path) -> bytes:
    """version.json of a version, also while its publisher is about to show it."""
    for name in (LIST, HIDDEN_LIST):
        with contextlib.suppress(FileNotFoundError):
            return folder.joinpath(name).read_bytes()
    return folder.joinpath(LIST).read_bytes()


def show(version: Version) -> None:
    """Give the list of a version that the pointer names its name; done already: nothing."""
    with contextlib.suppress(FileNotFoundError):
        version.folder.joinpath(HIDDEN_LIST).rename(version.folder.joinpath(LIST))


def _parsed(folder: Path, listed: bytes) -> Version:
    try:
        document = json.loads(listed)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, this program reads {FORMAT}")
        return Version(
            folder=folder,
            number=int(folder.name),
            journal_no=document["journal_no"],
            journal_hash=document["journal_hash"],
            layout=document["layout"],
            files=tuple(VersionFile(**file) for file in document["files"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"{folder.joinpath(LIST)} is no list of a version: {error}", MEND) from error


def _was_published(home: Path) -> bool:
    """Whether a version must have been: folders of versions are there, or a journal with records,
    since whatever writes a record for people publishes the lake after it.
    """
    versions, journal = home.joinpath(LAKE) / "versions", home / "journal"
    return any(entry.name.isdigit() for entry in versions.glob("*")) or any(
        path.stat().st_size > 0 for path in journal.rglob("*.*") if path.is_file()
    )


def verify_open(version: Version) -> None:
    """What each opening verifies; Corrupt names the first file that is not as it was written."""
    for _file, wrong in broken(version):
        raise Corrupt(wrong, MEND)


def broken(version: Version, *, hashed: bool = False) -> Iterator[tuple[VersionFile, str]]:
    """The listed files that are not as they were written, and why; `hashed`: read all of them."""
    read = 0
    for file in sorted(version.files, key=lambda one: one.bytes):
        read += file.bytes
        if wrong := wrong_with(version, file, hashed=hashed or read <= HASHED_AT_OPENING):
            yield file, wrong


def wrong_with(version: Version, file: VersionFile, *, hashed: bool) -> str | None:
    """What is wrong with a file of a version, None: nothing. One that was touched is hashed."""
    path = version.folder.joinpath(file.path)
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            return f"{path} is no plain file"
        if state.st_size != file.bytes:
            return f"{path} has {state.st_size} bytes, {LIST} says {file.bytes}"
        touched = state.st_mtime_ns != file.changed_ns
        if (hashed or touched) and sha256_file(path) != file.sha256:
            return f"{path} is not what was written: its SHA-256 differs from {LIST}"
    except FileNotFoundError:
        return f"{path} is missing"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None


def damage(version: Version) -> Iterator[tuple[str, str]]:
    """Everything wrong with a version, as (file, why): each file is hashed, others are named."""
    for file, wrong in broken(version, hashed=True):
        yield file.path, wrong
    listed = {file.path for file in version.files} | {LIST, HIDDEN_LIST}
    for path in sorted(version.folder.rglob("*")):
        name = str(path.relative_to(version.folder))
        if path.is_file() and name not in listed:
            yield name, f"{path} stands in the version, {LIST} does not list it"
