"""Usage of months long past: its rows in the store and the lake, and the data of its closed hours.

A record of kind `usage_pruned` says before which hour. What was charged stays, hour by hour, and so
do certificates, invoices and what they say of usage. It waits for whatever still needs the usage: a
month that is on no invoice, an hour without a price, a past that is to be rated again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

import sql
from billing.instants import instant_text, naive
from billing.prune.settings import month_start
from billing.store import gone
from billing.store.journal import Journal, Record
from billing.store.store import Effects, Store
from edge.errors import Corrupt
from metering.closed import closed_file

OTHER_ZONES = timedelta(days=1)
"""Somewhere the month before still lasts so long, or begins so early: its last day is kept too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDue:
    """Usage that may go: of hours before `before`, and what waits for it (blank: nothing)."""

    before: datetime
    files: int
    rows: int
    bytes: int
    needed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """What goes, as the store and the record state it."""

    files: int
    rows: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClosedFile:
    hour: datetime
    partition: str
    revision: int


def due(store: Store, *, months: int, too_old_days: int, at: datetime) -> UsageDue | None:
    """Usage of hours that lie more than `months` months and `too_old_days` days back; None where
    there is none.
    """
    kept = min(month_start(at, months=months), month_start(at - timedelta(days=too_old_days)))
    before = kept - OTHER_ZONES
    found = _totals(store.connection, before)
    if not found.files:
        return None
    needed = sql.rows(
        store.connection.execute(
            sql.text("statements/prune/usage/needed"),
            {"before": naive(before), "month": f"{kept:%Y-%m}"},
        ),
        _Needed,
    )
    files = [path for path in _data_files(store, naive(before)) if path.exists()]
    return UsageDue(
        before=before,
        files=found.files,
        rows=found.rows,
        bytes=sum(path.stat().st_size for path in files),
        needed=needed[0].why if needed else "",
    )


def _totals(connection: duckdb.DuckDBPyConnection, before: datetime) -> _Totals:
    found = connection.execute(sql.text("statements/prune/usage/totals"), {"before": naive(before)})
    return sql.rows(found, _Totals)[0]


def prune(store: Store, wanted: UsageDue, *, at: datetime) -> int:
    """Take the usage out of the store by a record, whose number is returned; files stay as yet."""
    totals = asdict(_totals(store.connection, wanted.before))
    effect = {"hours_before": instant_text(wanted.before), **totals}
    return store.commit(gone.USAGE_KIND, {"usage": effect}, at=at)


def apply_pruned(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Take the usage of the hours before the record's out of the tables."""
    stated = effects["usage"]
    before = datetime.fromisoformat(gone.hours_before(record)).replace(tzinfo=UTC)
    found = _totals(connection, before)
    if found != _Totals(**{name: stated[name] for name in asdict(found)}):
        raise Corrupt(
            f"journal record {record.number} prunes other usage than there is: {found}",
            "run edgetoll check",
        )
    hours = {"before": naive(before)}
    connection.execute(sql.text("statements/prune/usage/take_out"), hours)
    connection.execute(sql.text("statements/prune/usage/forget_moved_days"), hours)
    connection.execute(
        sql.text("statements/prune/usage/note"), {**hours, "journal_no": record.number}
    )


def data_left(store: Store) -> Iterator[Path]:
    """Data of closed hours whose usage was taken out, and that is still there."""
    before = gone.usage_before(store.connection)
    if before is not None:
        yield from (path for path in _data_files(store, before) if path.exists())


def _data_files(store: Store, before: datetime) -> Iterator[Path]:
    found = store.connection.execute(
        sql.text("statements/prune/usage/closed_files"), {"before": before}
    )
    for one in sql.rows(found, _ClosedFile):
        hour = one.hour.replace(tzinfo=UTC)
        yield closed_file(store.home, hour, one.partition, one.revision).data_path


def pruned_before(home: Path) -> datetime | None:
    """Before which hour the journal of a home says that usage was pruned; None: it does not, or
    cannot be believed, which whoever opens the store says.
    """
    journal = Journal(home / "journal")
    try:
        journal.verify()
    except Corrupt:
        return None
    texts = [gone.hours_before(record) for record in journal.of_kind(gone.USAGE_KIND)]
    return datetime.fromisoformat(max(texts)).replace(tzinfo=UTC) if texts else None
