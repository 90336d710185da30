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
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb

import sql
from billing.instants import instant_text
from billing.money import check_amount, format_amount
from billing.store.journal import Record
from billing.store.store import Effects, Store
from edge.errors import ConflictError, EdgetollError, InputError

TopUpKind = Literal["cash", "voucher", "refund", "chargeback", "write-off"]
TOP_UP_KINDS: tuple[TopUpKind, ...] = ("cash", "voucher", "refund", "chargeback", "write-off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement of money. `amount` is positive, in 10^-10 units; `effective_at` is naive UTC
    text.
    """

    transfer_id: str
    debit_account: str
    credit_account: str
    amount: int
    currency: str
    code: str
    account_id: str
    effective_at: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What a posting came to: `new` is false when the same was posted before."""

    transfer: Transfer
    new: bool
    journal_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account has: available = cash + vouchers - charged + credit_limit (10^-10 units)."""

    account_id: str
    currency: str
    cash: int
    vouchers: int
    charged: int
    credit_limit: int

    @property
    def available(self) -> int:
        """What may still be charged before the account is overdue."""
        return self.cash + self.vouchers - self.charged + self.credit_limit


def top_up_transfer(
    kind: TopUpKind, account_id: str, amount: int, *, currency: str, key: str, at: datetime
) -> Transfer:
    """The transfer that a top-up of `kind` makes. cash and vouchers come in, refunds and
    chargebacks go out, a write-off gives up a debt.
    """
    check_amount(amount)
    funds = f"customer:{account_id}:funds"
    debit, credit = {
        "cash": (f"cash:{currency}", funds),
        "voucher": (f"vouchers:{currency}", f"customer:{account_id}:voucher"),
        "refund": (funds, f"cash:{currency}"),
        "chargeback": (funds, f"cash:{currency}"),
        "write-off": (f"writeoff:{currency}", funds),
    }[kind]
    return Transfer(
        transfer_id=key,
        debit_account=debit,
        credit_account=credit,
        amount=amount,
        currency=currency,
        code=kind,
        account_id=account_id,
        effective_at=instant_text(at),
        reference="",
    )


def balance(connection: duckdb.DuckDBPyConnection, account_id: str) -> Balance:
    """The balance of one account; InputError if there is none of that id."""
    row = connection.execute(
        sql.text("statements/billing/account_of_transfer"), {"account_id": account_id}
    ).fetchone()
    if row is None:
        raise InputError(
            f"there is no account {account_id!r}", "load it first: edgetoll billing load FILE"
        )
    currency, cash, vouchers, charged, limit = row
    return Balance(
        account_id=account_id,
        currency=currency,
        cash=int(cash),
        vouchers=int(vouchers),
        charged=int(charged),
        credit_limit=int(limit),
    )


def top_up(
    store: Store, account_id: str, amount: int, *, key: str, kind: TopUpKind = "cash", at: datetime
) -> Posted:
    """Post a payment, voucher, refund, chargeback or write-off under idempotency key `key`.

    The key stands for one event of the outside world (FAULTS G18): again with the same content it
    changes nothing, with other content it is a ConflictError. InputError for an unknown account or
    kind, an amount that is not positive, or a refund or chargeback of more than was paid.
    """
    if kind not in TOP_UP_KINDS:
        raise InputError(f"there is no kind {kind!r}", f"use one of {', '.join(TOP_UP_KINDS)}")
    if amount <= 0:
        raise InputError(f"{format_amount(amount)} is not positive", "refunds have --kind refund")
    if not key or len(key) > 200 or not key.isprintable():
        raise InputError("--id must be printable text of 1 to 200 characters", "name the payment")
    known = balance(store.connection, account_id)
    transfer = top_up_transfer(kind, account_id, amount, currency=known.currency, key=key, at=at)
    before = find(store.connection, key)
    if before is not None:
        _refuse_other_content(transfer, before)
        return Posted(transfer=transfer, new=False, journal_no=before[-1])
    if kind in ("refund", "chargeback"):
        _refuse_more_than_was_paid(store.connection, known, kind, amount)
    # The states this money clears change in the same record (FAULTS U4, G17).
    from billing.balance.states import funding_effects

    delta = -amount if kind in ("refund", "chargeback") else amount
    effects = {
        "transfers": [as_effect(transfer)],
        **funding_effects(store, {account_id: delta}, now=at),
    }
    number = store.commit("transfers", effects, at=at)
    return Posted(transfer=transfer, new=True, journal_no=number)


def _refuse_more_than_was_paid(
    connection: duckdb.DuckDBPyConnection, known: Balance, kind: TopUpKind, amount: int
) -> None:
    """A bank takes back at most what was paid; a refund returns at most what was not used.

    A chargeback may follow a refund of the same payment (the bank does not ask), so refunds do not
    lower its bound; a debt given up is no cash that could be refunded.
    """
    paid, back = connection.execute(
        sql.text("statements/billing/paid_in"), {"account_id": known.account_id}
    ).fetchall()[0]
    if kind == "chargeback":
        most, what = paid, "the payments not yet taken back"
    else:
        most, what = max(0, min(known.cash - known.charged, paid - back)), "the unused cash"
    if amount > most:
        raise InputError(
            f"a {kind} of {format_amount(amount)} is more than {what} of {known.account_id},"
            f" {format_amount(most)} {known.currency}",
            f"{kind} at most that; look at its payments:"
            f" edgetoll billing statement {known.account_id}",
        )


def as_effect(transfer: Transfer) -> dict[str, str]:
    """The form of a transfer inside a journal record; the amount as text, since JSON numbers are
    doubles to many readers.
    """
    return {**asdict(transfer), "amount": str(check_amount(transfer.amount))}


def find(connection: duckdb.DuckDBPyConnection, transfer_id: str) -> tuple[Any, ...] | None:
    """(debit, credit, amount, currency, code, account_id, journal_no) of an id, or None."""
    row: tuple[Any, ...] | None = connection.execute(
        sql.text("statements/billing/transfer_by_id"), {"transfer_id": transfer_id}
    ).fetchone()
    return row


def _refuse_other_content(transfer: Transfer, before: tuple[Any, ...]) -> None:
    fields = ("debit_account", "credit_account", "amount", "currency", "code", "account_id")
    for field, stored in zip(fields, before, strict=False):
        wanted = getattr(transfer, field)
        if stored != wanted:
            money = field == "amount"
            raise ConflictError(
                f"id {transfer.transfer_id!r} was posted with {field}"
                f" {format_amount(int(stored)) if money else stored},"
                f" not {format_amount(wanted) if money else wanted}",
                "an id stands for one event: use the id of this one",
            )


def post(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Post the rows of temp relation `new_transfers` in the open transaction; move the balances.

    Raises, and so undoes the record, if one of them may not be posted: a wrong currency, an unknown
    account, an amount outside (0, 2^96), an id already used.
    """
    wrong = connection.execute(sql.text("statements/billing/wrong_transfers")).fetchone()
    if wrong is not None:
        raise EdgetollError(
            f"transfer {wrong[0]!r} cannot be posted: {wrong[1]}", "nothing changed"
        )
    taken = connection.execute(sql.text("statements/billing/repeated_transfers")).fetchone()
    if taken is not None:
        raise ConflictError(f"transfer id {taken[0]!r} is used already", "nothing changed")
    connection.execute(
        sql.text("statements/billing/insert_transfers"),
        {"recorded_at": instant_text(record.at), "journal_no": record.number},
    )
    connection.execute(
        sql.text("statements/billing/insert_posted_ids"), {"journal_no": record.number}
    )
    connection.execute(sql.text("statements/billing/moved_balances"))
    _move_balances(connection)


def post_charges(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Post the transfers of all charges of a record, set-based, and move the balances.

    A charge's id names what it charges and its revision, which is counted in the same record, so
    that the whole ledger need not be searched for it; sql/checks/transfer_ids_once proves it.
    """
    connection.execute(sql.text("statements/billing/charged_balances"))
    wrong = connection.execute(sql.text("statements/billing/wrong_charges")).fetchone()
    if wrong is not None:
        raise EdgetollError(
            f"the charges of {wrong[0]!r} cannot be posted: {wrong[1]}", "nothing changed"
        )
    connection.execute(
        sql.text("statements/billing/post_charges"),
        {"recorded_at": instant_text(record.at), "journal_no": record.number},
    )
    _move_balances(connection)


def _move_balances(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(sql.text("statements/billing/add_missing_balances"))
    connection.execute(sql.text("statements/billing/move_balances"))


def post_inline(
    connection: duckdb.DuckDBPyConnection, record: Record, transfers: list[dict[str, str]]
) -> None:
    """Post transfers in the form of `as_effect`, from inside an applier."""
    connection.execute(
        sql.text("statements/billing/inline_transfers"), {"transfers": json.dumps(transfers)}
    )
    post(connection, record)


def apply_transfers(
    connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects
) -> None:
    """Post the transfers that stand in the record."""
    post_inline(connection, record, effects["transfers"])


def ledger_hash(connection: duckdb.DuckDBPyConnection) -> str:
    """The SHA-256 of the whole ledger: equal exactly when the same transfers stand in it."""
    digest = hashlib.sha256()
    result = connection.execute(sql.text("statements/billing/ledger_digests"))
    while rows := result.fetchmany(10_000):
        for row in rows:
            digest.update("|".join(row).encode() + b"\n")
    return digest.hexdigest()
