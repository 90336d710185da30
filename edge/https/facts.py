"""What an edge tells billing of its domains' HTTPS: dated facts in immutable, numbered files.

    HOME/https-facts/EDGE/00000001.json    created exclusively; names the hash of the one before

They travel as closed hours do, through a shared folder, and are imported once, in order. A fact is
written when a change was *proven* to be served. Nothing is counted or charged by them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from edge.durable import create_exclusively, sealed, unsealed
from edge.errors import ConflictError, Corrupt

FOLDER = "https-facts"
FORMAT = 1
_NAME = re.compile(r"\d{8}\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsFact:
    """How one domain is served from `live_at` on: `https` False: only without it.

    `changed_at` is when a command wished it. `certificate_sha256` is blank while HTTPS is off.
    """

    domain: str
    changed_at: datetime
    live_at: datetime
    https: bool
    redirect: str
    http2: bool
    http3: bool
    tls_min: str
    hsts_seconds: int
    certificate_sha256: str = ""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFile:
    """One file. `sni_mismatches`: requests so far whose Host was another name than the handshake's,
    refused when this edge's log was read. `previous`: the SHA-256 of the file before.
    """

    edge_id: str
    number: int
    written_at: datetime
    sni_mismatches: int
    facts: tuple[HttpsFact, ...] = ()
    previous: str = ""
    format: Literal[1] = 1


_FORM = TypeAdapter(FactFile)


def fact_files(folder: Path) -> list[Path]:
    """The files of one edge in order."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def read_fact_file(path: Path) -> tuple[FactFile, str]:
    """A file and the SHA-256 of its bytes; Corrupt when it cannot be believed."""
    try:
        data = path.read_bytes()
        found = _FORM.validate_python(unsealed(data))
        if f"{found.number:08d}.json" != path.name or found.edge_id != path.parent.name:
            raise ValueError("it is of another edge or number")
    except (OSError, ValueError, ValidationError) as error:
        raise Corrupt(
            f"{path} cannot be believed: {str(error).splitlines()[0]}",
            "copy it from the edge that wrote it",
        ) from error
    return found, hashlib.sha256(data).hexdigest()


def tell(
    folder: Path,
    edge_id: str,
    facts: Sequence[HttpsFact],
    *,
    sni_mismatches: int,
    now: datetime,
) -> Path | None:
    """Write the next file of an edge, unless it would say nothing new; returns its path.

    ConflictError when another machine writes under the same edge id.
    """
    place = folder / edge_id
    before = fact_files(place)
    last, digest = read_fact_file(before[-1]) if before else (None, "")
    known = last.sni_mismatches if last else 0
    if not facts and sni_mismatches == known:
        return None
    made = FactFile(
        edge_id=edge_id,
        number=last.number + 1 if last else 1,
        written_at=now,
        sni_mismatches=sni_mismatches,
        facts=tuple(facts),
        previous=digest,
    )
    path = place / f"{made.number:08d}.json"
    try:
        create_exclusively(path, sealed(asdict(made)))
    except FileExistsError as error:
        raise ConflictError(
            f"{path} was written by another machine",
            "give each edge an id of its own: edge_id in [edge]",
        ) from error
    return path
