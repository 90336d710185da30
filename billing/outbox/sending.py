"""Sending one round: to the file, by mail, to webhooks; each endpoint for itself, in bounded time.

An endpoint whose settings are wrong (a key that others may read) is left out and named, and the
others are still told; what was sent is always recorded, whatever another delivery raises. A
receiver that is away costs one group of attempts, not one per message: the rest of its messages is
put off with it. When the daemon is told to leave, what is in flight is dropped and sent again
later, with the same id.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from billing.accounts.languages import LANGUAGE_OF_COUNTRY, language_of
from billing.invoices.settings import InvoiceSettings, Seller
from billing.outbox import events_file, mail, webhook
from billing.outbox.address import Resolver, resolve
from billing.outbox.attachments import Attachment, attachments_of
from billing.outbox.daily_state import KIND as FULL_STATE
from billing.outbox.settings import (
    FILE,
    HOOK,
    MAIL,
    DeliverySettings,
    MailSettings,
    WebhookSettings,
    mail_password,
    read_keys,
)
from billing.outbox.webhook import Attempt, AttemptResult
from billing.outbox.wording import MailReader
from edge.configfile import section
from edge.errors import ConfigError, Corrupt

AT_ONCE = 16
ROUND_SECONDS = 60
"""No new group of messages is begun after so long: rating and judging must get their turn."""
STOP_SECONDS = timedelta(milliseconds=100).total_seconds()
"""How often somebody who waits for an answer asks whether to leave."""
RECHECKED = frozenset({"account.suspend_due", "account.suspended"})
"""Not sent any more once the account has a later version: nobody acts on a debt that is paid."""
DOCUMENT, REMINDER = "document.", "document.reminder"
"""Events about a document go to the customer alone, its files with them."""
PUT_OFF = Attempt(result=AttemptResult.PUT_OFF, answer="put off with others")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One event that one endpoint must get now."""

    event_id: str
    endpoint: str
    account_id: str
    version: int
    kind: str
    body: str
    attempts: int
    first_at: datetime | None
    current_version: int
    email: str
    name: str
    timezone: str
    country: str
    language: str
    """What the account says of it; blank: nothing."""
    seller_id: str
    """Whose customer it is."""
    mailed_trouble: bool
    """Whether the account's customer got a mail about trouble since its balance was last good."""
    is_settled: bool = False
    """Whether the invoice that a reminder is about is paid, or void, meanwhile."""


Outcome = tuple[Due, Attempt]


def never() -> bool:
    """The answer of those who are not asked to leave."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRound:
    """What one round of sending works with."""

    home: Path
    settings: DeliverySettings
    began: float
    """The monotonic clock when the round began."""
    resolver: Resolver = resolve
    stop: Callable[[], bool] = never

    def timestamp(self) -> int:
        """Seconds since the epoch by this host's clock, when a message is really sent: receivers
        refuse an old one, and `--as-of` moves what is due, not what time it is.
        """
        return time.time_ns() // 1_000_000_000

    def is_over(self) -> bool:
        """Whether no more may be begun in this round."""
        return self.stop() or time.monotonic() - self.began > ROUND_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a round came to: outcomes to be recorded, and settings that kept an endpoint out."""

    outcomes: tuple[Outcome, ...]
    problems: tuple[ConfigError, ...] = ()


def send_all(this: SendingRound, due: Sequence[Due]) -> Sent:
    """Send to every endpoint; what an endpoint does not take counts as delivered there."""
    outcomes: list[Outcome] = []
    problems: list[ConfigError] = []
    waiting: dict[str, list[Due]] = {}
    for one in due:
        answer = needless(one, this.settings)
        if answer is not None:
            outcomes.append((one, Attempt(result=AttemptResult.DELIVERED, answer=answer)))
        else:
            waiting.setdefault(one.endpoint, []).append(one)
    outcomes += _to_file(this, waiting.pop(FILE, []))
    try:
        outcomes += _to_mail(this, waiting.pop(MAIL, []))
    except ConfigError as error:
        problems.append(error)
    hooks: list[tuple[webhook.Endpoint, Sequence[Due], WebhookSettings]] = []
    for hook in this.settings.webhooks:
        mine = waiting.get(HOOK + hook.name, [])
        if mine:
            try:
                hooks.append((endpoint_of(this.home, hook), mine, hook))
            except ConfigError as error:
                problems.append(error)
    if hooks:
        outcomes += asyncio.run(_to_hooks(this, hooks))
    return Sent(outcomes=tuple(outcomes), problems=tuple(problems))


def endpoint_of(home: Path, hook: WebhookSettings) -> webhook.Endpoint:
    """A receiver with its keys read; ConfigError names the endpoint and the file."""
    return webhook.Endpoint(
        name=hook.name,
        url=hook.url,
        keys=read_keys(home, hook.key_files, of=f"webhook {hook.name}"),
        allow_private=hook.allow_private,
    )


def needless(one: Due, settings: DeliverySettings) -> str | None:
    """Why an event need not be sent to this endpoint; None: it must be."""
    late = 0 < one.version < one.current_version
    if late and (one.kind in RECHECKED or one.endpoint == MAIL):
        return f"superseded by version {one.current_version}"
    if one.endpoint == MAIL and not (mail.is_mailed(one.kind) and recipients(one, settings)):
        return "not mailed"
    if one.kind == REMINDER and one.is_settled:
        return "superseded: the invoice is paid or void"
    if one.endpoint == MAIL and one.kind == "account.ok" and not one.mailed_trouble:
        return "not mailed: nobody was told that the balance was not enough"
    if one.endpoint.startswith(HOOK):
        hook = next(h for h in settings.webhooks if HOOK + h.name == one.endpoint)
        if hook.accounts and one.kind != FULL_STATE and one.account_id not in hook.accounts:
            return "not an account of this endpoint"
    return None


def recipients(one: Due, settings: DeliverySettings) -> tuple[str, ...]:
    """Who gets the mail: the customer (if so set) and the operators."""
    assert settings.mail is not None, "asked only when mail is set"
    customer = (one.email,) if settings.mail.to_customers and one.email else ()
    if one.kind.startswith(DOCUMENT):
        return customer
    return (*customer, *settings.mail.operators)


def body_for(one: Due, hook: WebhookSettings) -> str:
    """The body this receiver gets: of the daily states only those of its own accounts, and not
    whose names nobody owns.
    """
    if one.kind != FULL_STATE or not hook.accounts:
        return one.body
    document = orjson.loads(one.body)
    mine = [row for row in document["data"]["accounts"] if row["account_id"] in hook.accounts]
    document["data"]["accounts"] = mine
    document["data"].pop("unowned", None)
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def _to_file(this: SendingRound, due: Sequence[Due]) -> list[Outcome]:
    if not due or this.settings.file is None:
        return []
    lines: list[bytes] = []
    fit: list[Due] = []
    outcomes: list[Outcome] = []
    for one in due:
        try:
            lines.append(_line(one))
            fit.append(one)
        except Exception as error:
            outcomes.append((one, webhook.unexpected(error)))
    attempt = events_file.append(this.home.joinpath(this.settings.file.path), lines)
    return [*outcomes, *((one, attempt) for one in fit)]


def _line(one: Due) -> bytes:
    return events_file.line(
        event_id=one.event_id,
        kind=one.kind,
        account_id=one.account_id,
        version=one.version,
        body=one.body,
    )


def _to_mail(this: SendingRound, due: Sequence[Due]) -> list[Outcome]:
    settings = this.settings.mail
    if settings is None or not due:
        return []
    invoices = section(this.home, "invoices", InvoiceSettings)
    letters = [_letter(this, one, settings, invoices) for one in due]
    password = mail_password(this.home, settings)
    attempts = mail.send_letters(letters, settings, password, is_over=this.is_over)
    return _with_the_rest_put_off(due, attempts)


def _letter(
    this: SendingRound, one: Due, settings: MailSettings, invoices: InvoiceSettings
) -> mail.Letter:
    """The mail of an event; one about a document has its files, or says why it may not go out."""
    files: tuple[Attachment, ...] = ()
    problem = ""
    if one.kind.startswith(DOCUMENT):
        try:
            files = attachments_of(this.home, orjson.loads(one.body)["data"])
        except (Corrupt, OSError) as error:
            problem = str(error)
    return mail.Letter(
        event_id=one.event_id,
        kind=one.kind,
        body=one.body,
        customer=one.email if settings.to_customers else "",
        operators=() if one.kind.startswith(DOCUMENT) else tuple(settings.operators),
        name=one.name,
        reader=_reader(one, settings, invoices),
        attachments=files,
        problem=problem,
        seller=_seller(one, invoices),
    )


def _seller(one: Due, settings: InvoiceSettings) -> Seller:
    """Whose customer the account is; of a seller that is set no more, the first."""
    return settings.sellers.get(one.seller_id, settings.seller)


def _reader(one: Due, settings: MailSettings, invoices: InvoiceSettings) -> MailReader:
    """Who reads the mail: the customer, or where there is none to write to, the operators. A mail
    about a document is in that document's language.
    """
    if not (settings.to_customers and one.email):
        return MailReader(language=settings.language, timezone=one.timezone or "UTC")
    language = one.language or settings.languages.get(one.account_id)
    if not language and one.kind.startswith(DOCUMENT):
        language = language_of("", one.country, invoices.language)
    return MailReader(
        language=language or LANGUAGE_OF_COUNTRY.get(one.country, settings.language),
        timezone=one.timezone or "UTC",
    )


def _with_the_rest_put_off(due: Sequence[Due], attempts: Sequence[Attempt]) -> list[Outcome]:
    """Outcomes of those tried; after a failure the others wait as long as the one that failed."""
    outcomes = list(zip(due[: len(attempts)], attempts, strict=True))
    cut_short = len(attempts) < len(due)
    if cut_short and attempts and attempts[-1].result is AttemptResult.FAILED:
        outcomes += [(one, PUT_OFF) for one in due[len(attempts) :]]
    return outcomes


async def _to_hooks(
    this: SendingRound, hooks: Sequence[tuple[webhook.Endpoint, Sequence[Due], WebhookSettings]]
) -> list[Outcome]:
    parts = await asyncio.gather(*(_to_hook(this, *hook) for hook in hooks))
    return [outcome for part in parts for outcome in part]


async def _to_hook(
    this: SendingRound, endpoint: webhook.Endpoint, due: Sequence[Due], hook: WebhookSettings
) -> list[Outcome]:
    """All of one endpoint, some at once; after a whole group failed the rest is put off."""
    outcomes: list[Outcome] = []
    for start in range(0, len(due), AT_ONCE):
        if this.is_over():
            break
        group = due[start : start + AT_ONCE]
        answered = await _group(this, endpoint, group, hook)
        outcomes += answered
        if answered and all(
            attempt.result is not AttemptResult.DELIVERED for _one, attempt in answered
        ):
            outcomes += [(one, PUT_OFF) for one in due[start + len(group) :]]
            break
    return outcomes


async def _group(
    this: SendingRound, endpoint: webhook.Endpoint, group: Sequence[Due], hook: WebhookSettings
) -> list[Outcome]:
    """The outcomes of a group; those still in flight when the daemon must leave have none.

    Whatever one of them raises is its own outcome: the others have been sent and must be recorded.
    """
    tasks = [asyncio.create_task(_send(this, endpoint, one, hook)) for one in group]
    waiting = set(tasks)
    while waiting and not this.stop():
        _done, waiting = await asyncio.wait(waiting, timeout=STOP_SECONDS)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return [
        (one, task.result()) for one, task in zip(group, tasks, strict=True) if not task.cancelled()
    ]


async def _send(
    this: SendingRound, endpoint: webhook.Endpoint, one: Due, hook: WebhookSettings
) -> Attempt:
    try:
        return await webhook.send(
            endpoint,
            message_id=one.event_id,
            body=body_for(one, hook).encode(),
            timestamp=this.timestamp(),
            resolver=this.resolver,
        )
    except Exception as error:
        return webhook.unexpected(error)
