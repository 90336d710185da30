"""Issuing a month, from its documents' numbers to their files: what `billing invoice` and the close
have in common. It can be killed anywhere and run again.
"""

from __future__ import annotations

from dataclasses import dataclass

from billing.follow_up import follow_up
from billing.invoices import reading
from billing.invoices.documents import writing
from billing.invoices.documents.files import FilesWritten
from billing.invoices.reading import InvoiceFigures
from billing.invoices.run import Issued, Order, issue
from billing.invoices.settings import InvoiceSettings
from billing.store.store import Store
from edge.crash_point import crash_point
from edge.errors import Corrupt
from edge.terminal import progress


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedMonth:
    """What was issued now, and all documents that the order is about, with where each stands."""

    issued: Issued
    documents: tuple[InvoiceFigures, ...]
    statuses: dict[str, str]
    written: FilesWritten


def issue_month(store: Store, order: Order, settings: InvoiceSettings) -> IssuedMonth:
    """Issue what is due of the order's month, let what follows follow, and write the documents.

    Corrupt when a check of the new record is red: then no document is written.
    """
    issued = issue(store, order, settings, printing=writing.printing(store.home, settings))
    crash_point("invoice-issued")
    accounts = None if order.account is None else (order.account,)
    red = follow_up(store, at=order.at, accounts=accounts, record=issued.journal_no).red
    if red:
        raise Corrupt(red, "send nothing of it; run edgetoll check")
    crash_point("invoice-settled")
    reading.choose_month(store.connection, order.month, order.account)
    rows = tuple(reading.month_rows(store.connection))
    with progress(f"documents of {order.month}") as advance:
        written = writing.write_month(
            store.home,
            store.connection,
            order.month,
            settings.formats,
            account=order.account,
            advance=advance,
        )
    crash_point("invoice-rendered")
    return IssuedMonth(
        issued=issued,
        documents=rows,
        statuses=reading.statuses(store.connection, order.month),
        written=written,
    )
