"""From the tables back to `Invoice` records, streamed: a million documents never stand in memory
at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import duckdb

import sql
from billing.invoices.records import DetailRow, Evidence, Invoice, InvoiceLine, Party
from billing.invoices.run import OUT
from edge.errors import InputError

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


def of_month(
    connection: duckdb.DuckDBPyConnection, month: str, account: str | None, tables: Tables = ISSUED
) -> Iterator[Invoice]:
    """The documents of a month (of one account, if named), in the order of their numbers."""
    connection.execute(
        sql.text("statements/invoices/choose_month"),
        {"heads": tables.heads, "month": month, "account": account, "size": CHUNK},
    )
    return _chosen(connection, tables)


def month_rows(
    connection: duckdb.DuckDBPyConnection, tables: Tables = ISSUED
) -> list[dict[str, Any]]:
    """The figures of the documents that `of_month` chose, without reading their lines."""
    keys = (
        "invoice_no", "account_id", "kind", "lines", "currency", "digits", "subtotal", "cut",
        "tax", "total", "content_sha256",
    )  # fmt: skip
    found = connection.execute(
        sql.text("statements/invoices/month_rows"), {"heads": tables.heads, "lines": tables.lines}
    ).fetchall()
    return [dict(zip(keys, row, strict=True)) for row in found]


def statuses(connection: duckdb.DuckDBPyConnection, month: str) -> dict[str, str]:
    """Where each document of a month stands: issued, paid or void."""
    return dict(
        connection.execute(sql.text("statements/invoices/statuses"), {"month": month}).fetchall()
    )


def first_of_month(
    connection: duckdb.DuckDBPyConnection, month: str, count: int
) -> Iterator[Invoice]:
    """The first `count` documents of a month, in the order of their numbers."""
    return islice(of_month(connection, month, None), count)


def one(connection: duckdb.DuckDBPyConnection, invoice_no: str) -> Invoice:
    """One issued document; InputError if there is none of that number."""
    connection.execute(sql.text("statements/invoices/choose_one"), {"invoice_no": invoice_no})
    for invoice in _chosen(connection, ISSUED):
        return invoice
    raise InputError(
        f"there is no invoice {invoice_no}",
        'list them: edgetoll sql "SELECT invoice_no, account_id, month FROM invoices"',
    )


def _chosen(connection: duckdb.DuckDBPyConnection, tables: Tables) -> Iterator[Invoice]:
    count = connection.table("invoice_chosen").shape[0]
    for chunk in range(-(-count // CHUNK)):
        lines = _Groups(_rows(connection, "read_lines", {"lines": tables.lines, "chunk": chunk}))
        detail = _Groups(
            _rows(connection, "read_detail", {"detail": tables.detail, "chunk": chunk})
        )
        for head in _rows(connection, "read_heads", {"heads": tables.heads, "chunk": chunk}):
            yield _invoice(head, lines.of(head[0]), detail.of(head[0]))


def _rows(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = connection.execute(
        sql.text(f"statements/invoices/{name}"), parameters
    ).fetchall()
    return rows


class _Groups:
    """Rows sorted by document number, handed out document by document."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    def of(self, invoice_no: str) -> list[tuple[Any, ...]]:
        found = []
        row = self._next
        while row is not None and row[0] == invoice_no:
            found.append(row)
            row = next(self._rows, None)
        self._next = row
        return found


def _invoice(
    head: tuple[Any, ...], lines: list[tuple[Any, ...]], detail: list[tuple[Any, ...]]
) -> Invoice:
    seller, notes = _seller(head[11])
    evidence = None
    if head[1] == "invoice":
        evidence = Evidence(
            hours=head[22],
            incomplete_hours=head[23],
            certificates=head[24],
            usage_sha256=head[25],
        )
    return Invoice(
        invoice_no=head[0],
        kind=head[1],
        account_id=head[2],
        month=head[3],
        currency=head[4],
        digits=head[5],
        issued_at=_utc(head[6]),
        due_on=head[7],
        period_start=_utc(head[8]),
        period_end=_utc(head[9]),
        timezone=head[10],
        seller=seller,
        customer=_customer(head),
        lines=tuple(_line(row) for row in lines),
        subtotal=head[17],
        cut=head[18],
        tax=head[19],
        total=head[20],
        tax_rate_bp=head[21],
        evidence=evidence,
        notes=() if head[1] == "credit_note" else notes,
        corrects=head[26],
        reason=head[27],
        detail=tuple(_detail(row) for row in detail),
        content_sha256=head[28],
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
    )
    return party, tuple(content["notes"])


def _customer(head: tuple[Any, ...]) -> Party:
    parts = (part.strip(" \t\n\f\r") for part in head[13].replace("\n", ",").split(","))
    address = tuple(part for part in parts if part)
    return Party(
        name=head[12],
        lines=(*address, head[14]) if head[14] else address,
        tax_id=head[15],
        email=head[16],
        account_id=head[2],
    )


def _line(row: tuple[Any, ...]) -> InvoiceLine:
    return InvoiceLine(
        line_no=row[1],
        kind=row[2],
        item=row[3],
        region=row[4],
        domain=row[5],
        quantity=row[6],
        free_quantity=row[7],
        plan_quantity=row[8],
        billable_quantity=row[9],
        unit=row[10],
        unit_quantity=row[11],
        unit_price=row[12],
        amount=row[13],
        settled_amount=row[14],
        leftover=row[15],
        tax_rate_bp=row[16],
        tax=row[17],
        rate_card=row[18],
        tier=row[19],
        corrects_invoice=row[20],
        corrects_hour=None if row[21] is None else _utc(row[21]),
        reason=row[22],
    )


def _detail(row: tuple[Any, ...]) -> DetailRow:
    return DetailRow(
        day=row[1],
        domain=row[2],
        traffic_class=row[3],
        region=row[4],
        requests=row[5],
        bytes_sent=row[6],
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
