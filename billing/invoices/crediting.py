"""Void and credit notes: an issued document never changes, another one takes back what it said.

Void: the number is kept, a credit note mirrors every line, tax and cut are reversed, and the month
is open again; the charges stay, since usage was used, and `billing invoice --reissue` bills them
under a new number (FAULTS G15, decision 0704). A partial credit note gives money back: its net
goes from the item's revenue to the customer's funds, its tax likewise, and it can never exceed
what is left of the line. Its line carries the number of the line it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sql
from billing.instants import naive
from billing.invoices.numbering import invoice_no as number_text
from billing.invoices.records import InvoiceKind
from billing.invoices.run import OUT, finish
from billing.invoices.sellers import issuer_of, seller_text
from billing.invoices.settings import InvoiceSettings, check_prefixes, check_seller
from billing.invoices.settlement import cut_to_minor
from billing.money import DIGITS, format_amount
from billing.readable import check_id, hidden_in
from billing.store.gone import usage_before
from billing.store.session import TableRef
from billing.store.store import Store
from edge.errors import ConflictError, InputError

DOCUMENTS = ("invoices", "invoice_lines", "invoice_detail", "invoice_transfers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The document that is credited: where it stands and what was credited on it before."""

    invoice_no: str
    kind: InvoiceKind
    status: str
    account_id: str
    month: str
    currency: str
    digits: int
    total: int
    credited: int
    seller_id: str
    """Who issued it, and so issues what corrects it."""
    numbers: str
    """The credit notes on it so far, as they are named to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """The credit note made, or found: `new` is false when the same command had made it before."""

    credit_note: str
    invoice_no: str
    currency: str
    total: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOfRun:
    """The credit note that a command made: what it is about, and over how much."""

    invoice_no: str
    corrects: str
    total: int
    currency: str
    reason: str
    net: int
    line_no: int


def subject(store: Store, invoice_no: str) -> Subject:
    """The invoice of that number; InputError if there is none, or if it is itself a credit note."""
    found = sql.row(
        store.connection.execute(
            sql.text("statements/invoices/crediting/standing_of"), {"invoice_no": invoice_no}
        ),
        Subject,
    )
    if found is None:
        raise InputError(f"there is no invoice {invoice_no}", "see the view invoices for numbers")
    if found.kind != "invoice":
        raise InputError(f"{invoice_no} is a credit note", "name the invoice it is about")
    return found


def void(
    store: Store, invoice_no: str, *, reason: str, settings: InvoiceSettings, at: datetime
) -> Credited:
    """Make an issued invoice void by a credit note over all of it; repeating it changes nothing."""
    _check_reason(reason)
    about = subject(store, invoice_no)
    run_id, printed = f"void-{invoice_no}", f"Void: {reason}"
    _refuse_pruned(store, about)
    if about.status == "void":
        done = _found(store, run_id)
        _check_same_reason(done, printed)
        return _credited(done, new=False)
    if about.numbers:
        raise ConflictError(
            f"{invoice_no} was credited in part by {about.numbers}",
            "credit the rest with edgetoll billing credit-note; a void covers a whole invoice",
        )
    note = _Note(store, settings, about, at=at, reason=printed, run_id=run_id)
    note.lines("statements/invoices/crediting/credit_all_lines", {})
    effects = note.finish(partial=False)
    effects["void"] = {"invoice_no": invoice_no, "reason": reason}
    store.commit("invoice_void", effects, at=at)
    return _credited(_found(store, run_id), new=True)


def _refuse_pruned(store: Store, about: Subject) -> None:
    """A month whose usage was pruned could not be issued again, with what each domain used."""
    pruned = usage_before(store.connection)
    if about.status != "void" and pruned is not None and about.month <= f"{pruned:%Y-%m}":
        raise ConflictError(
            f"{about.invoice_no} cannot be made void: usage of {about.month} was pruned, and the"
            " month could not be issued again",
            "give back what is wrong: edgetoll billing credit-note",
        )


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
    check_id(key, "the id of a credit")
    about = subject(store, invoice_no)
    run_id = f"credit-{key}"
    before = _note_of(store, run_id)
    if before is not None:
        return _same_credit(about, key, (line_no, amount), reason, before)
    _check_amount(about, amount)
    _check_line(store, about, line_no, amount)
    note = _Note(store, settings, about, at=at, reason=reason, run_id=run_id)
    step = 10 ** (DIGITS - about.digits)
    note.lines(
        "statements/invoices/crediting/credit_one_line",
        {"line_no": line_no, "amount": amount, "step": step, "reason": reason},
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
    return _credited(_found(store, run_id), new=True)


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
        issuer = issuer_of(settings, about.seller_id)
        check_seller(settings, about.seller_id)
        self.connection = store.connection
        series = issuer.series("credit_note", about.currency, at)
        last = self.connection.execute(
            sql.text("statements/invoices/crediting/last_number"), {"series": series}
        ).fetchall()[0][0]
        self.about, self.reason, self.run_id = about, reason, run_id
        issued_on = at.astimezone(ZoneInfo(issuer.timezone)).date()
        self.number_text = number_text(series, last + 1)
        self.head = {
            "number_text": self.number_text,
            "series": series,
            "number": last + 1,
            "issued_at": naive(at.replace(microsecond=0)),
            "issued_on": issued_on,
            "seller": seller_text(issuer.seller, ()),
            "reason": reason,
            "run_id": run_id,
            "invoice_no": about.invoice_no,
        }

    def lines(self, statement: str, parameters: Mapping[str, object]) -> None:
        """Compute the note's lines by the statement of that name."""
        self.connection.execute(
            sql.text(statement),
            {
                "number_text": self.number_text,
                "invoice_no": self.about.invoice_no,
                **parameters,
            },
        )

    def finish(self, *, partial: bool) -> dict[str, object]:
        """Head, hash and transfers; the effects of the journal record."""
        self.connection.execute(sql.text("statements/invoices/crediting/credit_detail"))
        self.connection.execute(sql.text("statements/invoices/crediting/credit_head"), self.head)
        finish(self.connection)
        if partial:
            self.connection.execute(sql.text("statements/invoices/crediting/credit_transfers"))
        effects: dict[str, object] = {name: TableRef(OUT[name]) for name in DOCUMENTS}
        effects["run"] = {
            "run_id": self.run_id,
            "month": self.about.month,
            "import_no": 0,
            "documents": 1,
            "reason": self.reason,
        }
        return effects


def _found(store: Store, run_id: str) -> NoteOfRun:
    found = _note_of(store, run_id)
    assert found is not None, "the record that made it was applied"
    return found


def _note_of(store: Store, run_id: str) -> NoteOfRun | None:
    return sql.row(
        store.connection.execute(
            sql.text("statements/invoices/crediting/note_of_run"), {"run_id": run_id}
        ),
        NoteOfRun,
    )


def _credited(note: NoteOfRun, *, new: bool) -> Credited:
    return Credited(
        credit_note=note.invoice_no,
        invoice_no=note.corrects,
        currency=note.currency,
        total=note.total,
        new=new,
    )


def _same_credit(
    about: Subject, key: str, line_and_amount: tuple[int, int], reason: str, before: NoteOfRun
) -> Credited:
    if before.corrects != about.invoice_no or (before.line_no, -before.net) != line_and_amount:
        raise ConflictError(
            f"key {key!r} made credit note {before.invoice_no} over"
            f" {format_amount(-before.net, about.currency)} on line {before.line_no} of"
            f" {before.corrects}",
            "a key stands for one credit: use another",
        )
    _check_same_reason(before, reason)
    return _credited(before, new=False)


def _check_same_reason(before: NoteOfRun, reason: str) -> None:
    """An issued document says why for ever: another reason would be lost without a word."""
    if before.reason != reason:
        raise ConflictError(
            f"{before.invoice_no} was issued with the reason {before.reason!r}, not {reason!r}",
            "an issued document does not change; what was meant otherwise is another credit",
        )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("a correction needs a reason", "say it: --reason TEXT")
    if hidden := hidden_in(reason.strip()):
        raise InputError(
            f"the reason holds {hidden}", "it is printed on the credit note: leave it out"
        )


def _check_line(store: Store, about: Subject, line_no: int, amount: int) -> None:
    left = store.connection.execute(
        sql.text("statements/invoices/crediting/left_of_line"),
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
