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
    from billing.reports.statement_page import StatementPage

RunArgument = Annotated[
    str, typer.Argument(help="A run's id, or `start` for the beginning of the books.")
]
SHOWN = 200


def statement(
    account: Annotated[str | None, typer.Argument(help="The account's id. Or --all.")] = None,
    month: Annotated[
        str | None,
        typer.Option(
            "--month", metavar="YYYY-MM", help="This month (default: up to now, 31 days)."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All accounts: with --send, or -o 'FOLDER/{account}.pdf'.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write a statement for the customer: .pdf or .html."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Send that month's by mail, as PDF; once.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was sent before, drawn up anew.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Every movement on an account with the running balance, and its invoices that are still open,
    by the days of its own time zone: on the screen, in a file, or by mail to the customer.

    As CSV or xlsx, of one account or of all: edgetoll query statement_of_account -o FILE.

    Example: edgetoll billing statement acme --month 2026-10 -o acme-2026-10.pdf
    """
    from billing.appliers import open_store
    from billing.invoices import payments
    from billing.reports.statement import read, to_document
    from edge.errors import InputError

    if every == (account is not None):
        raise InputError("say whose statement", "an account's id, or --all")
    at = as_of_time(as_of)
    if send:
        _send_statements(home, account, month, output, again=again, at=at, as_json=as_json)
        return
    if again:
        raise InputError("--again is about mails", "with --send; a file is replaced with --force")
    if output is not None:
        _write_statements(home, account, month, output, at=at, force=force)
        return
    if account is None:
        raise InputError(
            "all accounts are more than a screen",
            "-o 'FOLDER/{account}.pdf', --send, or edgetoll query statement_of_account -o ALL.xlsx",
        )
    with open_store(home, owner="edgetoll billing statement", now=at) as store:
        found = read(store.connection, account, month=month, at=at)
        invoices = payments.standing(store.connection, account=account)
    document = to_document(found) | {"open_invoices": [one.document() for one in invoices]}
    emit(document, as_json=as_json, human=lambda: _show_statement(found, invoices))


def _send_statements(
    home: Path,
    account: str | None,
    month: str | None,
    output: Path | None,
    *,
    again: bool,
    at: datetime,
    as_json: bool,
) -> None:
    from billing.appliers import open_store
    from billing.close import statements
    from billing.commands import send as sending
    from billing.commands.close import invoice_settings
    from billing.follow_up import changing
    from edge.errors import InputError

    if month is None or output is not None:
        raise InputError("a statement is sent of a month", "--send --month YYYY-MM, without -o")
    owner = "edgetoll billing statement"
    with open_store(home, owner=owner, now=at) as store:
        wanted = statements.wanted(store, month, account_id=account, again=again, at=at)
    drawn = statements.draw(home, wanted, invoice_settings(home), at=at)
    with changing(home, owner=owner, at=at) as store:
        announced = statements.announce(store, wanted, drawn, at=at)
    out = sending.send_out(home, announced, at=at)
    sending.show(out, as_json=as_json)
    sending.refuse_undone(out)


def _write_statements(
    home: Path,
    account: str | None,
    month: str | None,
    output: Path,
    *,
    at: datetime,
    force: bool,
) -> None:
    """The statement of an account as a file; of all each in its own, `{account}` in their name."""
    from billing.appliers import open_store
    from billing.commands.close import invoice_settings
    from billing.invoices import payments
    from billing.invoices.documents.files import safe_name
    from billing.reports.statement import account_ids, read
    from billing.reports.statement_page import page
    from edge.errors import InputError

    if output.suffix not in (".pdf", ".html"):
        raise InputError(
            f"a statement is no {output.suffix or 'file without an ending'}",
            "name it .pdf or .html; .csv and .xlsx: edgetoll query statement_of_account -o FILE",
        )
    if account is None and "{account}" not in output.name:
        raise InputError(
            "each account has a statement of its own", "-o 'FOLDER/{account}.pdf' names them all"
        )
    with open_store(home, owner="edgetoll billing statement", now=at) as store:
        names = account_ids(store.connection) if account is None else (account,)
        found = [
            (read(store.connection, name, month=month, at=at),
             payments.standing(store.connection, account=name))
            for name in names
        ]  # fmt: skip
    settings = invoice_settings(home)
    output.parent.mkdir(parents=True, exist_ok=True)
    for one, invoices in found:
        path = output.with_name(output.name.replace("{account}", safe_name(one.account_id)))
        if path.exists() and not force:
            raise InputError(f"{path} is there already", "another name, or --force")
        _write_statement(home, page(one, invoices, settings), path, at=at)


def _write_statement(home: Path, shown: StatementPage, output: Path, *, at: datetime) -> None:
    from billing.invoices.documents.pdf_document import fonts_of, unprintable
    from billing.invoices.fonts import font_hint, named
    from billing.reports.statement_page import to_html, to_pdf
    from edge.errors import InputError

    made = to_html(shown)
    if output.suffix == ".pdf":
        fonts = fonts_of(home)
        if missing := unprintable(shown.printed, fonts):
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
