"""How the files of a round get their names: prepared hidden and durable, then linked, each once."""

from __future__ import annotations

import os
from pathlib import Path

from edge.crash_point import crash_point
from edge.durable import sha256_file
from edge.errors import Corrupt
from metering.closed import ClosedFile
from metering.hours.checkpoint import Head, Pending
from metering.hours.data_file import make_durable
from metering.store.fencing import fenced


def prepare(home: Path, pending: list[Pending]) -> None:
    """Write the certificates of a round under hidden names and make them and the data durable."""
    written: list[Path] = []
    for one in pending:
        hidden = _prepared_certificate(home, one)
        hidden.write_bytes(one.text.encode())
        written.extend((home / one.prepared, hidden))
    make_durable(written)


def publish(home: Path, head: Head) -> None:
    """Give the files of a round their names. Safe to repeat, in whatever state a crash left them.

    Raises Fenced when a name is taken by other content: another worker closed that hour.
    """
    for one in head.pending:
        data, certificate = home / one.data, home / one.certificate
        if not _named(home / one.prepared, data) and sha256_file(data) != one.data_sha256:
            raise fenced(head.partition, head.generation)
        fresh = _named(_prepared_certificate(home, one), certificate)
        if not fresh and certificate.read_bytes() != one.text.encode():
            raise fenced(head.partition, head.generation)
        crash_point("after_certificate")
    make_durable([], folders={(home / one.data).parent for one in head.pending})
    for one in head.pending:
        (home / one.prepared).unlink(missing_ok=True)
        _prepared_certificate(home, one).unlink(missing_ok=True)


def _named(hidden: Path, name: Path) -> bool:
    """Link a prepared file to its name; False when the name exists, for the caller to compare."""
    try:
        os.link(hidden, name)
    except FileExistsError:
        return False
    except FileNotFoundError:
        if not name.exists():
            raise Corrupt(
                f"{name} is named by its checkpoint and exists no more",
                "restore the closed folder from its backup",
            ) from None
        return False
    return True


def _prepared_certificate(home: Path, one: Pending) -> Path:
    """Where a certificate is prepared, beside its data."""
    return home / f"{one.prepared}.certificate"


def hidden_path(file: ClosedFile, generation: int) -> Path:
    """Where a data file is prepared: hidden, and never shared by two workers."""
    return file.data_path.with_name(f".{file.data_path.name}.g{generation}")
