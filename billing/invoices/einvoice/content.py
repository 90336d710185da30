"""A document in the terms of EN 16931, before it is written in any syntax.

A credit note's amounts are turned round: the standard's are positive, the type says which way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.invoices.figures import exact, minor
from billing.invoices.records import Invoice, InvoiceLine, Party
from billing.invoices.wording.names import item_name, region_name
from billing.invoices.wording.said_before import kept_text, tier_text
from billing.invoices.wording.settlement_rows import pay_lines
from billing.invoices.wording.texts import said
from billing.invoices.wording.writing import Writing
from billing.money import DIGITS
from billing.vat.category import TaxCategory, category_of
from billing.vat.profiles import HINT, MOST_DIGITS, Profile, refusal
from edge.errors import InputError

PIECE, BYTE = "C62", "AD"
"""Units by UN/ECE Recommendation 20: a request, a byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EParty:
    """Seller (BG-4) or buyer (BG-7). `vat_id` BT-31, BT-48; `tax_no` BT-32; `legal_id` BT-30."""

    name: str
    lines: tuple[str, ...]
    city: str
    postcode: str
    country: str
    vat_id: str
    tax_no: str
    legal_id: str
    email: str
    contact: str
    phone: str
    scheme: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ELine:
    """A line (BG-25). `adjustment`: what the rounding or the price's own terms add to quantity ×
    price, with its sign; the standard has it as a charge or an allowance of the line.
    """

    no: str
    name: str
    notes: tuple[str, ...]
    quantity: int
    unit: str
    price: str
    price_for: int
    net: str
    adjustment: int
    adjustment_reason: str
    """What makes it."""
    tax: TaxCategory

    @property
    def adjustment_text(self) -> str:
        """The size of the adjustment."""
        return minor(abs(self.adjustment), MOST_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ETax:
    """One row of the VAT breakdown (BG-23)."""

    category: TaxCategory
    net: str
    tax: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """A document as EN 16931 has it; amounts are finished texts."""

    number: str
    is_credit: bool
    issued_on: date
    due_on: date | None
    currency: str
    profile: Profile
    buyer_reference: str
    purchase_order: str
    contract: str
    cost_center: str
    notes: tuple[str, ...]
    preceding: tuple[str, ...]
    first_day: date
    last_day: date
    seller: EParty
    buyer: EParty
    iban: str
    bic: str
    payment_terms: str
    taxes: tuple[ETax, ...]
    lines: tuple[ELine, ...]
    net: str
    tax: str
    total: str
    prepaid: str
    due: str


def content(invoice: Invoice, profile: Profile) -> EInvoice:
    """The document in the standard's terms; InputError names what it lacks for `profile`."""
    rates = sorted({line.tax_rate_bp for line in invoice.lines})
    problem = refusal(
        invoice.seller.facts(), invoice.customer.facts(), invoice.digits, rates, profile
    )
    if problem is not None:
        raise InputError(f"{invoice.invoice_no} is not an e-invoice yet: {problem}", HINT)
    sign = -1 if invoice.kind == "credit_note" else 1
    categories = {rate: _known(rate, invoice) for rate in rates}
    untaxed = any(one.code == "O" for one in categories.values())
    used = invoice.standing.prepaid_used if invoice.standing else 0

    def money(amount: int) -> str:
        return minor(sign * amount, invoice.digits)

    zone = ZoneInfo(invoice.timezone)
    preceding = [invoice.corrects, *(line.corrects_invoice for line in invoice.lines)]
    details = invoice.customer.details
    return EInvoice(
        number=invoice.invoice_no,
        is_credit=invoice.kind == "credit_note",
        issued_on=invoice.issued_at.date(),
        due_on=invoice.due_on if invoice.kind == "invoice" else None,
        currency=invoice.currency,
        profile=profile,
        buyer_reference=details.get("buyer_reference", ""),
        purchase_order=details.get("purchase_order", ""),
        contract=details.get("contract", ""),
        cost_center=details.get("cost_center", ""),
        notes=_notes(invoice),
        preceding=tuple(sorted({one for one in preceding if one})),
        first_day=invoice.period_start.astimezone(zone).date(),
        last_day=(invoice.period_end - timedelta(seconds=1)).astimezone(zone).date(),
        seller=_party(invoice.seller, untaxed=untaxed, is_seller=True),
        buyer=_party(invoice.customer, untaxed=untaxed, is_seller=False),
        iban=invoice.seller.details.get("iban", "").replace(" ", ""),
        bic=invoice.seller.details.get("bic", ""),
        payment_terms=_terms(invoice),
        taxes=tuple(_tax(rate, invoice, sign, categories[rate]) for rate in rates),
        lines=tuple(
            _line(one, invoice, sign, categories[one.tax_rate_bp]) for one in invoice.lines
        ),
        net=money(invoice.net),
        tax=money(invoice.tax),
        total=money(invoice.total),
        prepaid=money(used),
        due=money(invoice.total - used),
    )


def _known(rate: Decimal, invoice: Invoice) -> TaxCategory:
    found = category_of(rate, invoice.seller.facts(), invoice.customer.facts())
    assert found is not None, "refused before"
    return found


def _terms(invoice: Invoice) -> str:
    """The terms of payment (BT-20); of a credit note, what becomes of it."""
    if invoice.kind == "credit_note":
        return said("credited", invoice.language)
    return " ".join(pay_lines(invoice)[:1])


def _notes(invoice: Invoice) -> tuple[str, ...]:
    """The reason, and how the exact sum became the net: the standard knows no part of a cent."""
    said_of_cut = said(
        "cut_note",
        invoice.language,
        exact=exact(invoice.subtotal, invoice.currency),
        cut=exact(invoice.cut, invoice.currency),
        net=minor(invoice.net, invoice.digits),
        currency=invoice.currency,
    )
    reason = kept_text(invoice.reason, Writing(language=invoice.language))
    return tuple(one for one in (reason, said_of_cut if invoice.cut else "") if one)


def _tax(rate: Decimal, invoice: Invoice, sign: int, category: TaxCategory) -> ETax:
    """One rate's row of the breakdown: its tax is that of the document, rounded there."""
    own = [line for line in invoice.lines if line.tax_rate_bp == rate]
    return ETax(
        category=category,
        net=minor(sign * sum(line.settled_amount for line in own), invoice.digits),
        tax=minor(sign * sum(line.tax for line in own), invoice.digits),
    )


def _line(line: InvoiceLine, invoice: Invoice, sign: int, tax: TaxCategory) -> ELine:
    """One line; what has no quantity is one piece at its amount. Prices are never below zero."""
    net = sign * line.settled_amount
    # In yen, too: a line that is off by part of one is off by more than the two cents allowed.
    step = 10 ** (DIGITS - MOST_DIGITS)
    quantity, price, price_for = sign * line.billable_quantity, line.unit_price, line.unit_quantity
    unit = PIECE if line.item.endswith("_requests") else BYTE
    if price_for <= 0 or price < 0:
        quantity, price, price_for, unit = (-1 if net < 0 else 1), abs(net), 1, PIECE
    gross = _half_up(quantity * price, price_for * step) * step
    language, writing = invoice.language, Writing(language=invoice.language)
    name = f"{item_name(line.item, language)}, {region_name(line.region, language)}"
    counts = (("used", line.quantity), ("by_plan", line.plan_quantity),
              ("by_quota", line.free_quantity))  # fmt: skip
    notes = [
        writing.said(key, quantity=writing.number(f"{sign * count:,}"))
        for key, count in counts
        if count
    ]
    if line.corrects_invoice:
        notes.append(writing.said("corrects", invoice=line.corrects_invoice))
    notes += [tier_text(line.tier, writing), kept_text(line.reason, writing)]
    return ELine(
        no=str(line.line_no),
        name=name,
        notes=tuple(one for one in notes if one),
        quantity=quantity,
        unit=unit,
        price=exact(price, invoice.currency),
        price_for=price_for,
        net=minor(net, invoice.digits),
        adjustment=net - gross,
        adjustment_reason=writing.said("adjustment"),
        tax=tax,
    )


def _half_up(value: int, by: int) -> int:
    size = (abs(value) * 2 + by) // (2 * by)
    return -size if value < 0 else size


def _party(party: Party, *, untaxed: bool, is_seller: bool) -> EParty:
    details = party.details
    tax_id = party.tax_id.strip().replace(" ", "")
    is_vat = len(tax_id) > 2 and tax_id[:2].isalpha() and tax_id.isascii()
    scheme, _, endpoint = details.get("endpoint", "").partition(":")
    if not endpoint and party.email:
        scheme, endpoint = "EM", party.email
    country = details.get("country", "").upper()
    legal_id = details.get("registration", "") or (tax_id if untaxed else "")
    street = party.street
    lines = street[:-1] if street and street[-1] == country else street
    return EParty(
        name=party.name,
        lines=lines,
        city=details.get("city", ""),
        postcode=details.get("postcode", ""),
        country=country,
        vat_id=tax_id.upper() if is_vat and not untaxed else "",
        tax_no=tax_id if is_seller and not is_vat else "",
        legal_id=legal_id if is_seller else "",
        email=party.email,
        contact=details.get("contact", ""),
        phone=details.get("phone", ""),
        scheme=scheme,
        endpoint=endpoint,
    )
