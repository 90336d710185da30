"""The names that accounts own, as metering reads them: it never folds one (DESIGN §3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sql
from billing.store.store import Store
from edge.durable import write_atomically

OWNED_NAMES = "owned_domains.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    domain: str


def publish_owned_domains(store: Store, path: Path) -> None:
    """Write the owned names, one per line; atomic, only when they changed."""
    data = owned_names(store)
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)


def owned_names(store: Store) -> bytes:
    """The content of that file."""
    result = store.connection.execute(sql.text("statements/accounts/ownership/owned_domains"))
    return "".join(f"{one.domain}\n" for one in sql.rows(result, _Name)).encode("ascii")
