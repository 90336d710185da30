"""What a person reads on an invoice: every figure as finished text, shared by the HTML and the
PDF.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.invoices.documents.appendix import (
    PageCost,
    PageDomain,
    cost_rows,
    domain_notes,
    domain_rows,
    sums_of,
)
from billing.invoices.figures import GIBIBYTE, exact, gigabytes, grouped, minor, percent
from billing.invoices.periods import LocalPeriod
from billing.invoices.readiness import whole_hours
from billing.invoices.records import Invoice, InvoiceLine, Party
from billing.invoices.wording.names import item_name, region_name
from billing.invoices.wording.said_before import kept_text, tier_text, unit_words
from billing.invoices.wording.settlement_rows import (
    PageTotal,
    account_rows,
    due_rows,
    pay_lines,
    reference_rows,
)
from billing.invoices.wording.writing import ENGLISH, Writing
from billing.vat.category import category_of

ACCENT = "#0b5cad"
BYTES_PER_MBPS_SAMPLE = 37_500_000
WORDS = (
    "draft_mark", "tax_id", "account", "billed_to", "credited_to", "issued", "drawn_up", "due",
    "period", "zone", "currency", "for_invoice", "replaces", "item", "quantity", "free_quota",
    "by_plans", "billable", "unit_price", "amount", "total", "page_before", "page_between",
    "page_after", "rounding_note", "appendix", "domain", "https_requests", "http_requests",
    "quic_requests", "data_sent", "appendix_note", "scan_to_pay", "net",
)  # fmt: skip
"""What the templates say of themselves, by its key in the catalogue."""


ENGLISH_WRITING = Writing(language=ENGLISH)


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
    language: str
    is_right_to_left: bool
    words: Mapping[str, str]
    color: str
    footer: str
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
    costs_title: str
    costs: tuple[PageCost, ...]
    content_sha256: str


def page(invoice: Invoice, printable: Callable[[str], bool] = lambda _text: True) -> Page:
    """The invoice as texts in the order they are printed, the same for every renderer.

    `printable` says whether the renderer has the glyphs of a text: a domain is shown in its own
    script where it has, else as it stands in the logs.
    """
    credit = invoice.kind == "credit_note"
    writing = Writing(language=invoice.language)
    sums = sums_of(invoice)
    return Page(
        title=writing.said(f"title_{'draft_' if invoice.draft else ''}{invoice.kind}"),
        language=writing.language,
        is_right_to_left=writing.is_right_to_left,
        words={key: writing.said(key) for key in WORDS},
        color=invoice.seller.details.get("color", "") or ACCENT,
        footer=invoice.seller.details.get("footer", ""),
        credit=credit,
        draft=invoice.draft,
        cjk=_cjk(invoice),
        no=invoice.invoice_no,
        corrects=invoice.corrects or "",
        reason=kept_text(invoice.reason, writing),
        issued=writing.day(invoice.issued_at.astimezone(ZoneInfo("UTC")).date()),
        due=writing.day(invoice.due_on) if invoice.due_on else "",
        period=period_text(invoice.month, writing),
        month=invoice.month,
        timezone=invoice.timezone,
        currency=invoice.currency,
        account_id=invoice.account_id,
        seller=_party(invoice.seller),
        customer=_party(invoice.customer),
        payment=(
            *pay_lines(invoice),
            *(kept_text(note, writing) for note in invoice.notes),
            *_untaxed(invoice),
        ),
        lines=tuple(_line(line, invoice, writing) for line in invoice.lines),
        has_offsets=any(line.free_quantity or line.plan_quantity for line in invoice.lines),
        totals=_totals(invoice, writing),
        total=writing.money(grouped(minor(invoice.total, invoice.digits)), invoice.currency),
        due_rows=due_rows(invoice),
        account_rows=account_rows(invoice),
        references=reference_rows(invoice),
        evidence=_evidence(invoice, writing),
        domains=domain_rows(sums, _size(invoice), printable, writing),
        domain_notes=domain_notes(invoice, sums, writing),
        costs_title=writing.said("costs_by_tag", tag=invoice.customer.details.get("cost_tag", "")),
        costs=cost_rows(invoice, writing),
        content_sha256=invoice.content_sha256,
    )


def period_text(month: str, writing: Writing = ENGLISH_WRITING) -> str:
    """The billing period as its first and last local day, both included: days of the calendar,
    whatever becomes of the rules of time zones.
    """
    year, number = int(month[:4]), int(month[5:])
    last = date(year, number, monthrange(year, number)[1])
    return f"{writing.day(last.replace(day=1))} – {writing.day(last)}"


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


def unit_text(item: str, unit: str, writing: Writing = ENGLISH_WRITING) -> str:
    """What a price is for, in words: `per GB of 1000³ bytes`, `per Mbps and day`."""
    words = unit
    if unit.endswith("1000"):
        words = (
            f"{unit.removesuffix('1000')} of 1000{'³' if unit.endswith('GB1000') else '⁴'} bytes"
        )
    key = "per_unit_and_day" if item == "peak_bandwidth" else "per_unit"
    return writing.said(key, unit=unit_words(words, writing))


def _gigabyte(unit: str) -> int:
    """How many bytes a GB has where prices are per `unit`."""
    return 1000**3 if unit.endswith("1000") else GIBIBYTE


def _party(party: Party) -> PageParty:
    return PageParty(name=party.name, lines=party.printed, tax_id=party.tax_id, email=party.email)


def _untaxed(invoice: Invoice) -> list[str]:
    """Why there is no tax on it, or on lines of it, in the sentence of the law; blank where nobody
    has said why.
    """
    decided = "tax_category" in invoice.customer.details
    taxed = [bool(line.tax_rate_bp) for line in invoice.lines]
    if all(taxed) or (any(taxed) and not decided):
        return []
    found = category_of(Decimal(0), invoice.seller.facts(), invoice.customer.facts())
    return [found.reason] if found is not None else []


def corrected_text(line: InvoiceLine, writing: Writing = ENGLISH_WRITING) -> str:
    """The hour or hours that a correction is about."""
    first, until = line.corrects_hour, line.corrects_until
    if first is None:
        return ""
    begins = f"{first:%Y-%m-%d %H:%M}"
    if until is None or until - first <= timedelta(hours=1):
        return writing.said("hour_of", first=begins)
    return writing.said("hours_of", first=begins, until=f"{until:%Y-%m-%d %H:%M}")


def _line(line: InvoiceLine, invoice: Invoice, writing: Writing) -> PageLine:
    priced = line.unit_quantity > 0
    fixed = not priced and line.quantity == 0

    def counted(quantity: int) -> str:
        return writing.measure(amount_text(line.item, quantity, line.unit))

    region = region_name(line.region, writing.language)
    return PageLine(
        no=str(line.line_no),
        item=item_name(line.item, writing.language),
        region=region + (f", {line.domain}" if line.domain else ""),
        notes=tuple(_notes(line, invoice, writing)),
        quantity="–" if fixed else counted(line.quantity),
        free=counted(line.free_quantity) if line.free_quantity else "–",
        plan=counted(line.plan_quantity) if line.plan_quantity else "–",
        billable="–" if fixed else counted(line.billable_quantity),
        unit_price=writing.number(grouped(exact(line.unit_price, invoice.currency)))
        if priced
        else "",
        unit=unit_text(line.item, line.unit, writing) if priced else "",
        amount=writing.number(grouped(minor(line.settled_amount, invoice.digits))),
        offset=line.plan_quantity != 0 and line.billable_quantity == 0,
    )


def _notes(line: InvoiceLine, invoice: Invoice, writing: Writing) -> Iterator[str]:
    """What stands below a line: what it corrects, its price's terms, its part of the rounding."""
    reason = kept_text(line.reason, writing)
    if line.corrects_invoice and line.corrects_hour is not None:
        hours = corrected_text(line, writing)
        yield writing.said(
            "corrects_line", invoice=line.corrects_invoice, hours=hours, reason=reason
        )
    elif reason:
        yield reason
    if line.item == "peak_bandwidth" and line.kind == "usage":
        yield writing.said("day_peaks")
    if line.tier:
        yield tier_text(line.tier, writing)
    if line.leftover:
        amount = writing.number(minor(line.leftover, invoice.digits))
        yield writing.said("leftover", amount=amount)


def _totals(invoice: Invoice, writing: Writing) -> tuple[PageTotal, ...]:
    digits = invoice.digits

    def row(label: str, value: str, style: str) -> PageTotal:
        return PageTotal(label=label, value=writing.number(grouped(value)), style=style)

    rows = [
        row(writing.said("sum_exact"), exact(invoice.subtotal, invoice.currency), "muted"),
        row(writing.said("sum_cut"), exact(-invoice.cut, invoice.currency), "muted"),
        row(writing.said("net"), minor(invoice.net, digits), "net"),
    ]
    rates = sorted({line.tax_rate_bp for line in invoice.lines})
    for rate in rates if len(rates) > 1 else ():
        own = [line for line in invoice.lines if line.tax_rate_bp == rate]
        net = grouped(minor(sum(line.settled_amount for line in own), digits))
        percentage = writing.number(percent(rate))
        label = writing.said("tax_rate_on", rate=percentage, net=writing.number(net))
        rows.append(row(label, minor(sum(line.tax for line in own), digits), ""))
    if len(rates) <= 1:
        rate = invoice.tax_rate_bp or Decimal(0)
        label = writing.said("tax_rate", rate=writing.number(percent(rate)))
        rows.append(row(label, minor(invoice.tax, digits), ""))
    return tuple(rows)


def _evidence(invoice: Invoice, writing: Writing) -> PageEvidence | None:
    evidence = invoice.evidence
    if evidence is None:
        return None
    whole = whole_hours(LocalPeriod(start=invoice.period_start, end=invoice.period_end))
    hours = writing.number(f"{evidence.hours:,}")
    parts = [writing.said("evidence", hours=hours, whole=writing.number(f"{whole:,}"))]
    if evidence.incomplete_hours:
        incomplete = writing.number(f"{evidence.incomplete_hours:,}")
        parts.append(writing.said("incomplete_hours", hours=incomplete))
    end = "。" if writing.language in ("zh", "ja") else "."
    return PageEvidence(text="; ".join(parts) + end, sha256=evidence.usage_sha256)


def _size(invoice: Invoice) -> int:
    units = {line.unit for line in invoice.lines if line.item == "data_transfer"}
    return _gigabyte(min(units, default=""))


def _cjk(invoice: Invoice) -> str:
    """Whose forms of Chinese characters it wants: its language's, else by its names: JP with kana,
    KR with hangul, else SC; none where there are no such characters.
    """
    if invoice.language in ("ja", "zh"):
        return "JP" if invoice.language == "ja" else "SC"
    parties = (invoice.seller, invoice.customer)
    text = "".join("".join((party.name, *party.lines)) for party in parties)
    if re.search("[\u3040-\u30ff]", text):
        return "JP"
    if re.search("[\u1100-\u11ff\uac00-\ud7ff]", text):
        return "KR"
    return "SC" if re.search("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", text) else ""
