"""Invoices to render, made by hand: each states only what its test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from billing.invoices.records import DetailRow, Evidence, Invoice, InvoiceLine, Party

UNIT = 10**10
CENT = 10**8


def line(**changes: object) -> InvoiceLine:
    """1,000,000 HTTPS requests at 0.008 USD per 10,000 (DOMAIN §6 #33), 19 % tax."""
    base = InvoiceLine(
        line_no=1,
        kind="usage",
        item="https_requests",
        region="all",
        domain=None,
        quantity=1_000_000,
        free_quantity=0,
        plan_quantity=0,
        billable_quantity=1_000_000,
        unit="10,000 requests",
        unit_quantity=10_000,
        unit_price=8 * UNIT // 1000,
        amount=80 * CENT,
        settled_amount=80 * CENT,
        leftover=0,
        tax_rate_bp=Decimal(1900),
        tax=15 * CENT,
        rate_card="alibaba-international/https_requests@2020-12-14",
        tier="",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def transfer_line(**changes: object) -> InvoiceLine:
    """500 GB to mainland China, wholly paid by a data-transfer plan."""
    amount = 536_870_912_000
    base = line(
        line_no=2,
        item="data_transfer",
        region="CN",
        quantity=amount,
        plan_quantity=amount,
        billable_quantity=0,
        unit="GB",
        unit_quantity=1024**3,
        unit_price=4 * UNIT // 100,
        amount=0,
        settled_amount=0,
        tax=0,
        rate_card="alibaba-international/data_transfer/CN@2020-12-14",
        tier="0–50 TB",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def invoice(**changes: object) -> Invoice:
    """October 2026 of one account: an HTTPS line beside a transfer line that a plan pays."""
    base = Invoice(
        invoice_no="INV-USD-2026-000042",
        kind="invoice",
        account_id="acme",
        month="2026-10",
        currency="USD",
        digits=2,
        issued_at=datetime(2026, 11, 1, 4, 0, tzinfo=UTC),
        due_on=date(2026, 11, 15),
        period_start=datetime(2026, 9, 30, 16, 0, tzinfo=UTC),
        period_end=datetime(2026, 10, 31, 16, 0, tzinfo=UTC),
        timezone="Asia/Shanghai",
        seller=Party(
            name="Example CDN Ltd",
            lines=("1 Edge Street", "Example City"),
            tax_id="EX-123",
            email="billing@cdn.example",
        ),
        customer=Party(
            name="Acme Video GmbH",
            lines=("Hauptstraße 1", "10115 Berlin", "Germany"),
            tax_id="DE123456789",
            email="pay@acme.example",
            account_id="acme",
        ),
        lines=(line(), transfer_line()),
        subtotal=80 * CENT,
        cut=0,
        tax=15 * CENT,
        total=95 * CENT,
        tax_rate_bp=Decimal(1900),
        evidence=Evidence(
            hours=744, incomplete_hours=1, certificates=744, usage_sha256="ab" * 32, tzdata="2026f"
        ),
        notes=("Payable within 14 days to IBAN EX00 0000, reference INV-USD-2026-000042.",),
        detail=(
            DetailRow(
                day=date(2026, 10, 1),
                domain="www.acme.example",
                traffic_class="https",
                region="CN",
                requests=1_000_000,
                bytes_sent=536_870_912_000,
            ),
        ),
        content_sha256="cd" * 32,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def credit_note() -> Invoice:
    """A credit note over the first line of the sample invoice."""
    back = line(kind="credit", amount=-80 * CENT, settled_amount=-80 * CENT, tax=-15 * CENT)
    return invoice(
        invoice_no="CRN-USD-2026-000001",
        kind="credit_note",
        corrects="INV-USD-2026-000042",
        reason="Void: wrong address",
        lines=(back,),
        subtotal=-80 * CENT,
        tax=-15 * CENT,
        total=-95 * CENT,
        evidence=None,
        notes=(),
        detail=(),
    )
