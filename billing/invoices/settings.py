"""Section [invoices] of edgetoll.toml: who sells, how numbers begin, when payment is due."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from billing.money import parse_amount
from billing.text_rules import check_email, check_line
from edge.errors import ConfigError, InputError

NO_TAX_ID = "none"
PREFIXES = ("prefix", "credit_note_prefix")
SELLER_DETAILS = (
    "country", "postcode", "city", "contact", "phone", "endpoint", "iban", "bic", "payment_link",
    "registration", "color", "logo", "footer", "epc_qr", "template_pdf", "template_html",
)  # fmt: skip
"""What is kept with a document of the seller where it is set, besides what every one has."""
EXAMPLE_IBAN = "DE02120300000000202051"
"""The one in the comments of the shipped edgetoll.toml: nobody's account."""
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,11}$")]


class Seller(BaseModel):
    """The party that issues the invoices, as printed on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "Example CDN Ltd"
    address: tuple[str, ...] = ("1 Edge Street", "Example City")
    tax_id: str = ""
    email: str = ""
    payment: tuple[str, ...] = ()
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    postcode: str = ""
    city: str = ""
    contact: str = ""
    phone: str = ""
    registration: str = ""
    endpoint: str = Field(default="", pattern=r"^((\d{4}|EM):\S{1,60})?$")
    iban: str = Field(default="", pattern=r"^([A-Z]{2}\d{2}[A-Z0-9 ]{10,42})?$")
    bic: str = Field(default="", pattern=r"^([A-Z0-9]{8}([A-Z0-9]{3})?)?$")
    payment_link: str = Field(default="", pattern=r"^(https://\S+)?$")
    """Where one pays; `{invoice}` in it becomes the invoice's number."""
    logo: str = ""
    """A picture in the home, SVG or PNG."""
    color: str = Field(default="", pattern=r"^(#[0-9a-f]{6})?$")
    """Of lines and numbers on documents."""
    footer: str = ""
    """A line at the foot of each page: register, directors, whatever the law asks for."""
    template_pdf: str = ""
    template_html: str = ""
    """Files in HOME/templates/ for its documents; not said: invoice.typ and invoice.html.j2 there,
    where they are there, else those that come along."""
    epc_qr: bool = False
    """Whether documents in euro have the EPC QR code that banking apps read."""

    @field_validator("name", "tax_id", "postcode", "city", "contact", "phone", "registration",
                     "footer")  # fmt: skip
    @classmethod
    def _is_a_line(cls, text: str) -> str:
        """What is printed on documents and mailed is a visible line each (CASES G12)."""
        return check_line(text.strip())

    @field_validator("address", "payment")
    @classmethod
    def _are_lines(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_line(text.strip()) for text in texts)

    @field_validator("email")
    @classmethod
    def _is_an_address(cls, email: str) -> str:
        return check_email(email.strip())

    @field_validator("iban")
    @classmethod
    def _has_its_check_digits(cls, iban: str) -> str:
        plain = iban.replace(" ", "")
        if plain and int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 != 1:
            raise ValueError("its check digits are not those of its other digits: one is wrong")
        return iban

    @field_validator("payment_link")
    @classmethod
    def _names_what_is_known(cls, link: str) -> str:
        if "{" in link.replace("{invoice}", "") or "}" in link.replace("{invoice}", ""):
            raise ValueError("of names in braces only {invoice} is known")
        return link


class NamedSeller(Seller):
    """A further seller, `[invoices.sellers.ID]`: accounts name it by `seller`. It has number series
    of its own; what it does not say of terms and calendar is as for the first.
    """

    prefix: Prefix
    credit_note_prefix: Prefix
    timezone: str | None = None
    payment_days: int | None = Field(default=None, ge=0, le=365)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str | None) -> str | None:
        return None if name is None else check_zone(name)


def check_zone(name: str) -> str:
    """`name` itself if it is a time zone; else ValueError."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}; write one like UTC") from error
    return name


Required = Literal["address", "email", "tax_id", "country"]


class CloseSettings(BaseModel):
    """How much of a month's close needs a person.

    `policy` `approve`: nothing is issued before somebody approved the checklist; `auto`: accounts
    without a finding are issued, the others are left by name. `requires` says what each account
    must have. A sum that moved by more than `change_percent` of last month's and by more than
    `change_floor`, in whatever currency, is a finding.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: Literal["approve", "auto"] = "approve"
    requires: tuple[Required, ...] = ("address", "email")
    change_percent: int = Field(default=50, ge=0)
    change_floor: str = "100.00"

    @field_validator("change_floor")
    @classmethod
    def _is_money(cls, floor: str) -> str:
        try:
            units = parse_amount(floor)
        except InputError as error:
            raise ValueError(error.message) from error
        if units < 0:
            raise ValueError("a floor is not below zero")
        return floor

    @property
    def floor(self) -> int:
        """`change_floor` in 10^-10 units."""
        return parse_amount(self.change_floor)


class InvoiceSettings(BaseModel):
    """Settings of the invoice run; the defaults run.

    `timezone` decides the calendar day and year of issue, never a billing period: that is the
    account's. `formats` are the documents written per invoice, of json, csv, html and pdf.
    `below_zero` says what becomes of corrections that take away more than the month costs: a credit
    note at once, or the next invoice that they fit on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seller: Seller = Seller()
    sellers: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")],
                  NamedSeller] = {}  # fmt: skip
    """Further sellers, by the id that accounts name them by."""
    language: Literal["en", "de", "fr", "es", "zh", "ja", "ar", "country"] = "en"
    """Of documents whose account names none; `country`: that of its country, else English."""
    prefix: Prefix = "INV"
    credit_note_prefix: Prefix = "CRN"
    timezone: str = "UTC"
    payment_days: int = Field(default=14, ge=0, le=365)
    formats: tuple[str, ...] = ("json", "csv", "html", "pdf")
    below_zero: Literal["credit_note", "carry"] = "credit_note"
    reminder_days: tuple[Annotated[int, Field(ge=1, le=366)], ...] = (3, 14, 28)
    """So many days after an invoice was due, a reminder each."""
    close: CloseSettings = CloseSettings()

    @field_validator("formats")
    @classmethod
    def _known(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        unknown = set(formats) - {"json", "csv", "html", "pdf"}
        if unknown or "json" not in formats:
            raise ValueError("formats are json (always), csv, html and pdf")
        return formats

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        return check_zone(name)


def check_seller(settings: InvoiceSettings, seller_id: str = "") -> None:
    """InputError while a seller is the example that `edgetoll init` ships (CASES G10): what is
    issued is never changed, so a wrong seller would stay on it. `seller_id` blank: the first one.
    """
    seller, example = settings.sellers.get(seller_id, settings.seller), Seller()
    place = f"[invoices.sellers.{seller_id}]" if seller_id else "[invoices.seller]"
    whose = f"seller {seller_id}'s" if seller_id else "the seller's"
    places = {_plain(part) for line in seller.address for part in line.split(",")} - {""}
    wrong = [
        name
        for name, is_example in (
            ("name", _plain(seller.name) in ("", _plain(example.name))),
            ("address", not places or places & {_plain(line) for line in example.address}),
            ("tax_id", _plain(seller.tax_id) == _plain(example.tax_id)),
            ("email", seller.email.casefold().endswith("@example.com")),
            ("iban", seller.iban.replace(" ", "") == EXAMPLE_IBAN),
            ("payment_link", "//pay.example.com/" in seller.payment_link),
        )
        if is_example
    ]
    if wrong:
        raise InputError(
            f"{whose} {', '.join(wrong)} in edgetoll.toml {'are' if len(wrong) > 1 else 'is'}"
            " missing or still the shipped example; an issued invoice is never changed",
            f'set them under {place} (tax_id = "none" if there is none);'
            " --draft shows the invoices before",
        )


def _plain(text: str) -> str:
    """The same text however it is spaced, pointed and written large or small."""
    return " ".join(text.replace(".", " ").split()).casefold()


def check_prefixes(settings: InvoiceSettings) -> None:
    """Invoices and credit notes, and the sellers among each other, must not share a series;
    ConfigError if they would.
    """
    given = [(f"[invoices] {name}", getattr(settings, name)) for name in PREFIXES]
    for seller, one in settings.sellers.items():
        given += [(f"[invoices.sellers.{seller}] {name}", getattr(one, name)) for name in PREFIXES]
    seen: dict[str, str] = {}
    for where, prefix in given:
        if prefix in seen:
            first = seen[prefix]
            if first.startswith("[invoices] ") and where.startswith("[invoices] "):
                raise ConfigError(
                    f"[invoices] prefix and credit_note_prefix are both {prefix}",
                    "give credit notes a prefix of their own, CRN for example",
                )
            raise ConfigError(
                f"{first} and {where} are both {prefix}", "give each series a prefix of its own"
            )
        seen[prefix] = where
