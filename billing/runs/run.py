"""`edgetoll billing rate`: one run from closed hours to posted charges, states and the lake.

Import what is new, rate it, ask the breaker, write one journal record, post; what follows stands in
`billing.follow_up`. A run that finds nothing new writes nothing. Killed at any step it can simply
be run again: what reached the journal is applied, what did not is computed anew, and both ends have
the same ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

import sql
from billing.accounts.appliers import refresh_accounts, versions_due
from billing.accounts.renewals import renew
from billing.instants import aware, instant_text
from billing.ledger.transfers import post_charges
from billing.runs import breaker
from billing.runs.import_hours import ImportOutcome, SeenFolders, import_closed, rated_through
from billing.runs.records import RunOutcome
from billing.runs.settings import RunSettings
from billing.store import charges_at_hand
from billing.store.journal import Record
from billing.store.session import TableRef
from billing.store.store import Effects, Store
from edge.crash_point import crash_point
from edge.errors import ConflictError, Corrupt, InputError

if TYPE_CHECKING:
    from billing.prices import PriceBooks
    from billing.rating.records import RatingOutcome


NUMBERS = (
    "quantity", "free_quantity", "plan_quantity", "billable_quantity", "amount", "place_from",
)  # fmt: skip
"""What each file of charges has in 38 digits, whether a run needed them or not."""


def rate(
    store: Store,
    *,
    books: PriceBooks,
    settings: RunSettings,
    at: datetime,
    through: datetime | None = None,
    dry_run: bool = False,
    seen: SeenFolders | None = None,
) -> RunOutcome:
    """Import and rate every closed hour up to `through` (default: all that have ended at `at`).

    `seen`: the folders of closed hours that this process has looked into before.

    Raises InputError for a future hour (FAULTS G7), Corrupt for a damaged file or chain.
    """
    if through is not None and through > at:
        raise InputError(
            f"{instant_text(through)}Z has not passed at {instant_text(at)}Z",
            "only hours that have ended are rated",
        )
    bring_terms_up(store, at)
    renew(store, at=at)
    imported = import_closed(store, at=at, too_old_days=settings.too_old_days, seen=seen)
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
    result = store.connection.execute(sql.text("statements/runs/run/run_by_id"), {"run_id": run_id})
    found = sql.row(result, _StoredRun)
    if found is None:
        raise InputError(f"there is no run {run_id!r}", "see `edgetoll billing rate --json`")
    if found.state != "held":
        raise ConflictError(f"run {run_id} is {found.state}, not held", "nothing to release")
    through = aware(found.through_hour)
    outcome = _engine_rate(store, books, run_id, through)
    totals = _totals(store.connection, outcome)
    if breaker.to_text(totals) != found.totals:
        raise ConflictError(
            f"run {run_id} charges something else now than when it was held",
            "run edgetoll billing rate: it holds the new total for you to see",
        )
    run = _Run(
        run_id=run_id, state="released", reason=reason, at=at, through=through, totals=totals
    )
    return _post(store, outcome, run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    run_id: str
    state: str
    reason: str
    at: datetime
    through: datetime
    totals: tuple[breaker.Total, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredRun:
    state: str
    through_hour: datetime
    totals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldRun:
    run_id: str
    totals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    totals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunEffect:
    """What a record charged: as the store sees it, and in the journal's file by itself."""

    charges: int
    amount: int
    journaled_charges: int
    journaled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a run finds: the last run that posted, the last import, pasts that wait for a look."""

    last_through: datetime | None
    last_run_import: int | None
    last_import: int
    pending: int


def _facts(store: Store) -> _Facts:
    found = sql.row(store.connection.execute(sql.text("statements/runs/run/run_facts")), _Facts)
    assert found is not None, "the facts are one row"
    return found


def bring_terms_up(store: Store, at: datetime) -> None:
    """Account versions that came into force since the last record take effect now (FAULTS G22)."""
    due = versions_due(store.connection, at)
    if due:
        store.commit("terms", {"accounts": due}, at=at)


def apply_terms(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Let the account versions that are in force at the record's time take effect."""
    refresh_accounts(connection, record)


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
    facts = _facts(store)
    whole = min(whole, through) if through is not None else whole
    if facts.last_through is not None:
        whole = max(whole, aware(facts.last_through))
    run_id = f"R{store.journal.last_no + 1:08d}"
    outcome = _engine_rate(store, books, run_id, whole)
    totals = _totals(store.connection, outcome)
    run = _Run(run_id=run_id, state="done", reason="", at=at, through=whole, totals=totals)
    held_hours, held_count = outcome.held, outcome.held_count
    if dry_run:
        return RunOutcome(state="dry", through=whole, imported=imported, totals=totals,
                          held_hours=held_hours, held_count=held_count)  # fmt: skip
    if _nothing_new(outcome, facts, whole):
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
    connection.register(
        "run_charges", connection.table(outcome.numbered or outcome.effects["charges"])
    )
    try:
        result = connection.execute(sql.text("statements/runs/run/charge_totals"))
        return tuple(sql.rows(result, breaker.Total))
    finally:
        connection.unregister("run_charges")


def _history(connection: duckdb.DuckDBPyConnection) -> list[list[breaker.Total]]:
    result = connection.execute(
        sql.text("statements/runs/run/recent_totals"), {"limit": breaker.HISTORY}
    )
    return [breaker.from_text(one.totals) for one in sql.rows(result, _Totals)]


def _nothing_new(outcome: RatingOutcome, facts: _Facts, through: datetime) -> bool:
    """True when this run would leave everything as it is (FAULTS G2)."""
    if outcome.charges or outcome.effects.keys() - {"charges"}:
        return False
    if facts.last_through is None or aware(facts.last_through) != through:
        return False
    return facts.last_run_import == facts.last_import and facts.pending == 0


def _hold(store: Store, run: _Run, why: str, imported: ImportOutcome) -> RunOutcome:
    """Record that the run waits; a run that is held already with the same totals stays as it is."""
    held = sql.row(store.connection.execute(sql.text("statements/runs/run/held_run")), _HeldRun)
    run_id, number = run.run_id, None
    if held is not None and held.totals == breaker.to_text(run.totals):
        run_id = held.run_id
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


def _effect(store: Store, run: _Run) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "kind": "rating_run",
        "ran_at": instant_text(run.at),
        "state": run.state,
        "through_hour": instant_text(run.through),
        "import_no": _facts(store).last_import,
        "charges": sum(total.charges for total in run.totals),
        "hours": max((total.periods for total in run.totals), default=0),
        "totals": breaker.to_text(run.totals),
        "reason": run.reason,
    }


def _post(store: Store, outcome: RatingOutcome, run: _Run) -> RunOutcome:
    effects: dict[str, object] = {name: TableRef(table) for name, table in outcome.effects.items()}
    effects |= {"rating_mark": dict(outcome.mark), "run": _effect(store, run)}
    effects["charges"] = _charges_to_post(store, run.run_id, by_number=outcome.numbered is not None)
    number = store.commit("rating_run", effects, at=run.at)
    store.connection.execute(sql.text("statements/runs/run/drop_posted"))
    _read_back(store, number, run.totals)
    crash_point("rate-posted")
    return RunOutcome(
        state="done", run_id=run.run_id, through=run.through, totals=run.totals, journal_no=number
    )


def _charges_to_post(store: Store, run_id: str, *, by_number: bool) -> TableRef:
    """The charges as their file keeps them, each with its run and record."""
    store.connection.execute(
        sql.text("statements/runs/run/set_posting"),
        {"run_id": run_id, "journal_no": store.journal.last_no + 1},
    )
    store.connection.execute(sql.text("statements/runs/run/charges_to_post"))
    applied = "numbered_to_post" if by_number else None
    return TableRef("charges_to_post", order="", decimals=NUMBERS, applied=applied)


def _read_back(store: Store, number: int, totals: Sequence[breaker.Total]) -> None:
    """What the store sees and what stands in the journal's file is what the run computed: charges
    and their sum. The file is the charge, and nothing has read it so far.
    """
    file = store.journal.effect_path(store.journal.effect_file(number, "charges"))
    result = store.connection.execute(
        sql.text("statements/runs/run/run_effect_of"), {"journal_no": number, "file": str(file)}
    )
    stored = sql.row(result, _RunEffect)
    charges = sum(total.charges for total in totals)
    amount = sum(total.amount for total in totals)
    wanted = _RunEffect(
        charges=charges,
        amount=amount,
        journaled_charges=charges,
        journaled=amount,
    )
    if stored != wanted:
        raise Corrupt(
            f"journal record {number} posted {stored}, the run computed {wanted}",
            "run edgetoll check",
        )


def apply_held(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Note a run that waits for a person; it supersedes one that waited before."""
    connection.execute(sql.text("statements/runs/run/end_held_runs"))
    _insert_run(connection, record, effects["run"])


def apply_rating(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Add a run's charges, post them, move rating's own tables, and note the run."""
    from billing.rating import appliers

    run = effects["run"]
    refresh_accounts(connection, record)
    post_charges(connection, record, run_id=run["run_id"])
    _keep_late(connection, record)
    appliers.apply(connection, effects)
    charges_at_hand.let_go(connection)
    connection.execute(sql.text("statements/runs/run/clear_replay_marks"))
    connection.execute(sql.text("statements/runs/run/drop_run"), {"run_id": run["run_id"]})
    connection.execute(sql.text("statements/runs/run/end_held_runs"))
    _insert_run(connection, record, run)


def _keep_late(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Note the charges of months that have an invoice; where all are later there are none."""
    issued = connection.execute(sql.text("statements/runs/run/last_issued")).fetchall()[0][0]
    first = charges_at_hand.facts(connection).first_month
    if issued is not None and first is not None and first <= issued:
        connection.execute(sql.text("statements/runs/run/keep_late"), {"journal_no": record.number})


def _insert_run(
    connection: duckdb.DuckDBPyConnection, record: Record, run: Mapping[str, object]
) -> None:
    connection.execute(
        sql.text("statements/runs/run/insert_run"), {**run, "journal_no": record.number}
    )
