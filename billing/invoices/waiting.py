"""Which accounts cannot be issued now, and why: hours that are not closed or held, terms that are
not rated, names that no font has, findings that nobody has approved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sql
from billing.invoices.fonts import font_hint, named
from billing.invoices.periods import last_day
from billing.invoices.readiness import Readiness
from billing.invoices.sellers import issuer_of, issuers, seller_text
from billing.invoices.settings import InvoiceSettings, check_seller
from billing.store.store import Store
from billing.vat.deciding import decide_rates
from billing.vat.profiles import HINT, profile_of, refusal
from billing.vat.rules import read_tax_table
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
class EInvoiceParty:
    """An account that wants e-invoices, with what is known of it and its rates of tax."""

    account_id: str
    name: str
    country: str
    tax_id: str
    email: str
    details: str
    seller_id: str
    tax_category: str | None
    tax_reason: str | None
    digits: int
    rates: list[Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedParty:
    """What stands on a document of the account that no font may have."""

    account_id: str
    text: str


def _nothing(_text: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """What the PDF can show: the characters of a text that no font has, and all that documents of
    a language say by themselves.
    """

    unprintable: Callable[[str], str] = _nothing
    texts_of: Callable[[str], str] = _nothing


ANYTHING_PRINTS = Printing()


def unknown_sellers(store: Store, settings: InvoiceSettings, *, draft: bool) -> tuple[Waiting, ...]:
    """The due accounts that name a seller who is none, or is still the shipped example."""
    connection = store.connection
    waiting = []
    used = connection.execute(sql.text("statements/invoices/due_and_late/sellers_in_use"))
    for (seller_id,) in used.fetchall():
        try:
            issuer_of(settings, seller_id)
            if not draft and settings.sellers:
                check_seller(settings, seller_id)
        except InputError as error:
            theirs = connection.execute(
                sql.text("statements/invoices/due_and_late/accounts_of_seller"),
                {"seller_id": seller_id},
            )
            waiting += [
                Waiting(account_id=account, problem=error.message, hint=error.hint or "")
                for (account,) in theirs.fetchall()
            ]
    return tuple(waiting)


def undecided(
    store: Store, settings: InvoiceSettings, *, month: str, draft: bool
) -> tuple[Waiting, ...]:
    """Whose seller or tax nobody can tell, of drafts too: they are due no more. Beside it the rates
    of all others are left in their table.
    """
    connection = store.connection
    waiting = unknown_sellers(store, settings, draft=draft)
    only = [one.account_id for one in waiting]
    drop = sql.text("statements/invoices/due_and_late/drop_undecided")
    connection.execute(drop, {"undecided": only})
    connection.execute(sql.text("statements/invoices/due_and_late/tax_rates"), {"month": month})
    table = read_tax_table(store.home)
    if table is None:
        return waiting
    late = connection.execute(sql.text("statements/invoices/due_and_late/late_months")).fetchall()
    found = decide_rates(
        connection,
        table,
        countries={one.seller_id: one.seller.country for one in issuers(settings)},
        last_days={one: last_day(one) for one in {month, *(str(row[0]) for row in late)}},
    )
    connection.execute(drop, {"undecided": [one.account_id for one in found]})
    return (
        *waiting,
        *(
            Waiting(
                account_id=one.account_id,
                problem=f"nobody can tell its tax: {one.problem}",
                hint=one.hint,
            )
            for one in found
        ),
    )


def unsaid(store: Store, settings: InvoiceSettings) -> tuple[Waiting, ...]:
    """The due accounts that want e-invoices of which the standard asks more than is known, or that
    pay no tax and nobody has said why.
    """
    found = store.connection.execute(sql.text("statements/invoices/due_and_late/e_invoice_parties"))
    sellers = {
        one.seller_id: {
            name: text
            for name, text in json.loads(seller_text(one.seller, ())).items()
            if isinstance(text, str)
        }
        for one in issuers(settings)
    }
    waiting = []
    for one in sql.rows(found, EInvoiceParty):
        facts = json.loads(one.details) | {
            "name": one.name, "country": one.country, "tax_id": one.tax_id, "email": one.email,
            "tax_category": one.tax_category or "", "tax_reason": one.tax_reason or "",
        }  # fmt: skip
        profile = profile_of(facts["e_invoice"])
        problem = refusal(sellers[one.seller_id], facts, one.digits, one.rates, profile)
        if problem is not None:
            problem = f"its e-invoice ({profile.name}) cannot be made: {problem}"
            waiting.append(Waiting(account_id=one.account_id, problem=problem, hint=HINT))
    return tuple(waiting)


def who_waits(
    store: Store,
    readiness: Readiness,
    printing: Printing,
    left: Sequence[Waiting] = (),
) -> tuple[Waiting, ...]:
    """The accounts that cannot be issued now, with the reason of each; they are due no more.

    `left`: those that somebody wants to see first, where nothing else keeps them.
    """
    waiting = (*_waiting(store, readiness), *_without_font(store, printing))
    known = {one.account_id for one in waiting}
    for one in left:
        if one.account_id not in known:
            waiting, known = (*waiting, one), known | {one.account_id}
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
    """InputError when a PDF would show boxes in what a seller is, or is paid by (CASES P2)."""
    for one in issuers(settings):
        seller = one.seller
        said = (seller.name, *seller.address, seller.tax_id, seller.email, *seller.payment)
        if missing := unprintable("".join((*said, seller.footer))):
            whose = f"seller {one.seller_id}'s" if one.seller_id else "the seller's"
            problem = f"no font has {named(missing)} of {whose} name, address or payment terms"
            raise InputError(problem, font_hint(missing))


def _without_font(store: Store, printing: Printing) -> tuple[Waiting, ...]:
    """The due accounts whose name, address or language the PDF would show as boxes (CASES P2)."""
    due = store.connection.execute(sql.text("statements/invoices/due_and_late/printed_parties"))
    parties = sql.rows(due, PrintedParty)
    used = store.connection.execute(sql.text("statements/invoices/due_and_late/languages_in_use"))
    languages = used.fetchall()
    found = {one.account_id: (printing.unprintable(one.text), "name or address") for one in parties}
    for (language,) in languages:
        missing = printing.unprintable(printing.texts_of(language))
        if missing:
            theirs = store.connection.execute(
                sql.text("statements/invoices/due_and_late/accounts_of_language"),
                {"language": language},
            )
            what = (missing, f"language ({language})")
            found |= {account: what for (account,) in theirs.fetchall()}
    return tuple(
        Waiting(
            account_id=account_id,
            problem=f"no font has {named(missing)} of its {what}, its PDF shows boxes",
            hint=font_hint(missing),
        )
        for account_id, (missing, what) in sorted(found.items())
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
