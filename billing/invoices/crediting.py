"""Void and credit notes: an issued document never changes, another one takes back what it said.

Void: the number is kept, a credit note mirrors every line, tax and cut are reversed, and the month
is open again; the charges stay, since usage was used, and `billing invoice --reissue` bills them
under a new number (FAULTS G15, decision 0704). A partial credit note gives money back: its net
goes from the item's revenue to the customer's funds, its tax likewise, and it can never exceed
what is left of the line. Its line carries the number of the line it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sql
from billing.invoices.numbering import invoice_no as number_text
from billing.invoices.numbering import series_of
from billing.invoices.run import OUT, seller_text
from billing.invoices.settings import InvoiceSettings, check_prefixes
from billing.invoices.settlement import cut_to_minor
from billing.money import DIGITS, format_amount
from billing.store.store import Store, TableRef
from edge.errors import ConflictError, InputError

DOCUMENTS = ("invoices", "invoice_lines", "invoice_detail", "invoice_transfers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The invoice that is credited: where it stands and what was credited on it before."""

    invoice_no: str
    status: str
    account_id: str
    month: str
    currency: str
    digits: int
    total: int
    tax_rate_bp: int
    credited: int
    credit_notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """The credit note made, or found: `new` is false when the same command had made it before."""

    credit_note: str
    invoice_no: str
    currency: str
    total: int
    new: bool


def subject(store: Store, invoice_no: str) -> Subject:
    """The invoice of that number; InputError if there is none, or if it is itself a credit note."""
    row = store.connection.execute(
        sql.text("statements/invoices/standing_of"), {"invoice_no": invoice_no}
    ).fetchone()
    if row is None:
        raise InputError(f"there is no invoice {invoice_no}", "see the view invoices for numbers")
    if row[0] != "invoice":
        raise InputError(f"{invoice_no} is a credit note", "name the invoice it is about")
    return Subject(
        invoice_no=invoice_no,
        status=row[1],
        account_id=row[2],
        month=row[3],
        currency=row[4],
        digits=row[5],
        total=row[6],
        tax_rate_bp=row[7],
        credited=row[8],
        credit_notes=row[9],
    )


def void(
    store: Store, invoice_no: str, *, reason: str, settings: InvoiceSettings, at: datetime
) -> Credited:
    """Make an issued invoice void by a credit note over all of it; repeating it changes nothing."""
    _check_reason(reason)
    about = subject(store, invoice_no)
    run_id = f"void-{invoice_no}"
    if about.status == "void":
        return _found(store, run_id)
    if about.credit_notes:
        raise ConflictError(
            f"{invoice_no} was credited in part by {about.credit_notes}",
            "credit the rest with edgetoll billing credit-note; a void covers a whole invoice",
        )
    note = _Note(store, settings, about, at=at, reason=f"Void: {reason}", run_id=run_id)
    note.lines("credit_all_lines", {})
    effects = note.finish(partial=False)
    effects["void"] = {"invoice_no": invoice_no, "reason": reason}
    store.commit("invoice_void", effects, at=at)
    return _found(store, run_id, new=True)


def credit(
    store: Store,
    invoice_no: str,
    *,
    line_no: int,
    amount: int,
    key: str,
    reason: str,
    settings: InvoiceSettings,
    at: datetime,
) -> Credited:
    """Give back `amount` (net, whole minor units) of one line under idempotency key `key`."""
    _check_reason(reason)
    about = subject(store, invoice_no)
    run_id = f"credit-{key}"
    before = store.connection.execute(
        sql.text("statements/invoices/document_of_run"), {"run_id": run_id}
    ).fetchone()
    if before is not None:
        return _same_credit(store, run_id, about, (line_no, amount), before)
    _check_amount(about, amount)
    _check_line(store, about, line_no, amount)
    note = _Note(store, settings, about, at=at, reason=reason, run_id=run_id)
    step = 10 ** (DIGITS - about.digits)
    note.lines(
        "credit_one_line", {"line_no": line_no, "amount": amount, "step": step, "reason": reason}
    )
    effects = note.finish(partial=True)
    total = store.connection.table("invoice_out_heads").project("total").fetchall()[0][0]
    if about.total + about.credited + total < 0:
        raise InputError(
            f"{format_amount(-total, about.currency)} with tax is more than is left of"
            f" {invoice_no},"
            f" {format_amount(about.total + about.credited, about.currency)} {about.currency}",
            "credit at most that",
        )
    store.commit("credit_note", effects, at=at)
    return _found(store, run_id, new=True)


class _Note:
    """A credit note on its way: computed in the temp tables of an invoice run, then handed to the
    journal.
    """

    def __init__(
        self,
        store: Store,
        settings: InvoiceSettings,
        about: Subject,
        *,
        at: datetime,
        reason: str,
        run_id: str,
    ) -> None:
        check_prefixes(settings)
        self.connection = store.connection
        series = series_of(settings.credit_note_prefix, about.currency, at, settings.timezone)
        last = self.connection.execute(
            sql.text("statements/invoices/last_number"), {"series": series}
        ).fetchall()[0][0]
        self.about, self.reason, self.run_id = about, reason, run_id
        issued_on = at.astimezone(ZoneInfo(settings.timezone)).date()
        self.number_text = number_text(series, last + 1)
        self.head = {
            "number_text": self.number_text,
            "series": series,
            "number": last + 1,
            "issued_at": at.astimezone(UTC).replace(tzinfo=None, microsecond=0),
            "issued_on": issued_on,
            "seller": seller_text(settings, issued_on),
            "reason": reason,
            "run_id": run_id,
            "invoice_no": about.invoice_no,
        }

    def lines(self, statement: str, parameters: dict[str, Any]) -> None:
        """Compute the note's lines."""
        self.connection.execute(
            sql.text(f"statements/invoices/{statement}"),
            {
                "number_text": self.number_text,
                "invoice_no": self.about.invoice_no,
                **parameters,
            },
        )

    def finish(self, *, partial: bool) -> dict[str, Any]:
        """Head, hash and transfers; the effects of the journal record."""
        self.connection.execute(sql.text("statements/invoices/credit_detail"))
        self.connection.execute(sql.text("statements/invoices/credit_head"), self.head)
        self.connection.execute(
            sql.text("statements/invoices/content_hashes"),
            {
                "heads": "invoice_heads",
                "lines": OUT["invoice_lines"],
                "detail": OUT["invoice_detail"],
            },
        )
        self.connection.execute(sql.text("statements/invoices/out_heads"))
        self.connection.execute(sql.text("statements/invoices/out_transfers"))
        if partial:
            self.connection.execute(sql.text("statements/invoices/credit_transfers"))
        effects: dict[str, Any] = {name: TableRef(OUT[name]) for name in DOCUMENTS}
        effects["run"] = {
            "run_id": self.run_id,
            "month": self.about.month,
            "import_no": 0,
            "documents": 1,
            "reason": self.reason,
        }
        return effects


def _found(store: Store, run_id: str, *, new: bool = False) -> Credited:
    row = store.connection.execute(
        sql.text("statements/invoices/document_of_run"), {"run_id": run_id}
    ).fetchone()
    assert row is not None, "the record that made it was just applied"
    return Credited(credit_note=row[0], invoice_no=row[1], currency=row[3], total=row[2], new=new)


def _same_credit(
    store: Store,
    run_id: str,
    about: Subject,
    line_and_amount: tuple[int, int],
    before: tuple[Any, ...],
) -> Credited:
    net, line_no = store.connection.execute(
        sql.text("statements/invoices/net_of_document"), {"invoice_no": before[0]}
    ).fetchall()[0]
    if before[1] != about.invoice_no or (line_no, -net) != line_and_amount:
        raise ConflictError(
            f"key {run_id.removeprefix('credit-')!r} made credit note {before[0]} over"
            f" {format_amount(-net, about.currency)} on line {line_no} of {before[1]}",
            "a key stands for one credit: use another",
        )
    return _found(store, run_id)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("a correction needs a reason", "say it: --reason TEXT")


def _check_line(store: Store, about: Subject, line_no: int, amount: int) -> None:
    left = store.connection.execute(
        sql.text("statements/invoices/left_of_line"),
        {"invoice_no": about.invoice_no, "line_no": line_no},
    ).fetchall()[0][0]
    if left is None:
        raise InputError(
            f"{about.invoice_no} has no line {line_no}", "see its document for line numbers"
        )
    if amount > left:
        raise InputError(
            f"{format_amount(amount, about.currency)} is more than is left of line {line_no} of"
            f" {about.invoice_no}, {format_amount(max(left, 0), about.currency)} {about.currency}",
            "credit at most that on this line, and the rest on another",
        )


def _check_amount(about: Subject, amount: int) -> None:
    if about.status == "void":
        raise ConflictError(f"{about.invoice_no} is void", "there is nothing left to credit")
    kept, cut = cut_to_minor(amount, about.currency)
    if kept <= 0 or cut:
        raise InputError(
            f"{format_amount(amount, about.currency)} is not a positive amount of whole"
            f" minor units of {about.currency}",
            "credit notes are settled: write at most its usual decimals",
        )
