"""What a round of the daemon does, step by step. Each step finds in the data what is due.

The store is opened once, for the steps that need it, and left before anybody is waited for: a
receiver, a broker. Commands of people get their turn meanwhile, and between rounds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

import sql
from billing.appliers import open_store
from billing.daemon.log import log
from billing.daemon.metrics import Board, VitalSigns
from billing.follow_up import RED_HINT, follow_up
from billing.instants import aware_or_none
from billing.outbox import deliver, stop_list
from billing.outbox.settings import read_delivery
from billing.outbox.undone import undone
from billing.runs.import_hours import SeenFolders
from billing.settings import read_daemon
from billing.status.gather import around, of_store
from billing.status.judge import findings
from billing.store.store import Store
from edge.errors import Corrupt, InputError

OWNER = "billing daemon"


@dataclass(kw_only=True)
class Turn:
    """What the steps of one round share. `now` is the moment the step at hand began."""

    home: Path
    board: Board
    seen: SeenFolders
    now: datetime
    is_due: bool = False
    """Somebody has to be told something."""
    is_judged: bool = False
    is_sound: bool = False
    """Every check was made in this round, and none is red."""
    _store: Store | None = field(default=None, repr=False)

    def store(self) -> Store:
        """The store, opened by the first step that needs it; Busy when somebody else has it."""
        if self._store is None:
            self._store = open_store(self.home, owner=OWNER, now=self.now)
        return self._store

    def leave(self, error: BaseException | None = None) -> None:
        """Close the store, if it is open. `error`: what a step met in it; it does not vouch for
        the file then, and the next step opens it anew.
        """
        store, self._store = self._store, None
        if store is not None:
            store.__exit__(None if error is None else type(error), error, None)


Step = Callable[[Turn], None]


def check(turn: Turn) -> None:
    """Run every invariant once a night and say which are red in HOME/checks.json."""
    if not _check_is_due(turn.home, turn.now):
        return
    from billing.checks import red
    from billing.commands.check import every_check

    state = red.note_full(turn.home, every_check(turn.home), at=turn.now)
    turn.is_sound = not state.red
    log("checked", checks=state.checks, red=state.names)


def _check_is_due(home: Path, now: datetime) -> bool:
    from billing.checks import red

    hour = read_daemon(home).check_hour
    due = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    due = due if due <= now else due - timedelta(days=1)
    last = red.read(home).full_at
    # A check of the future was noted by a clock that ran fast: it says nothing of now.
    return last is None or last < due or last > now + timedelta(days=1)


def rate(turn: Turn) -> None:
    """Import and rate closed hours, post, and what follows: checks, judging, the lake."""
    from billing.prices import load_books
    from billing.runs import run
    from billing.runs.settings import read_settings

    books = load_books(turn.home / "prices")
    settings = read_settings(turn.home)
    store = turn.store()
    done = run.rate(store, books=books, settings=settings, at=turn.now, seen=turn.seen)
    failing = follow_up(store, at=turn.now, record=done.journal_no, daily=True).red
    turn.is_judged = True
    if done.state not in ("nothing", "waiting"):
        log("rated", run=done.run_id, state=done.state, through=done.through, reason=done.reason)
    if failing:
        raise Corrupt(failing, RED_HINT)


def judge(turn: Turn) -> None:
    """Judge the accounts where rating failed: who paid is served again whatever a price book
    says.
    """
    if not turn.is_judged:
        follow_up(turn.store(), at=turn.now, daily=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Month:
    month: str


def invoice(turn: Turn) -> None:
    """Issue the invoices of past months that have none yet and whose hours are closed and rated:
    what a person approved, or the policy lets pass, unless the settings ask for no approval.
    """
    gate = read_daemon(turn.home).invoices
    if gate is False:
        return
    from billing.invoices.documents import writing

    store = turn.store()
    result = store.connection.execute(
        sql.text("statements/balance/daemon/months_due"),
        {"this_month": turn.now.astimezone(UTC).strftime("%Y-%m")},
    )
    for due in sql.rows(result, _Month):
        if gate is None:
            _issue_approved(store, due.month, turn.now)
        else:
            _issue(store, due.month, turn.now)
    for month in writing.missing(turn.home, store.connection):
        _write_documents(store, month)


def _issue_approved(store: Store, month: str, now: datetime) -> None:
    """Issue what the month's close lets pass; who waits is named, and asked for again later."""
    from billing.close import checklist, steps
    from billing.invoices.documents.kept import read_invoice_settings

    settings = read_invoice_settings(store.home)
    given = any(one.step == "approved" for one in checklist.taken(store, month))
    if settings.close.policy == "approve" and not given:
        _say_waiting(
            month, f"nobody has approved its close: edgetoll billing close --month {month}"
        )
        return
    try:
        _found, done = steps.issue(store, month, by=OWNER, settings=settings, at=now)
    except InputError as error:
        _say_waiting(month, error.message)
        return
    if done.issued.waiting:
        first = done.issued.waiting[0]
        _say_waiting(
            month,
            f"{first.problem}: {first.hint}",
            accounts=len(done.issued.waiting),
            account=first.account_id,
        )
    if done.issued.journal_no is not None:
        log("invoiced", month=month, journal_no=done.issued.journal_no)


def _say_waiting(month: str, reason: str, *, accounts: int = 0, account: str = "") -> None:
    whose = {"accounts": accounts, "account": account} if accounts else {}
    log("waiting", trace=False, step="invoice", month=month, **whose, reason=reason)


def _issue(store: Store, month: str, now: datetime) -> None:
    from billing.invoices.documents import writing
    from billing.invoices.documents.kept import read_invoice_settings
    from billing.invoices.run import Order, issue

    settings = read_invoice_settings(store.home)
    order = Order(month=month, account=None, at=now, draft=False, reissue=False)
    try:
        printing = writing.printing(store.home, settings)
        issued = issue(store, order, settings, printing=printing)
    except InputError as error:
        # Not due yet (hours still open, a zone whose month has not ended): asked again later.
        log("waiting", step="invoice", month=month, reason=error.message)
        return
    if issued.waiting:
        first = issued.waiting[0]
        log(
            "waiting",
            step="invoice",
            month=month,
            accounts=len(issued.waiting),
            account=first.account_id,
            reason=f"{first.problem}: {first.hint}",
        )
    if issued.journal_no is None:
        return
    failing = follow_up(store, at=now, record=issued.journal_no).red
    log("invoiced", month=month, journal_no=issued.journal_no)
    if failing:
        raise Corrupt(failing, RED_HINT)


def _write_documents(store: Store, month: str) -> None:
    """Write a month's documents; also after a crash between issuing and writing (FAULTS G14)."""
    from billing.invoices.documents import writing
    from billing.invoices.documents.kept import read_invoice_settings

    settings = read_invoice_settings(store.home)
    writing.write_month(store.home, store.connection, month, settings.formats)
    log("documents", month=month)


def prune(turn: Turn) -> None:
    """After the nightly checks, if they are green, let go what the policy says is kept no longer.
    Where that is not asked for, say what would go.
    """
    if not turn.is_sound:
        return
    from billing.prune import plan
    from billing.prune.settings import read_prune

    store = turn.store()
    wanted = plan.look(store, settings=read_prune(turn.home), at=turn.now)
    ready = [one for one in wanted.steps() if not one.waits]
    is_done = read_daemon(turn.home).prune
    if ready and is_done:
        plan.carry_out(store, wanted, at=turn.now)
    for one in ready:
        log("pruned" if is_done else "prunable", what=one.what, files=one.files, bytes=one.bytes)


def look(turn: Turn) -> None:
    """Gather what is due to be told, and what the metrics say of the store."""
    store = turn.store()
    due = deliver.due_now(store.connection, read_delivery(turn.home), now=turn.now)
    turn.is_due = bool(due)
    _note(turn, store)


def _note(turn: Turn, store: Store) -> None:
    stored = of_store(store.connection, turn.home, now=turn.now)
    facts = replace(around(turn.home, now=turn.now), store=stored)
    signs = replace(
        vital_signs(store.connection, turn.home, now=turn.now),
        unowned_requests=stored.unowned.requests,
        held_hours=stored.billing.unpriced_hours,
        findings=findings(facts),
    )
    with turn.board.lock:
        turn.board.signs = signs


def stop(turn: Turn) -> None:
    """Tell the broker, where one is set, which domains edges must not serve."""
    settings = read_delivery(turn.home).stop_list
    if settings.kafka is None:
        return
    turn.leave()
    from billing.outbox.stop_topic import publish_changes

    publish_changes(turn.home, settings)


def tell(turn: Turn) -> None:
    """Send the events that are due, and again those whose time has come."""
    if not turn.is_due:
        return
    turn.leave()
    told = deliver.deliver(
        turn.home,
        open_store=open_store,
        now=turn.now,
        jitter_permille=_jitter_permille,
        stop=turn.board.stop.is_set,
        recorded=lambda store: _note(turn, store),
    )
    if told.counts:
        log("told", counts=told.counts)
    for name in told.disabled:
        log("endpoint_disabled", endpoint=name)
    if told.problems:
        raise told.problems[0]


STEPS: dict[str, Step] = {
    "check": check,
    "rate": rate,
    "judge": judge,
    "invoice": invoice,
    "prune": prune,
    "look": look,
    "stop": stop,
    "tell": tell,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    accounts: int
    runs_held: int
    usage_through: datetime | None
    unverified: str | None
    next_delivery_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _StateCount:
    state: str
    accounts: int


def vital_signs(connection: duckdb.DuckDBPyConnection, home: Path, *, now: datetime) -> VitalSigns:
    """What the store says of itself now."""
    found = sql.row(connection.execute(sql.text("statements/balance/daemon/vital_signs")), _Signs)
    assert found is not None, "the signs are one row"
    states = connection.execute(sql.text("statements/balance/states/counts"))
    counts = {one.state: one.accounts for one in sql.rows(states, _StateCount)}
    missed = undone(connection, read_delivery(home), now=now)
    return VitalSigns(
        at=now,
        accounts={"ok": found.accounts - sum(counts.values()), **counts},
        runs_held=found.runs_held,
        usage_through=aware_or_none(found.usage_through),
        unverified=found.unverified,
        waiting={one.endpoint: one.waiting for one in missed},
        given_up={one.endpoint: one.given_up for one in missed},
        disabled=tuple(one.endpoint for one in missed if one.off_since is not None),
        stopped_domains=len(stop_list.stopped_domains(connection, now=now)),
        next_delivery_at=aware_or_none(found.next_delivery_at),
    )


def next_round_at(home: Path, signs: VitalSigns | None, *, now: datetime) -> datetime:
    """When something may be due even if nothing changes: a judgement, a retry."""
    at = now + timedelta(minutes=read_daemon(home).judge_minutes)
    if signs is not None and signs.next_delivery_at is not None:
        return min(at, max(signs.next_delivery_at, now + timedelta(seconds=1)))
    return at


def _jitter_permille() -> int:
    return random.SystemRandom().randint(-100, 100)
