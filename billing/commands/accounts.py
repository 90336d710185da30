"""Commands about balances: accounts, alerts, suspend, resume. `billing/cli.py` mounts them.

Example: edgetoll billing accounts --at-risk
"""

from __future__ import annotations

from collections.abc import Mapping
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
    say,
    table,
    warn,
)

if TYPE_CHECKING:
    from billing.balance.records import Act
    from billing.balance.states import Refreshed
    from billing.outbox.deliver import Delivered
    from billing.reports.accounts import AccountLine

AccountArgument = Annotated[str, typer.Argument(help="The account's id.")]
ByOption = Annotated[str, typer.Option("--by", help="Who orders it; recorded for ever.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; recorded for ever.")]


def accounts(
    at_risk: Annotated[
        bool, typer.Option("--at-risk", help="Only those whose service may stop soon, and why.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Accounts with balance, state and forecast of the moment service would stop. Changes nothing.

    Example: edgetoll billing accounts --at-risk
    """
    from billing.reports.accounts import report

    now = as_of_time(as_of)
    lines, unverified = report(home, now=now, at_risk=at_risk)

    def human() -> None:
        if lines:
            print_accounts("Accounts at risk" if at_risk else "Accounts", lines)
        elif at_risk:
            say("no account is at risk")
        else:
            say("there are no accounts yet: edgetoll billing load FILE")
        if unverified:
            warn(f"unverified: {unverified}. No suspension begins while this stands.")

    document = {
        "as_of": now,
        "unverified": unverified,
        "accounts": [line.document() for line in lines],
    }
    emit(document, as_json=as_json, human=human)


def print_accounts(title: str, lines: list[AccountLine]) -> None:
    """The table for people."""
    columns = (
        "account\nstate", "available\nprojected", "burn per hour\nlast 24 hours",
        "zero (UTC)\nbetween", "service\nstops", "why\nwho was told",
    )  # fmt: skip
    table(title, columns, [line.cells() for line in lines], right=(columns[1],))


def alerts(
    payments_through: Annotated[
        str | None,
        typer.Option(
            "--payments-through",
            metavar="TIME",
            help="The payment feed's promise: all payments up to then are posted.",
        ),
    ] = None,
    enable: Annotated[
        str | None,
        typer.Option(
            "--enable", metavar="NAME", help="Switch a webhook on again that was switched off."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Judge every account now, record what changed, and deliver the events. For cron.

    Running it twice changes nothing and tells nobody twice. It exits 1 while an endpoint is off or
    something was given up: somebody was not told, and will not be by itself.

    Example: edgetoll billing alerts
    """
    from billing.appliers import open_store
    from billing.follow_up import changing, follow_up
    from billing.outbox import deliver as delivery
    from billing.outbox.undone import not_told

    now = as_of_time(as_of)
    promised = parse_time(payments_through) if payments_through else None
    with changing(home, owner="billing alerts", at=now) as store:
        enabled = delivery.enable(store, enable, now=now) if enable else ""
        done = follow_up(store, at=now, payments_through=promised, daily=True).judged
    told = delivery.deliver(home, open_store=open_store, now=now, jitter_permille=jitter_permille)

    def human() -> None:
        if enabled:
            say(f"{enabled} is on again, and is told how all accounts stand")
        _print_changes(done, told)
        if told.counts:
            say("told: " + ", ".join(f"{n} {status}" for status, n in sorted(told.counts.items())))
        for one in told.undone:
            warn(one.words())

    document = {
        **_changes_document(done),
        "told": told.counts,
        "disabled": list(told.disabled),
        "told_events": [one.document() for one in told.told],
        "undone": [one.document() for one in told.undone],
    }
    emit(document, as_json=as_json, human=human)
    if told.problems:
        raise told.problems[0]
    if told.lost:
        raise not_told(told.lost)


def jitter_permille() -> int:
    """A draw for the retry schedule, from -100 to 100."""
    import random

    return random.SystemRandom().randint(-100, 100)


def _print_changes(done: Refreshed, told: Delivered) -> None:
    """What is told for the first time now, whichever command changed it, and where it went."""
    rows = [
        (one.account_id, one.previous, one.state, one.reason, _went(one.went)) for one in told.told
    ]
    known = {one.event_id for one in told.told}
    rows += [
        (one.account_id, one.previous.value, one.state.value, one.reason, "nobody yet")
        for one, event in zip(done.changed, done.events, strict=False)
        if event.event_id not in known
    ]
    if rows:
        table("Changed since the last telling", ("account", "from", "to", "why", "told"), rows)
    else:
        say("nothing changed since the last telling")
    if done.unverified:
        warn(f"unverified: {done.unverified}. No suspension begins while this stands.")


def _went(went: Mapping[str, str]) -> str:
    """Where an event went: the endpoints that have it, and the others with how it stands there."""
    return ", ".join(
        name if status == "delivered" else f"{name} ({status.replace('_', ' ')})"
        for name, status in sorted(went.items())
    )


def _changes_document(done: Refreshed) -> dict[str, object]:
    return {
        "at": done.at,
        "journal_no": done.journal_no,
        "unverified": done.unverified,
        "changed": [
            {
                "account_id": one.account_id,
                "version": one.version,
                "from": one.previous.value,
                "to": one.state.value,
                "reason": one.reason,
            }
            for one in done.changed
        ],
        "events": [event.event_id for event in done.events],
    }


def suspend(
    account: AccountArgument,
    by: ByOption,
    reason: ReasonOption,
    cause: Annotated[
        str,
        typer.Option(
            help="arrears (must be suspend_due) or administrative (not lifted by paying)."
        ),
    ] = "arrears",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Confirm that a due suspension takes effect, or stop an account for another cause.

    Example: edgetoll billing suspend acme --by ann --reason "reminded twice"
    """
    from billing.balance.records import Act, Cause
    from edge.errors import InputError

    try:
        chosen = Cause(cause)
    except ValueError as error:
        names = ", ".join(known.value for known in Cause)
        raise InputError(f"there is no cause {cause!r}", f"one of: {names}") from error
    act = Act(suspend=True, by=by, reason=reason, cause=chosen)
    _order(account, act, home, as_json, as_of)


def resume(
    account: AccountArgument,
    by: ByOption,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Give a stopped account its service back; a debt that is left gets a fresh grace.

    Example: edgetoll billing resume acme --by ann --reason "promised to pay on Friday"
    """
    from billing.balance.records import Act

    _order(account, Act(suspend=False, by=by, reason=reason), home, as_json, as_of)


def _order(account: str, act: Act, home: Path, as_json: bool, as_of: str | None) -> None:
    from billing.balance import states
    from billing.follow_up import changing, follow_up

    checked_words(by=act.by, reason=act.reason)
    now = as_of_time(as_of)
    owner = "billing suspend" if act.suspend else "billing resume"
    with changing(home, owner=owner, at=now) as store:
        decided = states.order(store, account, act, now=now)
        follow_up(store, at=now, accounts=(account,))

    def human() -> None:
        say(f"{account}: {decided.previous} -> {decided.state}, {decided.reason}")

    document = {
        "account_id": account,
        "version": decided.version,
        "from": decided.previous.value,
        "to": decided.state.value,
        "by": act.by,
        "reason": act.reason,
    }
    emit(document, as_json=as_json, human=human)
