"""`edgetoll billing load`: accounts, domain ownership, plans and method changes enter the store.

Loading is idempotent by id, and whole or not at all: what is stored already is skipped, the same id
with other content is a named conflict, and one journal record holds all that is new. The past may
be changed by a load (a domain claimed later, a back-dated plan); rating is told from when, and
posts differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

import sql
from billing.accounts.file_rows import BEGINNING, Loaded
from billing.accounts.staging import (
    ACCOUNT_SCHEMA,
    DOMAIN_SCHEMA,
    METHOD_SCHEMA,
    PLAN_SCHEMA,
    Row,
    Staged,
    account_row,
    method_row,
    ownership_row,
    plan_row,
    zone_lookup,
)
from billing.instants import instant_text
from billing.store.journal import Record
from billing.store.store import Effects, Store
from edge.errors import ConflictError, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOutcome:
    """How many rows of each kind were new, how many known; `journal_no` None: nothing was new."""

    new: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    journal_no: int | None = None


Placed = Iterable[tuple[str, Row]]


def load(
    store: Store, loaded: Loaded, *, at: datetime, zone_of_book: Callable[[str], str]
) -> LoadOutcome:
    """Store what is new in `loaded`, in one journal record.

    `zone_of_book` gives a price book's time zone, the default of its accounts, and raises for a
    book that does not exist. Raises InputError or ConflictError naming the row's place; then
    nothing changed.
    """
    accounts = [(place, account_row(place, row, zone_of_book)) for place, row in loaded.accounts]
    domains = [(place, ownership_row(row)) for place, row in loaded.domains]
    plans = [(place, plan_row(row)) for place, row in loaded.plans]
    methods = [(place, method_row(row)) for place, row in loaded.methods]
    connection = store.connection
    with Staged(connection, accounts, domains, plans, methods):
        _refuse_unknown_accounts(connection)
        new_accounts = _new_accounts(connection, accounts, at)
        deltas = _limit_deltas(connection, new_accounts, at)
        new_domains, ended = _new_domains(connection, domains)
        new_plans = _new_by_id(
            connection, plans, "statements/billing/known_plans", ("plan_id",), "plan"
        )
        keys = ("account_id", "effective_from")
        new_methods = _new_by_id(
            connection, methods, "statements/billing/known_methods", keys, "method change of"
        )
    tables = {
        "account_versions": pa.Table.from_pylist(new_accounts, ACCOUNT_SCHEMA),
        "domains": pa.Table.from_pylist(new_domains, DOMAIN_SCHEMA),
        "ended": pa.Table.from_pylist(ended, DOMAIN_SCHEMA),
        "plans": pa.Table.from_pylist(new_plans, PLAN_SCHEMA),
        "methods": pa.Table.from_pylist(new_methods, METHOD_SCHEMA),
    }
    effects = {name: table for name, table in tables.items() if table.num_rows}
    new = {
        "accounts": len(new_accounts),
        "domains": len(new_domains) + len(ended),
        "plans": len(new_plans),
        "methods": len(new_methods),
    }
    given = {"accounts": accounts, "domains": domains, "plans": plans, "methods": methods}
    known = {name: len(rows) - new[name] for name, rows in given.items()}
    if not effects:
        return LoadOutcome(new=new, known=known)
    # The states that another credit limit changes change in the same record (FAULTS G22).
    from billing.balance.states import funding_effects

    if deltas:
        effects |= funding_effects(store, deltas, now=at)
    return LoadOutcome(new=new, known=known, journal_no=store.commit("load", effects, at=at))


def publish_owned_domains(store: Store, path: Path) -> None:
    """Write the owned names, one per line, for metering (DESIGN §3.5); atomic, only when they
    changed.
    """
    from edge.durable import write_atomically

    rows = store.connection.execute(sql.text("statements/billing/owned_domains")).fetchall()
    data = "".join(f"{domain}\n" for (domain,) in rows).encode("ascii")
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)


def _refuse_unknown_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute(sql.text("statements/billing/unknown_accounts")).fetchone()
    if row is not None:
        raise InputError(
            f"{row[0]}: there is no account {row[1]!r}",
            "load the account first, or in the same file",
        )


def _stored(connection: duckdb.DuckDBPyConnection, statement: str) -> list[Row]:
    result = connection.execute(sql.text(statement))
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, values, strict=True)) for values in result.fetchall()]


def _differing(row: Row, stored: Row) -> str | None:
    """The first field in which two rows differ, in words; None if they are the same."""
    for key, value in row.items():
        other = stored[key]
        if value != other:
            return f"{key} {other} and not {value}"
    return None


def _new_accounts(connection: duckdb.DuckDBPyConnection, rows: Placed, at: datetime) -> list[Row]:
    known: dict[str, dict[datetime, Row]] = {}
    for stored in _stored(connection, "statements/billing/known_account_versions"):
        known.setdefault(stored["account_id"], {})[stored["effective_from"]] = stored
    new = []
    for place, row in rows:
        versions = known.setdefault(row["account_id"], {})
        stored_row = versions.get(row["effective_from"])
        if stored_row is not None:
            _refuse_conflict(place, "account", row["account_id"], _differing(row, stored_row))
            continue
        for other in versions.values():
            fixed = {key: row[key] for key in ("currency", "opened_at")}
            difference = _differing(fixed, other)
            _refuse_conflict(place, "account", row["account_id"], difference)
            _refuse_other_prices(connection, place, row, other, at)
            break
        versions[row["effective_from"]] = row
        new.append(row)
    return new


def _limit_deltas(
    connection: duckdb.DuckDBPyConnection, new: Iterable[Row], at: datetime
) -> dict[str, int]:
    """By how much the credit limits of known accounts grow at once (negative: shrink)."""
    rows = connection.execute(sql.text("statements/billing/limits_in_force")).fetchall()
    before = {account_id: int(limit) for account_id, _from, limit in rows}
    since = {account_id: (begun, before[account_id]) for account_id, begun, _limit in rows}
    now = datetime.fromisoformat(instant_text(at))
    for row in new:
        name, begun = row["account_id"], row["effective_from"]
        if name in since and since[name][0] <= begun <= now:
            since[name] = (begun, int(row["credit_limit"]))
    deltas = {name: limit - before[name] for name, (_begun, limit) in since.items()}
    return {name: delta for name, delta in deltas.items() if delta}


def _refuse_other_prices(
    connection: duckdb.DuckDBPyConnection, place: str, row: Row, stored: Row, at: datetime
) -> None:
    """A version may not move what was charged, or will be until it begins, to other prices.

    Rating prices a whole month, late usage and replays too, by one book and one time zone.
    """
    name = row["account_id"]
    if row["billing_method"] != stored["billing_method"]:
        raise ConflictError(
            f"{place}: account {name!r} began with billing_method {stored['billing_method']}",
            "leave that as it is and ask for another method in [[methods]]",
        )
    difference = _differing({key: row[key] for key in ("price_book", "timezone")}, stored)
    if difference is None:
        return
    begins_later = instant_text(row["effective_from"]) > instant_text(at)
    charged = connection.execute(
        sql.text("statements/billing/account_is_charged"), {"account_id": name}
    ).fetchone()
    if begins_later or charged:
        raise ConflictError(
            f"{place}: account {name!r} is stored with {difference}; that may only change at once"
            " and while nothing has been charged",
            "give it prices of its own with dates: [[override]] in its price book",
        )


def _new_domains(
    connection: duckdb.DuckDBPyConnection, rows: Placed
) -> tuple[list[Row], list[Row]]:
    """The periods that are new, and those that a row with the same id ends."""
    known = {
        stored["ownership_id"]: stored
        for stored in _stored(connection, "statements/billing/known_ownership")
    }
    new, ended = [], []
    for place, row in rows:
        if row["effective_to"] is not None and row["effective_to"] <= row["effective_from"]:
            raise InputError(f"{place}: {row['domain']} ends before it begins", "correct the row")
        stored = known.get(row["ownership_id"])
        if stored is None:
            new.append(row)
        else:
            open_row = {**row, "effective_to": stored["effective_to"]}
            what = _differing(open_row, stored)
            if what is None and row["effective_to"] is not None:
                if stored["effective_to"] is None:
                    ended.append(row)
                else:
                    what = _differing(row, stored)
            _refuse_conflict(place, "ownership", row["ownership_id"], what)
        known[row["ownership_id"]] = row if stored is None or row["effective_to"] else stored
    return new, ended


def _new_by_id(
    connection: duckdb.DuckDBPyConnection,
    rows: Placed,
    statement: str,
    keys: tuple[str, ...],
    noun: str,
) -> list[Row]:
    known = {tuple(row[key] for key in keys): row for row in _stored(connection, statement)}
    new = []
    for place, row in rows:
        key = tuple(row[name] for name in keys)
        if "ends_at" in row and row["ends_at"] <= row["starts_at"]:
            raise InputError(f"{place}: plan {row['plan_id']} ends before it starts", "correct it")
        if key in known:
            _refuse_conflict(place, noun, str(key[0]), _differing(row, known[key]))
        else:
            known[key] = row
            new.append(row)
    return new


def _refuse_conflict(place: str, noun: str, name: str, difference: str | None) -> None:
    if difference is not None:
        raise ConflictError(
            f"{place}: {noun} {name!r} is stored with {difference}",
            "to change an account give `effective_from`; to change a domain or plan give a new id",
        )


def apply_load(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Add account versions, methods, plans and ownership, and mark what they change of the past."""
    now: dict[str, object] = {"now": instant_text(record.at)}
    number: dict[str, object] = {"journal_no": record.number}

    def run(name: str, parameters: Mapping[str, object] | None = None) -> None:
        connection.execute(sql.text(f"statements/billing/{name}"), dict(parameters or {}))

    if "account_versions" in effects:
        run("insert_account_versions", number)
        run("mark_account_versions", now | number)
        run("insert_first_methods")
        refresh_accounts(connection, record.at)
    if "methods" in effects:
        run("insert_methods")
        run("mark_methods", now | number)
    if "plans" in effects:
        run("insert_plans", number)
        run("mark_plans", now | number)
    if "domains" in effects or "ended" in effects:
        _apply_ownership(connection, record, effects)


def refresh_accounts(connection: duckdb.DuckDBPyConnection, at: datetime) -> None:
    """Make `accounts` the versions in force at `at` (FAULTS G22); cheap when they are already."""
    now = {"now": instant_text(at)}
    due = connection.execute(sql.text("statements/billing/due_account_versions"), now).fetchall()
    if not due[0][0]:
        return
    connection.execute(sql.text("statements/billing/clear_accounts"))
    connection.execute(sql.text("statements/billing/fill_accounts"), now)


def _apply_ownership(
    connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects
) -> None:
    """Store ownership, refuse two owners at once, move imported usage to its owner of now."""
    empty = pa.Table.from_pylist([], DOMAIN_SCHEMA)
    for name, effect in (("new_domains", "domains"), ("ended_domains", "ended")):
        here = connection.table(f"effect_{effect}") if effect in effects else empty
        connection.register(name, here)
    if "domains" in effects:
        connection.execute(
            sql.text("statements/billing/insert_ownership"), {"journal_no": record.number}
        )
    if "ended" in effects:
        connection.execute(sql.text("statements/billing/end_ownership"))
    connection.execute(sql.text("statements/billing/touched_domains"))
    connection.unregister("new_domains")
    connection.unregister("ended_domains")
    overlap = connection.execute(sql.text("statements/billing/overlapping_ownership")).fetchone()
    if overlap is not None:
        domain, before, after, moment = overlap
        raise ConflictError(
            f"{domain} would belong to {before} and to {after} at {moment.isoformat()}Z",
            "end the first ownership: load its row again with `effective_to`",
        )
    numbered = {"journal_no": record.number}
    for step in ("moved_usage", "move_usage"):
        connection.execute(sql.text(f"statements/billing/{step}"))
    for step in ("mark_moved_usage", "mark_moved_days"):
        connection.execute(sql.text(f"statements/billing/{step}"), numbered)


__all__ = [
    "BEGINNING",
    "LoadOutcome",
    "load",
    "publish_owned_domains",
    "refresh_accounts",
    "zone_lookup",
]
