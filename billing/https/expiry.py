"""Who is told that a TLS certificate will expire, and when: 30, 14, 7, 3 and 1 days before, once
each; a short-lived one at the same shares of its life. Once it was replaced, that is told too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

import sql
from billing.balance.events import Event, envelope, event_id
from billing.balance.rows import EVENT_COLUMNS, as_effect, event_row
from billing.instants import aware, minute_text, naive, stamp
from billing.store.store import Store

DAYS = (30, 14, 7, 3, 1)
USUAL_DAYS = 90
"""The life of a certificate for which these are days; a shorter one is told at the same shares."""
PERSON_DAYS = 7
"""From this step on a person is needed (`edgetoll status`)."""
EXPIRY = "alert.tls_expiry"
RENEWED = "alert.tls_renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCertificate:
    """Row of `served_certificates`; times as the store keeps them."""

    domain: str
    account_id: str
    sha256: str
    issuer: str
    not_before: datetime
    not_after: datetime
    edges: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCertificate:
    """Row of `told_certificates`: the last step that was told of (`days`), and whether it ended."""

    domain: str
    sha256: str
    days: int | None
    is_over: bool
    account_id: str


def step(one: ServedCertificate, now: datetime) -> int | None:
    """The step of DAYS that its end has come within at `now`; None: it is farther away."""
    left = aware(one.not_after) - now
    life = aware(one.not_after) - aware(one.not_before)
    reached = [
        days for days in DAYS if left <= min(timedelta(days=days), life * days // USUAL_DAYS)
    ]
    return min(reached, default=None)


def events(
    certificates: Iterable[ServedCertificate], told: Iterable[ToldCertificate], *, now: datetime
) -> Iterator[Event]:
    """What is to be told now and was not."""
    before = {(one.domain, one.sha256): one for one in told}
    here = set()
    for one in certificates:
        here.add((one.domain, one.sha256))
        reached = step(one, now)
        last = before.get((one.domain, one.sha256))
        if reached is not None and (last is None or last.days is None or reached < last.days):
            yield _event(EXPIRY, one.domain, one.sha256, one.account_id, now, reached, {
                "days": reached,
                "expires": stamp(one.not_after),
                "issuer": one.issuer,
                "edges": list(one.edges),
            })  # fmt: skip
    for pair, gone in sorted(before.items()):
        if pair not in here and not gone.is_over:
            yield _event(RENEWED, gone.domain, gone.sha256, gone.account_id, now, None, {})


def _event(
    kind: str,
    domain: str,
    sha256: str,
    account_id: str,
    now: datetime,
    days: int | None,
    more: dict[str, object],
) -> Event:
    data = {"account_id": account_id or None, "domain": domain, "certificate_sha256": sha256}
    return Event(
        event_id=event_id(kind, domain, sha256, days),
        account_id=account_id,
        version=0,
        kind=kind,
        happened_at=now,
        body=envelope(kind, now, {**data, **more}),
    )


def served(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[ServedCertificate]:
    """The TLS certificates that edges serve now, by domain."""
    result = connection.execute(
        sql.text("statements/https/facts/served_certificates"), {"now": naive(now)}
    )
    return sql.rows(result, ServedCertificate)


def ending(connection: duckdb.DuckDBPyConnection, *, now: datetime) -> tuple[str, ...]:
    """Those for which a person is needed, a line each."""
    return tuple(
        f"{one.domain}: the certificate of {one.issuer} ends {minute_text(one.not_after)}"
        for one in served(connection, now)
        if (reached := step(one, now)) is not None and reached <= PERSON_DAYS
    )


def record(store: Store, *, now: datetime) -> int:
    """Put what is due into the outbox; returns how many events that were."""
    connection = store.connection
    told = sql.rows(
        connection.execute(sql.text("statements/https/facts/told_certificates")), ToldCertificate
    )
    due = list(events(served(connection, now), told, now=now))
    if due:
        effect = as_effect([event_row(one) for one in due], EVENT_COLUMNS)
        store.commit("https_expiry", {"events": effect}, at=now)
    return len(due)
