"""The list of suspended domains as billing publishes it, read at an edge.

What is not whole is not believed: the edge keeps the list it had. A lost list must neither stop nor
release anybody (FAULTS H9).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from edge.domain import canonical_domain
from edge.durable import write_atomically
from edge.https.records import StoppedName

KEPT = "stop-list.json"
"""In the https folder: the last list that was whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopList:
    """The names to refuse, as of when billing said so; `trouble` says why an older one is used."""

    names: tuple[StoppedName, ...] = ()
    as_of: str = ""
    trouble: str = ""


def read_stop_list(published: Path, folder: Path) -> StopList:
    """The published list, or the one kept in `folder` where that one is missing or not whole."""
    try:
        data = published.read_bytes()
        found = _parse(data)
    except FileNotFoundError:
        trouble = f"{published} is not there"
    except (OSError, ValueError, KeyError, TypeError) as error:
        trouble = f"{published} is not whole: {str(error).splitlines()[0]}"
    else:
        kept = folder / KEPT
        if not kept.exists() or kept.read_bytes() != data:
            write_atomically(kept, data)
        return found
    try:
        before = _parse((folder / KEPT).read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        # Never had one: nobody was ever stopped here, which is how an edge begins.
        return StopList(trouble="" if not os.path.lexists(published) else trouble)
    return StopList(names=before.names, as_of=before.as_of, trouble=f"{trouble}; the last is kept")


def _parse(data: bytes) -> StopList:
    document = json.loads(data)
    rows = document["domains"]
    if document["count"] != len(rows):
        raise ValueError(f"it says {document['count']} names and has {len(rows)}")
    names: list[StoppedName] = []
    for row in rows:
        name = str(row["domain"])
        if canonical_domain(name.removeprefix("*.")) is None:
            raise ValueError(f"«{name}» is no domain name")
        excepted = tuple(sorted(str(one) for one in row.get("except", ())))
        if any(canonical_domain(one.removeprefix("*.")) is None for one in excepted):
            raise ValueError(f"an exception of {name} is no domain name")
        names.append(StoppedName(domain=name, cause=str(row["cause"]), except_names=excepted))
    return StopList(
        names=tuple(sorted(names, key=lambda one: one.domain)), as_of=str(document["as_of"])
    )
