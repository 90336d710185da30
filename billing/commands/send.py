"""`edgetoll billing send`: documents and reminders by mail. `billing/cli.py` mounts it.

Example: edgetoll billing send --month 2026-10
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from billing.close.sending import Announced, SentDocument

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOut:
    """What a command sent: what was new, who has no address, and how each went."""

    new: int
    without_address: tuple[str, ...]
    documents: tuple[SentDocument, ...]

    @property
    def undone(self) -> tuple[SentDocument, ...]:
        """What has reached nobody."""
        return tuple(one for one in self.documents if not one.is_told)


def send(
    invoice_no: Annotated[
        str | None, typer.Argument(metavar="INVOICE", help="One document by its number.")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="All documents of a month.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was sent before, as a new mail.")
    ] = False,
    reminders: Annotated[
        bool, typer.Option("--reminders", help="Reminders of invoices that are overdue. For cron.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Send issued documents to their accounts by mail, with the PDF and the e-invoice attached, or
    reminders of overdue ones.

    Run again it sends nothing twice, and what did not arrive again. It exits 1 while somebody has
    not got it.

    Example: edgetoll billing send --month 2026-10
    """
    from billing.close.sending import announce_documents, announce_reminders
    from billing.commands.close import invoice_settings
    from billing.follow_up import changing
    from billing.invoices.periods import check_month

    if [invoice_no is not None, month is not None, reminders].count(True) != 1:
        raise InputError("say what to send", "an invoice's number, --month YYYY-MM, or --reminders")
    at = as_of_time(as_of)
    settings = invoice_settings(home)
    with changing(home, owner="edgetoll billing send", at=at) as store:
        if reminders:
            announced = announce_reminders(store, settings=settings, at=at)
        else:
            announced = announce_documents(
                store,
                at=at,
                month=None if month is None else check_month(month),
                invoice_no=invoice_no,
                again=again,
            )
    out = send_out(home, announced, at=at)
    show(out, as_json=as_json)
    refuse_undone(out)


def send_out(home: Path, announced: Announced, *, at: datetime) -> SentOut:
    """Deliver what is announced, round by round while rounds get on, and say how each went."""
    from billing.appliers import open_store
    from billing.close.sending import sent
    from billing.commands.accounts import jitter_permille
    from billing.lake import publish
    from billing.outbox.deliver import deliver
    from edge.terminal import now as clock

    while True:
        done = deliver(home, open_store=open_store, now=at, jitter_permille=jitter_permille)
        with open_store(home, owner="edgetoll billing send", now=clock(), wait_seconds=30) as store:
            found = sent(store, announced.events)
            publish.publish(store)
        untried = any(one.status == "untried" for one in found)
        if not (untried and done.counts.get("delivered")):
            break
    if done.problems:
        raise done.problems[0]
    return SentOut(new=announced.new, without_address=announced.without_address, documents=found)


def show(out: SentOut, *, as_json: bool) -> None:
    """What was sent, and how it went."""
    document = {
        "new": out.new,
        "without_address": list(out.without_address),
        "documents": [{**asdict(one), "told": one.is_told} for one in out.documents],
    }

    def human() -> None:
        rows = [(one.invoice_no, one.account_id, one.status, one.answer) for one in out.documents]
        if rows:
            table("Sent", ("document", "account", "status", "answer"), rows[:SHOWN])
        if len(rows) > SHOWN:
            say(f"… and {len(rows) - SHOWN} more; all of them are in the view deliveries")
        told = sum(1 for one in out.documents if one.is_told)
        if out.documents:
            say(f"{told} of {len(out.documents)} sent; {out.new} of them new")
        elif not out.without_address:
            say("nothing to send")
        for account in out.without_address:
            warn(f"{account} has no mail address: nothing was sent to it")

    emit(document, as_json=as_json, human=human)


def refuse_undone(out: SentOut) -> None:
    """InputError while somebody has not got their document."""
    if out.without_address:
        raise InputError(
            f"{', '.join(out.without_address[:3])} cannot be sent anything: no mail address",
            "load the account again with `email` or `invoice_email`",
        )
    for one in out.undone[:1]:
        more = f" (and {len(out.undone) - 1} more)" if len(out.undone) > 1 else ""
        raise InputError(
            f"{one.invoice_no} did not reach {one.account_id}{more}:"
            f" {one.answer or 'it was not tried'}",
            "run it again; edgetoll billing alerts tries what waits, too",
        )
