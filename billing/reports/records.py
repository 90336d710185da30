"""The nouns of explain, diff and statement: rows of their statements, by column name.

Money is a whole number of 10^-10 currency units; documents for programs write it as a decimal
string.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedLine:
    """An invoice line with what its head says of account, month and record."""

    account_id: str
    month: str
    currency: str
    document_kind: str
    journal_no: int
    price_book: str
    kind: str
    item: str
    region: str
    rate_card: str
    tier: str
    quantity: int
    free_quantity: int
    plan_quantity: int
    billable_quantity: int
    unit: str
    unit_quantity: int
    unit_price: int
    amount: int
    settled_amount: int
    corrects_invoice: str | None
    corrects_hour: datetime | None
    reason: str
    corrects_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedAgreement:
    """The credit, the commitment or the sold plan that a line is of, as it is stored by now."""

    kind: str
    agreement_id: str
    amount: int
    items: str
    regions: str
    priority: int
    settles: str
    starts_at: datetime
    ends_at: datetime | None
    used: int
    """What a credit has paid, what was missing to a commitment (money), what a plan has paid."""
    charged: int
    """Of a commitment: what counted towards it in the line's month, before credit."""
    was_missing: int
    """And what was missing to it then: both are what it asks for in that month, if it is not 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePart:
    """One of the lines on which the charges behind a line stand: a tier, or the fixed part."""

    line_no: int
    tier: str
    billable_quantity: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedPeriod:
    """A period behind a line, all its revisions together; `month_place` counts up to its end."""

    period_start: datetime
    period_end: datetime
    quantity: int
    free_quantity: int
    plan_quantity: int
    billable_quantity: int
    amount: int
    last_revision: int
    reasons: str
    runs: str
    month_place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPeriod:
    """A period, its place in the month's cumulative quantity, and how much of it is on the line."""

    charged: ChargedPeriod
    month_from: int
    month_to: int
    in_this_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTier:
    """One tier of a rate card, with what the card itself says."""

    model: str
    unit: str
    per: int
    unit_quantity: int
    effective_from: datetime
    effective_until: datetime | None
    card_fee: int
    minimum: int | None
    maximum: int | None
    discount_millionths: int
    tier_no: int
    lower: int
    upper: int | None
    unit_price: int
    flat_fee: int
    free_quantity: int
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainUse:
    """What a domain used in the periods behind a line."""

    domain: str
    traffic_class: str
    region: str
    requests: int
    bytes_sent: int
    hours: int


class ExplainedRange(TypedDict):
    """The batches of one epoch that a certificate names."""

    epoch: int
    first_sequence: int
    last_sequence: int
    events: int


class CertifiedEdge(TypedDict):
    """What a certificate says of one edge."""

    edge_id: str
    region: str
    epochs: list[ExplainedRange]


class CertificateText(TypedDict):
    """A certificate as metering wrote it, as far as an explanation shows it."""

    data_sha256: str
    edges: list[CertifiedEdge]
    missing_edges: list[str]
    waivers: list[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTaken:
    """A certificate as billing took it in; `certificate` is its text."""

    hour: datetime
    partition: str
    revision: int
    state: str
    certificate_sha256: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRange:
    """Of one edge and epoch the range of batches that certificates name, over `hours` of them."""

    edge_id: str
    region: str
    epoch: int
    first_sequence: int
    last_sequence: int
    events: int
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where an invoice line comes from. `hours` are those asked for, `sums` those of all.
    `usage_since`: usage of before is kept no more, and some of the periods are of before.
    """

    invoice_no: str
    line_no: int
    line: ExplainedLine
    agreement: ExplainedAgreement | None
    card: tuple[CardTier, ...]
    lines: tuple[LinePart, ...]
    periods: tuple[PlacedPeriod, ...]
    chosen: tuple[PlacedPeriod, ...]
    domains: tuple[DomainUse, ...]
    certificates: tuple[CertificateTaken, ...]
    edges: tuple[EdgeRange, ...]
    usage_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeChange:
    """Charges posted between two runs, by cause."""

    account_id: str
    month: str
    item: str
    region: str
    reason: str
    rate_card: str
    currency: str
    hours: int
    revisions: int
    quantity: int
    billable_quantity: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIssued:
    """A document issued between two runs."""

    invoice_no: str
    kind: str
    account_id: str
    month: str
    currency: str
    total: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What the books say after one run that they did not say after another."""

    from_run: str
    to_run: str
    changes: tuple[ChargeChange, ...]
    documents: tuple[DocumentIssued, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHead:
    """Name, currency and time zone of an account, and what decides its language and seller."""

    name: str
    currency: str
    timezone: str
    language: str
    seller_id: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """What moved on a day; what the customer pays is negative."""

    day: date
    what: str
    reference: str
    amount: int
