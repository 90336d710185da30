"""What `edgetoll billing ledger` shows: ledger accounts, transfers of an account, the hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sql
from billing.ledger.transfers import ledger_hash
from billing.money import format_amount
from billing.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccountLine:
    """Debits and credits of one ledger account in one currency (10^-10 units)."""

    ledger_account: str
    currency: str
    debits: int
    credits: int
    entries: int

    @property
    def balance(self) -> int:
        """Credits less debits: positive is what a customer has left, or what was earned."""
        return self.credits - self.debits


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLine:
    """One transfer, as shown."""

    effective_at: datetime
    transfer_id: str
    code: str
    debit_account: str
    credit_account: str
    amount: int
    currency: str
    reference: str
    journal_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """The ledger, or one account's part of it, at one journal record."""

    journal_no: int
    journal_hash: str
    ledger_hash: str
    accounts: tuple[LedgerAccountLine, ...]
    transfers: tuple[TransferLine, ...]

    def document(self) -> dict[str, object]:
        """For `--json`; money as decimal strings."""
        return {
            "journal_no": self.journal_no,
            "journal_hash": self.journal_hash,
            "ledger_hash": self.ledger_hash,
            "accounts": [
                {
                    "ledger_account": one.ledger_account,
                    "currency": one.currency,
                    "debits": format_amount(one.debits, one.currency),
                    "credits": format_amount(one.credits, one.currency),
                    "balance": format_amount(one.balance, one.currency),
                    "entries": one.entries,
                }
                for one in self.accounts
            ],
            "transfers": [
                {
                    "effective_at": one.effective_at,
                    "id": one.transfer_id,
                    "code": one.code,
                    "debit_account": one.debit_account,
                    "credit_account": one.credit_account,
                    "amount": format_amount(one.amount, one.currency),
                    "currency": one.currency,
                    "reference": one.reference,
                    "journal_no": one.journal_no,
                }
                for one in self.transfers
            ],
        }


def read_report(store: Store, account_id: str | None, *, limit: int) -> LedgerReport:
    """The whole ledger by account, or one account's part with its latest `limit` transfers."""
    accounts = sql.rows(
        store.connection.execute(
            sql.text("statements/invoices/statement/ledger_accounts"), {"account_id": account_id}
        ),
        LedgerAccountLine,
    )
    transfers: list[TransferLine] = []
    if account_id is not None:
        transfers = sql.rows(
            store.connection.execute(
                sql.text("statements/invoices/statement/ledger_transfers"),
                {"account_id": account_id, "limit": limit},
            ),
            TransferLine,
        )
    return LedgerReport(
        journal_no=store.journal.last_no,
        journal_hash=store.journal.last_hash,
        ledger_hash=ledger_hash(store.connection),
        accounts=tuple(accounts),
        transfers=tuple(transfers),
    )
