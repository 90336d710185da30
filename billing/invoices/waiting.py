"""Which accounts cannot be issued now, and why: hours that are not closed or held, terms that are
not rated, names that no font has, findings that nobody has approved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sql
from billing.invoices.fonts import font_hint, named
from billing.invoices.readiness import Readiness
from billing.invoices.settings import InvoiceSettings
from billing.store.store import Store
from edge.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An account that cannot be issued yet, and why, with what to do about it."""

    account_id: str
    problem: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDue:
    """An account whose month cannot be issued, and what the tables say of it."""

    account_id: str
    timezone: str
    is_ready: bool
    is_changed: bool
    first_held: datetime | None
    problem: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedParty:
    """What stands on a document of the account that no font may have."""

    account_id: str
    text: str


def who_waits(
    store: Store,
    readiness: Readiness,
    unprintable: Callable[[str], str],
    left: Sequence[Waiting] = (),
) -> tuple[Waiting, ...]:
    """The accounts that cannot be issued now, with the reason of each; they are due no more.

    `left`: those that somebody wants to see first, where nothing else keeps them.
    """
    waiting = (*_waiting(store, readiness), *_without_font(store, unprintable))
    known = {one.account_id for one in waiting}
    waiting += tuple(one for one in left if one.account_id not in known)
    if readiness.too_old and not waiting:
        # Nobody's usage is rated because nobody looked at it: that is not nothing to issue.
        problem, hint = next(iter(readiness.too_old.values()))
        waiting = (Waiting(account_id="any account", problem=problem, hint=hint),)
    store.connection.execute(
        sql.text("statements/invoices/due_and_late/drop_not_due"),
        {"waiting": [one.account_id for one in waiting]},
    )
    return waiting


def check_seller_prints(settings: InvoiceSettings, unprintable: Callable[[str], str]) -> None:
    """InputError when a PDF would show boxes in what the seller is, or is paid by (CASES P2)."""
    seller = settings.seller
    text = "".join((seller.name, *seller.address, seller.tax_id, seller.email, *seller.payment))
    if missing := unprintable(text):
        problem = f"no font has {named(missing)} of the seller's name, address or payment terms"
        raise InputError(problem, font_hint(missing))


def _without_font(store: Store, unprintable: Callable[[str], str]) -> tuple[Waiting, ...]:
    """The due accounts whose name or address the PDF would show as boxes (CASES P2)."""
    due = store.connection.execute(sql.text("statements/invoices/due_and_late/printed_parties"))
    found = ((one.account_id, unprintable(one.text)) for one in sql.rows(due, PrintedParty))
    return tuple(
        Waiting(
            account_id=account_id,
            problem=f"no font has {named(missing)} of its name or address, its PDF shows boxes",
            hint=font_hint(missing),
        )
        for account_id, missing in found
        if missing
    )


def _waiting(store: Store, readiness: Readiness) -> tuple[Waiting, ...]:
    rows = sql.rows(
        store.connection.execute(sql.text("statements/invoices/due_and_late/not_due")), NotDue
    )
    return tuple(_why(one, readiness) for one in rows)


def _why(one: NotDue, readiness: Readiness) -> Waiting:
    if not one.is_ready:
        problem, hint = readiness.problems[one.timezone]
    elif one.is_changed:
        problem = "its domains, plans or method were changed, and no run has rated that yet"
        hint = "run edgetoll billing rate"
    else:
        problem = f"hour {one.first_held:%Y-%m-%dT%HZ} is held: {one.problem}"
        hint = one.hint
    return Waiting(account_id=one.account_id, problem=problem, hint=hint)
