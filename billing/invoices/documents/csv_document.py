"""CSV of an invoice's lines and of its appendix: RFC 4180, safe to open in a spreadsheet (FAULTS
D17).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from billing.invoices.documents.json_document import stamp
from billing.invoices.figures import exact, minor, percent
from billing.invoices.records import Invoice, InvoiceLine

LINE_COLUMNS = (
    "invoice_no", "kind", "account_id", "customer", "month", "currency", "issued_at", "due_on",
    "line_no", "line_kind", "item", "region", "domain", "quantity", "free_quantity",
    "plan_quantity", "billable_quantity", "unit", "unit_quantity", "unit_price", "amount",
    "settled_amount", "tax_rate_percent", "tax", "rate_card", "tier", "corrects_invoice",
    "corrects_hour", "reason", "invoice_subtotal", "invoice_cut", "invoice_net", "invoice_tax",
    "invoice_total",
)  # fmt: skip
DETAIL_COLUMNS = (
    "invoice_no", "account_id", "day", "domain", "class", "region", "requests", "bytes_sent",
)  # fmt: skip
# A spreadsheet takes a cell that begins with one of these for a formula or trims it (OWASP ASVS
# 1.2.10).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NEEDS_QUOTES = frozenset('",\r\n')


def render_lines(invoice: Invoice) -> bytes:
    """One row per invoice line, the invoice's own figures repeated on each."""
    before = ",".join(
        (
            text(invoice.invoice_no),
            invoice.kind,
            text(invoice.account_id),
            text(invoice.customer.name),
            invoice.month,
            invoice.currency,
            stamp(invoice.issued_at),
            invoice.due_on.isoformat(),
        )
    )
    digits = invoice.digits
    after = ",".join(
        (
            exact(invoice.subtotal),
            exact(invoice.cut),
            minor(invoice.net, digits),
            minor(invoice.tax, digits),
            minor(invoice.total, digits),
        )
    )
    rows = (f"{before},{_line(line, digits)},{after}" for line in invoice.lines)
    return _file(LINE_COLUMNS, rows)


def render_detail(invoice: Invoice) -> bytes:
    """One row per local day, domain, class and region: the appendix."""
    before = f"{text(invoice.invoice_no)},{text(invoice.account_id)}"
    rows = (
        f"{before},{row.day.isoformat()},{text(row.domain)},{row.traffic_class},{text(row.region)},"
        f"{row.requests},{row.bytes_sent}"
        for row in invoice.detail
    )
    return _file(DETAIL_COLUMNS, rows)


def text(value: str) -> str:
    """A text cell: neutralised against formulas, NUL removed, quoted where RFC 4180 wants it."""
    if "\0" in value:
        value = value.replace("\0", "")
    if value.startswith(FORMULA_STARTS):
        value = f"'{value}"
    if _NEEDS_QUOTES.isdisjoint(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _line(line: InvoiceLine, digits: int) -> str:
    return ",".join(
        (
            str(line.line_no),
            line.kind,
            line.item,
            text(line.region),
            text(line.domain or ""),
            str(line.quantity),
            str(line.free_quantity),
            str(line.plan_quantity),
            str(line.billable_quantity),
            text(line.unit),
            str(line.unit_quantity),
            exact(line.unit_price),
            exact(line.amount),
            minor(line.settled_amount, digits),
            percent(line.tax_rate_bp),
            minor(line.tax, digits),
            text(line.rate_card),
            text(line.tier),
            text(line.corrects_invoice or ""),
            "" if line.corrects_hour is None else stamp(line.corrects_hour),
            text(line.reason),
        )
    )


def _file(columns: Sequence[str], rows: Iterable[str]) -> bytes:
    return ("\r\n".join((",".join(columns), *rows)) + "\r\n").encode("utf-8")
