"""`edgetoll status`: one screen for the person on call; exit 1 when something needs one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, many, now, printable, table

if TYPE_CHECKING:
    from billing.status.facts import BillingFact, HomeFacts
    from billing.status.signals import Finding

SHOWN = 10
"""Rows of a table: it is one screen."""


def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show edges, hours, metering, billing, unowned traffic and deliveries on one screen; exit 1
    when something needs a person.

    Reads only. Example: edgetoll status --home /var/lib/edgetoll
    """
    from billing.status.gather import gather
    from billing.status.judge import findings
    from billing.status.signals import Severity
    from edge.errors import InputError

    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    facts = gather(home, now=now())
    found = findings(facts)
    urgent = [one for one in found if one.signal.severity is Severity.PERSON]
    document = {
        "needs_a_person": bool(urgent),
        "signals": [
            {
                "signal": one.signal.name,
                "severity": one.signal.severity.value,
                "count": one.count,
                "what": one.what,
                "answer": one.signal.answer,
            }
            for one in found
        ],
        **asdict(facts),
    }
    emit(document, as_json=as_json, human=lambda: _show(home, facts, found))
    if urgent:
        raise typer.Exit(1)


def _show(home: Path, facts: HomeFacts, found: tuple[Finding, ...]) -> None:
    from billing.status.signals import Severity

    urgent = [one for one in found if one.signal.severity is Severity.PERSON]
    seen = [one for one in found if one.signal.severity is Severity.WATCH]
    count = {0: "nothing needs a person", 1: "1 thing needs a person"}
    head = count.get(len(urgent), f"{len(urgent)} things need a person")
    print(f"{printable(str(home))} at {facts.at:%Y-%m-%d %H:%M} UTC: {head}")
    _list("Needs a person", urgent)
    _list("To know", seen)
    _edges(facts)
    _metering(facts)
    _billing(facts)
    _unowned(facts)
    _deliveries(facts)


def _list(title: str, found: list[Finding]) -> None:
    if not found:
        return
    print(f"\n{title}")
    for one in found[: 2 * SHOWN]:
        _fold(f"{one.signal.name}: {one.what}", first="  ", rest="    ")
        _fold(_plain(one.signal.answer), first="    → ", rest="      ")
    if len(found) > 2 * SHOWN:
        print(f"  … and {len(found) - 2 * SHOWN} more: --json has all")


def _fold(text: str, *, first: str, rest: str) -> None:
    """Print `text` at 80 columns; words are never broken."""
    import textwrap

    print(
        "\n".join(
            textwrap.wrap(
                printable(text),
                79,
                initial_indent=first,
                subsequent_indent=rest,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    )


def _plain(text: str) -> str:
    return text.replace("`", "")


def _ago(seconds: int | None) -> str:
    """A lag in the largest unit that keeps two figures."""
    if seconds is None:
        return "–"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _edges(facts: HomeFacts) -> None:
    if not facts.edges:
        print("\nEdges: none yet")
        return
    rows = [
        (
            edge.edge_id,
            "never" if edge.promise is None else f"{edge.promise:%Y-%m-%d %H:%M}",
            _ago(edge.lag_seconds),
            f"{edge.refused:,}",
            f"{edge.unread_bytes:,}",
        )
        for edge in facts.edges
    ]
    columns = ("edge", "promise (UTC)", "lag", "refused", "unread bytes")
    print()
    table("Edges", columns, rows[:SHOWN], right=columns[2:])
    if len(rows) > SHOWN:
        print(f"  … and {many(len(rows) - SHOWN, 'more edge')}")


def _metering(facts: HomeFacts) -> None:
    one = facts.metering
    fresh = "never" if one.fresh_at is None else f"{one.fresh_at:%Y-%m-%d %H:%M:%S}"
    workers = "1 worker" if one.workers == 1 else f"{one.workers} workers"
    _fold(
        f"Metering: {workers}, last heard {fresh}; {one.accepted:,} accepted,"
        f" {one.quarantined:,} in quarantine; {many(one.open_hours, 'hour')} open",
        first="",
        rest="  ",
    )


def _billing(facts: HomeFacts) -> None:
    if facts.store is None:
        print("Billing: no store yet" if facts.unreadable is None else "Billing: unreadable")
        return
    one, checks = facts.store.billing, facts.checks
    rated = "nothing" if one.rated_through is None else f"{one.rated_through:%Y-%m-%d %H:%M}"
    last = "no run yet" if one.last_run is None else f"last run {one.last_run} ({one.last_state})"
    full = "was never run"
    if checks.full_at is not None:
        full = f"{checks.full_at:%Y-%m-%d %H:%M}"
    incomplete, old = len(facts.store.incomplete), one.too_old_files
    _fold(
        f"Billing: {last}, rated through {rated}; {many(incomplete, 'hour')} incomplete,"
        f" {many(old, 'file')} held as too old; full check {full}, {len(checks.red)} red;"
        f" journal record {one.journal_no}{_pruned(one)}",
        first="",
        rest="  ",
    )


def _pruned(one: BillingFact) -> str:
    """What is kept no longer, by the policy of [billing.prune]; nothing where all is there."""
    kept = {"usage": one.usage_kept_from, "texts of messages": one.texts_kept_from}
    gone = [f"{what} of before {day:%Y-%m-%d}" for what, day in kept.items() if day is not None]
    return f"; pruned: {', '.join(gone)}" if gone else ""


def _unowned(facts: HomeFacts) -> None:
    from billing.status.unowned import lines

    for line in lines(facts.store.unowned) if facts.store is not None else ():
        _fold(line, first="", rest="    ")


def _deliveries(facts: HomeFacts) -> None:
    endpoints = () if facts.store is None else facts.store.endpoints
    if not endpoints:
        print("Deliveries: none waits for another attempt")
        return
    rows = [
        (
            one.endpoint,
            f"{one.waiting:,}",
            f"{one.given_up:,}",
            one.cause,
            "off" if one.off_since else f"{one.next_try:%m-%d %H:%M}" if one.next_try else "–",
        )
        for one in endpoints
    ]
    columns = ("endpoint", "waiting", "given up", "last answer", "next try")
    table("Deliveries", columns, rows[:SHOWN], right=("waiting", "given up"))
