"""How billing left its home: written when the store is closed in order, gone while it is open.

The note says what the store's file looks like and how far the journal was verified. A file that
still looks so was opened by nobody else (DuckDB changes its header, and a copy or an edit has
another inode or time of change), and the journal need not be read again before that place. Without
a note, or with another file, neither is believed: the whole chain is verified and the store is
compared with what the journal says (FAULTS G24).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from billing.instants import stamp
from billing.store.journal import BEGINNING, Anchor
from edge.durable import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What the file system says of a file. Its time of change cannot be set by hand, as `mtime`
    can.
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftNote:
    """How the last session left the home.

    `charges`: what the files of charges look like (billing.store.charge_files). `anchor`: the end
    of the journal. `verified_at`, `verified_no`: when its whole chain was last verified, and
    through which record.
    """

    store: FileState
    journal: FileState | None
    charges: str
    anchor: Anchor
    verified_at: datetime | None
    verified_no: int


def state_of(path: Path) -> FileState | None:
    """What `path` looks like now; None if there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return FileState(
        size=found.st_size,
        modified_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
        inode=found.st_ino,
    )


def path_of(store: Path) -> Path:
    """Where the note of `store` lies."""
    return store.with_name(f"{store.name}.left")


def write(store: Path, note: LeftNote) -> None:
    """Note how the home was left; call after the session is closed."""
    document = asdict(note)
    document["verified_at"] = None if note.verified_at is None else stamp(note.verified_at)
    write_atomically(path_of(store), json.dumps(document).encode() + b"\n")


def read(store: Path) -> LeftNote | None:
    """The note of `store`; None if there is none, or one that another version wrote."""
    try:
        document = json.loads(path_of(store).read_bytes())
        journal, at = document["journal"], document["verified_at"]
        return LeftNote(
            store=FileState(**document["store"]),
            journal=None if journal is None else FileState(**journal),
            charges=document["charges"],
            anchor=Anchor(**document["anchor"]),
            verified_at=None if at is None else datetime.fromisoformat(at),
            verified_no=document["verified_no"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def anchor(note: LeftNote | None, journal: Path) -> Anchor:
    """From where the journal must be verified: its beginning, unless it is as `note` says."""
    if note is None or state_of(journal) != note.journal:
        return BEGINNING
    return note.anchor


def clear(store: Path) -> None:
    """Take the note away: a session begins, having believed the file."""
    path_of(store).unlink(missing_ok=True)
