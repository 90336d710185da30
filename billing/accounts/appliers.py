"""What a record of kind `load` does to the tables, and which versions of accounts are in force.

What changes an account's past leaves a mark, from which rating looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

import sql
from billing.accounts.columns import DOMAIN_SCHEMA, REPLACED_SCHEMA
from billing.instants import aware, instant_text, stamp
from billing.store.given import register
from billing.store.gone import refuse_marked
from billing.store.journal import Record
from billing.store.store import Effects
from edge.errors import ConflictError

_OWNERSHIP_EFFECTS = (
    ("new_domains", "domains", DOMAIN_SCHEMA),
    ("ended_domains", "ended", DOMAIN_SCHEMA),
    ("replaced_names", "replaced", REPLACED_SCHEMA),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlap:
    domain: str
    account_before: str
    account_id: str
    effective_from: datetime
    ownership_before: str
    ownership_id: str


def apply_load(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Store what a load holds; mark what the past must redo."""
    number: dict[str, object] = {"journal_no": record.number}
    marked: dict[str, object] = {"now": instant_text(record.at), **number}
    if "account_versions" in effects:
        connection.execute(sql.text("statements/accounts/apply/insert_account_versions"), number)
        connection.execute(sql.text("statements/accounts/apply/number_accounts"))
        connection.execute(sql.text("statements/accounts/apply/mark_account_versions"), marked)
        connection.execute(sql.text("statements/accounts/apply/mark_openings"), marked)
        connection.execute(sql.text("statements/accounts/apply/insert_first_methods"))
        refresh_accounts(connection, record)
    if "account_dates" in effects:
        connection.execute(sql.text("statements/accounts/apply/mark_dates"), number)
        connection.execute(sql.text("statements/accounts/apply/move_dates"))
        _fill_accounts(connection, record)
    if "replaced" in effects:
        connection.execute(sql.text("statements/accounts/apply/note_replaced"), number)
        connection.execute(sql.text("statements/accounts/apply/mark_replaced_plans"), number)
        connection.execute(sql.text("statements/accounts/apply/mark_replaced_agreements"), number)
    if "methods" in effects:
        connection.execute(sql.text("statements/accounts/apply/insert_methods"))
        connection.execute(sql.text("statements/accounts/apply/mark_methods"), marked)
    if "replaced" in effects:
        connection.execute(sql.text("statements/accounts/apply/drop_replaced_plans"))
    if "plans" in effects:
        connection.execute(sql.text("statements/accounts/apply/insert_plans"), number)
        connection.execute(sql.text("statements/accounts/apply/mark_plans"), marked)
    if "replaced" in effects:
        connection.execute(sql.text("statements/accounts/apply/drop_replaced_agreements"))
    if "agreements" in effects:
        connection.execute(sql.text("statements/accounts/apply/insert_agreements"), number)
        connection.execute(sql.text("statements/accounts/apply/mark_agreements"), marked)
    if effects.keys() & {"domains", "ended", "replaced"}:
        _apply_ownership(connection, record, effects)
    if "tags" in effects:
        connection.execute(sql.text("statements/accounts/apply/said_tags"))
        connection.execute(sql.text("statements/accounts/apply/drop_replaced_tags"))
        connection.execute(sql.text("statements/accounts/apply/insert_tags"), number)
    refuse_marked(connection, record)


def versions_due(connection: duckdb.DuckDBPyConnection, at: datetime) -> int:
    """How many versions in force at `at` the table `accounts` does not show yet: none where each
    account has one version, which need not be looked for then.
    """
    counted = connection.execute(sql.text("statements/accounts/apply/count_versions"))
    ((versions, accounts),) = counted.fetchall()
    if versions == accounts:
        return 0
    now = {"now": instant_text(at)}
    result = connection.execute(sql.text("statements/accounts/apply/due_account_versions"), now)
    found = sql.row(result, _Due)
    return 0 if found is None else found.versions


def refresh_accounts(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Make `accounts` the versions in force at the record's time (FAULTS G22); cheap when they are
    already.
    """
    if versions_due(connection, record.at):
        _fill_accounts(connection, record)


def _fill_accounts(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    now = {"now": instant_text(record.at)}
    connection.execute(sql.text("statements/accounts/apply/accounts_due"), now)
    connection.execute(sql.text("statements/accounts/apply/drop_changed_accounts"))
    number = {"journal_no": record.number}
    connection.execute(sql.text("statements/accounts/apply/insert_changed_accounts"), number)


def _apply_ownership(
    connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects
) -> None:
    """Store ownership, refuse two owners at once, move imported usage to its owner of now."""
    number: dict[str, object] = {"journal_no": record.number}
    for name, effect, schema in _OWNERSHIP_EFFECTS:
        if effect in effects:
            connection.register(name, connection.table(f"effect_{effect}"))
        else:
            register(connection, name, schema, ())
    connection.execute(sql.text("statements/accounts/ownership/touched_domains"))
    connection.execute(sql.text("statements/accounts/ownership/drop_replaced"))
    connection.execute(sql.text("statements/accounts/ownership/insert_ownership"), number)
    connection.execute(sql.text("statements/accounts/ownership/end_ownership"))
    for name, _effect, _schema in _OWNERSHIP_EFFECTS:
        connection.unregister(name)
    _refuse_two_owners(connection)
    connection.execute(sql.text("statements/accounts/ownership/moved_usage"))
    connection.execute(sql.text("statements/accounts/ownership/move_usage"))
    connection.execute(sql.text("statements/accounts/ownership/mark_moved_usage"), number)
    connection.execute(sql.text("statements/accounts/ownership/mark_moved_days"), number)


def _refuse_two_owners(connection: duckdb.DuckDBPyConnection) -> None:
    result = connection.execute(sql.text("statements/accounts/ownership/overlapping_ownership"))
    for one in sql.rows(result, _Overlap)[:1]:
        if one.account_before == one.account_id:
            raise ConflictError(
                f"{one.domain} would belong to {one.account_id} twice from"
                f" {stamp(aware(one.effective_from))} on",
                f'to let it begin earlier, give the new row `replaces = "{one.ownership_id}"` and'
                f' `why`; or end "{one.ownership_before}" by then (`effective_to`)',
            )
        raise ConflictError(
            f"{one.domain} would belong to {one.account_before} and to {one.account_id}"
            f" at {stamp(aware(one.effective_from))}",
            f'end "{one.ownership_before}" by then (`effective_to`); or, if the other begins too'
            f' early, load its right row with `replaces = "{one.ownership_id}"` and `why`',
        )
