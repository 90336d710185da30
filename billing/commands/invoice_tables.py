"""What the invoice commands print: tables for people, JSON for programs, and the warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from edge.errors import InputError
from edge.terminal import emit, say, table, warn

if TYPE_CHECKING:
    from billing.close.issuing import IssuedMonth
    from billing.invoices.crediting import Credited
    from billing.invoices.reading import InvoiceFigures
    from billing.invoices.run import Issued
    from billing.invoices.settings import InvoiceSettings
    from billing.invoices.waiting import Waiting
    from billing.ledger.records import Posted
    from billing.status.facts import UnownedTraffic

SHOWN = 50


class ShownInvoice(TypedDict):
    """One document as the commands print it, money as decimal strings."""

    invoice_no: str
    account_id: str
    kind: str
    status: str
    lines: int
    currency: str
    subtotal: str
    cut: str
    tax: str
    total: str
    content_sha256: str


def rows_of(found: Sequence[InvoiceFigures], statuses: Mapping[str, str]) -> list[ShownInvoice]:
    """The figures of each document as the command prints them."""
    from billing.invoices.figures import exact, minor

    return [
        ShownInvoice(
            invoice_no=one.invoice_no,
            account_id=one.account_id,
            kind=one.kind,
            status=statuses.get(one.invoice_no, "draft"),
            lines=one.lines,
            currency=one.currency,
            subtotal=exact(one.subtotal, one.currency),
            cut=exact(one.cut, one.currency),
            tax=minor(one.tax, one.digits),
            total=minor(one.total, one.digits),
            content_sha256=one.content_sha256,
        )
        for one in found
    ]


def show_issued(
    done: IssuedMonth,
    unowned: UnownedTraffic,
    *,
    month: str,
    home: Path,
    as_json: bool,
) -> None:
    """What `invoice` did: its documents, and which accounts wait."""
    from billing.invoices.documents.files import folder_of
    from billing.status.unowned import traffic_document

    issued, written = done.issued, done.written
    rows = rows_of(done.documents, done.statuses)
    folder = folder_of(home, month)
    document = {
        "month": month,
        "run": issued.run_id if issued.journal_no else None,
        "issued": issued.invoices,
        "invoices": rows,
        "waiting": [
            {"account_id": one.account_id, "problem": one.problem, "hint": one.hint}
            for one in issued.waiting
        ],
        "documents": {"new": written.new, "restored": written.restored, "same": written.same},
        "folder": str(folder),
        "unowned": traffic_document(unowned),
    }

    def human() -> None:
        print_rows(f"Invoices of {month}", rows)
        if issued.invoices:
            say(f"{issued_words(issued)} issued; the documents are in {folder}")
        elif not issued.waiting and not (written.same or written.restored):
            say(f"nothing to issue: no account has rated usage in {month}")
        elif not issued.waiting:
            say(f"nothing to issue: the invoices of {month} stand as they were, in {folder}")
        if written.restored:
            changed = "was changed and was" if written.restored == 1 else "were changed and were"
            say(f"{count(written.restored, 'document')} {changed} put back as issued")

    emit(document, as_json=as_json, human=human)


def refuse_waiting(month: str, waiting: Sequence[Waiting]) -> None:
    """InputError naming the first of the accounts that could not be issued, if there is one."""
    if waiting:
        first, others = waiting[0], len(waiting) - 1
        more = f" (and {count(others, 'more account')})" if others else ""
        raise InputError(
            f"{month} cannot be issued yet for {first.account_id}{more}: {first.problem}",
            first.hint,
        )


def count(number: int, what: str) -> str:
    """`1 invoice`, `2 invoices`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def warn_of_draft(settings: InvoiceSettings, drafts: int, early: int) -> None:
    """What stands between these drafts and their invoices."""
    from billing.invoices.settings import check_seller

    if early:
        warn(f"the month is not over for {count(early, 'account')}: these are its figures so far")
    if drafts:
        try:
            check_seller(settings)
        except InputError as error:
            warn(f"{error.message}: {error.hint}")


def issued_words(issued: Issued) -> str:
    """How many documents of each kind a run issued: most months, invoices alone."""
    notes = issued.credit_notes
    said = [count(issued.invoices - notes, "invoice")] if issued.invoices > notes else []
    return " and ".join([*said, *([count(notes, "credit note")] if notes else [])])


def posted_document(posted: Posted) -> dict[str, object]:
    """The payment that `paid` took in."""
    from billing.money import format_amount

    transfer = posted.transfer
    return {
        "id": transfer.transfer_id,
        "account_id": transfer.account_id,
        "amount": format_amount(transfer.amount, transfer.currency),
        "currency": transfer.currency,
        "new": posted.new,
    }


def posted_words(posted: Posted) -> str:
    """The same for people."""
    from billing.money import format_amount

    one = posted.transfer
    amount = f"{format_amount(one.amount, one.currency)} {one.currency}"
    if posted.new:
        return f"posted {amount} to {one.account_id} as {one.transfer_id}; it pays the oldest first"
    return f"{one.transfer_id} was posted before ({amount} to {one.account_id}): nothing was posted"


def print_rows(title: str, rows: Sequence[ShownInvoice]) -> None:
    """A table of documents for people, the first of them."""
    columns = ("invoice", "account", "lines", "exact sum", "cut", "tax", "total", "")
    cells = [
        (row["invoice_no"], row["account_id"], row["lines"], row["subtotal"], row["cut"],
         row["tax"], row["total"], row["currency"])
        for row in rows[:SHOWN]
    ]  # fmt: skip
    table(title, columns, cells, right=("lines", "exact sum", "cut", "tax", "total"))
    if len(rows) > SHOWN:
        say(f"… and {len(rows) - SHOWN} more; all of them are in the view invoices")


def show_credit(done: Credited, *, as_json: bool) -> None:
    """The credit note that was made, or had been made before."""
    from billing.money import format_amount

    document = {
        "credit_note": done.credit_note,
        "invoice_no": done.invoice_no,
        "total": format_amount(done.total, done.currency),
        "new": done.new,
    }

    def human() -> None:
        made = "issued" if done.new else "was issued before, nothing changed"
        say(
            f"credit note {done.credit_note} over {format_amount(-done.total, done.currency)}"
            f" {done.currency}"
            f" for {done.invoice_no} {made}"
        )

    emit(document, as_json=as_json, human=human)
