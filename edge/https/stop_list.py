"""The list of suspended domains as billing publishes it, read at an edge.

What is not whole is not believed: the edge keeps the list it had. A lost list must neither stop nor
release anybody (FAULTS H9).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.domain import canonical_domain
from edge.durable import write_atomically
from edge.errors import Corrupt, InputError
from edge.https.records import StoppedName
from edge.instants import parse_time

KEPT = "stop-list.json"
"""In the https folder: the last list that was whole."""
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, InputError)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopList:
    """The names to refuse, as of when billing said so; `trouble` says why an older one is used."""

    names: tuple[StoppedName, ...] = ()
    as_of: str = ""
    trouble: str = ""


def read_stop_list(published: Path, folder: Path) -> StopList:
    """The published list, or the one kept in `folder` where that one is missing or not whole.

    Corrupt where both are damaged: then nobody knows who is stopped, and nothing is changed.
    """
    kept = folder / KEPT
    try:
        data = published.read_bytes()
        found = _parse(data)
    except FileNotFoundError:
        trouble = f"{published} is not there"
    except _UNREADABLE as error:
        trouble = f"{published} is not whole: {str(error).splitlines()[0]}"
    else:
        if not kept.exists() or kept.read_bytes() != data:
            write_atomically(kept, data)
        return found
    try:
        before = _parse(kept.read_bytes())
    except FileNotFoundError:
        # Never had one: nobody was ever stopped here, which is how an edge begins.
        return StopList(trouble="" if not os.path.lexists(published) else trouble)
    except _UNREADABLE as error:
        raise Corrupt(
            f"{trouble}, and {kept}, the last that was whole, is damaged",
            f"copy {published.name} from billing again",
        ) from error
    return StopList(names=before.names, as_of=before.as_of, trouble=f"{trouble}; the last is kept")


def stopped_name(row: Mapping[str, object]) -> StoppedName:
    """One row of the list, also as a message has it; ValueError, KeyError or TypeError: none."""
    name = str(row["domain"])
    others = row.get("except", [])
    if not isinstance(others, list):
        raise TypeError(f"the exceptions of {name} are no list")
    excepted = tuple(sorted(str(one) for one in others))
    for one in (name, *excepted):
        if canonical_domain(one.removeprefix("*.")) is None:
            raise ValueError(f"«{one}» is no domain name")
    return StoppedName(domain=name, cause=str(row["cause"]), except_names=excepted)


def _parse(data: bytes) -> StopList:
    document = json.loads(data)
    rows = document["domains"]
    if document["count"] != len(rows):
        raise ValueError(f"it says {document['count']} names and has {len(rows)}")
    as_of = str(document["as_of"])
    parse_time(as_of)
    names = sorted((stopped_name(row) for row in rows), key=lambda one: one.domain)
    return StopList(names=tuple(names), as_of=as_of)
