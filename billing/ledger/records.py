"""The nouns of the ledger. Amounts are whole numbers of 10^-10 currency units."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from billing.money import check_amount

TopUpKind = Literal["cash", "voucher", "refund", "chargeback", "write-off"]
TOP_UP_KINDS: tuple[TopUpKind, ...] = ("cash", "voucher", "refund", "chargeback", "write-off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement of money. `amount` is positive; `effective_at` is UTC text without a zone."""

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
class PostedTransfer:
    """What stands in the ledger under an id: its content, and the journal record that posted it."""

    debit_account: str
    credit_account: str
    amount: int
    currency: str
    code: str
    account_id: str
    journal_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What a posting came to: `new` is false when the same was posted before."""

    transfer: Transfer
    new: bool
    journal_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account has: available = cash + vouchers - charged + credit_limit."""

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

    @property
    def owed(self) -> int:
        """The debt: what was charged beyond all that was paid and given. Credit lessens none."""
        return max(0, self.charged - self.cash - self.vouchers)


def as_effect(transfer: Transfer) -> dict[str, str]:
    """The form of a transfer inside a journal record; the amount as text, since JSON numbers are
    doubles to many readers.
    """
    return {**asdict(transfer), "amount": str(check_amount(transfer.amount))}
