"""Invoices made by hand, put into the tables they would stand in, and rendered from there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import duckdb

import sql
from billing.invoices import reading
from billing.invoices.documents.rendering import Rendered, rendered
from billing.invoices.records import Invoice

Row = Mapping[str, object]
TABLES = ("invoices", "invoice_lines", "invoice_detail")


def stored_rows(tables: Sequence[Sequence[Row]]) -> duckdb.DuckDBPyConnection:
    """A connection that holds these heads, lines and appendices, and no events."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    for name in ("schema/invoices", "schema/balance"):
        connection.execute(sql.text(name))
    for name, rows in zip(TABLES, tables, strict=True):
        for row in rows:
            places = ", ".join(f"${number + 1}" for number in range(len(row)))
            # A whole number beyond 64 bits is only exact on its way in as text.
            values = [str(one) if type(one) is int else one for one in row.values()]
            columns = ", ".join(row)
            connection.execute(f"INSERT INTO {name} ({columns}) VALUES ({places})", values)  # noqa: S608
    return connection


def stored(*invoices: Invoice) -> duckdb.DuckDBPyConnection:
    """A connection that holds these documents as if they had been issued."""
    heads = [_head(one, number) for number, one in enumerate(invoices, start=1)]
    lines = [
        _without_zone(asdict(line)) | {"invoice_no": one.invoice_no}
        for one in invoices
        for line in one.lines
    ]
    detail = []
    for one in invoices:
        for row in one.detail:
            plain = asdict(row) | {"invoice_no": one.invoice_no}
            detail.append(plain | {"class": plain.pop("traffic_class")})
    return stored_rows((heads, lines, detail))


def rendered_one(invoice: Invoice) -> Rendered:
    """The JSON and CSV of one document."""
    with stored(invoice) as connection:
        reading.choose_one(connection, invoice.invoice_no)
        (one,) = rendered(connection)
        return one


def _head(one: Invoice, number: int) -> Row:
    evidence = one.evidence
    details = {name: text for name, text in one.customer.details.items() if name != "country"}
    seller = {
        "name": one.seller.name,
        "address": list(one.seller.lines),
        "tax_id": one.seller.tax_id,
        "email": one.seller.email,
        "notes": list(one.notes),
        **one.seller.details,
    }
    return {
        "invoice_no": one.invoice_no,
        "series": "S",
        "number": number,
        "kind": one.kind,
        "account_id": one.account_id,
        "month": one.month,
        "currency": one.currency,
        "digits": one.digits,
        "issued_at": _naive(one.issued_at),
        "due_on": one.due_on,
        "period_start": _naive(one.period_start),
        "period_end": _naive(one.period_end),
        "timezone": one.timezone,
        "seller": json.dumps(seller, ensure_ascii=False),
        "customer_name": one.customer.name,
        "customer_address": ", ".join(one.customer.lines),
        "customer_country": "",
        "customer_tax_id": one.customer.tax_id,
        "customer_email": one.customer.email,
        "subtotal": one.subtotal,
        "cut": one.cut,
        "tax": one.tax,
        "total": one.total,
        "tax_rate_bp": one.tax_rate_bp,
        "hours": evidence.hours if evidence else 0,
        "incomplete_hours": evidence.incomplete_hours if evidence else 0,
        "certificates": evidence.certificates if evidence else 0,
        "usage_sha256": evidence.usage_sha256 if evidence else "",
        "corrects": one.corrects,
        "reason": one.reason,
        "run_id": "r",
        "journal_no": 1,
        "content_sha256": one.content_sha256,
        "tzdata": evidence.tzdata if evidence else None,
        "balance_before": one.standing.balance_before if one.standing else None,
        "payments_since": one.standing.payments_since if one.standing else None,
        "prepaid_used": one.standing.prepaid_used if one.standing else None,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True) if details else None,
    }


def _without_zone(row: dict[str, object]) -> dict[str, object]:
    return {
        key: _naive(value) if isinstance(value, datetime) else value for key, value in row.items()
    }


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
