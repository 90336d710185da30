"""A statement of account as a person reads it: one page model, as PDF and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

from billing.accounts.languages import language_of
from billing.invoices.documents.pdf_document import compiled
from billing.invoices.figures import exact, grouped
from billing.invoices.payments import InvoiceStanding
from billing.invoices.settings import InvoiceSettings, Seller
from billing.invoices.wording.names import item_name
from billing.invoices.wording.writing import Writing
from billing.reports.statement import Move, Statement

if TYPE_CHECKING:
    from jinja2 import Template

CHARGE = "charge "
WORDS = (
    "day", "movement", "reference", "amount", "balance", "account", "page_before", "page_between",
    "page_after",
)  # fmt: skip
"""What the templates say of themselves, by its key in the catalogue."""


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
    language: str
    is_right_to_left: bool
    words: Mapping[str, str]
    color: str
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

    @property
    def printed(self) -> str:
        """What fonts must have: what people wrote, and a sentence in the language."""
        return "".join((self.name, self.note, *self.seller))


def page(
    found: Statement, invoices: Sequence[InvoiceStanding], settings: InvoiceSettings
) -> StatementPage:
    """The statement as texts in the order in which they are printed, in the account's language and
    of its seller.
    """
    language = language_of(found.language, found.country, settings.language)
    writing = Writing(language=language)
    seller: Seller = settings.sellers.get(found.seller_id, settings.seller)
    zone = ZoneInfo(found.timezone)
    last = (found.end - timedelta(seconds=1)).astimezone(zone)

    def money(amount: int) -> str:
        return writing.number(grouped(exact(amount, found.currency)))

    return StatementPage(
        title=writing.said("statement"),
        language=language,
        is_right_to_left=writing.is_right_to_left,
        words={key: writing.said(key) for key in WORDS},
        color=seller.color or "#0b5cad",
        seller=(seller.name, *seller.address),
        name=found.name,
        account_id=found.account_id,
        currency=found.currency,
        first_day=writing.day(found.start.astimezone(zone).date()),
        last_day=writing.day(last.date()),
        opening_label=writing.said("opening_balance"),
        opening=money(found.opening),
        closing_label=writing.said("closing_balance"),
        closing=money(found.closing),
        rows=tuple(_row(move, money, writing) for move in found.moves),
        open_label=writing.said("open_invoices"),
        open_rows=tuple(
            OpenRow(
                number=one.invoice_no,
                month=one.month,
                due=writing.day(one.due_on),
                amount=money(one.still_open),
            )
            for one in invoices
            if one.still_open
        ),
        note=writing.said("statement_note", timezone=found.timezone),
    )


def to_pdf(shown: StatementPage, *, fonts: Path | None, at: datetime) -> bytes:
    """The page as PDF."""
    return compiled(("billing.reports", "statement.typ"), orjson.dumps(shown), fonts=fonts, at=at)


def to_html(shown: StatementPage) -> bytes:
    """The page as one HTML file."""
    return (_template().render(page=shown) + "\n").encode("utf-8")


def _row(move: Move, money: Callable[[int], str], writing: Writing) -> StatementRow:
    if move.what.startswith(CHARGE):
        what = item_name(move.what.removeprefix(CHARGE), writing.language)
    else:
        what = writing.said(f"move_{move.what}", document=move.reference.partition(":")[2])
    return StatementRow(
        day=writing.day(move.day, short=True),
        what=what,
        reference="" if ":" in move.reference else move.reference,
        amount=money(move.amount),
        balance=money(move.balance),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("billing.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("statement.html.j2")
