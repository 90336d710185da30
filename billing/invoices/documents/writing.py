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
from billing.invoices.documents.appendix import costs_csv, costs_of
from billing.invoices.documents.files import (
    DRAFTS,
    FilesWritten,
    folder_of,
    put,
    put_draft,
    safe_name,
)
from billing.invoices.documents.kept import logo_of, template_of
from billing.invoices.documents.rendering import rendered
from billing.invoices.documents.sums import SUMS, read_sums, write_sums
from billing.invoices.einvoice import xml_document
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
from billing.invoices.waiting import ANYTHING_PRINTS, Printing
from billing.invoices.wording.texts import catalogue
from billing.vat.profiles import FACTUR_X

TABLES = ("json", "csv")
PAGES = ("html", "pdf")
E_INVOICE = "xml"


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
    folder = folder_of(home, month)
    written = FilesWritten(before=read_sums(folder))
    if chosen(connection) >= bulk.BULK:
        written.add(
            bulk.write(home, connection, month, workers=os.cpu_count() or 1, advance=advance)
        )
        formats = tuple(name for name in formats if name not in TABLES)
    _write_chosen(home, connection, folder, formats, written, advance=advance)
    _note_sums(folder, written)
    return written


def write_one(
    home: Path, connection: duckdb.DuckDBPyConnection, invoice_no: str, formats: Sequence[str]
) -> FilesWritten:
    """Write one issued document; InputError if there is none of that number."""
    choose_one(connection, invoice_no)
    folder = folder_of(home, next(documents(connection)).month)
    written = FilesWritten(before=read_sums(folder))
    _write_chosen(home, connection, folder, formats, written)
    _note_sums(folder, written)
    return written


def _note_sums(folder: Path, written: FilesWritten) -> None:
    """Note what was written as it is now; what was noted before stays while its file does."""
    there = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
    kept = {name: digest for name, digest in written.before.items() if name in there}
    write_sums(folder, kept | written.sums)


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
    written = FilesWritten()
    _write_chosen(home, connection, folder, formats, written, drafts=True)
    return written


def printing(home: Path, settings: InvoiceSettings) -> Printing:
    """What `billing.invoices.run.prepare` asks of fonts. Without a PDF nothing is asked."""
    if "pdf" not in settings.formats:
        return ANYTHING_PRINTS
    return Printing(
        unprintable=partial(pdf_document.unprintable, fonts=pdf_document.fonts_of(home)),
        texts_of=lambda language: "".join(catalogue(language).values()),
    )


def missing(home: Path, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Months of which documents are to be written: none of them is noted as written, or, of the two
    months issued into last, the JSON of one is not there or not noted.

    Document by document: the JSON of a credit note says nothing of the invoice's.
    """
    months = connection.execute(sql.text("statements/invoices/reading/issued_months")).fetchall()
    found = {month for (month,) in months if not folder_of(home, month).joinpath(SUMS).is_file()}
    rows = connection.execute(sql.text("statements/invoices/reading/issued_last")).fetchall()
    for month, numbers in rows:
        folder = folder_of(home, month)
        there = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
        there &= read_sums(folder).keys()
        if any(f"{safe_name(number)}.json" not in there for number in numbers):
            found.add(month)
    return sorted(found)


def _write_chosen(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    formats: Sequence[str],
    written: FilesWritten,
    *,
    drafts: bool = False,
    advance: Callable[[int], None] = lambda _count: None,
) -> None:
    """Each document in `formats`, and in those it was written in before. JSON and CSV first: where
    the JSON shows another issue, no sister of it is touched.
    """
    tables = DRAFT_TABLES if drafts else ISSUED
    folder.mkdir(parents=True, exist_ok=True)
    putting = put_draft if drafts else put
    noted = {name.rpartition(".")[2] for name in written.before}
    pages = [name for name in PAGES if name in formats or name in noted]
    if not drafts and _wants_e_invoices(connection):
        pages.append(E_INVOICE)

    def wanted(name: str) -> bool:
        return name.rpartition(".")[2] in formats or name in written.before

    if any(name in TABLES for name in formats):
        for one in rendered(connection, tables):
            name = safe_name(one.account_id if drafts else one.invoice_no)
            putting(f"{folder}/{name}.json", one.json, written)
            if wanted(f"{name}.csv"):
                putting(f"{folder}/{name}.csv", one.csv, written)
            if wanted(f"{name}.detail.csv") and one.detail_csv is not None and one.has_detail:
                putting(f"{folder}/{name}.detail.csv", one.detail_csv, written)
            advance(0 if pages else 1)
    fonts = pdf_document.fonts_of(home)
    for invoice in documents(connection, tables) if pages else _nothing():
        name = safe_name(invoice.account_id if drafts else invoice.invoice_no)
        logo = logo_of(home, invoice)
        if wanted(f"{name}.html"):
            own = template_of(home, invoice, "template_html")
            putting(
                f"{folder}/{name}.html",
                html_document.render(invoice, logo=logo, template=own),
                written,
            )
        profile = None if drafts else xml_document.wanted(invoice)
        xml = None if profile is None else xml_document.render(invoice, profile)
        inside = xml if profile is not None and profile.name == FACTUR_X else None
        if wanted(f"{name}.pdf") or inside is not None:
            own = template_of(home, invoice, "template_pdf")
            made = pdf_document.render(invoice, fonts, inside, logo=logo, template=own)
            putting(f"{folder}/{name}.pdf", made, written)
        if xml is not None and inside is None:
            putting(f"{folder}/{name}.{E_INVOICE}", xml, written)
        if not drafts and costs_of(invoice):
            putting(f"{folder}/{name}.costs.csv", costs_csv(invoice), written)
        advance(1)


def _wants_e_invoices(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any of the chosen documents is of an account that asked for e-invoices."""
    result = connection.execute(sql.text("statements/invoices/reading/e_invoices_chosen"))
    return any(documents for (documents,) in result.fetchall())


def _nothing() -> Iterator[Invoice]:
    return iter(())
