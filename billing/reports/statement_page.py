"""A statement of account as a person reads it: one page model, as PDF and as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
class FigureColumn:
    """Exact figures of one column, point below point."""

    currency: str
    writing: Writing
    decimals: int
    """The most that a figure of it has."""

    @classmethod
    def of(cls, amounts: Sequence[int], currency: str, writing: Writing) -> FigureColumn:
        """The column that these amounts make."""
        most = max((_decimals(one, currency) for one in amounts), default=0)
        return cls(currency=currency, writing=writing, decimals=most)

    def seen(self, amount: int) -> str:
        """The figure."""
        return self.writing.number(grouped(exact(amount, self.currency)))

    def unseen(self, amount: int) -> str:
        """What it lacks of the column's decimals, the point too where it has none."""
        decimals = _decimals(amount, self.currency)
        point = self.writing.number("0.0")[1:-1] if self.decimals and not decimals else ""
        return f"{point}{'0' * (self.decimals - decimals)}"


def _decimals(amount: int, currency: str) -> int:
    return len(exact(amount, currency).partition(".")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One line as printed."""

    day: str
    what: str
    reference: str
    amount: str
    amount_rest: str
    """What the figure lacks of the column's decimals: takes its place and is not seen."""
    balance: str
    balance_rest: str


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
    opening_day: str
    opening_label: str
    opening: str
    opening_rest: str
    closing_day: str
    closing_label: str
    closing: str
    closing_rest: str
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

    balances = FigureColumn.of(
        [found.opening, *(move.balance for move in found.moves)], found.currency, writing
    )
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
        opening_day=writing.day(found.start.astimezone(zone).date(), short=True),
        opening_label=writing.said("opening_balance"),
        opening=balances.seen(found.opening),
        opening_rest=balances.unseen(found.opening),
        closing_day=writing.day(last.date(), short=True),
        closing_label=writing.said("closing_balance"),
        closing=balances.seen(found.closing),
        closing_rest=balances.unseen(found.closing),
        rows=_rows(found, balances, writing),
        open_label=writing.said("open_invoices"),
        open_rows=tuple(
            OpenRow(
                number=one.invoice_no,
                month=one.month,
                due=writing.day(one.due_on),
                amount=balances.seen(one.still_open),
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


def _rows(found: Statement, balances: FigureColumn, writing: Writing) -> tuple[StatementRow, ...]:
    amounts = FigureColumn.of([move.amount for move in found.moves], found.currency, writing)
    return tuple(
        StatementRow(
            day=writing.day(move.day, short=True),
            what=_what(move, writing),
            reference="" if ":" in move.reference else move.reference,
            amount=amounts.seen(move.amount),
            amount_rest=amounts.unseen(move.amount),
            balance=balances.seen(move.balance),
            balance_rest=balances.unseen(move.balance),
        )
        for move in found.moves
    )


def _what(move: Move, writing: Writing) -> str:
    if move.what.startswith(CHARGE):
        return item_name(move.what.removeprefix(CHARGE), writing.language)
    return writing.said(f"move_{move.what}", document=move.reference.partition(":")[2])


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("billing.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("statement.html.j2")
