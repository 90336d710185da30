"""The monthly act: which accounts are due, their lines, sums, numbers, all set-based in DuckDB.

`prepare` leaves the finished documents in temp tables and changes nothing; `issue` commits them as
one journal record, numbers included, so that a number without its invoice cannot exist (FAULTS
G12).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sql
from billing.invoices.numbering import series_of
from billing.invoices.periods import Span, check_month, month_days, month_span
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


def prepare(store: Store, order: Order, settings: InvoiceSettings) -> Prepared:
    """Compute the month's documents for every due account. Only temp tables are written.

    InputError for a month that is none, or an account that does not exist.
    """
    check_month(order.month)
    check_prefixes(settings)
    connection = store.connection
    if order.account is not None:
        balance(connection, order.account)
    found = connection.execute(
        sql.text("statements/invoices/account_zones"), {"account": order.account}
    ).fetchall()
    spans = {zone: month_span(order.month, zone) for zone in sorted({row[0] for row in found})}
    readiness = check(connection, store.home, spans=spans, now=order.at)
    _fill_zones(store, order, spans, readiness)
    _fill_currencies(store, order, sorted({row[1] for row in found}), settings)
    scope = {"month": order.month, "account": order.account}
    connection.execute(sql.text("statements/invoices/late"), scope)
    connection.execute(sql.text("statements/invoices/due"), {**scope, "reissue": order.reissue})
    waiting = () if order.draft else _waiting(store, readiness)
    if not order.draft:
        connection.execute(sql.text("statements/invoices/drop_not_due"))
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
        effects: dict[str, Any] = {name: TableRef(table) for name, table in OUT.items()}
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


def _fill_zones(store: Store, order: Order, spans: dict[str, Span], readiness: Readiness) -> None:
    connection = store.connection
    connection.execute(
        sql.text("statements/invoices/zones"),
        {
            "zones": list(spans),
            "starts": [_naive(span.start) for span in spans.values()],
            "ends": [_naive(span.end) for span in spans.values()],
        },
    )
    connection.execute(sql.text("statements/invoices/mark_ready"), {"ready": list(readiness.ready)})
    days = [(zone, day) for zone in spans for day in month_days(order.month, zone)]
    connection.execute(
        sql.text("statements/invoices/zone_days"),
        {
            "zones": [zone for zone, _ in days],
            "days": [day.day for _, day in days],
            "starts": [_naive(day.start) for _, day in days],
            "ends": [_naive(day.end) for _, day in days],
        },
    )


def _fill_currencies(
    store: Store, order: Order, currencies: Sequence[str], settings: InvoiceSettings
) -> None:
    prefix = DRAFT if order.draft else settings.prefix
    digits = [minor_digits(currency) for currency in currencies]
    store.connection.execute(
        sql.text("statements/invoices/currencies"),
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
    rows = store.connection.execute(sql.text("statements/invoices/not_due")).fetchall()
    waiting = []
    for account_id, timezone, is_ready, is_changed, first_held, problem, hint in rows:
        if is_ready and is_changed:
            said = "its domains, plans or method were changed, and no run has rated that yet"
            waiting.append(
                Waiting(account_id=account_id, problem=said, hint="run edgetoll billing rate")
            )
        elif is_ready:
            said = f"hour {first_held:%Y-%m-%dT%HZ} is held: {problem}"
            waiting.append(Waiting(account_id=account_id, problem=said, hint=hint))
        else:
            said, what = readiness.problems[timezone]
            waiting.append(Waiting(account_id=account_id, problem=said, hint=what))
    return tuple(waiting)


def _compute(
    store: Store, order: Order, settings: InvoiceSettings, *, run_id: str, import_no: int
) -> None:
    connection = store.connection
    issued_on = order.at.astimezone(ZoneInfo(settings.timezone)).date()
    head = {
        "month": order.month,
        "issued_at": _naive(order.at.replace(microsecond=0)),
        "due_on": issued_on + timedelta(days=settings.payment_days),
        "seller": seller_text(settings, issued_on + timedelta(days=settings.payment_days)),
        "run_id": run_id,
    }
    steps: list[tuple[str, dict[str, Any]]] = [
        ("numbers", {}),
        ("usage", {"month": order.month}),
        ("tier_parts", {}),
        ("whole_lines", {}),
        ("usage_lines", {}),
        ("exact_lines", {}),
        ("settle_totals", {}),
        ("settle_lines", {}),
        ("out_lines", {}),
        ("detail", {"import_no": import_no}),
        ("evidence", {"import_no": import_no}),
        ("heads", head),
        (
            "content_hashes",
            {
                "heads": "invoice_heads",
                "lines": OUT["invoice_lines"],
                "detail": OUT["invoice_detail"],
            },
        ),
        ("out_heads", {}),
        ("out_transfers", {}),
        ("out_corrections", {}),
    ]
    for name, parameters in steps:
        connection.execute(sql.text(f"statements/invoices/{name}"), parameters)


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


def _naive(moment: datetime) -> datetime:
    """UTC without zone, as the tables have it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
