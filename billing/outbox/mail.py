"""Mail: what an event says to a person, as text and HTML, with the event's id as Message-ID."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING

import orjson

from billing.invoices.settings import Seller
from billing.outbox import wording
from billing.outbox.attachments import Attachment
from billing.outbox.settings import MailSettings
from billing.outbox.webhook import Attempt, AttemptResult, unexpected
from billing.outbox.wording import MailReader
from billing.text_rules import check_email
from edge.terminal import parse_time, printable

if TYPE_CHECKING:
    from jinja2 import Template

SMTP_SECONDS = 20
EXAMPLE = Seller()
"""The seller of a home whose settings name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to be sent: who it is for, and the event it tells of."""

    event_id: str
    kind: str
    body: str
    """The event's JSON text."""
    customer: str
    """The customer's address; empty: only the operators get it."""
    operators: tuple[str, ...]
    name: str
    reader: MailReader = wording.ENGLISH
    attachments: tuple[Attachment, ...] = ()
    problem: str = ""
    """Why it may not go out: a file of it is not as it was issued."""
    seller: Seller = EXAMPLE

    @property
    def to(self) -> tuple[str, ...]:
        """Everybody who gets it."""
        return (*((self.customer,) if self.customer else ()), *self.operators)


def is_mailed(kind: str) -> bool:
    """Whether events of this kind are told by mail."""
    return kind in wording.KINDS


def compose(letter: Letter, *, sender: str) -> EmailMessage:
    """The mail as it goes out; the same event gives the same bytes and the same Message-ID.

    A customer sees only their own address; operators get the same mail unseen.
    """
    document = orjson.loads(letter.body)
    data = document["data"]
    reader, seller = letter.reader, letter.seller
    subject = wording.subject(letter.kind, data, reader)
    known = seller != EXAMPLE  # who sells to nobody
    account = data.get("account_id")
    content = {
        "subject": subject,
        "name": printable(letter.name or str(account or "")),
        "language": reader.language,
        "advice": wording.advice(letter.kind, data, reader),
        "rows": wording.facts(letter.kind, data, reader),
        "how_to_pay": reader.text("how_to_pay"),
        "payment": _payment(letter, data) if _asks(letter.kind, data) else [],
        "seller": [printable(line) for line in (seller.name, *seller.address)] if known else [],
        "contact": reader.text("contact", email=printable(seller.email)) if seller.email else "",
        "footer": reader.text(
            "footer", at=reader.time(document["timestamp"]), reference=letter.event_id
        ),
    }
    mail = EmailMessage()
    # A name with a line break would be a header of its own: the library refuses it, we cut it.
    title = f"{subject}: {account}" if account else subject
    mail["Subject"] = " ".join(printable(title).split())
    mail["From"] = sender
    mail["To"] = letter.customer or ", ".join(letter.operators)
    mail["Date"] = format_datetime(parse_time(document["timestamp"]))
    mail["Message-ID"] = f"<{letter.event_id}@edgetoll>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_template("mail.txt.j2").render(content))
    mail.add_alternative(_template("mail.html.j2").render(content), subtype="html")
    for one in letter.attachments:
        kind, _, subtype = one.media.partition("/")
        text = {"charset": "utf-8"} if kind == "text" else {}
        mail.add_attachment(
            one.content, maintype=kind, subtype=subtype, filename=one.name, params=text
        )
    return mail


def _payment(letter: Letter, data: Mapping[str, object]) -> list[str]:
    """How to pay, line by line: of a document to the seller's account, with its link."""
    seller, reader = letter.seller, letter.reader
    lines = list(seller.payment)
    if letter.kind.startswith("document."):
        if seller.iban:
            bank = f"IBAN {seller.iban}, BIC {seller.bic}" if seller.bic else f"IBAN {seller.iban}"
            lines.insert(0, bank)
        if seller.payment_link:
            link = seller.payment_link.replace("{invoice}", str(data.get("invoice_no", "")))
            lines.append(reader.text("pay_online", link=link))
    return [printable(line) for line in lines]


def _asks(kind: str, data: Mapping[str, object]) -> bool:
    """Whether the mail asks for money, so that it says how to pay."""
    stopped_otherwise = data.get("cause") == "administrative"
    if kind.startswith("document."):
        return str(data.get("amount_due", "0")).strip("0.") != ""
    asks = kind.startswith("account.") and kind not in ("account.ok", "account.resumed")
    return (asks and not stopped_otherwise) or bool(data.get("overdue_since"))


def wrong_address(address: str) -> str | None:
    """Why no mail may go to `address`: it would reach nobody, or somebody else as well."""
    try:
        check_email(address)
    except ValueError as error:
        return f"not mailed to the customer: {printable(str(error))}"[:200]
    return None


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("billing.outbox", "templates"),
        autoescape=lambda template: template is not None and template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def send_letters(
    letters: Sequence[Letter],
    settings: MailSettings,
    password: str | None,
    *,
    is_over: Callable[[], bool],
) -> list[Attempt]:
    """Hand mails to the server over one connection, and say how each went.

    The list is shorter than `letters` when the round was over, or the server is away: then the
    last attempt has failed, and the rest need not find that out one by one.
    """
    attempts: list[Attempt] = []
    try:
        with _connect(settings) as server:
            if settings.user is not None and password is not None:
                server.login(settings.user, password)
            for letter in letters:
                if is_over():
                    break
                attempts.append(_send(server, letter, settings.sender))
    except OSError as error:
        attempts.append(_failed(error))
    except Exception as error:
        attempts.append(unexpected(error))
    return attempts[: len(letters)]


def _send(server: smtplib.SMTP, letter: Letter, sender: str) -> Attempt:
    """One mail. What only this mail suffers (a refused address, one that is none) is its own."""
    if letter.problem:
        return Attempt(result=AttemptResult.FAILED, answer=letter.problem[:200])
    wrong = wrong_address(letter.customer)
    if wrong is not None:
        letter = replace(letter, customer="")
        if not letter.to:
            return Attempt(result=AttemptResult.FAILED, answer=wrong)
    try:
        refused = server.send_message(compose(letter, sender=sender), to_addrs=letter.to)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as error:
        return _failed(error)
    except OSError:
        raise
    except Exception as error:
        return unexpected(error)
    if wrong is None and letter.customer in refused:
        wrong = f"address refused: {refused[letter.customer]!r}"
    if wrong is not None:
        return Attempt(result=AttemptResult.FAILED, answer=wrong)
    return Attempt(
        result=AttemptResult.DELIVERED, answer=f"mailed to {len(letter.to) - len(refused)}"
    )


def _failed(error: Exception) -> Attempt:
    return Attempt(result=AttemptResult.FAILED, answer=f"{type(error).__name__}: {error}"[:200])


def _connect(settings: MailSettings) -> smtplib.SMTP:
    if settings.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=SMTP_SECONDS, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=SMTP_SECONDS)
    if settings.security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server
