"""`edgetoll billing load`: accounts, names, plans, methods, agreements enter the store.

Loading is idempotent by id, and whole or not at all: what is stored already is skipped, the same id
with other content is a named conflict, and one journal record holds all that is new. The past may
be changed by a load (a domain claimed later, a back-dated plan); rating is told from when, and
posts differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

import sql
from billing.accounts import compare
from billing.accounts.columns import (
    ACCOUNT_SCHEMA,
    AGREEMENT_SCHEMA,
    DATES_SCHEMA,
    DOMAIN_SCHEMA,
    METHOD_SCHEMA,
    PLAN_SCHEMA,
    REPLACED_SCHEMA,
    TAGS_SCHEMA,
)
from billing.accounts.compare import NewAccounts, NewFacts
from billing.accounts.file_rows import Loaded
from billing.accounts.reach import BookReach, refuse_unreachable
from billing.accounts.records import (
    AccountFact,
    AccountVersion,
    Agreement,
    LoadOutcome,
    MethodChange,
    Ownership,
    PlanBought,
    ReplacedFact,
    Tagged,
)
from billing.accounts.staging import (
    PlanBuyer,
    Registered,
    StagedLoad,
    stage,
)
from billing.instants import naive
from billing.store.given import table_of
from billing.store.store import Store
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnknownAccount:
    place: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _LimitInForce:
    account_id: str
    effective_from: datetime
    credit_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    plan_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyCommitment:
    """A commitment that begins before its account is open: it counts from then."""

    agreement_id: str
    account_id: str
    starts_at: datetime
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owned:
    """An ownership of an account, with when the account closes as it is stored."""

    ownership_id: str
    domain: str
    account_id: str
    effective_from: datetime
    effective_to: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """What a record will hold; `deltas`: by how much credit limits grow at once."""

    accounts: NewAccounts
    domains: NewFacts[Ownership]
    plans: NewFacts[PlanBought]
    agreements: NewFacts[Agreement]
    methods: list[MethodChange]
    deltas: dict[str, int]
    tags: list[Tagged]

    def counts(self) -> dict[str, int]:
        """How many rows of each kind are new, or put something right."""
        return {
            "accounts": len(self.accounts.versions) + len(self.accounts.dates),
            "domains": len(self.domains.new) + len(self.domains.ended),
            "plans": len(self.plans.new),
            "methods": len(self.methods),
            "agreements": len(self.agreements.new),
        }

    def touched(self) -> frozenset[str]:
        """The accounts that something is new of."""
        facts: list[AccountFact] = [*self.accounts.versions, *self.domains.new]
        facts += [*self.domains.ended, *self.plans.new, *self.methods, *self.agreements.new]
        return frozenset(fact.account_id for fact in facts) | self.accounts.dates.keys()

    def effects(self) -> dict[str, object]:
        """The tables of the record, but for those without rows."""
        replaced = [*self.domains.replaced, *self.plans.replaced, *self.agreements.replaced]
        tables = {
            "account_versions": table_of(self.accounts.versions, ACCOUNT_SCHEMA),
            "account_dates": table_of(self.accounts.dates.values(), DATES_SCHEMA),
            "domains": table_of(self.domains.new, DOMAIN_SCHEMA),
            "ended": table_of(self.domains.ended, DOMAIN_SCHEMA),
            "plans": table_of(self.plans.new, PLAN_SCHEMA),
            "agreements": table_of(self.agreements.new, AGREEMENT_SCHEMA),
            "replaced": table_of(replaced, REPLACED_SCHEMA),
            "methods": table_of(self.methods, METHOD_SCHEMA),
            "tags": table_of(self.tags, TAGS_SCHEMA),
        }
        return {name: table for name, table in tables.items() if table.num_rows}


def load(
    store: Store,
    loaded: Loaded,
    *,
    at: datetime,
    zone_of_book: Callable[[str], str],
    books: Mapping[str, BookReach] | None = None,
) -> LoadOutcome:
    """Store what is new in `loaded`, in one journal record.

    `zone_of_book` gives a price book's time zone, the default of its accounts, and raises for a
    book that does not exist; `books` says what plans and credits can pay for in each. Raises
    InputError or ConflictError naming the row's place; then nothing changed.
    """
    staged = stage(
        loaded, zone_of_book, opening=_opening(at), buyers=_buyers(store.connection, loaded)
    )
    with Registered(store.connection, staged.relations()):
        new = _new_of(store.connection, staged, at)
        if books is not None:
            refuse_unreachable(
                store.connection, staged, new.plans.new, new.agreements.new, books=books
            )
    effects, counts = new.effects(), new.counts()
    given = {
        "accounts": len(staged.accounts),
        "domains": len(staged.domains),
        "plans": len(staged.plans),
        "methods": len(staged.methods),
    }
    if staged.agreements:
        given["agreements"] = len(staged.agreements)
    else:
        del counts["agreements"]
    if staged.tags:
        given["tags"], counts["tags"] = len(staged.tags), len(new.tags)
    known = {kind: max(0, count - counts[kind]) for kind, count in given.items()}
    if not effects:
        return LoadOutcome(new=counts, known=known)
    if new.deltas:
        # The states that another credit limit changes change in the same record (FAULTS G22).
        from billing.balance.states import funding_effects

        effects |= funding_effects(store, new.deltas, now=at)
    number = store.commit("load", effects, at=at)
    return LoadOutcome(
        new=counts,
        known=known,
        journal_no=number,
        accounts=new.touched(),
        opened={one.account_id: one.opened_at for one in new.accounts.versions},
    )


def early_commitments(
    connection: duckdb.DuckDBPyConnection, accounts: Iterable[str]
) -> list[EarlyCommitment]:
    """Those of these accounts, which may lack an `opened`: else nobody is told for months."""
    result = connection.execute(
        sql.text("statements/accounts/load/early_commitments"), {"accounts": sorted(accounts)}
    )
    return sql.rows(result, EarlyCommitment)


def _buyers(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> list[PlanBuyer]:
    """The stored accounts that the file's plans are of."""
    names = sorted({row.account for _place, row in loaded.plans})
    result = connection.execute(
        sql.text("statements/accounts/load/plan_buyers"), {"accounts": names}
    )
    return sql.rows(result, PlanBuyer)


def _opening(at: datetime) -> datetime:
    """The 5-minute edge at or before `at`: what begins at the moment of a load begins there."""
    return naive(at).replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)


def _new_of(connection: duckdb.DuckDBPyConnection, staged: StagedLoad, at: datetime) -> _New:
    """What is new of the rows that are registered as load_*."""
    _refuse_unknown_accounts(connection)
    versions = connection.execute(sql.text("statements/accounts/load/known_account_versions"))
    stored = sql.rows(versions, AccountVersion)
    charged = connection.execute(sql.text("statements/accounts/load/charged_accounts"))
    accounts = compare.new_accounts(
        staged.accounts,
        stored,
        charged={one.account_id for one in sql.rows(charged, _Account)},
        at=at,
    )
    limits = connection.execute(sql.text("statements/accounts/load/limits_in_force"))
    before = {
        one.account_id: (one.effective_from, one.credit_limit)
        for one in sql.rows(limits, _LimitInForce)
    }
    found = connection.execute(sql.text("statements/accounts/load/replaced_before"))
    replaced = {(one.kind, one.fact_id): one for one in sql.rows(found, ReplacedFact)}
    ownership = connection.execute(sql.text("statements/accounts/load/known_ownership"))
    domains = compare.new_domains(
        staged.domains,
        sql.rows(ownership, Ownership),
        {name: one for (kind, name), one in replaced.items() if kind == "ownership"},
    )
    plans = connection.execute(sql.text("statements/accounts/load/known_plans"))
    new_plans = compare.new_dated(
        "plan",
        staged.plans,
        sql.rows(plans, PlanBought),
        {name: one for (kind, name), one in replaced.items() if kind == "plan"},
    )
    new_plans.replaced += _periods_of(connection, new_plans.replaced)
    agreed = connection.execute(sql.text("statements/accounts/load/known_agreements"))
    agreements = compare.new_dated(
        "agreement",
        staged.agreements,
        sql.rows(agreed, Agreement),
        {name: one for (kind, name), one in replaced.items() if kind == "agreement"},
    )
    methods = connection.execute(sql.text("statements/accounts/load/known_methods"))
    domains.ended += _ended_by_closing(connection, accounts, domains)
    return _New(
        accounts=accounts,
        domains=domains,
        plans=new_plans,
        agreements=agreements,
        methods=compare.new_methods(staged.methods, sql.rows(methods, MethodChange)),
        deltas=compare.limit_deltas(before, accounts.versions, at),
        tags=_new_tags(connection, staged),
    )


def _periods_of(
    connection: duckdb.DuckDBPyConnection, replaced: Sequence[ReplacedFact]
) -> list[ReplacedFact]:
    """The periods sold of plans that another id stands in for: they go with it, and the other
    sells its own. A plan put right under its id keeps what was sold of it.
    """
    roots = {one.fact_id: one for one in replaced if one.replaced_by != one.fact_id}
    if not roots:
        return []
    result = connection.execute(
        sql.text("statements/accounts/load/sold_periods"), {"plans": sorted(roots)}
    )
    periods = [one.plan_id for one in sql.rows(result, _Period)]
    return [
        replace(roots[name.partition("#")[0]], fact_id=name)
        for name in periods
        if name not in {one.fact_id for one in replaced}
    ]


def _new_tags(connection: duckdb.DuckDBPyConnection, staged: StagedLoad) -> list[Tagged]:
    if not staged.tags:
        return []
    stored = sql.rows(connection.execute(sql.text("statements/accounts/load/known_tags")), Tagged)
    known = {(one.kind, one.subject, one.account_id): one.tags for one in stored}
    return [
        one
        for one in staged.tags
        if known.get((one.kind, one.subject, one.account_id), "{}") != one.tags
    ]


def _ended_by_closing(
    connection: duckdb.DuckDBPyConnection, accounts: NewAccounts, domains: NewFacts[Ownership]
) -> list[Ownership]:
    """Names are nobody's from the moment their owner's account closes, and again its where that
    was wrong.
    """
    if not accounts.dates:
        return []
    result = connection.execute(
        sql.text("statements/accounts/load/owned_by"), {"accounts": sorted(accounts.dates)}
    )
    said = {one.ownership_id for one in (*domains.new, *domains.ended)}
    ended = []
    for one in sql.rows(result, _Owned):
        closed = accounts.dates[one.account_id].closed_at
        is_open = one.effective_to is None or one.effective_to == one.closed_at
        is_late = closed is not None and one.effective_to is not None and one.effective_to > closed
        if one.ownership_id not in said and (is_open or is_late) and one.effective_to != closed:
            ended.append(
                Ownership(
                    ownership_id=one.ownership_id,
                    domain=one.domain,
                    account_id=one.account_id,
                    effective_from=one.effective_from,
                    effective_to=closed,
                )
            )
    return ended


def _refuse_unknown_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    result = connection.execute(sql.text("statements/accounts/load/unknown_accounts"))
    for one in sql.rows(result, _UnknownAccount)[:1]:
        raise InputError(
            f"{one.place}: there is no account {one.account_id!r}",
            "load the account first, or in the same file",
        )
