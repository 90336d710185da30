"""What is to be paid, by when and how, and how the account stands: finished texts for the page."""

from __future__ import annotations

from dataclasses import dataclass

from billing.invoices.figures import exact, grouped, minor
from billing.invoices.records import Invoice
from billing.invoices.wording.writing import Writing


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTotal:
    """One row of the sums."""

    label: str
    value: str
    style: str


def due_rows(invoice: Invoice) -> tuple[PageTotal, ...]:
    """Below the total: what was there already, and what is to be paid by when."""
    if invoice.standing is None or invoice.kind == "credit_note":
        return ()
    writing = Writing(language=invoice.language)
    rows = []
    used = invoice.standing.prepaid_used
    if used:
        value = writing.number(grouped(minor(-used, invoice.digits)))
        rows.append(_row("prepaid_used", value, invoice))
    label = writing.said("nothing_due")
    if invoice.due and invoice.due_on is not None:
        label = writing.said("amount_due", day=writing.day(invoice.due_on))
    value = writing.money(grouped(minor(invoice.due, invoice.digits)), invoice.currency)
    return (*rows, PageTotal(label=label, value=value, style="due"))


def account_rows(invoice: Invoice) -> tuple[PageTotal, ...]:
    """How the account stood before this document, what was paid, and how it stands with it."""
    if invoice.standing is None:
        return ()
    before, paid = invoice.standing.balance_before, invoice.standing.payments_since
    return (
        _row("balance_before", _side(before, invoice), invoice),
        _row("payments_since", _exact(paid, invoice), invoice),
        _row("this_document", _exact(invoice.total, invoice), invoice),
        _row("balance_now", _side(before - paid + invoice.total, invoice), invoice),
    )


def pay_lines(invoice: Invoice) -> tuple[str, ...]:
    """How to pay it, in sentences; where nothing is to be paid, that."""
    if invoice.standing is None or invoice.kind == "credit_note":
        return ()
    writing = Writing(language=invoice.language)
    if not invoice.due:
        return (writing.said("paid_already"),)
    assert invoice.due_on is not None, "a draft has no standing"
    lines = [
        writing.said(
            "pay_by",
            amount=writing.money(grouped(minor(invoice.due, invoice.digits)), invoice.currency),
            day=writing.day(invoice.due_on),
            reference=invoice.invoice_no,
        )
    ]
    standing = invoice.standing
    earlier = standing.balance_before - standing.payments_since
    if earlier > 0:
        amount = writing.money(grouped(exact(earlier, invoice.currency)), invoice.currency)
        lines.append(writing.said("open_earlier", amount=amount))
    details = invoice.seller.details
    iban, bic = details.get("iban", ""), details.get("bic", "")
    if iban:
        lines.append(writing.said("bank_with_bic" if bic else "bank", iban=iban, bic=bic))
    if link := details.get("payment_link", ""):
        link = link.replace("{invoice}", invoice.invoice_no)
        lines.append(writing.said("pay_online", link=link))
    return tuple(lines)


def reference_rows(invoice: Invoice) -> tuple[PageTotal, ...]:
    """The customer's own references, where its account has some."""
    found = invoice.customer.details
    names = ("purchase_order", "contract", "cost_center", "buyer_reference")
    return tuple(_row(name, found[name], invoice) for name in names if found.get(name))


def _row(key: str, value: str, invoice: Invoice) -> PageTotal:
    label = Writing(language=invoice.language).said(key)
    return PageTotal(label=label, value=value, style="muted")


def _exact(amount: int, invoice: Invoice) -> str:
    return Writing(language=invoice.language).number(grouped(exact(amount, invoice.currency)))


def _side(balance: int, invoice: Invoice) -> str:
    """A balance with the side it is on: a sign alone is read either way."""
    writing = Writing(language=invoice.language)
    if not balance:
        return writing.said("even")
    return writing.said(
        "owed" if balance > 0 else "in_favour", amount=_exact(abs(balance), invoice)
    )
