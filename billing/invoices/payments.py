"""Which invoices are paid: an account's payments and vouchers reach its invoices oldest first
(DOMAIN §9.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

import sql
from billing.ledger.records import Posted
from billing.ledger.top_up import top_up
from billing.ledger.transfers import find
from billing.money import format_amount, parse_amount
from billing.store.session import TableRef
from billing.store.store import Store
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceStanding:
    """An invoice that is not void: what it asks for after credit notes, and how much of that is
    open.
    """

    invoice_no: str
    account_id: str
    month: str
    status: str
    currency: str
    owed: int
    still_open: int
    due_on: date

    def document(self) -> dict[str, object]:
        """For `--json`; money as decimal strings."""
        return {
            "invoice_no": self.invoice_no,
            "account_id": self.account_id,
            "month": self.month,
            "status": self.status,
            "currency": self.currency,
            "owed": format_amount(self.owed, self.currency),
            "open": format_amount(self.still_open, self.currency),
            "due_on": self.due_on,
        }


def settle(store: Store, *, at: datetime, accounts: Sequence[str] | None = None) -> int:
    """Note invoices that payments now reach as paid, and those a chargeback uncovered as issued
    again, of these accounts or of all.

    One journal record for all of them; nothing is written when nothing changed. Returns how many
    changed.
    """
    store.connection.execute(
        sql.text("statements/invoices/payments/standing"), {"accounts": _listed(accounts)}
    )
    changed = int(store.connection.table("invoice_standing").shape[0])
    if changed:
        store.commit("invoice_paid", {"standing": TableRef("invoice_standing")}, at=at)
    return changed


def standing(
    connection: duckdb.DuckDBPyConnection, *, account: str | None = None, with_paid: bool = False
) -> list[InvoiceStanding]:
    """The invoices not fully paid, oldest first; with the paid ones too if asked."""
    accounts = None if account is None else [account]
    return sql.rows(
        connection.execute(
            sql.text("statements/invoices/payments/open_invoices"),
            {"accounts": accounts, "with_paid": with_paid},
        ),
        InvoiceStanding,
    )


def _listed(accounts: Sequence[str] | None) -> list[str] | None:
    return None if accounts is None else list(accounts)


def take_in(
    store: Store, invoice_no: str, *, amount: str | None, key: str | None, at: datetime
) -> Posted:
    """Record a payment that names an invoice. It is a top-up of the account: the oldest invoice
    comes first.
    """
    if not key:
        raise InputError("a payment needs its id", "give the bank's reference: --id KEY")
    found = [
        one for one in standing(store.connection, with_paid=True) if one.invoice_no == invoice_no
    ]
    if not found:
        raise InputError(
            f"there is no invoice {invoice_no} to pay", "it may be void, or a credit note"
        )
    before = find(store.connection, key)
    owed = found[0].still_open if amount is None else parse_amount(amount)
    if amount is None and before is not None:
        owed = before.amount
    elif amount is None and owed == 0:
        raise InputError(f"{invoice_no} is paid already", "name --amount to take money in anyway")
    return top_up(store, found[0].account_id, owed, key=key, at=at)
