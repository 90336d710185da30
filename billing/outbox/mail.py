"""Mail: what an event says to a person, as text and HTML, with the event's id as Message-ID."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from billing.outbox.settings import MailSettings, read_secret
from billing.outbox.webhook import Attempt, Result
from edge.console import parse_time, printable
from edge.errors import EdgetollError

SMTP_SECONDS = 20
SUBJECTS = {
    "account.ok": "Your balance is restored",
    "account.low_balance": "Your balance is low",
    "account.projected_overdue": "Your balance will not cover the usage of this hour",
    "account.overdue": "Your balance is below zero",
    "account.suspend_due": "Your service is due to be suspended",
    "account.suspended": "Your service has been suspended",
    "account.resumed": "Your service is back",
    "account.released": "Your configuration has been dropped",
    "alert.high_bill": "Your bill has reached the limit you set",
    "alert.usage_cap": "A domain has reached the request limit you set",
    "alert.plan_low": "A plan is running low",
    "endpoint.disabled": "A webhook endpoint has been switched off",
}
WHAT_TO_DO = {
    "account.low_balance": "Please top up in time: without balance the whole CDN service stops.",
    "account.projected_overdue": "Please top up now: the next bill cannot be paid.",
    "account.overdue": "Please top up now: when the grace period ends, the whole CDN service stops,"
    " whatever is left of data plans.",
    "account.suspend_due": "Please top up now: the service may be stopped at any moment.",
    "account.suspended": "Top up and the service comes back by itself.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to be sent: who it is for, and the event it tells of."""

    event_id: str
    kind: str
    body: str
    """The event's JSON text."""
    to: tuple[str, ...]
    name: str


def is_mailed(kind: str) -> bool:
    """Whether events of this kind are told by mail."""
    return kind in SUBJECTS


def compose(letter: Letter, *, sender: str) -> EmailMessage:
    """The mail as it goes out; the same event gives the same bytes and the same Message-ID."""
    document: dict[str, Any] = orjson.loads(letter.body)
    data = document["data"]
    subject = SUBJECTS[letter.kind]
    account = data.get("account_id")
    facts = {
        "subject": subject,
        "name": printable(letter.name or str(account or "")),
        "advice": WHAT_TO_DO.get(letter.kind, ""),
        "event_id": letter.event_id,
        "at": document["timestamp"],
        "rows": list(_rows(data)),
    }
    mail = EmailMessage()
    # A name with a line break would be a header of its own: the library refuses it, we cut it.
    title = f"{subject}: {account}" if account else subject
    mail["Subject"] = " ".join(printable(title).split())
    mail["From"] = sender
    mail["To"] = ", ".join(letter.to)
    mail["Date"] = format_datetime(parse_time(document["timestamp"]))
    mail["Message-ID"] = f"<{letter.event_id}@edgetoll>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_template("mail.txt.j2").render(facts))
    mail.add_alternative(_template("mail.html.j2").render(facts), subtype="html")
    return mail


LABELS = {
    "account_id": "Account",
    "state": "State",
    "previous": "Before",
    "since": "Since (UTC)",
    "reason": "Why",
    "available": "Available",
    "projected": "Projected, open hours included",
    "currency": "Currency",
    "projected_zero_at": "Projected to reach zero (UTC)",
    "usage_through": "Usage known through (UTC)",
    "domain": "Domain",
    "measured": "Measured",
    "limit": "Limit",
    "until": "Until (UTC)",
    "endpoint": "Endpoint",
}


def _rows(data: dict[str, Any]) -> Any:
    for key, label in LABELS.items():
        if data.get(key) not in (None, ""):
            yield label, printable(str(data[key]))


@cache
def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("billing.outbox", "templates"),
        autoescape=lambda template: template is not None and template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def send(letter: Letter, settings: MailSettings, home: Path) -> Attempt:
    """Hand one mail to the server and say how it went."""
    try:
        with _connect(settings) as server:
            if settings.user is not None and settings.password_file is not None:
                server.login(settings.user, read_secret(home, settings.password_file))
            server.send_message(compose(letter, sender=settings.sender))
    except (OSError, smtplib.SMTPException, EdgetollError) as error:
        return Attempt(result=Result.FAILED, answer=f"{type(error).__name__}: {error}"[:200])
    return Attempt(result=Result.DELIVERED, answer=f"mailed to {len(letter.to)}")


def _connect(settings: MailSettings) -> smtplib.SMTP:
    if settings.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=SMTP_SECONDS, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=SMTP_SECONDS)
    if settings.security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server
