"""The JSON document of an invoice: schema in docs/invoice.schema.json, money as decimal strings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from billing.invoices.figures import exact, minor, percent
from billing.invoices.records import DetailRow, Evidence, Invoice, InvoiceLine, Party

SCHEMA = "edgetoll.invoice.v1"
ROUNDING = (
    "Line amounts are exact. The subtotal is cut toward zero to the minor unit, the cut is "
    "shown. Settled amounts are the lines rounded half up, the leftover on one line, so that they "
    "add up to the net. Tax is rounded half up once, on the net; the lines' taxes add up to it in "
    "the same way."
)


def render(invoice: Invoice) -> bytes:
    """The document's bytes, indented, ending in a line feed."""
    return orjson.dumps(document(invoice), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def document(invoice: Invoice) -> dict[str, Any]:
    """The invoice as plain values in the order of the published schema."""
    digits = invoice.digits
    return {
        "schema": SCHEMA,
        "invoice_no": invoice.invoice_no,
        "kind": invoice.kind,
        "account_id": invoice.account_id,
        "month": invoice.month,
        "currency": invoice.currency,
        "issued_at": stamp(invoice.issued_at),
        "due_on": invoice.due_on.isoformat(),
        "period": {
            "start": stamp(invoice.period_start),
            "end": stamp(invoice.period_end),
            "timezone": invoice.timezone,
        },
        "corrects": invoice.corrects,
        "reason": invoice.reason,
        "seller": _party(invoice.seller),
        "customer": _party(invoice.customer),
        "lines": [_line(line, digits) for line in invoice.lines],
        "subtotal": exact(invoice.subtotal),
        "cut": exact(invoice.cut),
        "net": minor(invoice.net, digits),
        "tax_rate_percent": percent(invoice.tax_rate_bp),
        "tax": minor(invoice.tax, digits),
        "total": minor(invoice.total, digits),
        "rounding": ROUNDING,
        "notes": list(invoice.notes),
        "evidence": _evidence(invoice.evidence),
        "detail": [_detail(row) for row in invoice.detail],
        "content_sha256": invoice.content_sha256,
    }


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _party(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "address": list(party.lines),
        "tax_id": party.tax_id,
        "email": party.email,
        "account_id": party.account_id,
    }


def _line(line: InvoiceLine, digits: int) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "kind": line.kind,
        "item": line.item,
        "region": line.region,
        "domain": line.domain,
        "quantity": line.quantity,
        "free_quantity": line.free_quantity,
        "plan_quantity": line.plan_quantity,
        "billable_quantity": line.billable_quantity,
        "unit": line.unit,
        "unit_quantity": line.unit_quantity,
        "unit_price": exact(line.unit_price),
        "amount": exact(line.amount),
        "settled_amount": minor(line.settled_amount, digits),
        "leftover": minor(line.leftover, digits),
        "tax_rate_percent": percent(line.tax_rate_bp),
        "tax": minor(line.tax, digits),
        "rate_card": line.rate_card,
        "tier": line.tier,
        "corrects_invoice": line.corrects_invoice,
        "corrects_hour": None if line.corrects_hour is None else stamp(line.corrects_hour),
        "reason": line.reason,
    }


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {
        "hours": evidence.hours,
        "incomplete_hours": evidence.incomplete_hours,
        "certificates": evidence.certificates,
        "usage_sha256": evidence.usage_sha256,
    }


def _detail(row: DetailRow) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "domain": row.domain,
        "class": row.traffic_class,
        "region": row.region,
        "requests": row.requests,
        "bytes_sent": row.bytes_sent,
    }
