"""What a person reads on an invoice: every figure as finished text, shared by the HTML and the
PDF.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.invoices.documents.appendix import PageDomain, domain_notes, domain_rows, sums_of
from billing.invoices.figures import GIBIBYTE, exact, gigabytes, grouped, minor, percent
from billing.invoices.periods import LocalPeriod
from billing.invoices.readiness import whole_hours
from billing.invoices.records import Invoice, InvoiceLine, Party
from billing.invoices.wording.names import item_name, region_name
from billing.invoices.wording.settlement_rows import (
    PageTotal,
    account_rows,
    due_rows,
    pay_lines,
    reference_rows,
)
from billing.invoices.wording.texts import said
from billing.vat.category import category_of

BYTES_PER_MBPS_SAMPLE = 37_500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParty:
    """Seller or customer as printed."""

    name: str
    lines: tuple[str, ...]
    tax_id: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """One line as printed; `notes` stand below it."""

    no: str
    item: str
    region: str
    notes: tuple[str, ...]
    quantity: str
    free: str
    plan: str
    billable: str
    unit_price: str
    unit: str
    amount: str
    offset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvidence:
    """How complete the usage was, in a sentence, and the hash that names it."""

    text: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that a person reads on an invoice, as finished texts."""

    title: str
    credit: bool
    draft: bool
    cjk: str
    no: str
    corrects: str
    reason: str
    issued: str
    due: str
    period: str
    month: str
    timezone: str
    currency: str
    account_id: str
    seller: PageParty
    customer: PageParty
    payment: tuple[str, ...]
    lines: tuple[PageLine, ...]
    has_offsets: bool
    totals: tuple[PageTotal, ...]
    total: str
    due_rows: tuple[PageTotal, ...]
    account_rows: tuple[PageTotal, ...]
    references: tuple[PageTotal, ...]
    evidence: PageEvidence | None
    domains: tuple[PageDomain, ...]
    domain_notes: tuple[str, ...]
    content_sha256: str


def page(invoice: Invoice, printable: Callable[[str], bool] = lambda _text: True) -> Page:
    """The invoice as texts in the order they are printed, the same for every renderer.

    `printable` says whether the renderer has the glyphs of a text: a domain is shown in its own
    script where it has, else as it stands in the logs.
    """
    credit = invoice.kind == "credit_note"
    title = "Credit note" if credit else "Invoice"
    sums = sums_of(invoice)
    return Page(
        title=f"Draft {title.lower()}" if invoice.draft else title,
        credit=credit,
        draft=invoice.draft,
        cjk=_cjk(invoice),
        no=invoice.invoice_no,
        corrects=invoice.corrects or "",
        reason=invoice.reason,
        issued=f"{invoice.issued_at.astimezone(ZoneInfo('UTC')):%-d %B %Y}",
        due=f"{invoice.due_on:%-d %B %Y}" if invoice.due_on else "",
        period=period_text(invoice.month),
        month=invoice.month,
        timezone=invoice.timezone,
        currency=invoice.currency,
        account_id=invoice.account_id,
        seller=_party(invoice.seller),
        customer=_party(invoice.customer),
        payment=(*pay_lines(invoice), *invoice.notes, *_untaxed(invoice)),
        lines=tuple(_line(line, invoice) for line in invoice.lines),
        has_offsets=any(line.free_quantity or line.plan_quantity for line in invoice.lines),
        totals=_totals(invoice),
        total=f"{grouped(minor(invoice.total, invoice.digits))} {invoice.currency}",
        due_rows=due_rows(invoice),
        account_rows=account_rows(invoice),
        references=reference_rows(invoice),
        evidence=_evidence(invoice),
        domains=domain_rows(sums, _size(invoice), printable),
        domain_notes=domain_notes(invoice, sums),
        content_sha256=invoice.content_sha256,
    )


def period_text(month: str) -> str:
    """The billing period as its first and last local day, both included: days of the calendar,
    whatever becomes of the rules of time zones.
    """
    year, number = int(month[:4]), int(month[5:])
    last = date(year, number, monthrange(year, number)[1])
    return f"1 {last:%B %Y} – {last:%-d %B %Y}"


def amount_text(item: str, quantity: int, unit: str = "") -> str:
    """A quantity in the unit people read: requests, GB as the price's `unit` counts them, or
    Mbit/s.
    """
    if item == "data_transfer":
        return gigabytes(quantity, _gigabyte(unit))
    if item.endswith("_bandwidth"):
        sign = "-" if quantity < 0 else ""
        thousandths = abs(quantity) * 1000 // BYTES_PER_MBPS_SAMPLE
        if quantity and not thousandths:
            return f"{quantity:,} bytes in 5 minutes"
        return f"{sign}{thousandths // 1000:,}.{thousandths % 1000:03d} Mbps"
    return f"{quantity:,}"


def unit_text(item: str, unit: str) -> str:
    """What a price is for, in words: `per GB of 1000³ bytes`, `per Mbps and day`."""
    words = unit
    if unit.endswith("1000"):
        words = (
            f"{unit.removesuffix('1000')} of 1000{'³' if unit.endswith('GB1000') else '⁴'} bytes"
        )
    return f"per {words}{' and day' if item == 'peak_bandwidth' else ''}"


def _gigabyte(unit: str) -> int:
    """How many bytes a GB has where prices are per `unit`."""
    return 1000**3 if unit.endswith("1000") else GIBIBYTE


def _party(party: Party) -> PageParty:
    return PageParty(name=party.name, lines=party.printed, tax_id=party.tax_id, email=party.email)


def _untaxed(invoice: Invoice) -> list[str]:
    """Why an invoice has no tax, in the sentence of the law; blank where nobody has said why."""
    if any(line.tax_rate_bp for line in invoice.lines):
        return []
    found = category_of(Decimal(0), invoice.seller.facts(), invoice.customer.facts())
    return [found.reason] if found is not None else []


def corrected_text(line: InvoiceLine) -> str:
    """The hour or hours that a correction is about."""
    first, until = line.corrects_hour, line.corrects_until
    if first is None:
        return ""
    if until is None or until - first <= timedelta(hours=1):
        return f"hour of {first:%Y-%m-%d %H:%M} UTC"
    return f"{first:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"


def _line(line: InvoiceLine, invoice: Invoice) -> PageLine:
    priced = line.unit_quantity > 0
    fixed = not priced and line.quantity == 0
    notes = []
    if line.corrects_invoice and line.corrects_hour is not None:
        notes.append(f"Corrects {line.corrects_invoice}, {corrected_text(line)}: {line.reason}")
    elif line.reason:
        notes.append(line.reason)
    if line.item == "peak_bandwidth" and line.kind == "usage":
        notes.append("the sum of the days' peaks; each day is priced by its own")
    if line.tier:
        notes.append(line.tier)
    if line.leftover:
        leftover = minor(line.leftover, invoice.digits)
        notes.append(f"includes the rounding leftover {leftover}")
    return PageLine(
        no=str(line.line_no),
        item=item_name(line.item),
        region=region_name(line.region) + (f", {line.domain}" if line.domain else ""),
        notes=tuple(notes),
        quantity="–" if fixed else amount_text(line.item, line.quantity, line.unit),
        free=amount_text(line.item, line.free_quantity, line.unit) if line.free_quantity else "–",
        plan=amount_text(line.item, line.plan_quantity, line.unit) if line.plan_quantity else "–",
        billable="–" if fixed else amount_text(line.item, line.billable_quantity, line.unit),
        unit_price=grouped(exact(line.unit_price, invoice.currency)) if priced else "",
        unit=unit_text(line.item, line.unit) if priced else "",
        amount=grouped(minor(line.settled_amount, invoice.digits)),
        offset=line.plan_quantity != 0 and line.billable_quantity == 0,
    )


def _totals(invoice: Invoice) -> tuple[PageTotal, ...]:
    digits = invoice.digits
    rows = [("Sum of charges, exact", grouped(exact(invoice.subtotal, invoice.currency)), "muted")]
    rows.append(
        ("Rounded down to the minor unit", grouped(exact(-invoice.cut, invoice.currency)), "muted")
    )
    rows.append(("Net", grouped(minor(invoice.net, digits)), "net"))
    rates = sorted({line.tax_rate_bp for line in invoice.lines})
    for rate in rates if len(rates) > 1 else ():
        own = [line for line in invoice.lines if line.tax_rate_bp == rate]
        net = grouped(minor(sum(line.settled_amount for line in own), digits))
        tax = grouped(minor(sum(line.tax for line in own), digits))
        rows.append((f"Tax {percent(rate)} % on {net}", tax, ""))
    if len(rates) <= 1:
        rate = invoice.tax_rate_bp or Decimal(0)
        rows.append((f"Tax {percent(rate)} %", grouped(minor(invoice.tax, digits)), ""))
    return tuple(PageTotal(label=label, value=value, style=style) for label, value, style in rows)


def _evidence(invoice: Invoice) -> PageEvidence | None:
    evidence = invoice.evidence
    if evidence is None:
        return None
    whole = whole_hours(LocalPeriod(start=invoice.period_start, end=invoice.period_end))
    parts = [said("evidence", hours=f"{evidence.hours:,}", whole=f"{whole:,}")]
    if evidence.incomplete_hours:
        parts.append(
            f"{evidence.incomplete_hours:,} of them closed incomplete after the deadline, and what"
            " comes later is corrected on a later invoice"
        )
    return PageEvidence(text="; ".join(parts) + ".", sha256=evidence.usage_sha256)


def _size(invoice: Invoice) -> int:
    units = {line.unit for line in invoice.lines if line.item == "data_transfer"}
    return _gigabyte(min(units, default=""))


def _cjk(invoice: Invoice) -> str:
    """Whose forms of Chinese characters the names want: JP with kana, KR with hangul, else SC; none
    where there are no such characters.
    """
    parties = (invoice.seller, invoice.customer)
    text = "".join("".join((party.name, *party.lines)) for party in parties)
    if re.search("[\u3040-\u30ff]", text):
        return "JP"
    if re.search("[\u1100-\u11ff\uac00-\ud7ff]", text):
        return "KR"
    return "SC" if re.search("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", text) else ""
