"""What a round of the daemon does, step by step. Each step finds in the data what is due.

Every step opens the store for itself and leaves it again: commands of people get their turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sql
from billing.balance.rows import aware
from billing.daemon.log import log
from billing.daemon.metrics import Board, VitalSigns
from billing.daemon.settings import read_daemon
from billing.outbox import daily_state, deliver, stop_list
from billing.outbox.settings import read_delivery
from billing.store.store import Store
from edge.errors import Corrupt, InputError

Step = Callable[[Path, datetime, Board], None]
OWNER = "billing daemon"
CHECK_HINT = "no account moves to suspension meanwhile; run edgetoll check"


def rate(home: Path, now: datetime, _board: Board) -> None:
    """Import and rate closed hours, post, check, judge the accounts, publish the lake."""
    from billing.prices import load_books
    from billing.runs import run

    books = load_books(home / "prices")
    settings = run.read_settings(home)
    with Store.open(home, owner=OWNER, now=now) as store:
        done = run.rate(store, books=books, settings=settings, at=now)
        red = run.check(store, done, at=now)
        run.after(store, at=now)
    if done.state not in ("nothing", "waiting"):
        log("rated", run=done.run_id, state=done.state, through=done.through, reason=done.reason)
    if red:
        raise Corrupt(red, CHECK_HINT)


def invoice(home: Path, now: datetime, _board: Board) -> None:
    """Issue the invoices of past months that have none yet and whose hours are closed and rated."""
    if not read_daemon(home).invoices:
        return
    this_month = now.astimezone(UTC).strftime("%Y-%m")
    with Store.open(home, owner=OWNER, now=now) as store:
        months = store.connection.execute(
            sql.text("statements/balance/months_due"), {"this_month": this_month}
        ).fetchall()
        for (month,) in months:
            _issue(store, month, now)
        for month, count in store.connection.execute(
            sql.text("statements/balance/documents_wanted")
        ).fetchall():
            if _documents(home, month) < count:
                _write_documents(store, month)


def _issue(store: Store, month: str, now: datetime) -> None:
    from billing.invoices.run import Order, issue, prepare
    from billing.invoices.settings import InvoiceSettings
    from billing.runs import run
    from edge.configfile import section

    settings = section(store.home, "invoices", InvoiceSettings)
    order = Order(month=month, account=None, at=now, draft=False, reissue=False)
    try:
        issued = issue(store, prepare(store, order, settings))
    except InputError as error:
        # Not due yet (hours still open, a zone whose month has not ended): asked again later.
        log("waiting", step="invoice", month=month, reason=error.message)
        return
    red = run.check_record(store, issued.journal_no, at=now)
    run.after(store, at=now)
    if issued.journal_no is not None:
        log("invoiced", month=month, journal_no=issued.journal_no)
    if red:
        raise Corrupt(red, CHECK_HINT)


def _documents(home: Path, month: str) -> int:
    """How many invoices of a month have been written out."""
    return sum(1 for _ in (home / "invoices" / month).glob("*.json"))


def _write_documents(store: Store, month: str) -> None:
    """Write a month's documents; also after a crash between issuing and writing (FAULTS G14)."""
    from billing.invoices import reading
    from billing.invoices.documents import files
    from billing.invoices.settings import InvoiceSettings
    from edge.configfile import section

    settings = section(store.home, "invoices", InvoiceSettings)
    documents = reading.of_month(store.connection, month, None)
    files.write(store.home, documents, settings.formats)
    log("documents", month=month)


def check(home: Path, now: datetime, _board: Board) -> None:
    """Run every invariant once a night and say which are red in HOME/checks.json."""
    if not _check_is_due(home, now):
        return
    from billing.checks import red
    from billing.commands.check import every_check

    state = red.note_full(home, every_check(home), at=now)
    log("checked", checks=state.checks, red=state.names)


def _check_is_due(home: Path, now: datetime) -> bool:
    from billing.checks import red

    hour = read_daemon(home).check_hour
    due = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    due = due if due <= now else due - timedelta(days=1)
    last = red.read(home).full_at
    # A check of the future was noted by a clock that ran fast: it says nothing of now.
    return last is None or last < due or last > now + timedelta(days=1)


def tell(home: Path, now: datetime, board: Board) -> None:
    """Send the events that are due, and again those whose time has come."""
    told = deliver.deliver(home, now=now, jitter_permille=_jitter_permille, stop=board.stop.is_set)
    if told.counts:
        log("told", counts=told.counts)
    for name in told.disabled:
        log("endpoint_disabled", endpoint=name)
    if told.problems:
        raise told.problems[0]


def stop(home: Path, now: datetime, _board: Board) -> None:
    """Publish which domains edges must not serve, and once a day how every account stands."""
    delivery = read_delivery(home)
    with Store.open(home, owner=OWNER, now=now) as store:
        stop_list.publish(store, now=now)
        daily_state.record_daily_state(store, now=now, due_hour=delivery.daily_state_hour)
    settings = delivery.stop_list
    if settings.kafka is not None:
        from billing.outbox.stop_topic import publish_changes

        publish_changes(home, settings)


def look(home: Path, now: datetime, board: Board) -> None:
    """Gather what the metrics say of the store."""
    with Store.open(home, owner=OWNER, now=now) as store:
        signs = vital_signs(store.connection, now=now)
    with board.lock:
        board.signs = signs


STEPS: dict[str, Step] = {
    "check": check,
    "rate": rate,
    "invoice": invoice,
    "stop": stop,
    "tell": tell,
    "look": look,
}


def vital_signs(connection: Any, *, now: datetime) -> VitalSigns:
    """What the store says of itself now."""
    row = connection.execute(sql.text("statements/balance/vital_signs")).fetchone()
    counts = dict(connection.execute(sql.text("statements/balance/state_counts")).fetchall())
    accounts = {"ok": row[0] - sum(counts.values()), **counts}
    waiting = dict(connection.execute(sql.text("statements/balance/backlog")).fetchall())
    off = connection.execute(sql.text("statements/balance/disabled_endpoints")).fetchall()
    return VitalSigns(
        at=now,
        accounts=accounts,
        runs_held=row[1],
        usage_through=aware(row[2]),
        unverified=row[3],
        waiting=waiting,
        disabled=tuple(name for name, _at, _reason in off),
        stopped_domains=len(stop_list.stopped_domains(connection, now=now)),
        next_delivery_at=aware(row[4]),
    )


def next_round_at(home: Path, signs: VitalSigns | None, *, now: datetime) -> datetime:
    """When something may be due even if nothing changes: a judgement, a retry."""
    at = now + timedelta(minutes=read_daemon(home).judge_minutes)
    if signs is not None and signs.next_delivery_at is not None:
        return min(at, max(signs.next_delivery_at, now + timedelta(seconds=1)))
    return at


def _jitter_permille() -> int:
    return random.SystemRandom().randint(-100, 100)
