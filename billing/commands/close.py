"""`edgetoll billing close`: the month's checklist, and its steps. `billing/cli.py` mounts it.

Example: edgetoll billing close --month 2026-10
"""

from __future__ import annotations

import getpass
from dataclasses import asdict
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
    checked_words,
    emit,
    printable,
    say,
    table,
)

if TYPE_CHECKING:
    from billing.close.issuing import IssuedMonth
    from billing.close.records import Checklist, MonthChange
    from billing.invoices.settings import InvoiceSettings

SHOWN = 10


def close(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month to close.")],
    approve: Annotated[
        str | None,
        typer.Option("--approve", metavar="BY", help="Let pass what is found, in this name."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it may pass; kept for ever.")] = "",
    issue: Annotated[
        bool, typer.Option("--issue", help="Issue what is approved, or free of findings.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Send what is issued and was not sent, by mail.")
    ] = False,
    by: Annotated[
        str | None, typer.Option("--by", help="Who issues or sends. Default: the login name.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Close a month: look at its checklist, approve what was found, issue its invoices, send them.

    Without a step it changes nothing, and exits 1 while something needs a person. Each step is
    kept with who took it; taken again it changes nothing.

    Example: edgetoll billing close --month 2026-10 --approve "Ada" --reason "new customer"
    """
    from billing.close import checklist, steps
    from billing.commands import invoice_tables as tables
    from billing.follow_up import changing

    if [approve is not None, issue, send].count(True) > 1:
        raise InputError("one step at a time", "first --approve, then --issue, then --send")
    if approve is not None:
        checked_words(approve=approve, reason=reason)
    at = as_of_time(as_of)
    settings = invoice_settings(home)
    if send:
        _send(month, home, by=_login() if by is None else by, at=at, as_json=as_json)
        return
    with changing(home, owner="edgetoll billing close", at=at) as store:
        if issue:
            who = _login() if by is None else by
            checked_words(by=who)
            _found, done = steps.issue(store, month, by=who, settings=settings, at=at)
        elif approve is not None:
            steps.approve(store, month, by=approve, reason=reason, settings=settings, at=at)
        found = checklist.look(store, month, settings=settings, at=at)
    if issue:
        emit(
            {**document(found), "issued": done.issued.invoices},
            as_json=as_json,
            human=lambda: _show_issued(done, found),
        )
        tables.refuse_waiting(month, done.issued.waiting)
        return
    emit(document(found), as_json=as_json, human=lambda: _show(found))
    if approve is None and found.needs_a_person:
        raise typer.Exit(1)


def _send(month: str, home: Path, *, by: str, at: datetime, as_json: bool) -> None:
    """Send what is issued; the step is kept once everybody has it."""
    from billing.close import steps
    from billing.close.sending import announce_documents
    from billing.commands import send as sending
    from billing.follow_up import changing
    from billing.invoices.periods import check_month

    checked_words(by=by)
    check_month(month)
    with changing(home, owner="edgetoll billing close", at=at) as store:
        announced = announce_documents(store, at=at, month=month)
    out = sending.send_out(home, announced, at=at)
    with changing(home, owner="edgetoll billing close", at=at) as store:
        steps.note_sent(store, month, by=by, documents=len(out.documents) - len(out.undone), at=at)
    sending.show(out, as_json=as_json)
    sending.refuse_undone(out)


def document(found: Checklist) -> dict[str, object]:
    """The checklist for programs; money as decimal strings."""
    from billing.money import format_amount

    return {
        "month": found.month,
        "at": found.at,
        "policy": found.policy,
        "needs_a_person": found.needs_a_person,
        "unapproved": list(found.unapproved),
        "items": [{**asdict(one), "weight": one.weight.value} for one in found.items],
        "waiting": [asdict(one) for one in found.waiting],
        "totals": [
            {
                **asdict(one),
                **{
                    name: format_amount(getattr(one, name), one.currency)
                    for name in ("net", "tax", "total")
                },
            }
            for one in found.totals
        ],
        "changes": [
            {
                **asdict(one),
                **{
                    name: format_amount(getattr(one, name), one.currency)
                    for name in ("total_before", "total", "change", *PARTS)
                },
                "cause": one.cause,
            }
            for one in found.changes
        ],
        "steps": [asdict(one) for one in found.steps],
    }


PARTS = ("by_usage", "by_plan", "by_price", "by_credit", "by_commitment", "by_plan_price",
         "by_correction", "by_tax", "by_rate_of_tax")  # fmt: skip


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise InputError("this user has no name", "say who issues: --by NAME") from error


def invoice_settings(home: Path) -> InvoiceSettings:
    """[invoices] of the home."""
    from billing.invoices.documents.kept import read_invoice_settings

    return read_invoice_settings(home)


def _show(found: Checklist) -> None:
    from billing.close.records import Weight

    people = len(found.stops) + len(found.asks) + len(found.waiting)
    head = "nothing needs a person" if not people else f"{people} to look at"
    print(f"{found.month} at {found.at:%Y-%m-%d %H:%M} UTC: {head}\n")
    words = {Weight.OK: "ok  ", Weight.KNOW: "know", Weight.LOOK: "LOOK", Weight.STOP: "STOP"}
    for one in found.items:
        _fold(f"{words[one.weight]}  {one.name}: {one.what}", rest="        ")
        if one.answer and one.weight is not Weight.OK:
            _fold(f"→ {one.answer}", first="      ", rest="        ")
    _waiting(found)
    _totals(found)
    if any(not one.is_new for one in found.changes):
        _changes(found.changes)
    for step in found.steps:
        why = f": {step.reason}" if step.reason else ""
        what = f"{step.step} by {step.decided_by} at {step.happened_at:%Y-%m-%d %H:%M} UTC{why}"
        _fold(what, rest="  ")
    say(_next(found))


def _show_issued(done: IssuedMonth, found: Checklist) -> None:
    from billing.commands import invoice_tables as tables

    _totals(found)
    if done.issued.invoices:
        say(f"{tables.issued_words(done.issued)} issued")
    else:
        say(f"nothing to issue: {tables.count(len(done.documents), 'document')} as they were")


def _next(found: Checklist) -> str:
    command = f"edgetoll billing close --month {found.month}"
    if found.stops:
        return f"next: what says STOP, then {command} again"
    has_more = bool(found.to_issue or found.waiting)
    if found.policy == "approve" and has_more and (found.approval is None or found.unapproved):
        return f'next: {command} --approve NAME --reason "…"'
    if found.to_issue:
        return f"next: {command} --issue"
    if not any(one.step == "sent" for one in found.steps):
        return f"nothing is left to issue; next: {command} --send"
    return "nothing is left to do"


def _fold(text: str, *, first: str = "", rest: str = "") -> None:
    import textwrap

    lines = textwrap.wrap(
        printable(text),
        79,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    print("\n".join(lines))


def _waiting(found: Checklist) -> None:
    """Who waits, together by what for; what says STOP already is not said again."""
    from billing.close.checklist import listed

    by_problem: dict[tuple[str, str], list[str]] = {}
    for one in found.waiting:
        by_problem.setdefault((one.problem, one.hint), []).append(one.account_id)
    for (problem, hint), accounts in by_problem.items():
        if any(problem in one.what for one in found.stops):
            continue
        _fold(f"WAIT  {problem}{listed(accounts, most=SHOWN)}", rest="        ")
        _fold(f"→ {hint}", first="      ", rest="        ")


def _totals(found: Checklist) -> None:
    from billing.money import format_amount

    figures = ("issued", "to issue", "net", "tax", "total")
    rows = [
        (one.currency, one.issued, one.to_issue,
         *(format_amount(money, one.currency) for money in (one.net, one.tax, one.total)))
        for one in found.totals
    ]  # fmt: skip
    if rows:
        table(f"Documents of {found.month}", ("currency", *figures), rows, right=figures)


def _changes(changes: tuple[MonthChange, ...]) -> None:
    from billing.money import format_amount

    rows = [
        (one.account_id, *(format_amount(money, one.currency) for money in
         (one.total_before, one.total, one.change)), one.currency, one.cause)
        for one in changes[:SHOWN]
    ]  # fmt: skip
    if rows:
        columns = ("account", "last month", "this month", "change", "", "cause")
        table("Largest changes", columns, rows, right=columns[1:4])
    if len(changes) > SHOWN:
        print(f"  … and {len(changes) - SHOWN} more accounts changed: --json has all, by cause")
