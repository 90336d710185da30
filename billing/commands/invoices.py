"""Commands about invoices: invoice, credit-note, void, paid. `billing/cli.py` mounts them.

Example: edgetoll billing invoice --month 2026-10
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.invoices import showing
from billing.reports.diff import diff
from billing.reports.explain import explain
from billing.reports.statement import statement
from edge.errors import InputError
from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    emit,
    progress,
    say,
    table,
)

if TYPE_CHECKING:
    from billing.invoices.crediting import Credited
    from billing.invoices.documents.files import Written
    from billing.invoices.run import Issued
    from billing.invoices.settings import InvoiceSettings
    from billing.store.store import Store

__all__ = ["credit_note", "diff", "explain", "invoice", "paid", "statement", "void"]

InvoiceArgument = Annotated[str, typer.Argument(help="The invoice's number.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; printed on the credit note.")]


def invoice(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month to bill.")],
    account: Annotated[str | None, typer.Option("--account", help="Only this account.")] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Show what would be issued; no number, nothing kept.")
    ] = False,
    reissue: Annotated[
        bool, typer.Option("--reissue", help="Also bill months whose invoice was made void.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Issue the invoices of a month whose hours are all closed and rated, and write their
    documents.

    Run again it issues nothing twice and leaves every document as it is. Accounts that must wait
    are named with the reason, and the command exits 1.

    Example: edgetoll billing invoice --month 2026-10
    """
    from billing.invoices.run import Order
    from billing.outbox import stop_topic
    from billing.store.store import Store

    at = as_of_time(as_of)
    order = Order(month=month, account=account, at=at, draft=draft, reissue=reissue)
    settings = _settings(home)
    with Store.open(home, owner="edgetoll billing invoice", now=at) as store:
        if draft:
            _draft(store, order, settings, as_json=as_json)
            return
        issued, rows, written = _issue(store, order, settings)
    stop_topic.follow(home)
    if issued.invoices:
        showing.warn_of_seller(settings)
    showing.show_issued(issued, rows, written, month=month, home=home, as_json=as_json)
    if issued.waiting:
        first = issued.waiting[0]
        others = len(issued.waiting) - 1
        more = f" (and {others} more accounts)" if others else ""
        raise InputError(
            f"{month} cannot be issued yet for {first.account_id}{more}: {first.problem}",
            first.hint,
        )


def void(
    invoice_no: InvoiceArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Make an invoice void: its number stays, a credit note takes it back, its month may be billed
    anew.

    Example: edgetoll billing void INV-USD-2026-000042 --reason "wrong address"
    """
    from billing.invoices import crediting
    from billing.outbox import stop_topic
    from billing.store.store import Store

    at = as_of_time(as_of)
    settings = _settings(home)
    with Store.open(home, owner="edgetoll billing void", now=at) as store:
        done = crediting.void(store, invoice_no, reason=reason, settings=settings, at=at)
        _finish_credit(store, done, settings, at=at)
    stop_topic.follow(home)
    showing.show_credit(done, as_json=as_json)


def credit_note(
    invoice_no: InvoiceArgument,
    line: Annotated[int, typer.Option("--line", help="The line the money is given back on.")],
    amount: Annotated[str, typer.Option("--amount", help="Net amount, tax comes on top.")],
    key: Annotated[str, typer.Option("--id", help="Your id: repeated, nothing is credited twice.")],
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Give back part of an invoice line, with its tax, by a credit note.

    Example: edgetoll billing credit-note INV-USD-2026-000042 --line 1 --amount 5.00 --id T-17
    --reason "goodwill"
    """
    from billing.invoices import crediting
    from billing.money import parse_amount
    from billing.outbox import stop_topic
    from billing.store.store import Store

    at = as_of_time(as_of)
    settings = _settings(home)
    with Store.open(home, owner="edgetoll billing credit-note", now=at) as store:
        done = crediting.credit(
            store,
            invoice_no,
            line_no=line,
            amount=parse_amount(amount),
            key=key,
            reason=reason,
            settings=settings,
            at=at,
        )
        _finish_credit(store, done, settings, at=at)
    stop_topic.follow(home)
    showing.show_credit(done, as_json=as_json)


def paid(
    invoice_no: Annotated[
        str | None, typer.Argument(help="Record a payment for this invoice first.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", help="What was paid. Default: what is open of it.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--id", help="The payment's id, as for top-up; needed with one.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Mark the invoices that payments reach as paid, the oldest first; with a number, take a
    payment in.

    Example: edgetoll billing paid INV-USD-2026-000042 --id BANK-2026-11-03-7
    """
    from billing.invoices import payments
    from billing.outbox import stop_topic
    from billing.runs import run
    from billing.store.store import Store

    at = as_of_time(as_of)
    with Store.open(home, owner="edgetoll billing paid", now=at) as store:
        if invoice_no is not None:
            payments.take_in(store, invoice_no, amount=amount, key=key, at=at)
        changed = payments.settle(store, at=at)
        run.after(store, at=at)
        rows = payments.standing(store.connection)
    stop_topic.follow(home)
    document: dict[str, Any] = {"changed": changed, "invoices": [row.document() for row in rows]}

    def human() -> None:
        table(
            "Open invoices, oldest first",
            ("invoice", "account", "month", "due", "owed", "open", ""),
            [
                (
                    row["invoice_no"],
                    row["account_id"],
                    row["month"],
                    row["due_on"],
                    row["owed"],
                    row["open"],
                    row["currency"],
                )
                for row in document["invoices"]
            ],
            right=("owed", "open"),
        )
        say(f"{changed} invoices changed their standing")

    emit(document, as_json=as_json, human=human)


def _settings(home: Path) -> InvoiceSettings:
    from billing.invoices.settings import InvoiceSettings
    from edge.configfile import section

    return section(home, "invoices", InvoiceSettings)


def _issue(
    store: Store, order: Any, settings: InvoiceSettings
) -> tuple[Issued, list[dict[str, Any]], Written]:
    from billing.invoices import reading
    from billing.invoices.documents import bulk, files
    from billing.invoices.documents.files import Written
    from billing.invoices.run import issue, prepare
    from billing.runs import run
    from edge.crash_point import crash_point

    issued = issue(store, prepare(store, order, settings))
    crash_point("invoice-issued")
    run.after(store, at=order.at)
    _verify(store, issued.journal_no)
    crash_point("invoice-settled")
    with progress(f"documents of {order.month}") as advance:
        documents = reading.of_month(store.connection, order.month, order.account)
        statuses = reading.statuses(store.connection, order.month)
        rows = showing.rows_of(reading.month_rows(store.connection), statuses)
        written, formats = Written(), settings.formats
        if len(rows) >= bulk.BULK:
            written = bulk.write(
                store.home,
                store.connection,
                order.month,
                workers=os.cpu_count() or 1,
                advance=advance,
            )
            formats = tuple(name for name in formats if name not in ("json", "csv"))
        if formats:
            written.add(files.write(store.home, documents, formats, advance=advance))
    crash_point("invoice-rendered")
    return issued, rows, written


def _verify(store: Store, journal_no: int | None) -> None:
    """The invariants over what one record issued; Corrupt names the first that fails."""
    from billing.checks import invariants
    from edge.errors import Corrupt

    if journal_no is None:
        return
    failures = invariants.run(store.connection, scope=journal_no)
    if failures:
        raise Corrupt(
            f"check {failures[0].check} fails after record {journal_no}: {failures[0].what}",
            "send nothing of it; run edgetoll check",
        )


def _draft(store: Store, order: Any, settings: InvoiceSettings, *, as_json: bool) -> None:
    from billing.invoices import reading
    from billing.invoices.documents import files
    from billing.invoices.run import prepare

    prepare(store, order, settings)
    documents = reading.of_month(store.connection, order.month, order.account, reading.DRAFTS)
    rows = showing.rows_of(reading.month_rows(store.connection, reading.DRAFTS), {})
    written = files.write(store.home, documents, settings.formats, drafts=True)
    showing.warn_of_boxes(written, store.home)
    folder = files.folder_of(store.home, order.month) / "drafts"

    def human() -> None:
        showing.print_rows(f"Drafts of {order.month}", rows)
        say(f"nothing was issued; the drafts are in {folder}")

    if rows:
        showing.warn_of_seller(settings)
    emit(
        {"month": order.month, "drafts": rows, "folder": str(folder)},
        as_json=as_json,
        human=human,
    )


def _finish_credit(
    store: Store, done: Credited, settings: InvoiceSettings, *, at: datetime
) -> None:
    from billing.invoices import reading
    from billing.invoices.documents import files
    from billing.runs import run

    run.after(store, at=at)
    note = reading.one(store.connection, done.credit_note)
    showing.warn_of_boxes(files.write(store.home, [note], settings.formats), store.home)
