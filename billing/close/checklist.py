"""Looking at a month before it is issued: each thing that could be wrong with it, as a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sql
from billing.close.records import (
    Checklist,
    CloseItem,
    CloseStep,
    MonthChange,
    MonthTotal,
    Weight,
)
from billing.instants import minute_text
from billing.invoices.documents import writing
from billing.invoices.periods import check_month, month_span
from billing.invoices.readiness import whole_hours
from billing.invoices.run import Order, Prepared, prepare
from billing.invoices.settings import CloseSettings, InvoiceSettings, check_seller
from billing.money import format_amount
from billing.status import unowned
from billing.status.facts import HomeFacts
from billing.status.gather import around, of_store
from billing.status.judge import findings
from billing.store.store import Store
from billing.vat.tax_id import why_wrong
from edge.errors import InputError

# Signals of `edgetoll status` that say something of a month's money, and their weight here.
SIGNALS = {
    "check_red": Weight.STOP,
    "not_conserved": Weight.STOP,
    "run_held": Weight.STOP,
    "prices_refused": Weight.STOP,
    "check_old": Weight.LOOK,
    "edge_unread": Weight.LOOK,
    "metering_alarm": Weight.LOOK,
    "sequence_gap": Weight.LOOK,
    "month_unissued": Weight.KNOW,
}
LACKS = ("address", "email", "tax_id", "country")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    timezone: str
    hours: int
    incomplete_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lacking:
    account_id: str
    lacks_address: bool
    lacks_email: bool
    lacks_tax_id: bool
    lacks_country: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaxId:
    account_id: str
    tax_id: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldHours:
    hours: int
    accounts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WasIssued:
    documents: int


def look(store: Store, month: str, *, settings: InvoiceSettings, at: datetime) -> Checklist:
    """The checklist of `month` at `at`. Only temp tables are written.

    InputError for a month that is none.
    """
    check_month(month)
    seller = _seller(settings)
    order = Order(month=month, account=None, at=at, draft=seller is not None)
    prepared = prepare(store, order, settings, printing=writing.printing(store.home, settings))
    connection = store.connection
    connection.execute(
        sql.text("statements/close/checklist/month_documents"),
        {"month": month, "month_before": month_before(month)},
    )
    facts = around(store.home, now=at)
    facts = replace(facts, store=of_store(connection, store.home, now=at))
    only = {"month": month}
    waiting = {one.account_id for one in prepared.waiting}
    changes = tuple(
        one
        for one in sql.rows(
            connection.execute(sql.text("statements/close/checklist/changes"), only), MonthChange
        )
        if not (one.is_gone and one.account_id in waiting)
    )
    items = (
        *_hours(store, prepared, month),
        *_held(store, prepared),
        *_signals(facts),
        *_unowned(store, month),
        *([seller] if seller else []),
        *_lacking(store, settings.close),
        *_wrong_tax_ids(store),
        *_large(store, changes, month, settings.close),
    )
    return Checklist(
        month=month,
        at=at,
        policy=settings.close.policy,
        items=items,
        totals=tuple(
            sql.rows(
                connection.execute(sql.text("statements/close/checklist/totals"), only), MonthTotal
            )
        ),
        changes=changes,
        waiting=prepared.waiting,
        steps=taken(store, month),
    )


def taken(store: Store, month: str) -> tuple[CloseStep, ...]:
    """The steps that were taken for `month`, in order."""
    found = store.connection.execute(sql.text("statements/close/checklist/steps"), {"month": month})
    return tuple(sql.rows(found, CloseStep))


def month_before(month: str) -> str:
    """The calendar month before: `2026-01` → `2025-12`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1)}-{number - 1 or 12:02}"


def _seller(settings: InvoiceSettings) -> CloseItem | None:
    try:
        check_seller(settings)
    except InputError as error:
        return CloseItem(
            name="seller", weight=Weight.STOP, what=error.message, answer=error.hint or ""
        )
    return None


def _hours(store: Store, prepared: Prepared, month: str) -> Iterator[CloseItem]:
    """For each time zone: n of m hours are complete; why its month cannot be issued, if so. Where
    another zone's can, only the accounts of this one wait.
    """
    found = sql.rows(store.connection.execute(sql.text("statements/close/checklist/hours")), _Hours)
    if not found:
        yield CloseItem(
            name="hours",
            weight=Weight.STOP,
            what="no account is loaded: nobody has a month to close",
            answer="edgetoll billing load FILE",
        )
    for one in found:
        whole = whole_hours(month_span(month, one.timezone))
        complete = one.hours - one.incomplete_hours
        what = f"{complete:,} of {whole:,} hours complete ({one.timezone})"
        problem = prepared.readiness.problems.get(one.timezone)
        if problem is not None:
            yield CloseItem(
                name="hours",
                weight=Weight.KNOW if prepared.readiness.ready else Weight.STOP,
                what=f"{what}: {problem[0]}",
                answer=problem[1],
            )
        elif one.incomplete_hours:
            yield CloseItem(
                name="hours",
                weight=Weight.LOOK,
                what=f"{what}, {one.incomplete_hours:,} closed without an edge",
                answer="what comes later is billed as a correction; see edgetoll query"
                " incomplete_hours",
            )
        elif complete < whole:
            yield CloseItem(
                name="hours",
                weight=Weight.KNOW,
                what=f"{what}; the others lie before the first edge was known",
            )
        else:
            yield CloseItem(name="hours", weight=Weight.OK, what=what)


def _held(store: Store, prepared: Prepared) -> Iterator[CloseItem]:
    """Usage that is held for want of a price, and usage that came too late to be billed unseen."""
    found = sql.row(
        store.connection.execute(sql.text("statements/close/checklist/held_hours")), _HeldHours
    )
    hours, accounts = (0, []) if found is None else (found.hours, found.accounts)
    yield CloseItem(
        name="held usage",
        weight=Weight.LOOK if hours else Weight.OK,
        what=f"{hours:,} hours of accounts without a price in force{listed(accounts)}",
        answer="add the card to its price book, then edgetoll billing rate" if hours else "",
    )
    old = prepared.readiness.too_old
    if not old:
        yield CloseItem(name="too old", weight=Weight.OK, what="no usage waits to be accepted")
    for zone, (problem, hint) in old.items():
        yield CloseItem(name="too old", weight=Weight.STOP, what=f"{problem} ({zone})", answer=hint)


def _signals(facts: HomeFacts) -> Iterator[CloseItem]:
    """What `edgetoll status` says of the whole home that touches money."""
    checks = facts.checks
    if checks.full_at is not None and not checks.red:
        ran = minute_text(checks.full_at)
        yield CloseItem(
            name="checks", weight=Weight.OK, what=f"{checks.checks} checks are green, run {ran}"
        )
    for one in findings(facts):
        weight = SIGNALS.get(one.signal.name)
        if weight is not None:
            yield CloseItem(
                name=one.signal.name.replace("_", " "),
                weight=weight,
                what=one.what,
                answer=one.signal.answer.replace("`", ""),
            )


def _unowned(store: Store, month: str) -> Iterator[CloseItem]:
    span = month_span(month, "UTC")
    traffic = unowned.between(store.connection, span.start, span.end)
    named = ", ".join(
        f"{one.domain or '(many small names)'} {one.requests:,}" for one in traffic.largest[:3]
    )
    more = f", … {traffic.names:,} names in all" if traffic.names > 3 else ""
    what = f"{traffic.requests:,} of {traffic.all_requests:,} requests are for names nobody owns"
    weight = Weight.KNOW if traffic.requests else Weight.OK
    if traffic.requests and unowned.is_much(traffic):
        weight = Weight.LOOK
    yield CloseItem(
        name="unowned",
        weight=weight,
        what=f"{what}: {named}{more}" if named else what,
        answer="load who owns them: [[domains]], edgetoll billing load FILE" if named else "",
    )


def _lacking(store: Store, settings: CloseSettings) -> Iterator[CloseItem]:
    """Accounts about to be issued without what a document should say of them."""
    found = sql.rows(
        store.connection.execute(sql.text("statements/close/checklist/lacking")), _Lacking
    )
    for what in LACKS:
        accounts = tuple(one.account_id for one in found if getattr(one, f"lacks_{what}"))
        required = what in settings.requires
        word = what.replace("_", " ")
        weight = Weight.OK
        if accounts:
            weight = Weight.LOOK if required else Weight.KNOW
        yield CloseItem(
            name=f"no {word}",
            weight=weight,
            what=f"{_accounts(len(accounts))} to be issued without {word}{listed(accounts)}",
            answer=f"load the account again with `{what}`" if accounts and required else "",
            accounts=accounts if required else (),
        )


def _wrong_tax_ids(store: Store) -> Iterator[CloseItem]:
    """Accounts about to be issued whose tax id cannot be one: it would stand on the document."""
    found = sql.rows(
        store.connection.execute(sql.text("statements/close/checklist/tax_ids")), _TaxId
    )
    wrong = {one.account_id: why for one in found if (why := why_wrong(one.tax_id, one.country))}
    said = [f"{account} ({why})" for account, why in wrong.items()]
    yield CloseItem(
        name="wrong tax id",
        weight=Weight.LOOK if wrong else Weight.OK,
        what=f"{_accounts(len(wrong))} with a tax id that cannot be one{listed(said)}",
        answer="ask the customer, and load the account again" if wrong else "",
        accounts=tuple(wrong),
    )


def _large(
    store: Store, changes: Sequence[MonthChange], month: str, settings: CloseSettings
) -> Iterator[CloseItem]:
    """Accounts whose sum moved more than the limits allow, where last month was issued."""
    before = sql.row(
        store.connection.execute(
            sql.text("statements/close/checklist/was_issued"), {"month": month_before(month)}
        ),
        _WasIssued,
    )
    if before is None or not before.documents:
        yield CloseItem(
            name="changes",
            weight=Weight.KNOW,
            what=f"{month_before(month)} has no invoice to compare with",
        )
        return
    large = tuple(one for one in changes if is_large(one, settings))
    limit = f"{settings.change_percent} % and {settings.change_floor}"
    what = f"{_accounts(len(large))} changed by more than {limit}"
    said = [f"{one.account_id} {_signed(one)} ({one.cause})" for one in large]
    yield CloseItem(
        name="changes",
        weight=Weight.LOOK if large else Weight.OK,
        what=what + listed(said),
        answer="the table of changes shows what made them" if large else "",
        accounts=tuple(one.account_id for one in large),
    )


def is_large(change: MonthChange, settings: CloseSettings) -> bool:
    """Whether a person should look at a change: above the floor, and above the share of before."""
    moved = abs(change.change)
    return (
        moved > settings.floor and moved * 100 > abs(change.total_before) * settings.change_percent
    )


def _signed(change: MonthChange) -> str:
    sign = "+" if change.change > 0 else ""
    return f"{sign}{format_amount(change.change, change.currency)} {change.currency}"


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count:,} accounts"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`: a, b, c and 7 more`, or nothing."""
    if not names:
        return ""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f": {', '.join(names[:most])}{more}"
