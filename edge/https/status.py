"""https-status.json: what this edge was proven to serve, for people, metrics and the next apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from edge.durable import sealed, unsealed, write_atomically

NAME = "https-status.json"
State = Literal["live", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainStatus:
    """One domain as it was last proven. `wish` is the digest of what was proven, `wished_at` when
    a command wished it.

    `seconds_to_live` is the time from the command that wished it to the proof.
    """

    wish: str
    state: str
    wished_at: datetime | None = None
    live_since: datetime | None = None
    served: str = ""
    expires: datetime | None = None
    stopped: bool = False
    seconds_to_live: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsStatus:
    """The whole file. `trouble` is what a person must look at; blank when all is as wished."""

    applied_at: datetime | None = None
    nginx: str = ""
    configuration: str = ""
    reloads: int = 0
    refused_applies: int = 0
    stop_list_as_of: str = ""
    stopped: int = 0
    trouble: str = ""
    domains: dict[str, DomainStatus] = field(default_factory=dict)


_FORM = TypeAdapter(HttpsStatus)


class StatusDamaged(ValueError):
    """https-status.json is not as it was written."""


def read_status(home: Path) -> HttpsStatus:
    """The status of `home`; an empty one where there is none or it is damaged: all is then proven
    anew, which costs handshakes and loses nothing.
    """
    try:
        return read_status_file(home)
    except StatusDamaged:
        return HttpsStatus()


def read_status_file(home: Path) -> HttpsStatus:
    """The status of `home`, an empty one where there is none; StatusDamaged says why not."""
    path = home / NAME
    try:
        return _FORM.validate_python(unsealed(path.read_bytes()))
    except FileNotFoundError:
        return HttpsStatus()
    except (OSError, ValueError, ValidationError) as error:
        raise StatusDamaged(f"{path}: {str(error).splitlines()[0]}") from error


def served_as(status: HttpsStatus, domain: str, changed_at: datetime | None) -> str:
    """`live`, `stopped`, or `waiting` where what was wished at `changed_at` is not proven yet."""
    line = status.domains.get(domain)
    if line is None or line.wished_at != changed_at or line.state != "live":
        return "waiting"
    return "stopped" if line.stopped else "live"


def write_status(home: Path, status: HttpsStatus) -> None:
    """Replace the status file."""
    write_atomically(home / NAME, sealed(_FORM.dump_python(status, mode="json")))
