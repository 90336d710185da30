"""The profiles of EN 16931 that documents are written in, and what each needs to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from billing.vat.category import Facts, category_of
from edge.errors import InputError

Syntax = Literal["ubl", "cii"]
HINT = "the keys stand in docs/invoices.md, section E-invoices"
MOST_DIGITS = 2
"""More decimals in an amount are fatal in the standard (BR-DEC-*)."""
MAIL_SCHEME = "EM:"
"""An electronic address that is a mailbox: not on the network of Peppol."""
CORE = "urn:cen.eu:en16931:2017"
PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile: its syntax, its identifiers (BT-24, BT-23), and the keys that seller and account
    must have.
    """

    name: str
    syntax: Syntax
    customization: str
    process: str
    seller: tuple[str, ...]
    customer: tuple[str, ...]


_EN_SELLER = ("name", "country", "tax_id")
_EN_CUSTOMER = ("name", "country")
_DE_SELLER = (*_EN_SELLER, "city", "postcode", "contact", "phone", "email", "iban")
_DE_CUSTOMER = (*_EN_CUSTOMER, "city", "postcode", "buyer_reference", "email")
FACTUR_X = "factur-x"
"""The CII inside the PDF itself, not beside it."""
XRECHNUNG = f"{CORE}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PROFILES = {
    one.name: one
    for one in (
        Profile(
            name="ubl",
            syntax="ubl",
            customization=CORE,
            process="",
            seller=_EN_SELLER,
            customer=_EN_CUSTOMER,
        ),
        Profile(
            name="cii",
            syntax="cii",
            customization=CORE,
            process="",
            seller=_EN_SELLER,
            customer=_EN_CUSTOMER,
        ),
        Profile(
            name=FACTUR_X,
            syntax="cii",
            customization=CORE,
            process="",
            seller=_EN_SELLER,
            customer=_EN_CUSTOMER,
        ),
        Profile(
            name="peppol",
            syntax="ubl",
            customization=f"{CORE}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
            process=PEPPOL_PROCESS,
            seller=(*_EN_SELLER, "endpoint"),
            customer=(*_EN_CUSTOMER, "endpoint", "buyer_reference"),
        ),
        Profile(
            name="xrechnung",
            syntax="ubl",
            customization=XRECHNUNG,
            process=PEPPOL_PROCESS,
            seller=_DE_SELLER,
            customer=_DE_CUSTOMER,
        ),
        Profile(
            name="xrechnung-cii",
            syntax="cii",
            customization=XRECHNUNG,
            process=PEPPOL_PROCESS,
            seller=_DE_SELLER,
            customer=_DE_CUSTOMER,
        ),
    )
}


def profile_of(name: str) -> Profile:
    """The profile of that name; InputError names those there are."""
    try:
        return PROFILES[name]
    except KeyError:
        raise InputError(
            f"there is no profile {name!r} of e-invoices", f"one of {', '.join(PROFILES)}"
        ) from None


def refusal(
    seller: Facts, customer: Facts, digits: int, rates: Sequence[Decimal], profile: Profile
) -> str | None:
    """What keeps a document between these two from being an e-invoice; None: nothing does."""
    if digits > MOST_DIGITS:
        return "the standard has two decimals at most, and the currency has more"
    lacks = [f"the seller's `{one}`" for one in profile.seller if not _has(seller, one, profile)]
    lacks += [
        f"the account's `{one}`" for one in profile.customer if not _has(customer, one, profile)
    ]
    if lacks:
        return f"{', '.join(lacks)} {'is' if len(lacks) == 1 else 'are'} missing"
    categories = [category_of(rate, seller, customer) for rate in rates]
    if None in categories:
        return "nobody has said why there is no tax (`tax_exemption` of the account)"
    if len(categories) > 1 and any(one is not None and one.code == "O" for one in categories):
        return "what is not subject to VAT does not stand beside what is"
    return None


def _has(party: Facts, what: str, profile: Profile) -> bool:
    said = party.get(what, "").strip()
    if what == "endpoint" and profile.name == "peppol" and said.startswith(MAIL_SCHEME):
        return False
    return bool(said)
