"""`edgetoll billing load`: accounts, domain ownership, plans and method changes enter the store.

Loading is idempotent by id, and whole or not at all: what is stored already is skipped, the same id
with other content is a named conflict, and one journal record holds all that is new. The past may
be changed by a load (a domain claimed later, a back-dated plan); rating is told from when, and
posts differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

import sql
from billing.accounts import compare
from billing.accounts.file_rows import Loaded
from billing.accounts.records import (
    AccountFact,
    AccountVersion,
    LoadOutcome,
    MethodChange,
    Ownership,
    PlanBought,
)
from billing.accounts.staging import (
    ACCOUNT_SCHEMA,
    DOMAIN_SCHEMA,
    METHOD_SCHEMA,
    PLAN_SCHEMA,
    Registered,
    StagedLoad,
    stage,
    table_of,
)
from billing.store.store import Store
from edge.durable import write_atomically
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
class _Name:
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """What a record will hold; `deltas`: by how much credit limits grow at once."""

    accounts: list[AccountVersion]
    domains: list[Ownership]
    ended: list[Ownership]
    plans: list[PlanBought]
    methods: list[MethodChange]
    deltas: dict[str, int]

    def facts(self) -> list[AccountFact]:
        """All of it."""
        return [*self.accounts, *self.domains, *self.ended, *self.plans, *self.methods]

    def effects(self) -> dict[str, object]:
        """The tables of the record, but for those without rows."""
        tables = {
            "account_versions": table_of(self.accounts, ACCOUNT_SCHEMA),
            "domains": table_of(self.domains, DOMAIN_SCHEMA),
            "ended": table_of(self.ended, DOMAIN_SCHEMA),
            "plans": table_of(self.plans, PLAN_SCHEMA),
            "methods": table_of(self.methods, METHOD_SCHEMA),
        }
        return {name: table for name, table in tables.items() if table.num_rows}


def load(
    store: Store, loaded: Loaded, *, at: datetime, zone_of_book: Callable[[str], str]
) -> LoadOutcome:
    """Store what is new in `loaded`, in one journal record.

    `zone_of_book` gives a price book's time zone, the default of its accounts, and raises for a
    book that does not exist. Raises InputError or ConflictError naming the row's place; then
    nothing changed.
    """
    staged = stage(loaded, zone_of_book)
    with Registered(store.connection, staged.relations()):
        new = _new_of(store.connection, staged, at)
    effects = new.effects()
    counts = {
        "accounts": len(new.accounts),
        "domains": len(new.domains) + len(new.ended),
        "plans": len(new.plans),
        "methods": len(new.methods),
    }
    known = {
        "accounts": len(staged.accounts) - counts["accounts"],
        "domains": len(staged.domains) - counts["domains"],
        "plans": len(staged.plans) - counts["plans"],
        "methods": len(staged.methods) - counts["methods"],
    }
    if not effects:
        return LoadOutcome(new=counts, known=known)
    if new.deltas:
        # The states that another credit limit changes change in the same record (FAULTS G22).
        from billing.balance.states import funding_effects

        effects |= funding_effects(store, new.deltas, now=at)
    number = store.commit("load", effects, at=at)
    touched = frozenset(fact.account_id for fact in new.facts())
    return LoadOutcome(new=counts, known=known, journal_no=number, accounts=touched)


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
    ownership = connection.execute(sql.text("statements/accounts/load/known_ownership"))
    domains, ended = compare.new_domains(staged.domains, sql.rows(ownership, Ownership))
    plans = connection.execute(sql.text("statements/accounts/load/known_plans"))
    new_plans = compare.new_plans(staged.plans, sql.rows(plans, PlanBought))
    methods = connection.execute(sql.text("statements/accounts/load/known_methods"))
    return _New(
        accounts=accounts,
        domains=domains,
        ended=ended,
        plans=new_plans,
        methods=compare.new_methods(staged.methods, sql.rows(methods, MethodChange)),
        deltas=compare.limit_deltas(before, accounts, at),
    )


def _refuse_unknown_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    result = connection.execute(sql.text("statements/accounts/load/unknown_accounts"))
    for one in sql.rows(result, _UnknownAccount)[:1]:
        raise InputError(
            f"{one.place}: there is no account {one.account_id!r}",
            "load the account first, or in the same file",
        )


def publish_owned_domains(store: Store, path: Path) -> None:
    """Write the owned names, one per line, for metering (DESIGN §3.5); atomic, only when they
    changed.
    """
    result = store.connection.execute(sql.text("statements/accounts/ownership/owned_domains"))
    data = "".join(f"{one.domain}\n" for one in sql.rows(result, _Name)).encode("ascii")
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)
