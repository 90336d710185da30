"""Statements of account by mail, on request: a month that is over and rated, as PDF, to the address
that an account's documents go to. What was drawn up is kept and named with its hash by the event
that tells of it, so that whoever is killed sends the very same again, and others nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sql
from billing.balance.events import Event, event_id
from billing.close.sending import Announced, document_event, put_events, refuse_without_mail
from billing.invoices import payments, readiness
from billing.invoices.documents.files import statements_folder
from billing.invoices.documents.pdf_document import fonts_of, unprintable
from billing.invoices.documents.sums import sum_of
from billing.invoices.fonts import font_hint, named
from billing.invoices.payments import InvoiceStanding
from billing.invoices.periods import check_month, month_span
from billing.invoices.settings import InvoiceSettings
from billing.money import format_amount
from billing.outbox.attachments import statement_name
from billing.reports.statement import Statement, read
from billing.reports.statement_page import page, to_pdf
from billing.store.store import Store
from edge.durable import write_atomically
from edge.errors import InputError

KIND = "document.statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReader:
    """An account, where its statement would go, and how often it got that of the month."""

    account_id: str
    timezone: str
    email: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedStatement:
    """A statement that is to be sent, for the `number`th time counted from 0."""

    reader: StatementReader
    number: int
    found: Statement
    invoices: tuple[InvoiceStanding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedStatements:
    """What is to be drawn up of a month, of one account or of all, and who has no address."""

    month: str
    account_id: str | None
    new: tuple[WantedStatement, ...]
    without_address: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnStatement:
    """A statement as it will be sent."""

    wanted: WantedStatement
    pdf: bytes

    def event(self, month: str, at: datetime) -> Event:
        """What is told of it: where its file lies, and what it must be."""
        found, reader = self.wanted.found, self.wanted.reader
        data = {
            "account_id": reader.account_id,
            "document": "statement",
            "month": month,
            "currency": found.currency,
            "opening_balance": format_amount(found.opening, found.currency),
            "closing_balance": format_amount(found.closing, found.currency),
            "file": statement_name(reader.account_id, month, self.wanted.number),
            "sha256": sum_of(self.pdf),
        }
        return document_event(
            KIND, reader.account_id, _key(reader.account_id, month, self.wanted.number), data, at
        )


def wanted(
    store: Store, month: str, *, account_id: str | None, again: bool, at: datetime
) -> WantedStatements:
    """What has to be drawn up: of accounts that did not get it, or `again`; of all accounts those
    that have anything on it.

    InputError: no mail server, no such account, or a month that is not over and rated.
    """
    refuse_without_mail(store)
    check_month(month)
    readers = _readers(store, month, account_id)
    if not readers:
        raise InputError(f"there is no account {account_id!r}", "see edgetoll billing accounts")
    _refuse_unready(store, month, readers, at=at)
    new, without = [], []
    for one in readers:
        if one.times and not again:
            continue
        found = read(store.connection, one.account_id, month=month, at=at)
        if account_id is None and not (found.moves or found.opening):
            continue
        if not one.email:
            without.append(one.account_id)
            continue
        invoices = payments.standing(store.connection, account=one.account_id)
        new.append(
            WantedStatement(reader=one, number=one.times, found=found, invoices=tuple(invoices))
        )
    return WantedStatements(
        month=month, account_id=account_id, new=tuple(new), without_address=tuple(without)
    )


def draw(
    home: Path, these: WantedStatements, settings: InvoiceSettings, *, at: datetime
) -> tuple[DrawnStatement, ...]:
    """The statements as PDF. InputError names an account that no font can print."""
    fonts = fonts_of(home)
    drawn = []
    for one in these.new:
        shown = page(one.found, one.invoices, settings)
        if missing := unprintable(shown.printed, fonts):
            raise InputError(
                f"{one.reader.account_id}: no font has {named(missing)}: nothing was sent",
                font_hint(missing),
            )
        drawn.append(DrawnStatement(wanted=one, pdf=to_pdf(shown, fonts=fonts, at=at)))
    return tuple(drawn)


def announce(
    store: Store, these: WantedStatements, drawn: Sequence[DrawnStatement], *, at: datetime
) -> Announced:
    """Keep the files, then put their events into the outbox; what somebody else has announced since
    they were drawn up stays as that one has it.
    """
    times = {one.account_id: one.times for one in _readers(store, these.month, these.account_id)}
    events = []
    folder = statements_folder(store.home, these.month)
    for one in drawn:
        account, number = one.wanted.reader.account_id, one.wanted.number
        if times[account] == number:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder.joinpath(statement_name(account, these.month, number)), one.pdf)
            events.append(one.event(these.month, at))
            times[account] = number + 1
    put_events(store, events, at=at)
    return Announced(
        events=tuple(
            event_id(KIND, *_key(account, these.month, sent - 1))
            for account, sent in sorted(times.items())
            if sent
        ),
        new=len(events),
        without_address=these.without_address,
    )


def _readers(store: Store, month: str, account_id: str | None) -> list[StatementReader]:
    found = store.connection.execute(
        sql.text("statements/close/sending/statement_readers"),
        {"month": month, "account_id": account_id},
    )
    return sql.rows(found, StatementReader)


def _refuse_unready(
    store: Store, month: str, readers: Sequence[StatementReader], *, at: datetime
) -> None:
    """InputError while hours of the month are missing: its statement would be of a part of it."""
    spans = {one.timezone: month_span(month, one.timezone) for one in readers}
    judged = readiness.check(store.connection, store.home, spans=spans, now=at)
    for zone, (problem, hint) in sorted(judged.problems.items()):
        raise InputError(f"{month} is not complete in {zone}: {problem}: nothing was sent", hint)


def _key(account_id: str, month: str, number: int) -> tuple[str, int]:
    """What makes an event of a statement: whose, of which month, the how manyth."""
    return f"{account_id} {month}", number
