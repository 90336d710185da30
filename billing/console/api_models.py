"""What the read API answers and takes. OpenAPI is made of these; a field is renamed never."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer


def _written(value: object) -> object:
    return format(value, "f") if isinstance(value, Decimal) else value


def _in_utc(value: object) -> object:
    """Times of the lake are UTC without a zone; one without an end is not told."""
    if isinstance(value, datetime):
        return None if value.year == 9999 else value.replace(tzinfo=UTC)
    return value


def _rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


Money = Annotated[
    str, BeforeValidator(_written), Field(pattern=r"^-?\d+(\.\d+)?$", examples=["12.3400000000"])
]
"""An exact decimal as text: a number would lose digits in most programs."""
Moment = Annotated[datetime, BeforeValidator(_in_utc), PlainSerializer(_rfc3339, return_type=str)]
OptionalMoment = Annotated[
    datetime | None,
    BeforeValidator(_in_utc),
    PlainSerializer(lambda value: value and _rfc3339(value), return_type=str | None),
]
Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", examples=["acme"])]
Count = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class ApiRow(BaseModel):
    """A row of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiAccount(ApiRow):
    """An account, what it has, and how it stands. `available`: what may still be charged."""

    account_id: str
    name: str
    currency: str
    state: str
    since: OptionalMoment
    reason: str | None
    available: Money
    projected: Money | None
    burn_per_hour: Money | None
    projected_zero_at: OptionalMoment
    unverified: bool
    cash: Money
    vouchers: Money
    charged: Money
    credit_limit: Money
    timezone: str
    price_book: str
    billing_method: str
    country: str | None
    tags: dict[str, str]


class ApiDomain(ApiRow):
    """A domain, or `*.name`, and who owns it from when to when."""

    domain: str
    account_id: str
    effective_from: Moment
    effective_to: OptionalMoment
    tags: dict[str, str]


class ApiUsage(ApiRow):
    """What was served in an hour. Without an account: nobody owned the name."""

    hour: Moment
    account_id: str | None
    domain: str | None
    region: str
    class_: Annotated[Literal["https", "http", "quic"], Field(alias="class")]
    requests: Count
    bytes_sent: Count


class ApiCharge(ApiRow):
    """A charge; a revision above 0 is a difference to those before it."""

    charge_id: str
    account_id: str
    item: str
    region: str
    month: str
    period_start: Moment
    period_end: Moment
    quantity: Count
    free_quantity: Count
    plan_quantity: Count
    billable_quantity: Count
    amount: Money
    currency: str
    revision: int
    reason: str
    rate_card: str


class ApiInvoice(ApiRow):
    """An invoice or credit note: total = subtotal − cut + tax."""

    invoice_no: str
    account_id: str
    month: str
    kind: str
    status: str
    currency: str
    subtotal: Money
    cut: Money
    tax: Money
    total: Money
    open_amount: Money | None
    issued_at: Moment
    due_on: date | None
    corrects: str | None


class ApiInvoiceLine(ApiRow):
    """A line of an invoice; `amount` is exact."""

    line_no: int
    item: str
    region: str
    quantity: Count | None
    free_quantity: Count | None
    plan_quantity: Count | None
    billable_quantity: Count | None
    unit: str | None
    unit_price: Money | None
    amount: Money
    tax: Money | None
    corrects_invoice: str | None
    reason: str | None


class ApiState(ApiRow):
    """A state that an account was in."""

    account_id: str
    version: int
    state: str
    previous: str | None
    since: Moment
    until: OptionalMoment
    reason: str
    overdue_since: OptionalMoment
    decided_by: str | None


class ApiLedger(ApiRow):
    """A transfer of the ledger: one amount, debited here and credited there."""

    transfer_id: str
    account_id: str | None
    code: str
    debit_account: str
    credit_account: str
    amount: Money
    currency: str
    effective_at: Moment
    reference: str | None
    journal_no: int


class ApiPlan(ApiRow):
    """A prepaid plan; quantities are bytes or requests, by its kind."""

    plan_id: str
    account_id: str
    kind: str
    region: str
    starts_at: Moment
    ends_at: Moment
    bought: Count
    used: Count
    left_over: Count
    has_ended: bool


class ApiPrice(ApiRow):
    """A tier of a rate card; without an account it is everybody's of the book."""

    card_id: str
    book: str
    account_id: str | None
    item: str
    region: str
    model: str
    currency: str
    unit: str
    per: Count
    tier_from: Count | None
    tier_to: Count | None
    unit_price: Money | None
    free_quantity: Count | None
    in_force_from: OptionalMoment
    in_force_until: OptionalMoment


class Quote(ApiRow):
    """What a month with that quantity costs, when no plan pays, and by which price book."""

    item: str
    region: str
    quantity: Count
    amount: Money
    book: str


class Document(ApiRow):
    """A file of an invoice as it was issued, and where it is had."""

    format: str
    href: str


class ProblemDetails(BaseModel):
    """RFC 9457: what is wrong, and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    hint: str
    instance: str


class AskedList(BaseModel):
    """What every list takes. `cursor`: `next` of the page before; opaque."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(max_length=400, pattern=r"^[ -~]*$")] = ""


class AskedAccounts(AskedList):
    """Which accounts."""

    account: Id | None = None
    state: Annotated[str, Field(pattern=r"^[a-z_]{1,30}$")] | None = None


class AskedOfAccount(AskedList):
    """Of which account; none: of all that the token sees."""

    account: Id | None = None


class AskedDomains(AskedOfAccount):
    """Which domains."""

    domain: Annotated[str, Field(pattern=r"^[a-z0-9._*-]{1,253}$")] | None = None


class AskedUsage(AskedDomains):
    """Which day (UTC), of whom."""

    day: Annotated[date, Field(examples=["2026-10-31"])]


class AskedCharges(AskedOfAccount):
    """Which month, of whom."""

    month: Month


class AskedInvoices(AskedOfAccount):
    """Which invoices."""

    month: Month | None = None


class AskedPrices(AskedList):
    """In force on which day (UTC), of which book."""

    day: Annotated[date, Field(examples=["2026-10-31"])]
    book: Id | None = None


class AskedQuote(BaseModel):
    """Of what, how much, and by whose prices: an account's or a book's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", examples=["https_requests"])]
    quantity: Annotated[int, Field(ge=0, le=10**15)]
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")] = "all"
    account: Id | None = None
    book: Id | None = None
