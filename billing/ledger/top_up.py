"""A payment, voucher, refund, chargeback or write-off: whether it may be posted, and as what.

Its key stands for one event of the outside world (FAULTS G18): again with the same content it
changes nothing, with other content it is a ConflictError.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

import sql
from billing.instants import instant_text
from billing.ledger.records import (
    TOP_UP_KINDS,
    Balance,
    Posted,
    PostedTransfer,
    TopUpKind,
    Transfer,
    as_effect,
)
from billing.ledger.transfers import balance, find
from billing.money import DIGITS, check_amount, floor_to_minor, format_amount, minor_digits
from billing.readable import check_id
from billing.store.store import Store
from edge.errors import ConflictError, InputError


def top_up(
    store: Store, account_id: str, amount: int, *, key: str, kind: TopUpKind = "cash", at: datetime
) -> Posted:
    """Post one under idempotency key `key`, with the states that its money clears.

    InputError for an unknown account or kind, an amount that is not positive, a refund or
    chargeback of more than was paid, or a write-off of more than is owed.
    """
    if kind not in TOP_UP_KINDS:
        raise InputError(f"there is no kind {kind!r}", f"use one of {', '.join(TOP_UP_KINDS)}")
    if amount <= 0:
        raise InputError(f"{format_amount(amount)} is not positive", "refunds have --kind refund")
    known = balance(store.connection, account_id)
    transfer = top_up_transfer(kind, account_id, amount, currency=known.currency, key=key, at=at)
    before = find(store.connection, key)
    if before is not None:
        refuse_other_content(transfer, before)
        return Posted(transfer=transfer, new=False, journal_no=before.journal_no)
    check_id(key, "--id")
    refuse_less_than_minor(kind, amount, known.currency)
    if kind in ("refund", "chargeback"):
        _refuse_more_than_was_paid(store.connection, known, kind, amount)
    if kind == "write-off":
        _refuse_more_than_is_owed(known, amount)
    # The states this money clears change in the same record (FAULTS U4, G17).
    from billing.balance.states import funding_effects

    delta = -amount if kind in ("refund", "chargeback") else amount
    effects = {
        "transfers": [as_effect(transfer)],
        **funding_effects(store, {account_id: delta}, now=at),
    }
    number = store.commit("transfers", effects, at=at)
    return Posted(transfer=transfer, new=True, journal_no=number)


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


def refuse_less_than_minor(kind: TopUpKind, amount: int, currency: str) -> None:
    """InputError for less than the currency's smallest unit: nobody pays half a yen. A debt that is
    given up may be exact: charges are.
    """
    if kind != "write-off" and floor_to_minor(amount, currency) != amount:
        digits = minor_digits(currency)
        least = format_amount(10 ** (DIGITS - digits), currency)
        raise InputError(
            f"{format_amount(amount, currency)} {currency} cannot be paid: the smallest amount of"
            f" {currency} is {least}",
            f"give it with {f'at most {digits}' if digits else 'no'} decimals",
        )


def refuse_other_content(transfer: Transfer, before: PostedTransfer) -> None:
    """ConflictError if what was posted under the id of `transfer` is something else."""
    if before.amount != transfer.amount:
        stored, wanted = format_amount(before.amount), format_amount(transfer.amount)
        raise _other_content(transfer, "amount", stored, wanted)
    for field in ("debit_account", "credit_account", "currency", "code", "account_id"):
        stored, wanted = getattr(before, field), getattr(transfer, field)
        if stored != wanted:
            raise _other_content(transfer, field, stored, wanted)


def _other_content(transfer: Transfer, field: str, stored: str, wanted: str) -> ConflictError:
    return ConflictError(
        f"id {transfer.transfer_id!r} was posted with {field} {stored}, not {wanted}",
        "an id stands for one event: use the id of this one",
    )


def _refuse_more_than_is_owed(known: Balance, amount: int) -> None:
    """What is given up beyond the debt would be money to spend, which nobody paid."""
    if amount > known.owed:
        owed = format_amount(known.owed, known.currency)
        raise InputError(
            f"a write-off of {format_amount(amount, known.currency)} is more than"
            f" {known.account_id} owes, {owed} {known.currency}",
            "give up at most that; what is a present is --kind voucher",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PaidIn:
    paid: int
    refunded: int


def _refuse_more_than_was_paid(
    connection: duckdb.DuckDBPyConnection, known: Balance, kind: TopUpKind, amount: int
) -> None:
    """A bank takes back at most what was paid; a refund returns at most what was not used.

    A chargeback may follow a refund of the same payment (the bank does not ask), so refunds do not
    lower its bound; a debt given up is no cash that could be refunded.
    """
    result = connection.execute(
        sql.text("statements/ledger/top_up/paid_in"), {"account_id": known.account_id}
    )
    cash = sql.rows(result, _PaidIn)[0]
    if kind == "chargeback":
        most, what = cash.paid, "the payments not yet taken back"
    else:
        unused = min(known.cash - known.charged, cash.paid - cash.refunded)
        most, what = max(0, unused), "the unused cash"
    most = floor_to_minor(most, known.currency)
    if amount > most:
        raise InputError(
            f"a {kind} of {format_amount(amount)} is more than {what} of {known.account_id},"
            f" {format_amount(most)} {known.currency}",
            f"{kind} at most that; look at its payments:"
            f" edgetoll billing statement {known.account_id}",
        )
