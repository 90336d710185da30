"""The ledger: double entry, as transfers of one positive amount from an account debited to one
credited.

The producer makes a transfer's id, which is the idempotency key: the same id with the same content
is done already, with other content it is a named conflict. A transfer is never changed; a
correction, a refund or a chargeback is a new transfer in the other direction. Chart of accounts:

    customer:ACCOUNT:funds      what the customer paid, less what was charged (may fall below zero)
    customer:ACCOUNT:voucher    vouchers not yet used
    cash:CURRENCY               money received and paid back
    vouchers:CURRENCY           vouchers granted, at our expense
    writeoff:CURRENCY           debts given up
    revenue:ITEM, tax:…, cut:…  what was charged, taxed, and cut at settlement

The credit limit is no ledger account: it is a versioned term of the account (FAULTS G22).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

import sql
from billing.instants import instant_text
from billing.ledger.records import Balance, PostedTransfer
from billing.store import charge_files, charges_at_hand
from billing.store.journal import Record
from billing.store.store import Effects
from edge.errors import ConflictError, EdgetollError, InputError


def balance(connection: duckdb.DuckDBPyConnection, account_id: str) -> Balance:
    """The balance of one account; InputError if there is none of that id."""
    result = connection.execute(
        sql.text("statements/ledger/top_up/balance_of_account"), {"account_id": account_id}
    )
    found = sql.row(result, Balance)
    if found is None:
        raise InputError(
            f"there is no account {account_id!r}", "load it first: edgetoll billing load FILE"
        )
    return found


def find(connection: duckdb.DuckDBPyConnection, transfer_id: str) -> PostedTransfer | None:
    """What was posted under an id, or None."""
    return sql.row(
        connection.execute(
            sql.text("statements/ledger/top_up/transfer_by_id"), {"transfer_id": transfer_id}
        ),
        PostedTransfer,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wrong:
    name: str
    problem: str


def post(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Post the rows of temp relation `new_transfers` in the open transaction; move the balances.

    Raises, and so undoes the record, if one of them may not be posted: a wrong currency, an unknown
    account, an amount outside (0, 2^96), an id already used.
    """
    wrong = _wrong(connection, "statements/ledger/transfers/wrong_transfers")
    if wrong is not None:
        raise EdgetollError(
            f"transfer {wrong.name!r} cannot be posted: {wrong.problem}", "nothing changed"
        )
    taken = _wrong(connection, "statements/ledger/transfers/repeated_transfers")
    if taken is not None:
        raise ConflictError(f"transfer id {taken.name!r} {taken.problem}", "nothing changed")
    connection.execute(
        sql.text("statements/ledger/transfers/insert_transfers"),
        {"recorded_at": instant_text(record.at), "journal_no": record.number},
    )
    connection.execute(sql.text("statements/ledger/transfers/moved_balances"))
    _move_balances(connection)


def apply_charges(
    connection: duckdb.DuckDBPyConnection, _record: Record, _effects: Effects
) -> None:
    """Gather the charges of a record before any table moves; `post_charges` posts them."""
    gather_charges(connection)


def gather_charges(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the charges of a record into one shape, and add them up by account."""
    charges_at_hand.gather(connection)
    connection.execute(sql.text("statements/ledger/transfers/charged_balances"))


def post_charges(connection: duckdb.DuckDBPyConnection, record: Record, *, run_id: str) -> None:
    """Post all charges of a record, set-based: its file is taken in, and the balances move.

    A charge is its own transfer. Its id names what it charges and its revision, which is counted in
    the same record, so that the whole ledger need not be searched for it;
    sql/checks/charge_revisions_once proves it.
    """
    wrong = _wrong(connection, "statements/ledger/transfers/wrong_charges")
    if wrong is not None:
        raise EdgetollError(
            f"the charges of {wrong.name!r} cannot be posted: {wrong.problem}", "nothing changed"
        )
    charge_files.take_in(connection, record, run_id=run_id)
    _move_balances(connection)


def _wrong(connection: duckdb.DuckDBPyConnection, statement: str) -> _Wrong | None:
    found = sql.rows(connection.execute(sql.text(statement)), _Wrong)
    return found[0] if found else None


def _move_balances(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(sql.text("statements/ledger/transfers/add_missing_balances"))
    connection.execute(sql.text("statements/ledger/transfers/move_balances"))


def post_inline(
    connection: duckdb.DuckDBPyConnection, record: Record, transfers: Sequence[Mapping[str, str]]
) -> None:
    """Post transfers in the form of `as_effect`, from inside an applier."""
    connection.execute(
        sql.text("statements/ledger/transfers/inline_transfers"),
        {"transfers": json.dumps(list(transfers))},
    )
    post(connection, record)


def apply_transfers(
    connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects
) -> None:
    """Post the transfers that stand in the record."""
    post_inline(connection, record, effects["transfers"])


def apply_payments(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Post the payments of the record's file."""
    connection.execute(sql.text("statements/ledger/payments/file_transfers"))
    post(connection, record)


def ledger_hash(connection: duckdb.DuckDBPyConnection) -> str:
    """The SHA-256 of the whole ledger: equal exactly when the same transfers stand in it."""
    digest = hashlib.sha256()
    result = connection.execute(sql.text("statements/ledger/transfers/ledger_digests"))
    while rows := result.fetchmany(10_000):
        for row in rows:
            digest.update("|".join(row).encode() + b"\n")
    return digest.hexdigest()
