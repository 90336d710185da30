"""Section [invoices] of edgetoll.toml: who sells, how numbers begin, when payment is due."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from edge.errors import ConfigError

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,11}$")]


class Seller(BaseModel):
    """The party that issues the invoices, as printed on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "Example CDN Ltd"
    address: tuple[str, ...] = ("1 Edge Street", "Example City")
    tax_id: str = ""
    email: str = ""
    payment: tuple[str, ...] = ()


class InvoiceSettings(BaseModel):
    """Settings of the invoice run; the defaults run.

    `timezone` decides the calendar day and year of issue, never a billing period: that is the
    account's. `formats` are the documents written per invoice, of json, csv, html and pdf.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seller: Seller = Seller()
    prefix: Prefix = "INV"
    credit_note_prefix: Prefix = "CRN"
    timezone: str = "UTC"
    payment_days: int = Field(default=14, ge=0, le=365)
    formats: tuple[str, ...] = ("json", "csv", "html", "pdf")

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
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(name)
        except (OSError, ValueError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone") from error
        return name


def check_prefixes(settings: InvoiceSettings) -> None:
    """Invoices and credit notes must not share a series; ConfigError if they would."""
    if settings.prefix == settings.credit_note_prefix:
        raise ConfigError(
            f"[invoices] prefix and credit_note_prefix are both {settings.prefix}",
            "give credit notes a prefix of their own, CRN for example",
        )
