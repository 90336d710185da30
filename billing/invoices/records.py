"""The nouns of invoicing: an `Invoice` is all that its documents say, and nothing else.

Money is an integer count of 10^-10 currency units. Quantities are whole requests, bytes or bit/s:
never rounded, whatever unit a price is quoted for. What may still change after issue (whether it is
paid, whether it was voided) is deliberately not here: an issued document never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

InvoiceKind = Literal["invoice", "credit_note"]
InvoiceStatus = Literal["draft", "issued", "paid", "void"]
LineKind = Literal["usage", "correction", "credit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller or customer as printed: `lines` is the postal address, one entry per line."""

    name: str
    lines: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""
    account_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """Of a seller `SELLER_DETAILS` of the settings, of a customer those of its account."""

    @property
    def street(self) -> tuple[str, ...]:
        """The address without what is kept apart: postcode and city, country."""
        city, country = self.place, self.details.get("country", "")
        return tuple(one for one in self.lines if not city or one not in (city, country))

    @property
    def place(self) -> str:
        """Postcode and city, where they are kept apart from the address."""
        parts = (self.details.get("postcode", ""), self.details.get("city", ""))
        return " ".join(part for part in parts if part) if parts[1] else ""

    @property
    def printed(self) -> tuple[str, ...]:
        """The whole address, one entry per line: each part once."""
        if not self.place:
            return self.lines
        country = self.details.get("country", "")
        return (*self.street, self.place, *((country,) if country else ()))

    def facts(self) -> dict[str, str]:
        """All that is known of it, by the names of the settings and of an account's keys."""
        said = {"name": self.name, "tax_id": self.tax_id, "email": self.email}
        return {**self.details, **said}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line: an item in a region at one unit price, or the correction of one past hour.

    `quantity` = `free_quantity` + `plan_quantity` + `billable_quantity`; `unit_price` is for
    `unit_quantity` of them (10,000 requests, 1 GB). `amount` is exact; `settled_amount` is rounded
    to the minor unit so that the settled amounts of all lines add up to the invoice's net,
    `leftover` being the part of it that makes them do so.
    """

    line_no: int
    kind: LineKind
    item: str
    region: str
    domain: str | None
    quantity: int
    free_quantity: int
    plan_quantity: int
    billable_quantity: int
    unit: str
    unit_quantity: int
    unit_price: int
    amount: int
    settled_amount: int
    leftover: int
    tax_rate_bp: Decimal
    tax: int
    rate_card: str
    tier: str
    corrects_invoice: str | None = None
    corrects_hour: datetime | None = None
    corrects_until: datetime | None = None
    reason: str = ""
    invoice_no: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRow:
    """The appendix: what one domain used on one local day, by class and region."""

    day: date
    domain: str
    traffic_class: str
    region: str
    requests: int
    bytes_sent: int
    invoice_no: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How complete the usage behind an invoice was proved to be when it was issued."""

    hours: int
    incomplete_hours: int
    certificates: int
    usage_sha256: str
    """Hash over every closed hour's name, state and data hash, in order. Not over certificates:
    they hold times and random epochs; the same usage must give the same invoice, byte for byte."""
    tzdata: str | None = None
    """The time zone rules by which the period was cut out; None on documents of before they were
    kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStanding:
    """How the account stood when a document was issued: what it owed on documents when the one
    before was (below zero: it had more than that), what was paid since, and how much of this
    document was there already.
    """

    balance_before: int
    payments_since: int
    prepaid_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A settlement document with everything printed on it.

    `total` = `subtotal` - `cut` + `tax`; `subtotal` is the exact sum of the lines' amounts, the net
    (`subtotal` - `cut`) and `tax` are whole minor units of `currency`, which has `digits` of them.
    `tax_rate_bp` is None where lines have several rates, `due_on` on a draft, which is due on no
    day. `corrects` names the invoice a credit note reduces, or the void invoice that this one
    replaces.
    """

    invoice_no: str
    kind: InvoiceKind
    account_id: str
    month: str
    currency: str
    digits: int
    issued_at: datetime
    due_on: date | None
    period_start: datetime
    period_end: datetime
    timezone: str
    seller: Party
    customer: Party
    lines: tuple[InvoiceLine, ...]
    subtotal: int
    cut: int
    tax: int
    total: int
    tax_rate_bp: Decimal | None
    evidence: Evidence | None
    notes: tuple[str, ...] = ()
    corrects: str | None = None
    reason: str = ""
    detail: tuple[DetailRow, ...] = ()
    content_sha256: str = ""
    standing: AccountStanding | None = None

    @property
    def draft(self) -> bool:
        """Whether this shows what would be issued, and asks for nothing."""
        return self.due_on is None

    @property
    def language(self) -> str:
        """The language it is written in."""
        return self.customer.details.get("language", "en")

    @property
    def net(self) -> int:
        """The sum to pay before tax: the exact subtotal less the part below the minor unit."""
        return self.subtotal - self.cut

    @property
    def due(self) -> int:
        """What of it is to be paid: the total less what was there already; nothing of a credit."""
        return max(0, self.total - (self.standing.prepaid_used if self.standing else 0))
