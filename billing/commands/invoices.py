"""Commands about invoices: invoice, credit-note, void, paid. `billing/cli.py` mounts them.

Example: edgetoll billing invoice --month 2026-10
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from billing.commands import invoice_tables as tables
from billing.commands.close import invoice_settings
from billing.commands.reports import diff, explain, statement
from edge.errors import InputError
from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    emit,
    say,
    table,
    warn,
)

if TYPE_CHECKING:
    from billing.invoices.crediting import Credited
    from billing.invoices.run import Order
    from billing.invoices.settings import InvoiceSettings
    from billing.status.facts import UnownedTraffic
    from billing.store.store import Store

__all__ = ["credit_note", "diff", "e_invoice", "explain", "invoice", "paid", "statement", "void"]

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
    from billing.close.issuing import issue_month
    from billing.follow_up import changing
    from billing.invoices.run import Order

    at = as_of_time(as_of)
    order = Order(month=month, account=account, at=at, draft=draft, reissue=reissue)
    settings = invoice_settings(home)
    with changing(home, owner="edgetoll billing invoice", at=at, wait_seconds=0) as store:
        unowned = _warn_of_unowned(store, month)
        _warn_of_incomplete(store, month)
        if draft:
            _draft(store, order, settings, unowned, as_json=as_json)
            return
        done = issue_month(store, order, settings)
        _warn_of_unissued(store, at)
    tables.show_issued(done, unowned, month=month, home=home, as_json=as_json)
    tables.refuse_waiting(month, done.issued.waiting)


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
    from billing.follow_up import changing
    from billing.invoices import crediting

    at = as_of_time(as_of)
    settings = invoice_settings(home)
    with changing(home, owner="edgetoll billing void", at=at, wait_seconds=0) as store:
        done = crediting.void(store, invoice_no, reason=reason, settings=settings, at=at)
        _finish_credit(store, done, settings, at=at)
    tables.show_credit(done, as_json=as_json)


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
    from billing.follow_up import changing
    from billing.invoices import crediting
    from billing.money import parse_amount

    at = as_of_time(as_of)
    settings = invoice_settings(home)
    with changing(home, owner="edgetoll billing credit-note", at=at, wait_seconds=0) as store:
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
    tables.show_credit(done, as_json=as_json)


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
    from billing.follow_up import changing, follow_up
    from billing.invoices import payments

    at = as_of_time(as_of)
    if invoice_no is None and (amount is not None or key is not None):
        raise InputError(
            "a payment needs the number of its invoice: nothing was posted",
            "edgetoll billing paid INVOICE --id KEY; for an account: edgetoll billing top-up",
        )
    posted = None
    with changing(home, owner="edgetoll billing paid", at=at, wait_seconds=0) as store:
        if invoice_no is not None:
            posted = payments.take_in(store, invoice_no, amount=amount, key=key, at=at)
        accounts = None if posted is None else (posted.transfer.account_id,)
        changed = follow_up(store, at=at, accounts=accounts).settled
        rows = payments.standing(store.connection)
    document = {
        "posted": None if posted is None else tables.posted_document(posted),
        "changed": changed,
        "invoices": [row.document() for row in rows],
    }

    def human() -> None:
        from billing.money import format_amount

        table(
            "Open invoices, oldest first",
            ("invoice", "account", "month", "due", "owed", "open", ""),
            [
                (row.invoice_no, row.account_id, row.month, row.due_on,
                 format_amount(row.owed, row.currency),
                 format_amount(row.still_open, row.currency), row.currency)
                for row in rows
            ],
            right=("owed", "open"),
        )  # fmt: skip
        if posted is not None:
            say(tables.posted_words(posted))
        say(f"{tables.count(changed, 'invoice')} changed standing")

    emit(document, as_json=as_json, human=human)


def e_invoice(
    invoice_no: InvoiceArgument,
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="ubl, cii, peppol, xrechnung or xrechnung-cii."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_of: AsOfOption = None,
) -> None:
    """Print an issued document as an e-invoice (EN 16931, XML), in the form its account asked for
    or in that of --profile.

    Example: edgetoll billing e-invoice INV-USD-2026-000042 --profile peppol > invoice.xml
    """
    from billing.appliers import open_store
    from billing.invoices import reading
    from billing.invoices.einvoice import xml_document
    from billing.vat.profiles import profile_of

    chosen = None if profile is None else profile_of(profile)
    at = as_of_time(as_of)
    with open_store(home, owner="edgetoll billing e-invoice", now=at, wait_seconds=30) as store:
        document = reading.one(store.connection, invoice_no)
    chosen = chosen or xml_document.wanted(document)
    if chosen is None:
        raise InputError(
            f"account {document.account_id} asked for no e-invoice when {invoice_no} was issued",
            "name the form: --profile ubl",
        )
    typer.echo(xml_document.render(document, chosen), nl=False)


def _warn_of_unowned(store: Store, month: str) -> UnownedTraffic:
    """Say which names nobody will pay for in `month` (CASES G8), and give them."""
    from billing.invoices.periods import check_month, month_span
    from billing.status import unowned

    check_month(month)
    span = month_span(month, "UTC")
    found = unowned.between(store.connection, span.start, span.end)
    for line in unowned.lines(found):
        warn(line)
    return found


def _warn_of_incomplete(store: Store, month: str) -> None:
    """Say which hours of `month` lack an edge: what it brings later is on a later invoice."""
    from billing.invoices.periods import month_span
    from billing.status.hours import incomplete_between, incomplete_lines

    span = month_span(month, "UTC")
    for line in incomplete_lines(incomplete_between(store.connection, span.start, span.end)):
        warn(line)


def _warn_of_unissued(store: Store, at: datetime) -> None:
    """Say which months of which accounts no invoice holds: who came to one after it was issued."""
    from billing.status.unissued import unissued_lines, unissued_months

    for line in unissued_lines(unissued_months(store.connection, now=at)):
        warn(line)


def _draft(
    store: Store,
    order: Order,
    settings: InvoiceSettings,
    unowned: UnownedTraffic,
    *,
    as_json: bool,
) -> None:
    from billing.invoices import reading
    from billing.invoices.documents import files, writing
    from billing.invoices.run import prepare
    from billing.status.unowned import traffic_document

    prepared = prepare(store, order, settings)
    reading.choose_month(store.connection, order.month, order.account, reading.DRAFTS)
    rows = tables.rows_of(reading.month_rows(store.connection, reading.DRAFTS), {})
    writing.write_drafts(
        store.home, store.connection, order.month, settings.formats, account=order.account
    )
    folder = files.folder_of(store.home, order.month).joinpath(files.DRAFTS)

    def human() -> None:
        tables.print_rows(f"Drafts of {order.month}", rows)
        if rows:
            say(f"nothing was issued; the drafts are in {folder}")
        else:
            say(f"nothing to draft: no account has rated usage of {order.month} that waits")

    tables.warn_of_draft(settings, prepared.invoices, prepared.early)
    emit(
        {
            "month": order.month,
            "drafts": rows,
            "folder": str(folder),
            "unowned": traffic_document(unowned),
        },
        as_json=as_json,
        human=human,
    )


def _finish_credit(
    store: Store, done: Credited, settings: InvoiceSettings, *, at: datetime
) -> None:
    from billing.follow_up import follow_up
    from billing.invoices import crediting
    from billing.invoices.documents import writing

    account = crediting.subject(store, done.invoice_no).account_id
    follow_up(store, at=at, accounts=(account,))
    writing.write_one(store.home, store.connection, done.credit_note, settings.formats)
