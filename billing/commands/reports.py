"""Commands that show what the books say: statement, explain, diff. `billing/cli.py` mounts them.

Example: edgetoll billing statement acme --month 2026-10
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    emit,
    many,
    parse_time,
    say,
    table,
)

if TYPE_CHECKING:
    from billing.invoices.payments import InvoiceStanding
    from billing.reports.records import Difference
    from billing.reports.statement import Statement

AccountArgument = Annotated[str, typer.Argument(help="The account's id.")]
RunArgument = Annotated[
    str, typer.Argument(help="A run's id, or `start` for the beginning of the books.")
]
SHOWN = 200


def statement(
    account: AccountArgument,
    month: Annotated[
        str | None,
        typer.Option(
            "--month", metavar="YYYY-MM", help="This month (default: up to now, 31 days)."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write a statement for the customer: .pdf or .html."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Every movement on an account with the running balance, and its invoices that are still open,
    by the days of its own time zone.

    As CSV or xlsx, of one account or of all: edgetoll query statement_of_account -o FILE.

    Example: edgetoll billing statement acme --month 2026-10 -o acme-2026-10.pdf
    """
    from billing.appliers import open_store
    from billing.invoices import payments
    from billing.reports.statement import read, to_document

    at = as_of_time(as_of)
    with open_store(home, owner="edgetoll billing statement", now=at) as store:
        found = read(store.connection, account, month=month, at=at)
        invoices = payments.standing(store.connection, account=account)
    if output is not None:
        _write_statement(home, found, invoices, output, at=at, force=force)
        return
    document = to_document(found) | {"open_invoices": [one.document() for one in invoices]}
    emit(document, as_json=as_json, human=lambda: _show_statement(found, invoices))


def _write_statement(
    home: Path,
    found: Statement,
    invoices: Sequence[InvoiceStanding],
    output: Path,
    *,
    at: datetime,
    force: bool,
) -> None:
    from billing.commands.close import invoice_settings
    from billing.invoices.documents.pdf_document import fonts_of, unprintable
    from billing.invoices.fonts import font_hint, named
    from billing.reports.statement_page import page, to_html, to_pdf
    from edge.errors import InputError

    if output.exists() and not force:
        raise InputError(f"{output} is there already", "another name, or --force")
    if output.suffix not in (".pdf", ".html"):
        raise InputError(
            f"a statement is no {output.suffix or 'file without an ending'}",
            "name it .pdf or .html; .csv and .xlsx: edgetoll query statement_of_account -o FILE",
        )
    shown = page(found, invoices, invoice_settings(home))
    made = to_html(shown)
    if output.suffix == ".pdf":
        fonts = fonts_of(home)
        if missing := unprintable("".join((shown.name, shown.note, *shown.seller)), fonts):
            raise InputError(
                f"no font has {named(missing)}: the PDF would show boxes", font_hint(missing)
            )
        made = to_pdf(shown, fonts=fonts, at=at)
    output.write_bytes(made)
    say(f"{output}: {len(shown.rows)} movements, closing balance {shown.closing} {shown.currency}")


def explain(
    invoice_no: Annotated[str, typer.Argument(help="The invoice's number.")],
    line: Annotated[int, typer.Argument(help="The number of the line on it.")],
    hour: Annotated[
        str | None, typer.Option("--hour", help="Look at this hour only: 2026-10-05T13.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Where an invoice line comes from: its tiers, hours, domains, and the certified batches of
    each edge.

    Example: edgetoll billing explain INV-USD-2026-000042 1
    """
    from billing.appliers import open_store
    from billing.prices import load_books
    from billing.reports.explain import Books, document, explanation
    from billing.reports.explain_view import show
    from edge.errors import InputError

    at = as_of_time(as_of)
    only = parse_time(f"{hour}:00" if hour and len(hour) == 13 else hour) if hour else None
    if not home.is_dir():
        raise InputError(f"there is no home {home}", f"make one first: edgetoll init {home}")
    prices = load_books(home / "prices")
    books = Books(regions={book.book_id: book.regions for book in prices})
    with open_store(home, owner="edgetoll billing explain", now=at) as store:
        found = explanation(store.connection, invoice_no, line, books=books, only=only)
    emit(document(found), as_json=as_json, human=lambda: show(found))


def diff(
    before: RunArgument,
    after: RunArgument,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """What the books say after run AFTER that they did not say after run BEFORE, and why.

    Charges by account, month, item and cause (usage, late usage, a moved domain, a corrected
    price, …), and the documents issued between. Run ids: edgetoll sql "SELECT run_id, ran_at FROM
    runs".

    Example: edgetoll billing diff R00000012 R00000019
    """
    from billing.appliers import open_store
    from billing.reports.diff import difference, document

    at = as_of_time(as_of)
    with open_store(home, owner="edgetoll billing diff", now=at) as store:
        found = difference(store.connection, before, after)
    emit(document(found), as_json=as_json, human=lambda: _show_difference(found))


def _show_statement(found: Statement, invoices: Sequence[InvoiceStanding]) -> None:
    from billing.money import format_amount

    def shown(amount: int) -> str:
        return format_amount(amount, found.currency)

    rows: list[Sequence[object]] = [("", "opening balance", "", "", shown(found.opening))]
    rows += [
        (move.day, move.what, move.reference, shown(move.amount), shown(move.balance))
        for move in found.moves
    ]
    rows.append(("", "closing balance", "", "", shown(found.closing)))
    title = (
        f"{found.account_id} ({found.name}), {found.currency},"
        f" {found.start:%Y-%m-%d %H:%MZ} to {found.end:%Y-%m-%d %H:%MZ}"
    )
    columns = ("day (UTC)", "what", "reference", "amount", "balance")
    table(title, columns, rows, right=("amount", "balance"))
    if invoices:
        table(
            "Open invoices, oldest first",
            ("invoice", "month", "due", "owed", "open"),
            [
                (one.invoice_no, one.month, one.due_on, shown(one.owed), shown(one.still_open))
                for one in invoices
            ],
            right=("owed", "open"),
        )


def _show_difference(found: Difference) -> None:
    from billing.money import format_amount

    table(
        f"From {found.from_run} to {found.to_run}",
        ("account", "month", "item", "region", "why", "hours", "quantity", "amount", ""),
        [
            (one.account_id, one.month, one.item, one.region, one.reason, one.hours,
             f"{one.quantity:+,}", format_amount(one.amount, one.currency), one.currency)
            for one in found.changes[:SHOWN]
        ],
        right=("hours", "quantity", "amount"),
    )  # fmt: skip
    if len(found.changes) > SHOWN:
        say(f"… and {many(len(found.changes) - SHOWN, 'more row')}: use --json")
    if found.documents:
        table(
            "Documents issued between",
            ("number", "kind", "account", "month", "total", "", "why"),
            [
                (one.invoice_no, one.kind, one.account_id, one.month,
                 format_amount(one.total, one.currency), one.currency, one.reason)
                for one in found.documents[:SHOWN]
            ],
            right=("total",),
        )  # fmt: skip
    if not found.changes and not found.documents:
        say("nothing changed between them")
