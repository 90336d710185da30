"""Sending documents and reminders: each is an event of the outbox, once by its id. Who is killed
between mail and record sends it again under the same Message-ID; a second run sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sql
from billing.balance.events import Event, envelope, event_id
from billing.balance.rows import EVENT_COLUMNS, as_effect, event_row
from billing.instants import stamp
from billing.invoices.figures import minor
from billing.invoices.settings import InvoiceSettings
from billing.outbox.settings import MAIL, read_delivery
from billing.outbox.undone import endpoints
from billing.store.store import Store
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class SendableDocument:
    """A document that stands, where it would go, and how often it was sent."""

    invoice_no: str
    account_id: str
    kind: str
    month: str
    currency: str
    digits: int
    total: int
    prepaid_used: int
    due_on: date
    email: str
    times: int

    def event(self, number: int, at: datetime) -> Event:
        """What is told of it the `number`th time, counted from 0."""
        due = max(0, self.total - self.prepaid_used)
        data = {
            "account_id": self.account_id,
            "invoice_no": self.invoice_no,
            "document": self.kind,
            "month": self.month,
            "currency": self.currency,
            "total": minor(self.total, self.digits),
            "prepaid_used": minor(self.prepaid_used, self.digits),
            "amount_due": minor(due, self.digits),
            "due_on": self.due_on.isoformat(),
        }
        return document_event(
            "document.issued", self.account_id, (self.invoice_no, number), data, at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueInvoice:
    """An invoice that was due before today and is open, and how far its reminders have come."""

    invoice_no: str
    account_id: str
    month: str
    currency: str
    digits: int
    total: int
    still_open: int
    due_on: date
    email: str
    told_step: int

    def event(self, step: int, at: datetime) -> Event:
        """The reminder of that step of the ladder."""
        data = {
            "account_id": self.account_id,
            "invoice_no": self.invoice_no,
            "document": "invoice",
            "month": self.month,
            "currency": self.currency,
            "total": minor(self.total, self.digits),
            "amount_due": minor(self.still_open, self.digits),
            "due_on": self.due_on.isoformat(),
            "step": step,
        }
        return document_event(
            "document.reminder", self.account_id, (self.invoice_no, step), data, at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What was put into the outbox, or stands there already; and who has no address."""

    events: tuple[str, ...]
    new: int
    without_address: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDocument:
    """How a document or a reminder went by mail."""

    invoice_no: str
    account_id: str
    kind: str
    status: str
    answer: str

    @property
    def is_told(self) -> bool:
        """Whether somebody has it, or needs it no more."""
        return self.status in ("delivered", "superseded") and not self.answer.startswith("not ")


def announce_documents(
    store: Store,
    *,
    at: datetime,
    month: str | None = None,
    invoice_no: str | None = None,
    again: bool = False,
) -> Announced:
    """Put the documents of a month, or one, into the outbox; `again`: also those sent before.

    InputError when no mail server is set, or there is no such document.
    """
    refuse_without_mail(store)
    found = sql.rows(
        store.connection.execute(
            sql.text("statements/close/sending/to_send"), {"month": month, "invoice_no": invoice_no}
        ),
        SendableDocument,
    )
    if not found:
        if invoice_no:
            raise InputError(
                f"there is no document {invoice_no} that stands",
                "see the view invoices; a void one is not sent",
            )
        raise InputError(
            f"there is no document of {month} to send",
            f"first edgetoll billing close --month {month} --issue; a void one is not sent",
        )
    events = [
        (one.event(one.times if again or not one.times else one.times - 1, at), one.email,
         again or not one.times)
        for one in found
    ]  # fmt: skip
    return _announce(store, events, at=at)


def announce_reminders(store: Store, *, settings: InvoiceSettings, at: datetime) -> Announced:
    """Put the reminders that the ladder has reached into the outbox, the last step each alone."""
    refuse_without_mail(store)
    today = at.astimezone(ZoneInfo(settings.timezone)).date()
    found = sql.rows(
        store.connection.execute(sql.text("statements/close/sending/overdue"), {"today": today}),
        OverdueInvoice,
    )
    events = []
    for one in found:
        days = settings.reminder_days
        step = sum(1 for after in days if one.due_on + timedelta(days=after) <= today)
        if step > one.told_step:
            events.append((one.event(step, at), one.email, True))
    return _announce(store, events, at=at)


def sent(store: Store, events: Sequence[str]) -> tuple[SentDocument, ...]:
    """How these events went by mail so far."""
    found = store.connection.execute(
        sql.text("statements/close/sending/sent"), {"events": list(events)}
    )
    return tuple(sql.rows(found, SentDocument))


def _announce(
    store: Store, events: Sequence[tuple[Event, str, bool]], *, at: datetime
) -> Announced:
    """One journal record for all that is new and has somewhere to go."""
    new = [event for event, email, is_new in events if is_new and email]
    put_events(store, new, at=at)
    return Announced(
        events=tuple(event.event_id for event, email, is_new in events if email or not is_new),
        new=len(new),
        without_address=tuple(
            sorted({event.account_id for event, email, is_new in events if is_new and not email})
        ),
    )


def put_events(store: Store, events: Sequence[Event], *, at: datetime) -> None:
    """Put events about documents into the outbox, in one journal record; none: no record."""
    if events:
        rows = [event_row(event) for event in events]
        store.commit("document_events", {"events": as_effect(rows, EVENT_COLUMNS)}, at=at)


def refuse_without_mail(store: Store) -> None:
    """InputError unless customers get mail."""
    settings = read_delivery(store.home)
    if MAIL not in endpoints(settings) or settings.mail is None:
        raise InputError(
            "no mail server is set: nothing was sent",
            "set [billing.delivery.mail] in edgetoll.toml",
        )
    if not settings.mail.to_customers:
        raise InputError(
            "customers get no mail: to_customers = false in [billing.delivery.mail]",
            "documents go to customers alone",
        )


def document_event(
    kind: str, account_id: str, key: tuple[str, int], data: Mapping[str, object], at: datetime
) -> Event:
    """An event about a document; `key`: which, and the how manyth of its kind."""
    return Event(
        event_id=event_id(kind, *key),
        account_id=account_id,
        version=0,
        kind=kind,
        happened_at=at,
        body=envelope(kind, at, {**data, "at": stamp(at)}),
    )
