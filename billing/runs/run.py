"""`edgetoll billing rate`: one run from closed hours to posted charges, states and the lake.

Import what is new, rate it, ask the breaker, write one journal record, post, judge the accounts,
publish. A run that finds nothing new writes nothing. Killed at any step it can simply be run again:
what reached the journal is applied, what did not is computed anew, and both ends have the same
ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

import sql
from billing.accounts.load import publish_owned_domains, refresh_accounts
from billing.checks import invariants, red
from billing.ledger.transfers import instant_text, post_charges
from billing.runs import breaker
from billing.runs.import_hours import ImportOutcome, import_closed, rated_through
from billing.runs.records import RunOutcome, RunSettings, read_settings
from billing.store.journal import Record
from billing.store.store import Effects, Store, TableRef, applier
from edge.crash_point import crash_point
from edge.errors import ConflictError, Corrupt, InputError

if TYPE_CHECKING:
    from billing.prices import PriceBooks
    from billing.rating.records import RatingOutcome


__all__ = ["RunOutcome", "RunSettings", "after", "check", "rate", "read_settings", "release"]


def rate(
    store: Store,
    *,
    books: PriceBooks,
    settings: RunSettings,
    at: datetime,
    through: datetime | None = None,
    dry_run: bool = False,
) -> RunOutcome:
    """Import and rate every closed hour up to `through` (default: all that have ended at `at`).

    Raises InputError for a future hour (FAULTS G7), Corrupt for a damaged file or chain.
    """
    if through is not None and through > at:
        raise InputError(
            f"{instant_text(through)}Z has not passed at {instant_text(at)}Z",
            "only hours that have ended are rated",
        )
    bring_terms_up(store, at)
    imported = import_closed(store, at=at, too_old_days=settings.too_old_days)
    crash_point("rate-imported")
    return _rate_imported(store, books, settings, at, imported, through=through, dry_run=dry_run)


def release(
    store: Store,
    run_id: str,
    *,
    reason: str,
    books: PriceBooks,
    settings: RunSettings,
    at: datetime,
) -> RunOutcome:
    """Post a run that the breaker held, on a person's word, if it still charges what they saw.

    Raises InputError for an unknown run or an empty reason, ConflictError if the run is not held or
    its totals have changed since.
    """
    if not reason.strip():
        raise InputError("a release needs a reason", "say why the total is right: --reason TEXT")
    row = store.connection.execute(
        sql.text("statements/billing/run_by_id"), {"run_id": run_id}
    ).fetchone()
    if row is None:
        raise InputError(f"there is no run {run_id!r}", "see `edgetoll billing rate --json`")
    state, through, seen, _ = row
    if state != "held":
        raise ConflictError(f"run {run_id} is {state}, not held", "nothing to release")
    outcome = _engine_rate(store, books, run_id, through.replace(tzinfo=UTC))
    totals = _totals(store.connection, outcome)
    if breaker.to_text(totals) != seen:
        raise ConflictError(
            f"run {run_id} charges something else now than when it was held",
            "run edgetoll billing rate: it holds the new total for you to see",
        )
    return _post(
        store, outcome, _Run(run_id=run_id, state="released", reason=reason, at=at,
                             through=through.replace(tzinfo=UTC), totals=totals),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    run_id: str
    state: str
    reason: str
    at: datetime
    through: datetime
    totals: tuple[breaker.Total, ...]


def bring_terms_up(store: Store, at: datetime) -> None:
    """Account versions that came into force since the last record take effect now (FAULTS G22)."""
    due = store.value("statements/billing/due_account_versions", {"now": instant_text(at)})
    if due:
        store.commit("terms", {"accounts": due}, at=at)


@applier("terms")
def _apply_terms(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    refresh_accounts(connection, record.at)


def _rate_imported(
    store: Store,
    books: PriceBooks,
    settings: RunSettings,
    at: datetime,
    imported: ImportOutcome,
    *,
    through: datetime | None,
    dry_run: bool,
) -> RunOutcome:
    whole = rated_through(store, at=at)
    if whole is None:
        return RunOutcome(state="waiting", imported=imported)
    last = store.connection.execute(sql.text("statements/billing/last_run")).fetchone()
    whole = min(whole, through) if through is not None else whole
    if last is not None:
        whole = max(whole, last[1].replace(tzinfo=UTC))
    run_id = f"R{store.journal.last_no + 1:08d}"
    outcome = _engine_rate(store, books, run_id, whole)
    totals = _totals(store.connection, outcome)
    run = _Run(run_id=run_id, state="done", reason="", at=at, through=whole, totals=totals)
    held_hours, held_count = outcome.held, outcome.held_count
    if dry_run:
        return RunOutcome(state="dry", through=whole, imported=imported, totals=totals,
                          held_hours=held_hours, held_count=held_count)  # fmt: skip
    if _nothing_new(store, outcome, last, whole):
        return RunOutcome(
            state="nothing",
            through=whole,
            imported=imported,
            held_hours=held_hours,
            held_count=held_count,
        )
    why = breaker.verdict(totals, _history(store.connection), settings.limits())
    if why is not None:
        return _hold(store, run, why, imported)
    done = _post(store, outcome, run)
    return RunOutcome(
        state="done",
        run_id=run_id,
        through=whole,
        imported=imported,
        totals=totals,
        held_hours=held_hours,
        held_count=held_count,
        journal_no=done.journal_no,
    )


def _engine_rate(store: Store, books: PriceBooks, run_id: str, through: datetime) -> RatingOutcome:
    from billing.rating import engine

    outcome = engine.rate(store.connection, books=books, run_id=run_id, through=through)
    crash_point("rate-rated")
    return outcome


def _totals(
    connection: duckdb.DuckDBPyConnection, outcome: RatingOutcome
) -> tuple[breaker.Total, ...]:
    connection.register("run_charges", connection.table(outcome.effects["charges"]))
    try:
        rows = connection.execute(sql.text("statements/billing/charge_totals")).fetchall()
    finally:
        connection.unregister("run_charges")
    return tuple(
        breaker.Total(
            currency=currency,
            period_kind=kind,
            amount=int(amount),
            gross=int(gross),
            periods=periods,
            charges=charges,
        )
        for currency, kind, amount, gross, periods, charges in rows
    )


def _history(connection: duckdb.DuckDBPyConnection) -> list[list[breaker.Total]]:
    rows = connection.execute(
        sql.text("statements/billing/recent_runs"), {"limit": breaker.HISTORY}
    ).fetchall()
    return [breaker.from_text(text) for (text,) in rows]


def _nothing_new(
    store: Store, outcome: RatingOutcome, last: tuple[Any, ...] | None, through: datetime
) -> bool:
    """True when this run would leave everything as it is (FAULTS G2)."""
    if outcome.charges or outcome.effects.keys() - {"charges"}:
        return False
    if last is None or last[1].replace(tzinfo=UTC) != through:
        return False
    if last[2] != store.value("statements/billing/last_import"):
        return False
    pending = store.value("statements/billing/pending_changes", {"through": last[1]})
    return bool(pending == 0)


def _hold(store: Store, run: _Run, why: str, imported: ImportOutcome) -> RunOutcome:
    """Record that the run waits; a run that is held already with the same totals stays as it is."""
    held = store.connection.execute(sql.text("statements/billing/held_run")).fetchone()
    run_id, number = run.run_id, None
    if held is not None and held[2] == breaker.to_text(run.totals):
        run_id = held[0]
    else:
        effect = {**_effect(store, run), "state": "held", "reason": why}
        number = store.commit("run_held", {"run": effect}, at=run.at)
    return RunOutcome(
        state="held",
        run_id=run_id,
        through=run.through,
        imported=imported,
        totals=run.totals,
        reason=why,
        journal_no=number,
    )


def _effect(store: Store, run: _Run) -> dict[str, Any]:
    import_no = store.value("statements/billing/last_import")
    return {
        "run_id": run.run_id,
        "kind": "rating_run",
        "ran_at": instant_text(run.at),
        "state": run.state,
        "through_hour": instant_text(run.through),
        "import_no": import_no,
        "charges": sum(total.charges for total in run.totals),
        "hours": max((total.periods for total in run.totals), default=0),
        "totals": breaker.to_text(run.totals),
        "reason": run.reason,
    }


def _post(store: Store, outcome: RatingOutcome, run: _Run) -> RunOutcome:
    effects: dict[str, Any] = {name: TableRef(table) for name, table in outcome.effects.items()}
    effects |= {"rating_mark": dict(outcome.mark), "run": _effect(store, run)}
    number = store.commit("rating_run", effects, at=run.at)
    _read_back(store, number, run.totals)
    crash_point("rate-posted")
    return RunOutcome(
        state="done", run_id=run.run_id, through=run.through, totals=run.totals, journal_no=number
    )


def _read_back(store: Store, number: int, totals: Sequence[breaker.Total]) -> None:
    """What stands in the tables and in the journal's file is what the run computed: charges, their
    sum, money moved. A rebuild would read the file, which nothing has read so far.
    """
    file = store.journal.effect_path(store.journal.effect_file(number, "charges"))
    stored = store.connection.execute(
        sql.text("statements/billing/run_effect_of"), {"journal_no": number, "file": str(file)}
    ).fetchall()[0]
    charges = sum(total.charges for total in totals)
    amount = sum(total.amount for total in totals)
    wanted = (charges, amount, amount, charges, amount)
    if stored != wanted:
        raise Corrupt(
            f"journal record {number} posted {stored}, the run computed {wanted}",
            "run edgetoll check",
        )


@applier("run_held")
def _apply_held(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    connection.execute(sql.text("statements/billing/end_held_runs"))
    _insert_run(connection, record, effects["run"])


@applier("rating_run")
def _apply_rating(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    from billing.rating import appliers

    run = effects["run"]
    refresh_accounts(connection, record.at)
    connection.execute(
        sql.text("statements/billing/insert_charges"),
        {"run_id": run["run_id"], "journal_no": record.number},
    )
    post_charges(connection, record)
    appliers.apply(connection, effects)
    connection.execute(sql.text("statements/billing/clear_replay_marks"))
    connection.execute(sql.text("statements/billing/drop_run"), {"run_id": run["run_id"]})
    connection.execute(sql.text("statements/billing/end_held_runs"))
    _insert_run(connection, record, run)


def _insert_run(
    connection: duckdb.DuckDBPyConnection, record: Record, run: Mapping[str, Any]
) -> None:
    connection.execute(
        sql.text("statements/billing/insert_run"), {**run, "journal_no": record.number}
    )


def check(store: Store, done: RunOutcome, *, at: datetime) -> str | None:
    """Hold the checks against what a run posted; says what is red, None if nothing is.

    A red check is written to HOME/checks.json before accounts are judged, since nobody moves to
    suspension while one stands (FAULTS U3). `edgetoll check` writes it green again.
    """
    if done.state != "done":
        return None
    return check_record(store, done.journal_no, at=at)


def check_record(store: Store, journal_no: int | None, *, at: datetime) -> str | None:
    """The same for any record; what was red before stays red beside it."""
    failures = invariants.run(store.connection, scope=journal_no) if journal_no else []
    if not failures or journal_no is None:
        return None
    red.note_record(store.home, failures, record=journal_no, at=at)
    return f"check {failures[0].check} is red after record {journal_no}: {failures[0].what}"


def after(store: Store, *, at: datetime) -> None:
    """What follows every change of money: invoices paid, accounts judged, the stop list and the
    lake published. Who pays is off the list before the command ends.
    """
    from billing.balance import states
    from billing.invoices import payments
    from billing.lake import publish
    from billing.outbox import stop_list

    payments.settle(store, at=at)
    states.refresh(store, now=at)
    crash_point("rate-judged")
    stop_list.publish(store, now=at)
    publish_owned_domains(store, store.home / "lake" / "owned_domains.txt")
    publish.publish(store)
