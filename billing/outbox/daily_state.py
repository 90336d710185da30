"""The daily message with every account that is not ok, in pages: who forgot an event finds out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import sql
from billing.balance.events import Event, envelope, event_id
from billing.balance.rows import EVENT_COLUMNS, as_effect, event_row
from billing.instants import naive, stamp
from billing.store.store import Store

PAGE = 80
"""Accounts in one message: it stays below the 20 kB of FAULTS §5.2 with the longest ids."""
KIND = "accounts.full_state"
UNOWNED_DAYS = 31
UNOWNED_MOST = 5
"""Names that nobody owns, in the first message: with them it stays below the 20 kB too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOk:
    """Row of `not_ok`: one account that is in some trouble."""

    account_id: str
    version: int
    state: str
    since: datetime

    def document(self) -> dict[str, object]:
        """The account as the message names it."""
        return {
            "account_id": self.account_id,
            "version": self.version,
            "state": self.state,
            "since": stamp(self.since),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UnownedLine:
    """Row of `unowned_names`: a name that nobody owns; None: those that were folded together."""

    domain: str | None
    requests: int


def record_daily_state(store: Store, *, now: datetime, due_hour: int) -> int | None:
    """Put a day's messages into the outbox once its `due_hour` (UTC) has passed; None: nothing due.

    The day is the last one that is due: where nobody looks after `due_hour`, the first look of the
    next day sends them.
    """
    day = (now.astimezone(UTC) - timedelta(hours=due_hour)).date().isoformat()
    if store.value("statements/balance/outbox/has_event", {"event_id": event_id(KIND, day, 1)}):
        return None
    return _record(store, day, now=now)


def record_state_now(store: Store, *, now: datetime) -> int:
    """Put the same into the outbox besides, for a receiver that was off: it need not wait a day."""
    return _record(store, stamp(now), now=now)


def _record(store: Store, day: str, *, now: datetime) -> int:
    found = sql.rows(store.connection.execute(sql.text("statements/balance/states/not_ok")), NotOk)
    unowned = store.connection.execute(
        sql.text("statements/balance/states/unowned_names"),
        {"since": naive(now - timedelta(days=UNOWNED_DAYS)), "most": UNOWNED_MOST},
    )
    names = sql.rows(unowned, UnownedLine)
    events = list(pages(found, names, day=day, now=now))
    effect = as_effect([event_row(event) for event in events], EVENT_COLUMNS)
    return store.commit("full_state", {"events": effect}, at=now)


def pages(
    rows: Sequence[NotOk], unowned: Sequence[UnownedLine] = (), *, day: str, now: datetime
) -> Iterator[Event]:
    """The messages of one day (or moment); with no account to name there is still one that says so.

    An account that no page of them names is ok. The first page names the largest names that nobody
    owns: their requests are on no bill.
    """
    count = max(1, -(-len(rows) // PAGE))
    for number in range(1, count + 1):
        part = rows[(number - 1) * PAGE : number * PAGE]
        data: dict[str, object] = {
            "day": day[:10],
            "page": number,
            "pages": count,
            "accounts": [row.document() for row in part],
        }
        if number == 1:
            data["unowned"] = [asdict(one) for one in unowned]
        yield Event(
            event_id=event_id(KIND, day, number),
            account_id="",
            version=0,
            kind=KIND,
            happened_at=now,
            body=envelope(KIND, now, data),
        )
