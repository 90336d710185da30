"""The monthly act: which accounts are due, their lines, sums, numbers, all set-based in DuckDB.

`prepare` leaves the finished documents in temp tables and changes nothing; `issue` makes them part
by part and commits each as one journal record, numbers included, so that a number without its
invoice cannot exist (FAULTS G12; decision 2340).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

import sql
from billing.accounts.languages import LANGUAGE_OF_COUNTRY
from billing.instants import naive
from billing.invoices.periods import (
    LocalPeriod,
    check_month,
    month_days,
    month_span,
    zone_rules,
)
from billing.invoices.readiness import Readiness, check
from billing.invoices.sellers import fill_sellers, fill_series
from billing.invoices.settings import InvoiceSettings, check_prefixes, check_seller
from billing.invoices.waiting import (
    ANYTHING_PRINTS,
    Printing,
    Waiting,
    check_seller_prints,
    undecided,
    unsaid,
    who_waits,
)
from billing.ledger.transfers import balance
from billing.store.session import TableRef
from billing.store.store import Store
from edge.crash_point import crash_point

DOCUMENTS_AT_ONCE = 122_880
"""So many accounts are issued by one record: the tables of a million do not fit into memory, and
what does not takes longer for each of its rows. It is a row group of DuckDB: rows of less are
written into its log first, and so twice."""
OUT = {
    "invoices": "invoice_out_heads",
    "invoice_lines": "invoice_out_lines",
    "invoice_detail": "invoice_out_detail",
    "invoice_transfers": "invoice_out_transfers",
    "invoice_corrections": "invoice_out_corrections",
}
ORDERS = {
    "invoices": "invoice_no",
    "invoice_lines": "invoice_no, line_no",
    "invoice_detail": "invoice_no, day, domain, class, region",
    "invoice_transfers": "transfer_id",
    "invoice_corrections": "invoice_no, line_no, charge_id",
}
"""What tells the rows of each apart: to order by all columns gives the same file, later."""


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
    """What a run issued. `run_id`, `journal_no`: the first record of it, the others follow it;
    `journal_no` is None when there was nothing to issue.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """What `_find_due` left in its temp table, up to which number, and who has to wait."""

    last_no: int
    waiting: tuple[Waiting, ...]
    readiness: Readiness


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
    due = _find_due(store, order, settings, printing)
    return _make(store, order, settings, due)


def issue(
    store: Store,
    order: Order,
    settings: InvoiceSettings,
    *,
    printing: Printing = ANYTHING_PRINTS,
    at_once: int = DOCUMENTS_AT_ONCE,
) -> Issued:
    """Make the documents of every due account and commit them: numbers, content, tax and cut, by
    one journal record for each `at_once` accounts, in the order of their ids. Killed between two
    records it goes on with the rest when it is run again.

    `printing` and errors: as `prepare` has them.
    """
    due = _find_due(store, order, settings, printing)
    if due.last_no <= at_once:
        parts = [_commit(store, _make(store, order, settings, due))]
    else:
        store.connection.execute(sql.text("statements/invoices/due_and_late/keep_due"))
        parts = []
        for after in range(0, due.last_no, at_once):
            part = {"after": after, "through": after + at_once}
            store.connection.execute(sql.text("statements/invoices/due_and_late/part_of_due"), part)
            parts.append(_commit(store, _make(store, order, settings, due)))
            crash_point("invoice-part-issued")
    first = next((one for one in parts if one.journal_no is not None), parts[0])
    return replace(
        first,
        invoices=sum(one.invoices for one in parts),
        credit_notes=sum(one.credit_notes for one in parts),
    )


def _commit(store: Store, prepared: Prepared) -> Issued:
    """Commit the prepared documents in one journal record."""
    number = None
    if prepared.invoices:
        crash_point("invoice-prepared")
        effects: dict[str, object] = {
            name: TableRef(table, order=ORDERS[name]) for name, table in OUT.items()
        }
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


def _find_due(store: Store, order: Order, settings: InvoiceSettings, printing: Printing) -> _Due:
    """Leave the accounts that are due in their temp table, with what is late and what rates of tax
    they have; who must wait is due no more.
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
    zones = sorted({one.timezone for one in _zones(store, order)})
    spans = {zone: month_span(order.month, zone) for zone in zones}
    readiness = check(connection, store.home, spans=spans, now=order.at)
    _fill_zones(store, order, spans, readiness)
    _fill_series(store, order, settings)
    scope = {"month": order.month, "account": order.account}
    connection.execute(sql.text("statements/invoices/due_and_late/late"), scope)
    _fill_month_ends(store, order.month, zones)
    connection.execute(
        sql.text("statements/invoices/due_and_late/due"),
        {**scope, "reissue": order.reissue, **_languages(settings)},
    )
    waiting = undecided(store, settings, month=order.month, draft=order.draft)
    if not order.draft:
        left = (*unsaid(store, settings), *order.left)
        waiting = (*waiting, *who_waits(store, readiness, printing, left))
    return _Due(
        last_no=store.value("statements/invoices/due_and_late/last_due"),
        waiting=waiting,
        readiness=readiness,
    )


def _zones(store: Store, order: Order) -> list[AccountZone]:
    found = store.connection.execute(
        sql.text("statements/invoices/due_and_late/account_zones"), {"account": order.account}
    )
    return sql.rows(found, AccountZone)


def _fill_series(store: Store, order: Order, settings: InvoiceSettings) -> None:
    """Leave the last number of each series in its temp table."""
    currencies = sorted({one.currency for one in _zones(store, order)})
    fill_series(store.connection, currencies, settings, at=order.at, draft=order.draft)


def _make(store: Store, order: Order, settings: InvoiceSettings, due: _Due) -> Prepared:
    """Make the documents of the accounts that are in the temp table of the due."""
    run_id = f"invoice-{order.month}-{store.journal.last_no + 1}"
    _fill_series(store, order, settings)
    _compute(store, order, settings, run_id=run_id, import_no=due.readiness.import_no)
    made = store.connection.table(OUT["invoices"])
    return Prepared(
        order=order,
        run_id=run_id,
        invoices=made.shape[0],
        credit_notes=made.filter("kind = 'credit_note'").shape[0],
        early=made.filter("period_end > issued_at").shape[0],
        waiting=due.waiting,
        readiness=due.readiness,
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
    connection.execute(sql.temporary("macros/cut_to_units"))
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
    connection.execute(sql.text("statements/invoices/finish/balances"))
    connection.execute(sql.text("statements/invoices/finish/no_out_heads"))
    parts = 1 + (connection.table("invoice_heads").shape[0] - 1) // DOCUMENTS_AT_ONCE
    for part in range(parts):
        connection.execute(
            sql.text("statements/invoices/finish/out_heads"), {"part": part, "parts": parts}
        )
    connection.execute(sql.text("statements/invoices/finish/out_transfers"))
