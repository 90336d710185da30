"""Whose each domain is and how that account stands, as a file beside the stop list, for edges.

HOME/suspended/accounts.jsonl: a head with date and count, then a line a name. `edge https enable`
reads it before HTTPS is switched on, since nobody should learn from a suspension what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

import sql
from billing.instants import naive, stamp
from billing.outbox.settings import read_delivery
from billing.store.store import Store
from edge.durable import write_atomically
from edge.errors import InputError
from edge.terminal import parse_time

NAME = "accounts.jsonl"
FORMAT = 1
DATED_AGAIN = timedelta(hours=1)
"""What has not changed is written again after this long, so that its date says it still holds."""
SMALL_NAMES = 5000
"""Up to so many names the file follows each payment (a tenth of a second); beyond, it is made once
an hour by a run or judgement of all: a million names cost 3 seconds of CPU.
"""
ROWS_MOST = 5_000_000
"""Rows of usage that are read for how often each name is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """Row of `lines`: all names as JSON lines."""

    names: int
    lines: str


def publish(store: Store, *, now: datetime, everyone: bool, small_names: int = SMALL_NAMES) -> bool:
    """Write the file if what it says has changed, or its date is old; whether it was written.

    `everyone`: a run or judgement of all accounts, not a change of one.
    """
    path = store.home.joinpath(read_delivery(store.home).stop_list.folder, NAME)
    moment = {"now": naive(now)}
    names = store.value("statements/balance/edge_accounts/owned_names", moment)
    before, is_young = _before(path, now)
    if names > small_names and (is_young or not everyone):
        return False
    result = store.connection.execute(
        sql.text("statements/balance/edge_accounts/lines"), {**moment, "rows_most": ROWS_MOST}
    )
    found = sql.row(result, _Lines)
    assert found is not None, "a sum is one row"
    body = f"{found.lines}\n".encode() if found.names else b""
    if is_young and body == before:
        return False
    head = {"format": FORMAT, "as_of": stamp(now), "count": found.names}
    write_atomically(path, orjson.dumps(head) + b"\n" + body)
    return True


def _before(path: Path, now: datetime) -> tuple[bytes, bool]:
    """What the file says, and whether its date is young."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        dated = parse_time(orjson.loads(head)["as_of"])
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return b"", False
    return body, timedelta() <= now - dated < DATED_AGAIN
