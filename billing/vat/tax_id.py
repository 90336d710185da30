"""Whether a tax id can be a VAT number at all: its form and check digits, by python-stdnum."""

from __future__ import annotations

from stdnum import get_cc_module
from stdnum.exceptions import (
    InvalidChecksum,
    InvalidComponent,
    InvalidFormat,
    InvalidLength,
    ValidationError,
)

from billing.vat.category import EU_TAX_IDS

_WHY = (
    (InvalidLength, "has the wrong length"),
    (InvalidChecksum, "has a wrong check digit"),
    (InvalidComponent, "has a part that cannot be"),
    (InvalidFormat, "has not the right form"),
)


def why_wrong(tax_id: str, country: str) -> str | None:
    """Why `tax_id` is no VAT number of the EU country it begins with, else of `country`; None: it
    may be one, or nobody knows that country's form. Whether it was ever given is not asked.
    """
    text = tax_id.strip()
    prefix = text[:2].upper()
    owner = prefix if prefix in EU_TAX_IDS else country.strip().upper()
    rules = get_cc_module(owner.lower(), "vat") if len(owner) == 2 else None
    if not text or rules is None:
        return None
    try:
        rules.validate(text)
    except ValidationError as error:
        found = next((why for kind, why in _WHY if isinstance(error, kind)), "is not valid")
        return f"{text} {found} for {owner}"
    return None
