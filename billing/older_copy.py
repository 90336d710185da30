"""Whether journal and store are older than what was made from them, or of another home.

The lake and the documents lie outside the journal. Each names a record or a number that only the
journal which made it has, so an older copy of journal and store beside them is seen at the first
start: going on would use numbers again that were given out (FAULTS G24).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sql
from billing.lake.version import read_list
from billing.store.store import Store
from edge.errors import Corrupt

_LAKE_HEAD = re.compile(rb'"journal_no": ?(\d+),\s*"journal_hash": ?"([0-9a-f]{64})"')
_HEAD_BYTES = 4096
_RESTORE = (
    "restore journal/ from its newest backup. If what came after is lost for good, move lake/ and"
    " its documents out of the home: they are all that is left of it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The journal record that a version of the lake was made from."""

    version: str
    journal_no: int
    journal_hash: str


def refuse_older_copy(store: Store) -> None:
    """Raise Corrupt if the lake or a document shows that the journal had more, or other, records.

    The documents are listed only when the home is not as billing left it: while it is, nobody can
    have put an older copy in its place.
    """
    for reached in lake_reached(store.home):
        last = store.journal.last_no
        if reached.journal_no > last:
            raise Corrupt(
                f"lake/ was made from journal record {reached.journal_no}, the journal ends at"
                f" {last}: it is an older copy",
                _RESTORE,
            )
        if store.journal.hash_at(reached.journal_no) != reached.journal_hash:
            raise Corrupt(
                f"lake/ was made from another journal record {reached.journal_no} than this journal"
                " has: they are of two homes, or of two histories",
                _RESTORE,
            )
    if not store.is_as_left:
        unknown = sorted(unknown_documents(store))
        if unknown:
            raise Corrupt(
                f"{unknown[0]} was issued, and the store does not know it: journal and store are an"
                f" older copy, or of another home ({len(unknown)} such documents)",
                _RESTORE,
            )


def lake_reached(home: Path) -> Iterator[Reached]:
    """What the newest version in lake/ and the one that readers see say they were made from. One
    that says nothing is passed over: a damaged lake is told by its own check.
    """
    versions = home / "lake" / "versions"
    names = {max((path.name for path in versions.glob("[0-9]*")), default="")}
    with contextlib.suppress(OSError, ValueError):
        names.add((home / "lake" / "CURRENT").read_text(encoding="ascii").partition("\n")[0])
    for name in sorted(names):
        try:
            found = _LAKE_HEAD.search(read_list(versions.joinpath(name))[:_HEAD_BYTES])
        except (OSError, ValueError):
            continue
        if found is not None:
            yield Reached(version=name, journal_no=int(found[1]), journal_hash=found[2].decode())


def unknown_documents(store: Store) -> Iterator[str]:
    """Documents in invoices/ that the store has not issued: MONTH/NUMBER.json."""
    from billing.invoices.documents.files import safe_name

    issued = store.connection.execute(sql.text("statements/store/older_copy/issued_numbers"))
    known = {safe_name(number) for (number,) in issued.fetchall()}
    for path in (store.home / "invoices").glob("[0-9]*/*.json"):
        if path.stem not in known:
            yield f"{path.parent.name}/{path.name}"
