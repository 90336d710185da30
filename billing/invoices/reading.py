"""From the tables back to `Invoice` records, streamed: a million documents never stand in memory
at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Generic, TypeVar

import duckdb

import sql
from billing.instants import aware, aware_or_none
from billing.invoices.records import (
    AccountStanding,
    DetailRow,
    Evidence,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Party,
)
from billing.invoices.run import OUT
from billing.invoices.settings import SELLER_DETAILS
from edge.errors import InputError

Row = TypeVar("Row", InvoiceLine, DetailRow)
# Documents read at once; choose_month numbers its chunks by the same figure.
CHUNK = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The relations to read: the issued documents, or the temp tables of a draft."""

    heads: str = "invoices"
    lines: str = "invoice_lines"
    detail: str = "invoice_detail"


ISSUED = Tables()
DRAFTS = Tables(heads=OUT["invoices"], lines=OUT["invoice_lines"], detail=OUT["invoice_detail"])


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFigures:
    """One document in the list that a command prints; money in 10^-10 units."""

    invoice_no: str
    account_id: str
    kind: InvoiceKind
    lines: int
    currency: str
    digits: int
    subtotal: int
    cut: int
    tax: int
    total: int
    content_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceHead:
    """One row of the table of documents, times without zone as they stand there."""

    invoice_no: str
    kind: InvoiceKind
    account_id: str
    month: str
    currency: str
    digits: int
    issued_at: datetime
    due_on: date | None
    period_start: datetime
    period_end: datetime
    timezone: str
    seller: str
    customer_name: str
    customer_address: str
    customer_country: str
    customer_tax_id: str
    customer_email: str
    subtotal: int
    cut: int
    tax: int
    total: int
    tax_rate_bp: Decimal | None
    hours: int
    incomplete_hours: int
    certificates: int
    usage_sha256: str
    corrects: str | None
    reason: str
    content_sha256: str
    tzdata: str | None
    balance_before: int | None
    payments_since: int | None
    prepaid_used: int | None
    details: str | None


def choose_month(
    connection: duckdb.DuckDBPyConnection, month: str, account: str | None, tables: Tables = ISSUED
) -> None:
    """Choose the documents of a month (of one account, if named) for what reads or renders next."""
    connection.execute(
        sql.text("statements/invoices/reading/choose_month"),
        {"heads": tables.heads, "month": month, "account": account, "size": CHUNK},
    )


def choose_one(connection: duckdb.DuckDBPyConnection, invoice_no: str) -> None:
    """Choose one issued document; InputError if there is none of that number."""
    connection.execute(
        sql.text("statements/invoices/reading/choose_one"), {"invoice_no": invoice_no}
    )
    if not chosen(connection):
        raise InputError(
            f"there is no invoice {invoice_no}",
            'list them: edgetoll sql "SELECT invoice_no, account_id, month FROM invoices"',
        )


def chosen(connection: duckdb.DuckDBPyConnection) -> int:
    """How many documents are chosen."""
    return int(connection.table("invoice_chosen").shape[0])


def chunks(connection: duckdb.DuckDBPyConnection) -> range:
    """The chunks in which the chosen documents are read and rendered."""
    return range(-(-chosen(connection) // CHUNK))


def documents(connection: duckdb.DuckDBPyConnection, tables: Tables = ISSUED) -> Iterator[Invoice]:
    """The chosen documents, in the order of their numbers."""
    for chunk in chunks(connection):
        lines = _Groups(
            sql.rows(
                connection.execute(
                    sql.text("statements/invoices/reading/read_lines"),
                    {"lines": tables.lines, "chunk": chunk},
                ),
                InvoiceLine,
            )
        )
        detail = _Groups(
            sql.rows(
                connection.execute(
                    sql.text("statements/invoices/reading/read_detail"),
                    {"detail": tables.detail, "chunk": chunk},
                ),
                DetailRow,
            )
        )
        heads = sql.rows(
            connection.execute(
                sql.text("statements/invoices/reading/read_heads"),
                {"heads": tables.heads, "chunk": chunk},
            ),
            InvoiceHead,
        )
        for head in heads:
            yield _invoice(head, lines.of(head.invoice_no), detail.of(head.invoice_no))


def of_month(
    connection: duckdb.DuckDBPyConnection, month: str, account: str | None, tables: Tables = ISSUED
) -> Iterator[Invoice]:
    """The documents of a month (of one account, if named), in the order of their numbers."""
    choose_month(connection, month, account, tables)
    return documents(connection, tables)


def one(connection: duckdb.DuckDBPyConnection, invoice_no: str) -> Invoice:
    """One issued document; InputError if there is none of that number."""
    choose_one(connection, invoice_no)
    return next(documents(connection))


def first_of_month(
    connection: duckdb.DuckDBPyConnection, month: str, count: int
) -> Iterator[Invoice]:
    """The first `count` documents of a month, in the order of their numbers."""
    return islice(of_month(connection, month, None), count)


def month_rows(
    connection: duckdb.DuckDBPyConnection, tables: Tables = ISSUED
) -> list[InvoiceFigures]:
    """The figures of the chosen documents, without reading their lines."""
    return sql.rows(
        connection.execute(
            sql.text("statements/invoices/reading/month_rows"),
            {"heads": tables.heads, "lines": tables.lines},
        ),
        InvoiceFigures,
    )


def statuses(connection: duckdb.DuckDBPyConnection, month: str) -> dict[str, str]:
    """Where each document of a month stands: issued, paid or void."""
    return dict(
        connection.execute(
            sql.text("statements/invoices/reading/statuses"), {"month": month}
        ).fetchall()
    )


class _Groups(Generic[Row]):
    """Rows sorted by document number, handed out document by document."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: Iterator[Row] = iter(rows)
        self._next: Row | None = next(self._rows, None)

    def of(self, invoice_no: str) -> tuple[Row, ...]:
        found = []
        row = self._next
        while row is not None and row.invoice_no == invoice_no:
            found.append(row)
            row = next(self._rows, None)
        self._next = row
        return tuple(found)


def _invoice(
    head: InvoiceHead, lines: tuple[InvoiceLine, ...], detail: tuple[DetailRow, ...]
) -> Invoice:
    seller, notes = _seller(head.seller)
    evidence = None
    if head.usage_sha256:
        evidence = Evidence(
            hours=head.hours,
            incomplete_hours=head.incomplete_hours,
            certificates=head.certificates,
            usage_sha256=head.usage_sha256,
            tzdata=head.tzdata,
        )
    return Invoice(
        invoice_no=head.invoice_no,
        kind=head.kind,
        account_id=head.account_id,
        month=head.month,
        currency=head.currency,
        digits=head.digits,
        issued_at=aware(head.issued_at),
        due_on=head.due_on,
        period_start=aware(head.period_start),
        period_end=aware(head.period_end),
        timezone=head.timezone,
        seller=seller,
        customer=_customer(head),
        lines=tuple(_line(line) for line in lines),
        subtotal=head.subtotal,
        cut=head.cut,
        tax=head.tax,
        total=head.total,
        tax_rate_bp=head.tax_rate_bp,
        evidence=evidence,
        notes=() if head.kind == "credit_note" else notes,
        corrects=head.corrects,
        reason=head.reason,
        detail=detail,
        content_sha256=head.content_sha256,
        standing=_standing(head),
    )


@lru_cache(maxsize=64)
def _seller(text: str) -> tuple[Party, tuple[str, ...]]:
    """The seller and the terms, the same text for all documents of a run."""
    content = json.loads(text)
    party = Party(
        name=content["name"],
        lines=tuple(content["address"]),
        tax_id=content["tax_id"],
        email=content["email"],
        details={name: content[name] for name in SELLER_DETAILS if name in content},
    )
    return party, tuple(content["notes"])


def _customer(head: InvoiceHead) -> Party:
    parts = (
        part.strip(" \t\n\f\r") for part in head.customer_address.replace("\n", ",").split(",")
    )
    address = tuple(part for part in parts if part)
    return Party(
        name=head.customer_name,
        lines=(*address, head.customer_country) if head.customer_country else address,
        tax_id=head.customer_tax_id,
        email=head.customer_email,
        account_id=head.account_id,
        details=_details(head),
    )


def _details(head: InvoiceHead) -> dict[str, str]:
    """What the account's documents say besides; a country that is a code stands there too."""
    found: dict[str, str] = json.loads(head.details) if head.details else {}
    return found | {"country": head.customer_country.strip()}


def _standing(head: InvoiceHead) -> AccountStanding | None:
    """How the account stood; documents of before it was kept, and drafts, do not say."""
    if head.balance_before is None or head.payments_since is None or head.prepaid_used is None:
        return None
    return AccountStanding(
        balance_before=head.balance_before,
        payments_since=head.payments_since,
        prepaid_used=head.prepaid_used,
    )


def _line(line: InvoiceLine) -> InvoiceLine:
    """The line with its time in UTC, where it names one."""
    if line.corrects_hour is None:
        return line
    return replace(
        line,
        corrects_hour=aware(line.corrects_hour),
        corrects_until=aware_or_none(line.corrects_until),
    )
