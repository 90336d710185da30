"""What has not been told: per endpoint what waits, why, the next try, what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import duckdb

import sql
from billing.instants import aware_or_none, minute_text, naive
from billing.outbox.settings import FILE, HOOK, MAIL, DeliverySettings
from edge.errors import EdgetollError

GIVEN_UP_DAYS = 7
"""So long an event that was given up is named, whatever its account does meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """An endpoint that something has not reached: what waits, why, when it is tried again."""

    endpoint: str
    waiting: int
    waiting_since: datetime | None
    next_try: datetime | None
    given_up: int
    """Of the last week, or the current state of an account: nobody tries these again."""
    cause: str
    """What the endpoint answered last."""
    off_since: datetime | None
    """Switched off since then, until a person enables it; None: it is not."""

    @property
    def lost(self) -> bool:
        """Whether a person is needed: something is not told, and nothing will be by itself."""
        return self.given_up > 0 or self.off_since is not None

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return asdict(self)

    def words(self) -> str:
        """The same in one line."""
        parts = []
        if self.off_since is not None:
            parts.append(f"switched off since {minute_text(self.off_since)}")
        if self.given_up:
            parts.append(f"{self.given_up} given up")
        if self.waiting and self.next_try is not None:
            parts.append(f"{self.waiting} waiting, next try {minute_text(self.next_try)}")
        return f"{self.endpoint}: {'; '.join(parts)}: {self.cause or 'no answer yet'}"


class NotTold(EdgetollError):
    """Something was not told and will not be by itself: a person is needed."""


def not_told(lost: Sequence[Undone]) -> NotTold:
    """The error that says which endpoints were not told, and how each is put right."""
    ways = [
        f"once its receiver works again: edgetoll billing alerts --enable"
        f" {one.endpoint.removeprefix(HOOK)}"
        if one.off_since is not None
        else f"correct what {one.endpoint} refuses (an address: edgetoll billing load FILE)"
        for one in lost
    ]
    return NotTold("; ".join(one.words() for one in lost), "; ".join(dict.fromkeys(ways)))


def endpoints(settings: DeliverySettings) -> tuple[str, ...]:
    """The names of all endpoints that the settings have."""
    names = [HOOK + hook.name for hook in settings.webhooks]
    names += [MAIL] if settings.mail else []
    names += [FILE] if settings.file else []
    return tuple(names)


def undone(
    connection: duckdb.DuckDBPyConnection, settings: DeliverySettings, *, now: datetime
) -> tuple[Undone, ...]:
    """What has not reached the endpoints that the settings have."""
    result = connection.execute(
        sql.text("statements/balance/outbox/undone"),
        {"lately": naive(now - timedelta(days=GIVEN_UP_DAYS))},
    )
    known = endpoints(settings)
    return tuple(
        replace(
            one,
            waiting_since=aware_or_none(one.waiting_since),
            next_try=aware_or_none(one.next_try),
            off_since=aware_or_none(one.off_since),
        )
        for one in sql.rows(result, Undone)
        if one.endpoint in known
    )
