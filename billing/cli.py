"""`edgetoll billing`: wiring of the commands that change or show money."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    checked_words,
    emit,
    parse_time,
    table,
    warn,
)

if TYPE_CHECKING:
    from billing.prices import PriceBooks
    from billing.runs.records import RunOutcome

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Price closed hours, keep the ledger, issue invoices, flag accounts in time.",
)


@app.command()
def load(
    file: Annotated[
        Path,
        typer.Argument(
            help="TOML: accounts, domains, plans, methods, credits, commitments; CSV: one of the"
            " first four, or payments; JSON lines: payments."
        ),
    ],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Load accounts, domains, plans, methods, credits, commitments or payments; once by id.

    A file is taken whole or not at all. Payments have the columns id, account, amount and, where
    needed, kind (cash or voucher) and currency; a file with a column `amount` is payments.

    Example: edgetoll billing load edgetoll-home/accounts.toml
    """
    from billing.commands import load as command

    at = as_of_time(as_of)
    if command.is_payments(file):
        command.load_payments_file(file, home, at=at, as_json=as_json)
    else:
        command.load_rows_file(file, home, _books(home), at=at, as_json=as_json)


@app.command("top-up", context_settings={"ignore_unknown_options": True})
def top_up(
    account: Annotated[str, typer.Argument(help="The account.")],
    amount: Annotated[str, typer.Argument(help="A decimal amount in the account's currency.")],
    key: Annotated[
        str, typer.Option("--id", help="The payment's own id: given twice, posted once.")
    ],
    kind: Annotated[
        str, typer.Option(help="cash, voucher, refund, chargeback or write-off.")
    ] = "cash",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Post a payment (or voucher, refund, chargeback, write-off) of an account, once per id.

    Example: edgetoll billing top-up acme 250.00 --id stripe-ch_1234
    """
    from billing.balance.states import current_state
    from billing.follow_up import changing, follow_up
    from billing.ledger import transfers as ledger
    from billing.ledger.top_up import top_up
    from billing.money import format_amount, parse_amount

    at = as_of_time(as_of)
    units = parse_amount(amount)
    with changing(home, owner="billing top-up", at=at) as store:
        done = top_up(store, account, units, key=key, kind=kind, at=at)  # type: ignore[arg-type]
        follow_up(store, at=at, accounts=(account,), new=done.new)
        have = ledger.balance(store.connection, account)
        stands = current_state(store.connection, account)
    document = {
        "account_id": account,
        "id": key,
        "kind": kind,
        "amount": format_amount(units, have.currency),
        "currency": have.currency,
        "new": done.new,
        "cash": format_amount(have.cash, have.currency),
        "vouchers": format_amount(have.vouchers, have.currency),
        "charged": format_amount(have.charged, have.currency),
        "available": format_amount(have.available, have.currency),
        "state": stands.state.value,
    }

    def human() -> None:
        if not done.new:
            print(f"{key} was posted before: nothing was written.")
        else:
            posted = f"{format_amount(units, have.currency)} {have.currency}"
            print(f"Posted {kind} of {posted} to {account} as {key}.")
        print(f"Available: {format_amount(have.available, have.currency)} {have.currency}")
        print(f"State: {stands.state}" + (f", {stands.reason}" if stands.reason else ""))

    emit(document, as_json=as_json, human=human)


@app.command()
def rate(
    through: Annotated[
        str | None, typer.Option("--through", help="Rate hours up to then, not all closed ones.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Import, show what would be charged, post nothing.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Import closed hours, rate them, post the charges, judge the accounts, publish the lake.

    Running it again, or while another one runs, changes nothing. Example: edgetoll billing rate
    """
    from billing.follow_up import RED_HINT, changing, follow_up
    from billing.instants import aware
    from billing.runs import run as runs
    from billing.runs.settings import read_settings
    from billing.status import unowned
    from billing.status.hours import incomplete_hours, incomplete_lines
    from billing.status.overrides import overrides_of_nobody
    from billing.status.unowned import traffic_document
    from edge.errors import Corrupt

    at = as_of_time(as_of)
    until = parse_time(through) if through else None
    books = _books(home)
    settings = read_settings(home)
    with changing(home, owner="billing rate", at=at, wait_seconds=0) as store:
        done = runs.rate(
            store, books=books, settings=settings, at=at, through=until, dry_run=dry_run
        )
        followed = follow_up(store, at=at, record=done.journal_no)
        traffic = unowned.lately(store.connection)
        overrides = overrides_of_nobody(store.connection, books, home)
        incomplete = incomplete_hours(store.connection, now=at)
    document = {
        **done.document(),
        "unowned": traffic_document(traffic),
        "overrides_of_nobody": overrides,
        "incomplete_hours": [
            {"hour": aware(one.hour), "partition": one.partition, "missing_edges": one.missing}
            for one in incomplete
        ],
    }

    def human() -> None:
        _print_run(done)
        for line in (*incomplete_lines(incomplete), *unowned.lines(traffic)):
            print(line)
        for line in overrides:
            warn(line)

    emit(document, as_json=as_json, human=human)
    if followed.red:
        raise Corrupt(followed.red, RED_HINT)
    if done.exit_code:
        raise typer.Exit(done.exit_code)


@app.command()
def release(
    run: Annotated[str, typer.Argument(help="The run that is held.")],
    reason: Annotated[str, typer.Option("--reason", help="Why its total is right.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Post a run that the breaker held, on your word.

    Example: edgetoll billing release R00000042 --reason "new customer, checked with sales"
    """
    from billing.follow_up import RED_HINT, changing, follow_up
    from billing.runs import run as runs
    from billing.runs.settings import read_settings
    from edge.errors import Corrupt

    checked_words(reason=reason)
    at = as_of_time(as_of)
    books = _books(home)
    settings = read_settings(home)
    with changing(home, owner="billing release", at=at, wait_seconds=0) as store:
        done = runs.release(store, run, reason=reason, books=books, settings=settings, at=at)
        followed = follow_up(store, at=at, record=done.journal_no)
    emit(done.document(), as_json=as_json, human=lambda: _print_run(done))
    if followed.red:
        raise Corrupt(followed.red, RED_HINT)


@app.command()
def accept(
    hours: Annotated[
        list[str] | None, typer.Argument(help="Hours like 2026-01-31T05; none: all that wait.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it may be billed.")] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Accept usage that was held because it was older than the limit; the next run rates it.

    Without --reason it only shows what waits. Example: edgetoll billing accept --reason "edge in
    repair"
    """
    from billing.appliers import open_store
    from billing.runs import import_hours

    at = as_of_time(as_of)
    with open_store(home, owner="billing accept", now=at) as store:
        waiting = import_hours.too_old_files(store)
        number = None
        if reason.strip():
            checked_words(reason=reason)
            number = import_hours.accept_too_old(store, hours or (), reason=reason, at=at)
    names = ("hour", "partition", "revision", "requests")
    rows = [(one.hour, one.partition, one.revision, one.requests) for one in waiting]
    files = [dict(zip(names, row, strict=True)) for row in rows]

    def human() -> None:
        table("Usage held as too old", names, rows)
        if number is not None:
            print("Accepted. Next: edgetoll billing rate")
        elif hours and reason.strip():
            print(f"Nothing of {', '.join(hours)} waits: nothing was accepted.")
        elif files:
            print('To bill it: edgetoll billing accept --reason "…"')

    emit({"waiting": files, "journal_no": number}, as_json=as_json, human=human)


@app.command()
def ledger(
    account: Annotated[str | None, typer.Argument(help="One account; none: the whole.")] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="How many transfers of the account to show.")
    ] = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Show ledger accounts with their debits and credits, an account's transfers, the ledger's
    hash.

    Example: edgetoll billing ledger acme
    """
    from billing.appliers import open_store
    from billing.ledger import transfers as books
    from billing.money import format_amount
    from billing.reports.ledger import read_report

    with open_store(home, owner="billing ledger", now=as_of_time(as_of)) as store:
        if account is not None:
            books.balance(store.connection, account)
        report = read_report(store, account, limit=limit)

    def human() -> None:
        money = ("debits", "credits", "balance")
        rows = [
            (one.ledger_account, one.currency, *(format_amount(amount, one.currency) for amount in
             (one.debits, one.credits, one.balance)), one.entries) for one in report.accounts
        ]  # fmt: skip
        columns = ("ledger account", "currency", *money, "entries")
        table("Ledger", columns, rows, right=(*money, "entries"))
        if account is not None:
            shown = [
                (one.effective_at, one.code, one.debit_account, one.credit_account,
                 format_amount(one.amount, one.currency), one.currency, one.transfer_id)
                for one in report.transfers
            ]  # fmt: skip
            names = ("effective", "code", "debit", "credit", "amount", "currency", "id")
            table(f"Transfers of {account}, newest first", names, shown, right=("amount",))
        print(f"Journal record {report.journal_no}, ledger hash {report.ledger_hash}")

    emit(report.document(), as_json=as_json, human=human)


def _books(home: Path) -> PriceBooks:
    from billing.prices import load_books
    from edge.errors import InputError

    if not home.is_dir():
        raise InputError(f"there is no home {home}", f"make one first: edgetoll init {home}")
    return load_books(home / "prices")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _print_run(done: RunOutcome) -> None:
    from billing.money import format_amount
    from billing.runs.breaker import AGREEMENT
    from billing.runs.records import held_lines

    imported = done.imported
    if imported.files:
        hours, requests = (
            _count(imported.files, "closed hour"),
            _count(imported.requests, "request"),
        )
        print(f"Imported {hours}, {requests}.")
    if imported.too_old:
        files = _count(imported.too_old, "file")
        print(f"{files} too old to be billed unseen: edgetoll billing accept")
    if imported.future:
        print(f"{_count(imported.future, 'file')} of hours that have not ended: left for later.")
    for line in held_lines(done):
        print(line)
    for total in done.totals:
        money = f"{format_amount(total.amount, total.currency)} {total.currency}"
        periods = _count(total.periods, total.period_kind)
        if total.period_kind == AGREEMENT:
            periods = "plans sold or commitments"
        print(f"{_count(total.charges, 'charge')}, {periods}: {money}")
    if done.state == "nothing":
        print("Nothing new: nothing was written.")
    elif done.state == "waiting":
        print("No hour is closed yet. Next: edgetoll metering run --drain")
    elif done.state == "held":
        print(f"Run {done.run_id} is HELD, nothing was posted: {done.reason}.")
        print(f'If it is right: edgetoll billing release {done.run_id} --reason "…"')
    elif done.state == "dry":
        print("Dry run: nothing was posted.")
    else:
        print(f"Run {done.run_id} posted, rated through {done.through:%Y-%m-%d %H:%M} UTC.")


# Commands of the other parts of billing: module, function, name on the command line.
_MOUNTED = (
    ("billing.commands.invoices", "invoice", "invoice"),
    ("billing.commands.invoices", "statement", "statement"),
    ("billing.commands.invoices", "explain", "explain"),
    ("billing.commands.invoices", "diff", "diff"),
    ("billing.commands.invoices", "credit_note", "credit-note"),
    ("billing.commands.invoices", "e_invoice", "e-invoice"),
    ("billing.commands.invoices", "void", "void"),
    ("billing.commands.invoices", "paid", "paid"),
    ("billing.commands.close", "close", "close"),
    ("billing.commands.send", "send", "send"),
    ("billing.commands.simulate", "simulate", "simulate"),
    ("billing.commands.accounts", "alerts", "alerts"),
    ("billing.commands.accounts", "accounts", "accounts"),
    ("billing.commands.accounts", "suspend", "suspend"),
    ("billing.commands.accounts", "resume", "resume"),
    ("billing.daemon.daemon", "daemon", "daemon"),
)


for _module, _function, _name in _MOUNTED:
    app.command(_name)(getattr(importlib.import_module(_module), _function))
