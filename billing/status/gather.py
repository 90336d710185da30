"""Gathers what is known of a home: spools, what metering publishes, the billing store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

import sql
from billing.appliers import open_store
from billing.checks import red
from billing.checks.exposed import open_to_others
from billing.https import edge_facts, expiry
from billing.instants import aware, aware_or_none
from billing.outbox.settings import read_delivery
from billing.outbox.undone import undone
from billing.prices import load_books
from billing.prices.records import PriceBooks
from billing.status import unowned
from billing.status.facts import (
    BillingFact,
    EdgeFact,
    HomeFacts,
    MeteringFact,
    StoreFacts,
)
from billing.status.hours import incomplete_hours
from billing.status.overrides import overrides_of_nobody
from billing.status.unissued import unissued_months
from billing.store.journal import newest_at
from billing.store.store import PATIENCE_SECONDS, STORE_NAME
from edge.agent.status import edge_statuses
from edge.errors import Busy, Corrupt, EdgetollError
from edge.https.status import read_status
from edge.terminal import parse_time
from metering.status import ANEW, EdgeStatus, MeteringStatus, files, lost, read_file

SPOOL = "spool"
"""The partition that is a spool folder, not a broker's."""


def gather(home: Path, *, now: datetime) -> HomeFacts:
    """All of a home; a store that cannot be opened, on a full disk say, hides nothing else. Busy
    when somebody else has it for too long.
    """
    facts = around(home, now=now)
    if not (home / "journal" / "journal.jsonl").exists() and not home.joinpath(STORE_NAME).exists():
        return facts  # nothing was ever written: opening it would make a store
    try:
        with open_store(
            home, owner="edgetoll status", now=now, wait_seconds=PATIENCE_SECONDS
        ) as store:
            return replace(facts, store=of_store(store.connection, home, now=now))
    except Busy:
        raise
    except EdgetollError as error:
        return replace(facts, unreadable=str(error))


def around(home: Path, *, now: datetime) -> HomeFacts:
    """What is known without the billing store."""
    found, alarms = _published(home)
    return HomeFacts(
        at=now,
        edges=_edges(home, found, now=now),
        metering=_metering(home, found, alarms),
        checks=red.read(home),
        newest_record=newest_at(home / "journal" / "journal.jsonl"),
        exposed=tuple(open_to_others(home)),
        prices=_prices(home)[1],
        https=read_status(home).trouble,
    )


def _prices(home: Path) -> tuple[PriceBooks, str | None]:
    """The price books, and why one cannot be used; None: all can, or there is none yet."""
    if not any((home / "prices").glob("*.toml")):
        return PriceBooks(books={}), None
    try:
        return load_books(home / "prices"), None
    except EdgetollError as error:
        return PriceBooks(books={}), error.message


def of_store(connection: duckdb.DuckDBPyConnection, home: Path, *, now: datetime) -> StoreFacts:
    """What the open billing store says."""
    billing = sql.row(
        connection.execute(sql.text("statements/status/status/billing_facts")), BillingFact
    )
    return StoreFacts(
        billing=billing or BillingFact(),
        incomplete=incomplete_hours(connection, now=now),
        unissued=unissued_months(connection, now=now),
        unowned=unowned.lately(connection),
        expiring=expiry.ending(connection, now=now),
        overrides=tuple(overrides_of_nobody(connection, _prices(home)[0], home)),
        https_facts=edge_facts.find_new(connection, home).trouble,
        endpoints=tuple(
            one for one in undone(connection, read_delivery(home), now=now) if one.cause
        ),
    )


def _published(home: Path) -> tuple[MeteringStatus, tuple[str, ...]]:
    """What the workers publish together, and those whose file cannot be read."""
    found, unreadable = MeteringStatus(), [f"{path} is missing: {ANEW}" for path in lost(home)]
    for path in files(home):
        try:
            found = found.with_worker(read_file(path))
        except Corrupt as error:
            unreadable.append(error.message)
    return found, tuple(unreadable)


def _metering(home: Path, found: MeteringStatus, unreadable: tuple[str, ...]) -> MeteringFact:
    begun = [parse_time(f"{hour.hour}:00") for hour in found.hours if hour.state == "open"]
    ends = [
        parse_time(f"{one.complete_through}:00")
        for one in found.partitions
        if one.complete_through is not None
    ]
    return MeteringFact(
        workers=len(files(home)),
        fresh_at=None if found.fresh_at is None else parse_time(found.fresh_at),
        adds_up=found.adds_up,
        accepted=found.accepted,
        quarantined=found.quarantined,
        alarms=(*found.alarms, *unreadable),
        complete_through=min(ends, default=None),
        is_live=any(one.partition != SPOOL for one in found.partitions),
        unread=tuple(f"{one.edge_id}: {one.what}, since {one.since}" for one in found.unread),
        open_hours=len(begun),
        oldest_open=min(begun, default=None),
    )


def _edges(home: Path, found: MeteringStatus, *, now: datetime) -> tuple[EdgeFact, ...]:
    """Each edge that has a spool here or that metering knows, by name."""
    edges = {one.edge_id: _metered(one, now=now) for one in found.edges}
    for document in edge_statuses(home, now):
        name = str(document["edge_id"])
        edges[name] = _with_spool(edges.get(name, EdgeFact(edge_id=name)), document, now=now)
    return tuple(edges[name] for name in sorted(edges))


def _metered(edge: EdgeStatus, *, now: datetime) -> EdgeFact:
    promise = None if edge.watermark is None else parse_time(edge.watermark)
    until = None if edge.expected_until is None else parse_time(edge.expected_until)
    return EdgeFact(
        edge_id=edge.edge_id,
        promise=promise,
        lag_seconds=None if promise is None else int((now - promise).total_seconds()),
        expected_until=until,
        is_metered=True,
        read_to=None if edge.gaps else (edge.epoch, edge.sequence),
        gaps=len(edge.gaps),
    )


def _with_spool(edge: EdgeFact, document: Mapping[str, object], *, now: datetime) -> EdgeFact:
    """The edge with what its spool says."""
    promise = document.get("watermark")
    known = aware_or_none(promise if isinstance(promise, datetime) else edge.promise)
    problems: list[str] = []
    for key in ("problems", "held", "read_twice"):
        said = document.get(key)
        if isinstance(said, (list, tuple)):
            problems += [str(one) for one in said]
    refused = document.get("refused")
    counts = refused.values() if isinstance(refused, Mapping) else ()
    unread = document.get("unacknowledged_bytes")
    batches = document.get("batches")
    last = batches - 1 if isinstance(batches, int) else None
    if edge.read_to == (document.get("epoch"), last):
        unread = 0  # read, and acknowledged with the next checkpoint
    return replace(
        edge,
        promise=known,
        lag_seconds=None if known is None else int((aware(now) - known).total_seconds()),
        refused=sum(count for count in counts if isinstance(count, int)),
        unread_bytes=unread if isinstance(unread, int) else 0,
        problems=(*edge.problems, *problems),
    )
