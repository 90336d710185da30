"""A document that nobody gets: templates and logos are tried on it before anything is issued."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from billing.invoices.records import (
    AccountStanding,
    DetailRow,
    Evidence,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Party,
)
from billing.money import SCALE


def sample(kind: InvoiceKind = "invoice") -> Invoice:
    """A document with one line, its evidence, what is due, and an appendix."""
    line = InvoiceLine(
        line_no=1,
        kind="usage",
        item="https_requests",
        region="all",
        domain=None,
        quantity=10_000,
        free_quantity=0,
        plan_quantity=5_000,
        billable_quantity=5_000,
        unit="10,000 requests",
        unit_quantity=10_000,
        unit_price=2 * SCALE,
        amount=SCALE,
        settled_amount=SCALE,
        leftover=0,
        tax_rate_bp=Decimal(0),
        tax=0,
        rate_card="sample",
        tier="",
    )
    return Invoice(
        invoice_no="SAMPLE-1",
        kind=kind,
        account_id="sample",
        month="2026-10",
        currency="EUR",
        digits=2,
        issued_at=datetime(2026, 11, 1, tzinfo=UTC),
        due_on=date(2026, 11, 15),
        period_start=datetime(2026, 10, 1, tzinfo=UTC),
        period_end=datetime(2026, 11, 1, tzinfo=UTC),
        timezone="UTC",
        seller=Party(name="Sample", lines=("A street",)),
        customer=Party(name="Sample", lines=("A street",), account_id="sample"),
        lines=(line,),
        subtotal=SCALE,
        cut=0,
        tax=0,
        total=SCALE,
        tax_rate_bp=Decimal(0),
        evidence=Evidence(hours=744, incomplete_hours=0, certificates=1, usage_sha256="0" * 64),
        detail=(
            DetailRow(
                day=date(2026, 10, 1),
                domain="www.sample.example",
                traffic_class="https",
                region="EU",
                requests=10_000,
                bytes_sent=1,
            ),
        ),
        content_sha256="0" * 64,
        standing=AccountStanding(balance_before=0, payments_since=0, prepaid_used=0),
    )
