"""A statement of account as a person reads it: one page model, as PDF and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

from billing.invoices.documents.pdf_document import compiled
from billing.invoices.figures import exact, grouped
from billing.invoices.payments import InvoiceStanding
from billing.invoices.settings import Seller
from billing.invoices.wording.names import item_name
from billing.invoices.wording.texts import said
from billing.reports.statement import Move, Statement

if TYPE_CHECKING:
    from jinja2 import Template

CHARGE = "charge "


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One line as printed."""

    day: str
    what: str
    reference: str
    amount: str
    balance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """An invoice that is open, as printed."""

    number: str
    month: str
    due: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """All that a person reads on a statement, as finished texts."""

    title: str
    seller: tuple[str, ...]
    name: str
    account_id: str
    currency: str
    first_day: str
    last_day: str
    opening_label: str
    opening: str
    closing_label: str
    closing: str
    rows: tuple[StatementRow, ...]
    open_label: str
    open_rows: tuple[OpenRow, ...]
    note: str


def page(found: Statement, invoices: Sequence[InvoiceStanding], seller: Seller) -> StatementPage:
    """The statement as texts in the order in which they are printed."""
    zone = ZoneInfo(found.timezone)
    last = (found.end - timedelta(seconds=1)).astimezone(zone)
    return StatementPage(
        title=said("statement"),
        seller=(seller.name, *seller.address),
        name=found.name,
        account_id=found.account_id,
        currency=found.currency,
        first_day=f"{found.start.astimezone(zone):%-d %B %Y}",
        last_day=f"{last:%-d %B %Y}",
        opening_label=said("opening_balance"),
        opening=_money(found.opening, found),
        closing_label=said("closing_balance"),
        closing=_money(found.closing, found),
        rows=tuple(_row(move, found) for move in found.moves),
        open_label=said("open_invoices"),
        open_rows=tuple(
            OpenRow(
                number=one.invoice_no,
                month=one.month,
                due=f"{one.due_on:%-d %B %Y}",
                amount=_money(one.still_open, found),
            )
            for one in invoices
            if one.still_open
        ),
        note=said("statement_note", timezone=found.timezone),
    )


def to_pdf(shown: StatementPage, *, fonts: Path | None, at: datetime) -> bytes:
    """The page as PDF."""
    return compiled(("billing.reports", "statement.typ"), orjson.dumps(shown), fonts=fonts, at=at)


def to_html(shown: StatementPage) -> bytes:
    """The page as one HTML file."""
    return (_template().render(page=shown) + "\n").encode("utf-8")


def _row(move: Move, found: Statement) -> StatementRow:
    if move.what.startswith(CHARGE):
        what = item_name(move.what.removeprefix(CHARGE))
    else:
        what = said(f"move_{move.what}", document=move.reference.partition(":")[2])
    return StatementRow(
        day=f"{move.day:%-d %b %Y}",
        what=what,
        reference="" if ":" in move.reference else move.reference,
        amount=_money(move.amount, found),
        balance=_money(move.balance, found),
    )


def _money(amount: int, found: Statement) -> str:
    return grouped(exact(amount, found.currency))


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("billing.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("statement.html.j2")
