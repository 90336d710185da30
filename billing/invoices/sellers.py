"""Who issues: the first seller, and those that accounts name. Each has its own number series, terms
and calendar, and its text as it is kept with documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

import sql
from billing.instants import stamp
from billing.invoices.numbering import series_of
from billing.invoices.records import InvoiceKind
from billing.invoices.settings import NO_TAX_ID, SELLER_DETAILS, InvoiceSettings, Seller
from billing.money import DIGITS, minor_digits
from edge.errors import InputError

FIRST = ""
"""The id of [invoices.seller]: accounts that name no seller are its customers."""
DRAFT = "DRAFT"
DRAFT_NOTE = "DRAFTNOTE"
DRAFT_WORDS = "Draft: this shows what would be issued. It is no invoice and asks for nothing."
EARLY_WORDS = "The month is not over: this is the usage up to {at} only."


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A seller with what its documents are numbered and dated by."""

    seller_id: str
    seller: Seller
    prefix: str
    credit_note_prefix: str
    timezone: str
    payment_days: int

    def series(self, kind: InvoiceKind, currency: str, at: datetime) -> str:
        """The series of its documents of that kind that are issued at `at`."""
        prefix = self.prefix if kind == "invoice" else self.credit_note_prefix
        return series_of(prefix, currency, at, self.timezone)


def issuers(settings: InvoiceSettings) -> Iterator[Issuer]:
    """Every seller, the first one first."""
    yield Issuer(
        seller_id=FIRST,
        seller=settings.seller,
        prefix=settings.prefix,
        credit_note_prefix=settings.credit_note_prefix,
        timezone=settings.timezone,
        payment_days=settings.payment_days,
    )
    for name, one in settings.sellers.items():
        days = one.payment_days
        yield Issuer(
            seller_id=name,
            seller=one,
            prefix=one.prefix,
            credit_note_prefix=one.credit_note_prefix,
            timezone=one.timezone or settings.timezone,
            payment_days=settings.payment_days if days is None else days,
        )


def issuer_of(settings: InvoiceSettings, seller_id: str) -> Issuer:
    """The seller of that id; InputError if there is none (any more)."""
    for one in issuers(settings):
        if one.seller_id == seller_id:
            return one
    raise InputError(
        f"there is no seller {seller_id!r}", f"set [invoices.sellers.{seller_id}] in edgetoll.toml"
    )


def fill_series(
    connection: duckdb.DuckDBPyConnection,
    currencies: Sequence[str],
    settings: InvoiceSettings,
    *,
    at: datetime,
    draft: bool,
) -> None:
    """Leave each seller's series by currency and kind, with its last number, in a temp table."""
    kinds: tuple[InvoiceKind, ...] = ("invoice", "credit_note")
    drafts = {"invoice": DRAFT, "credit_note": DRAFT_NOTE}
    rows = [
        (one, currency, kind) for one in issuers(settings) for currency in currencies
        for kind in kinds
    ]  # fmt: skip
    digits = [minor_digits(currency) for _, currency, _ in rows]
    connection.execute(
        sql.text("statements/invoices/due_and_late/currencies"),
        {
            "sellers": [one.seller_id for one, _, _ in rows],
            "currencies": [currency for _, currency, _ in rows],
            "kinds": [kind for _, _, kind in rows],
            "series": [
                series_of(drafts[kind], currency, at, one.timezone)
                if draft
                else one.series(kind, currency, at)
                for one, currency, kind in rows
            ],
            "digits": digits,
            "steps": [10 ** (DIGITS - count) for count in digits],
        },
    )


def fill_sellers(
    connection: duckdb.DuckDBPyConnection, settings: InvoiceSettings, *, at: datetime, draft: bool
) -> None:
    """Leave what each seller's documents of a run share in a temp table. A draft names no way to
    pay.
    """
    found = tuple(issuers(settings))
    notes = {one.seller_id: [DRAFT_WORDS] if draft else [*one.seller.payment] for one in found}
    early = [EARLY_WORDS.format(at=stamp(at))] if draft else []
    connection.execute(
        sql.text("statements/invoices/finish/issuing_sellers"),
        {
            "sellers": [one.seller_id for one in found],
            "texts": [seller_text(one.seller, notes[one.seller_id]) for one in found],
            "early_texts": [
                seller_text(one.seller, [*notes[one.seller_id], *early]) for one in found
            ],
            "issued_on": [at.astimezone(ZoneInfo(one.timezone)).date() for one in found],
            "payment_days": [one.payment_days for one in found],
        },
    )


def seller_text(seller: Seller, notes: Sequence[str]) -> str:
    """A seller and the notes below a document as they are printed and kept with it: JSON, so that
    later settings change nothing.
    """
    details = {name: _said(seller, name) for name in SELLER_DETAILS}
    return json.dumps(
        {
            "name": seller.name,
            "address": list(seller.address),
            "tax_id": "" if seller.tax_id.strip() == NO_TAX_ID else seller.tax_id,
            "email": seller.email,
            "notes": list(notes),
            **{name: text for name, text in details.items() if text},
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def _said(seller: Seller, name: str) -> str:
    value = getattr(seller, name)
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value).strip()
