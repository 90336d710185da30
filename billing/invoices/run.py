"""The monthly act: which accounts are due, their lines, sums, numbers, all set-based in DuckDB.

`prepare` leaves the finished documents in temp tables and changes nothing; `issue` commits them as
one journal record, numbers included, so that a number without its invoice cannot exist (FAULTS
G12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

import sql
from billing.accounts.languages import LANGUAGE_OF_COUNTRY
from billing.instants import naive
from billing.invoices.periods import (
    LocalPeriod,
    check_month,
    last_day,
    month_days,
    month_span,
    zone_rules,
)
from billing.invoices.readiness import Readiness, check
from billing.invoices.sellers import fill_sellers, fill_series, issuers
from billing.invoices.settings import InvoiceSettings, check_prefixes, check_seller
from billing.invoices.waiting import (
    ANYTHING_PRINTS,
    Printing,
    Waiting,
    check_seller_prints,
    unknown_sellers,
    unsaid,
    who_waits,
)
from billing.ledger.transfers import balance
from billing.store.session import TableRef
from billing.store.store import Store
from billing.vat.deciding import decide_rates
from billing.vat.rules import read_tax_table
from edge.crash_point import crash_point

HASHED_AT_ONCE = 50_000
"""The text of so many documents is made at once: that of a million does not fit into memory."""
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
    left: tuple[Waiting, ...] = ()
    """Accounts that a person must see first: they wait, each with what is said here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What `prepare` left in the temp tables named by OUT, and who has to wait."""

    order: Order
    run_id: str
    invoices: int
    credit_notes: int
    early: int
    """How many of the accounts have a month that is not over: drafts only."""
    waiting: tuple[Waiting, ...]
    readiness: Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a run issued; `journal_no` is None when there was nothing to issue."""

    run_id: str
    invoices: int
    """All documents, of which `credit_notes` are for months that were below zero."""
    credit_notes: int
    journal_no: int | None
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountZone:
    """A time zone and a currency that accounts have."""

    timezone: str
    currency: str


def prepare(
    store: Store,
    order: Order,
    settings: InvoiceSettings,
    *,
    printing: Printing = ANYTHING_PRINTS,
) -> Prepared:
    """Compute the month's documents for every due account. Only temp tables are written.

    `printing` knows what the PDF would show as boxes: an account with such letters in its name or
    address, or of a language without its font, has to wait, unless a draft is asked for.
    InputError for a month that is none, an account that does not exist, or a seller who is still
    the shipped example.
    """
    check_month(order.month)
    check_prefixes(settings)
    if not order.draft:
        if not settings.sellers:
            check_seller(settings)
        check_seller_prints(settings, printing.unprintable)
    connection = store.connection
    if order.account is not None:
        balance(connection, order.account)
    found = sql.rows(
        connection.execute(
            sql.text("statements/invoices/due_and_late/account_zones"), {"account": order.account}
        ),
        AccountZone,
    )
    zones = sorted({one.timezone for one in found})
    spans = {zone: month_span(order.month, zone) for zone in zones}
    readiness = check(connection, store.home, spans=spans, now=order.at)
    _fill_zones(store, order, spans, readiness)
    currencies = sorted({one.currency for one in found})
    fill_series(connection, currencies, settings, at=order.at, draft=order.draft)
    scope = {"month": order.month, "account": order.account}
    connection.execute(sql.text("statements/invoices/due_and_late/late"), scope)
    _fill_month_ends(store, order.month, zones)
    connection.execute(
        sql.text("statements/invoices/due_and_late/due"),
        {**scope, "reissue": order.reissue, **_languages(settings)},
    )
    waiting = _undecided(store, order, settings)
    if not order.draft:
        left = (*unsaid(store, settings), *order.left)
        waiting = (*waiting, *who_waits(store, readiness, printing, left))
    run_id = f"invoice-{order.month}-{store.journal.last_no + 1}"
    _compute(store, order, settings, run_id=run_id, import_no=readiness.import_no)
    made = connection.table(OUT["invoices"])
    return Prepared(
        order=order,
        run_id=run_id,
        invoices=made.shape[0],
        credit_notes=made.filter("kind = 'credit_note'").shape[0],
        early=made.filter("period_end > issued_at").shape[0],
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
        credit_notes=prepared.credit_notes,
        journal_no=number,
        waiting=prepared.waiting,
    )


def _fill_zones(
    store: Store, order: Order, spans: dict[str, LocalPeriod], readiness: Readiness
) -> None:
    connection = store.connection
    connection.execute(
        sql.text("statements/invoices/due_and_late/zones"),
        {
            "zones": list(spans),
            "starts": [naive(span.start) for span in spans.values()],
            "ends": [naive(span.end) for span in spans.values()],
            "ready": [zone in readiness.ready for zone in spans],
        },
    )
    days = [(zone, day) for zone in spans for day in month_days(order.month, zone)]
    connection.execute(
        sql.text("statements/invoices/due_and_late/zone_days"),
        {
            "zones": [zone for zone, _ in days],
            "days": [day.day for _, day in days],
            "starts": [naive(day.start) for _, day in days],
            "ends": [naive(day.end) for _, day in days],
        },
    )


def _languages(settings: InvoiceSettings) -> dict[str, object]:
    """What decides the language of documents whose account names none."""
    return {
        "language": settings.language,
        "countries": list(LANGUAGE_OF_COUNTRY),
        "languages": list(LANGUAGE_OF_COUNTRY.values()),
    }


def _undecided(store: Store, order: Order, settings: InvoiceSettings) -> tuple[Waiting, ...]:
    """Whose seller or tax nobody can tell, of drafts too: they are due no more. Beside it the rates
    of all others are left in their table.
    """
    connection = store.connection
    waiting = unknown_sellers(store, settings, draft=order.draft)
    only = [one.account_id for one in waiting]
    drop = sql.text("statements/invoices/due_and_late/drop_undecided")
    connection.execute(drop, {"undecided": only})
    month = {"month": order.month}
    connection.execute(sql.text("statements/invoices/due_and_late/tax_rates"), month)
    table = read_tax_table(store.home)
    if table is None:
        return waiting
    late = connection.execute(sql.text("statements/invoices/due_and_late/late_months")).fetchall()
    found = decide_rates(
        connection,
        table,
        countries={one.seller_id: one.seller.country for one in issuers(settings)},
        last_days={one: last_day(one) for one in {order.month, *(str(row[0]) for row in late)}},
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


def _fill_month_ends(store: Store, month: str, zones: Sequence[str]) -> None:
    """Where each month that a line may be about ends: that decides the rate of its tax."""
    late = store.connection.execute(
        sql.text("statements/invoices/due_and_late/late_months")
    ).fetchall()
    rows = [(zone, one) for zone in zones for one in {month, *(str(row[0]) for row in late)}]
    store.connection.execute(
        sql.text("statements/invoices/due_and_late/month_ends"),
        {
            "zones": [zone for zone, _ in rows],
            "months": [one for _, one in rows],
            "ends": [naive(month_span(one, zone).end) for zone, one in rows],
        },
    )


def _compute(
    store: Store, order: Order, settings: InvoiceSettings, *, run_id: str, import_no: int
) -> None:
    connection = store.connection
    nothing: Mapping[str, object] = {}
    month = {"month": order.month}
    steps: list[tuple[str, Mapping[str, object]]] = [
        ("statements/invoices/usage/usage", month),
        ("statements/invoices/usage/tier_parts", nothing),
        ("statements/invoices/usage/whole_lines", nothing),
        ("statements/invoices/usage/usage_lines", nothing),
        ("statements/invoices/lines/all_lines", month),
        ("statements/invoices/lines/exact_lines", nothing),
        ("statements/invoices/rounding/settle_nets", nothing),
        ("statements/invoices/rounding/settle_lines", nothing),
        ("statements/invoices/rounding/settle_taxes", nothing),
        ("statements/invoices/rounding/settle_line_taxes", nothing),
        ("statements/invoices/rounding/settle_totals", nothing),
        ("statements/invoices/rounding/numbers", nothing),
        ("statements/invoices/finish/out_lines", nothing),
        ("statements/invoices/finish/detail", {"import_no": import_no}),
        ("statements/invoices/finish/evidence", {"import_no": import_no}),
        ("statements/invoices/costs/costs_by_tag", nothing),
        ("statements/invoices/finish/heads", _head(order) | {"run_id": run_id}),
    ]
    if settings.below_zero == "carry":
        steps.insert(1, ("statements/invoices/usage/carry_forward", nothing))
    fill_sellers(connection, settings, at=order.at, draft=order.draft)
    connection.execute(sql.temporary("macros/shared_out"))
    for name, parameters in steps:
        connection.execute(sql.text(name), parameters)
    finish(connection)
    connection.execute(sql.text("statements/invoices/finish/out_corrections"))


def _head(order: Order) -> dict[str, object]:
    """What all heads of a run share. A draft is due on no day."""
    return {
        "month": order.month,
        "issued_at": naive(order.at.replace(microsecond=0)),
        "is_draft": order.draft,
        "tzdata": zone_rules(),
    }


def finish(connection: duckdb.DuckDBPyConnection) -> None:
    """From heads, lines and appendix to what the journal record holds: hashes and transfers too."""
    connection.execute(sql.text("statements/invoices/finish/with_balances"))
    parts = 1 + connection.table("invoice_heads").shape[0] // HASHED_AT_ONCE
    for part in range(parts):
        connection.execute(
            sql.text("statements/invoices/finish/content_hashes"),
            {
                "heads": "invoice_heads",
                "lines": OUT["invoice_lines"],
                "detail": OUT["invoice_detail"],
                "part": part,
                "parts": parts,
            },
        )
    connection.execute(sql.text("statements/invoices/finish/out_heads"))
    connection.execute(sql.text("statements/invoices/finish/out_transfers"))
