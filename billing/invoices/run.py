"""The monthly act: which accounts are due, their lines, sums, numbers, all set-based in DuckDB.

`prepare` leaves the finished documents in temp tables and changes nothing; `issue` commits them as
one journal record, numbers included, so that a number without its invoice cannot exist (FAULTS
G12).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

import sql
from billing.instants import naive
from billing.invoices.numbering import series_of
from billing.invoices.periods import LocalPeriod, check_month, month_days, month_span
from billing.invoices.readiness import Readiness, check
from billing.invoices.settings import InvoiceSettings, check_prefixes
from billing.ledger.transfers import balance
from billing.money import DIGITS, minor_digits
from billing.store.store import Store, TableRef
from edge.crash_point import crash_point

DRAFT = "DRAFT"
OUT = {
    "invoices": "invoice_out_heads",
    "invoice_lines": "invoice_out_lines",
    "invoice_detail": "invoice_out_detail",
    "invoice_transfers": "invoice_out_transfers",
    "invoice_corrections": "invoice_out_corrections",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for: the month, one account or all, as of when; drafts ask for no readiness."""

    month: str
    account: str | None
    at: datetime
    draft: bool = False
    reissue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An account that cannot be issued yet, and why, with what to do about it."""

    account_id: str
    problem: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What `prepare` left in the temp tables named by OUT, and who has to wait."""

    order: Order
    run_id: str
    invoices: int
    waiting: tuple[Waiting, ...]
    readiness: Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a run issued; `journal_no` is None when there was nothing to issue."""

    run_id: str
    invoices: int
    journal_no: int | None
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountZone:
    """A time zone and a currency that accounts have."""

    timezone: str
    currency: str


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


def prepare(store: Store, order: Order, settings: InvoiceSettings) -> Prepared:
    """Compute the month's documents for every due account. Only temp tables are written.

    InputError for a month that is none, or an account that does not exist.
    """
    check_month(order.month)
    check_prefixes(settings)
    connection = store.connection
    if order.account is not None:
        balance(connection, order.account)
    found = sql.rows(
        connection.execute(
            sql.text("statements/invoices/due/account_zones"), {"account": order.account}
        ),
        AccountZone,
    )
    spans = {
        zone: month_span(order.month, zone) for zone in sorted({one.timezone for one in found})
    }
    readiness = check(connection, store.home, spans=spans, now=order.at)
    _fill_zones(store, order, spans, readiness)
    _fill_currencies(store, order, sorted({one.currency for one in found}), settings)
    scope = {"month": order.month, "account": order.account}
    connection.execute(sql.text("statements/invoices/due/late"), scope)
    connection.execute(sql.text("statements/invoices/due/due"), {**scope, "reissue": order.reissue})
    waiting = () if order.draft else _waiting(store, readiness)
    if not order.draft:
        connection.execute(sql.text("statements/invoices/due/drop_not_due"))
    run_id = f"invoice-{order.month}-{store.journal.last_no + 1}"
    _compute(store, order, settings, run_id=run_id, import_no=readiness.import_no)
    return Prepared(
        order=order,
        run_id=run_id,
        invoices=connection.table(OUT["invoices"]).shape[0],
        waiting=waiting,
        readiness=readiness,
    )


def issue(store: Store, prepared: Prepared) -> Issued:
    """Commit the prepared documents: numbers, content, tax and cut in one journal record."""
    number = None
    if prepared.invoices:
        crash_point("invoice-prepared")
        effects: dict[str, object] = {name: TableRef(table) for name, table in OUT.items()}
        effects["run"] = {
            "run_id": prepared.run_id,
            "month": prepared.order.month,
            "import_no": prepared.readiness.import_no,
            "documents": prepared.invoices,
            "reason": "",
        }
        number = store.commit("invoice_run", effects, at=prepared.order.at)
    return Issued(
        run_id=prepared.run_id,
        invoices=prepared.invoices,
        journal_no=number,
        waiting=prepared.waiting,
    )


def _fill_zones(
    store: Store, order: Order, spans: dict[str, LocalPeriod], readiness: Readiness
) -> None:
    connection = store.connection
    connection.execute(
        sql.text("statements/invoices/due/zones"),
        {
            "zones": list(spans),
            "starts": [naive(span.start) for span in spans.values()],
            "ends": [naive(span.end) for span in spans.values()],
            "ready": [zone in readiness.ready for zone in spans],
        },
    )
    days = [(zone, day) for zone in spans for day in month_days(order.month, zone)]
    connection.execute(
        sql.text("statements/invoices/due/zone_days"),
        {
            "zones": [zone for zone, _ in days],
            "days": [day.day for _, day in days],
            "starts": [naive(day.start) for _, day in days],
            "ends": [naive(day.end) for _, day in days],
        },
    )


def _fill_currencies(
    store: Store, order: Order, currencies: Sequence[str], settings: InvoiceSettings
) -> None:
    prefix = DRAFT if order.draft else settings.prefix
    digits = [minor_digits(currency) for currency in currencies]
    store.connection.execute(
        sql.text("statements/invoices/due/currencies"),
        {
            "currencies": list(currencies),
            "series": [
                series_of(prefix, currency, order.at, settings.timezone) for currency in currencies
            ],
            "digits": digits,
            "steps": [10 ** (DIGITS - count) for count in digits],
        },
    )


def _waiting(store: Store, readiness: Readiness) -> tuple[Waiting, ...]:
    rows = sql.rows(store.connection.execute(sql.text("statements/invoices/due/not_due")), NotDue)
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


def _compute(
    store: Store, order: Order, settings: InvoiceSettings, *, run_id: str, import_no: int
) -> None:
    connection = store.connection
    issued_on = order.at.astimezone(ZoneInfo(settings.timezone)).date()
    head = {
        "month": order.month,
        "issued_at": naive(order.at.replace(microsecond=0)),
        "due_on": issued_on + timedelta(days=settings.payment_days),
        "seller": seller_text(settings, issued_on + timedelta(days=settings.payment_days)),
        "run_id": run_id,
    }
    nothing: Mapping[str, object] = {}
    steps: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("statements/invoices/lines/numbers", nothing),
        ("statements/invoices/lines/usage", {"month": order.month}),
        ("statements/invoices/lines/tier_parts", nothing),
        ("statements/invoices/lines/whole_lines", nothing),
        ("statements/invoices/lines/usage_lines", nothing),
        ("statements/invoices/lines/exact_lines", nothing),
        ("statements/invoices/settle/settle_totals", nothing),
        ("statements/invoices/settle/settle_lines", nothing),
        ("statements/invoices/settle/out_lines", nothing),
        ("statements/invoices/finish/detail", {"import_no": import_no}),
        ("statements/invoices/finish/evidence", {"import_no": import_no}),
        ("statements/invoices/finish/heads", head),
    )
    for name, parameters in steps:
        connection.execute(sql.text(name), parameters)
    finish(connection)
    connection.execute(sql.text("statements/invoices/finish/out_corrections"))


def finish(connection: duckdb.DuckDBPyConnection) -> None:
    """From heads, lines and appendix to what the journal record holds: hashes and transfers too."""
    connection.execute(
        sql.text("statements/invoices/finish/content_hashes"),
        {
            "heads": "invoice_heads",
            "lines": OUT["invoice_lines"],
            "detail": OUT["invoice_detail"],
        },
    )
    connection.execute(sql.text("statements/invoices/finish/out_heads"))
    connection.execute(sql.text("statements/invoices/finish/out_transfers"))


def seller_text(settings: InvoiceSettings, due_on: date) -> str:
    """The seller as it is printed and kept with each document: JSON, so that later settings change
    nothing.
    """
    seller = settings.seller
    notes = [f"Payable by {due_on:%-d %B %Y}; a prepaid balance pays it at once.", *seller.payment]
    return json.dumps(
        {
            "name": seller.name,
            "address": list(seller.address),
            "tax_id": seller.tax_id,
            "email": seller.email,
            "notes": notes,
        },
        ensure_ascii=False,
        sort_keys=True,
    )
