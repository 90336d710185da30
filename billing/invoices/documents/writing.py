"""Which documents are written where: of a month, of one number, or drafts, in the formats asked
for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import duckdb

import sql
from billing.invoices.documents import bulk, html_document, pdf_document
from billing.invoices.documents.files import (
    DRAFTS,
    FilesWritten,
    folder_of,
    put,
    put_draft,
    safe_name,
)
from billing.invoices.documents.rendering import rendered
from billing.invoices.reading import (
    DRAFTS as DRAFT_TABLES,
)
from billing.invoices.reading import (
    ISSUED,
    choose_month,
    choose_one,
    chosen,
    documents,
)
from billing.invoices.records import Invoice
from billing.invoices.settings import InvoiceSettings

TABLES = ("json", "csv")


def write_month(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    formats: Sequence[str],
    *,
    account: str | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> FilesWritten:
    """Write the documents of a month (of one account, if named); right files are not touched."""
    choose_month(connection, month, account)
    written = FilesWritten()
    if chosen(connection) >= bulk.BULK:
        written.add(
            bulk.write(home, connection, month, workers=os.cpu_count() or 1, advance=advance)
        )
        formats = tuple(name for name in formats if name not in TABLES)
    written.add(_write_chosen(home, connection, folder_of(home, month), formats, advance=advance))
    return written


def write_one(
    home: Path, connection: duckdb.DuckDBPyConnection, invoice_no: str, formats: Sequence[str]
) -> FilesWritten:
    """Write one issued document; InputError if there is none of that number."""
    choose_one(connection, invoice_no)
    month = next(documents(connection)).month
    return _write_chosen(home, connection, folder_of(home, month), formats)


def write_drafts(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    month: str,
    formats: Sequence[str],
    *,
    account: str | None = None,
) -> FilesWritten:
    """Write the drafts that a run prepared, named for their accounts."""
    choose_month(connection, month, account, DRAFT_TABLES)
    folder = folder_of(home, month).joinpath(DRAFTS)
    return _write_chosen(home, connection, folder, formats, drafts=True)


def unprintable(home: Path, settings: InvoiceSettings) -> Callable[[str], str]:
    """What `billing.invoices.run.prepare` asks: which characters of a text a PDF would show as
    boxes. Without a PDF nothing is asked of fonts.
    """
    if "pdf" not in settings.formats:
        return lambda _text: ""
    return partial(pdf_document.unprintable, fonts=pdf_document.fonts_of(home))


def missing(home: Path, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Of the two months issued into last, those of which a document has no JSON on disk.

    Document by document: the JSON of a credit note says nothing of the invoice's.
    """
    rows = connection.execute(sql.text("statements/invoices/reading/issued_last")).fetchall()
    found = []
    for month, numbers in rows:
        folder = folder_of(home, month)
        there = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
        if any(f"{safe_name(number)}.json" not in there for number in numbers):
            found.append(str(month))
    return found


def _write_chosen(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    formats: Sequence[str],
    *,
    drafts: bool = False,
    advance: Callable[[int], None] = lambda _count: None,
) -> FilesWritten:
    """JSON and CSV first: where the JSON shows another issue, no sister of it is touched."""
    written = FilesWritten()
    tables = DRAFT_TABLES if drafts else ISSUED
    folder.mkdir(parents=True, exist_ok=True)
    putting = put_draft if drafts else put
    pages = [name for name in formats if name not in TABLES]
    if any(name in TABLES for name in formats):
        for one in rendered(connection, tables):
            stem = f"{folder}/{safe_name(one.account_id if drafts else one.invoice_no)}"
            putting(f"{stem}.json", one.json, written)
            if "csv" in formats:
                putting(f"{stem}.csv", one.csv, written)
            if "csv" in formats and one.detail_csv is not None and one.has_detail:
                putting(f"{stem}.detail.csv", one.detail_csv, written)
            advance(0 if pages else 1)
    fonts = pdf_document.fonts_of(home)
    for invoice in documents(connection, tables) if pages else _nothing():
        name = safe_name(invoice.account_id if drafts else invoice.invoice_no)
        if "html" in pages:
            putting(f"{folder}/{name}.html", html_document.render(invoice), written)
        if "pdf" in pages:
            putting(f"{folder}/{name}.pdf", pdf_document.render(invoice, fonts), written)
        advance(1)
    return written


def _nothing() -> Iterator[Invoice]:
    return iter(())
