"""What the invoice commands print: tables for people, JSON for programs, and the warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from edge.terminal import emit, say, table, warn

if TYPE_CHECKING:
    from billing.invoices.crediting import Credited
    from billing.invoices.documents.files import FilesWritten
    from billing.invoices.reading import InvoiceFigures
    from billing.invoices.run import Issued
    from billing.invoices.settings import InvoiceSettings

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
    issued: Issued,
    rows: Sequence[ShownInvoice],
    written: FilesWritten,
    *,
    month: str,
    home: Path,
    as_json: bool,
) -> None:
    """What `invoice` did: its documents, and which accounts wait."""
    from billing.invoices.documents.files import folder_of

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
    }

    def human() -> None:
        print_rows(f"Invoices of {month}", rows)
        if issued.invoices:
            say(f"{issued.invoices} invoices issued; their documents are in {folder}")
        elif not issued.waiting and not (written.same or written.restored):
            say(f"nothing to issue: no account has rated usage in {month}")
        elif not issued.waiting:
            say(f"nothing to issue: the invoices of {month} stand as they were, in {folder}")
        if written.restored:
            say(f"{written.restored} documents were missing or changed and were put back")

    warn_of_boxes(written, home)
    emit(document, as_json=as_json, human=human)


def warn_of_seller(settings: InvoiceSettings) -> None:
    """Say once what most tax offices would miss on an invoice."""
    if not settings.seller.tax_id:
        warn(
            "the seller on these invoices has no tax id: set tax_id under [invoices.seller] in"
            " edgetoll.toml before you issue (what was issued is not changed)"
        )


def warn_of_boxes(written: FilesWritten, home: Path) -> None:
    """Say which PDF files lack characters, and what mends it: never a silent box in a name."""
    if not written.unprintable:
        return
    name, characters = next(iter(written.unprintable.items()))
    others = len(written.unprintable) - 1
    more = f" and {others} more documents" if others else ""
    warn(
        f"the PDF of {name}{more} has boxes for characters without a font: {characters[:20]};"
        f" put a font file that has them (Noto Sans CJK, say) into {home / 'fonts'} and run again"
    )


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
            f"credit note {done.credit_note} over {document['total']} {done.currency}"
            f" for {done.invoice_no} {made}"
        )

    emit(document, as_json=as_json, human=human)
