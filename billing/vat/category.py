"""Which category of VAT a line has, and why one has none: by who sells, who buys, and the rate.

Sources: Directive 2006/112/EC, articles 44 and 196; EN 16931-1, BT-118 to BT-121. What is not known
here is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

# The first two letters of a VAT identification number in the EU; EL is Greece, XI Northern Ireland.
EU_TAX_IDS = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
EU_COUNTRIES = (EU_TAX_IDS - {"EL"}) | {"GR"}
REVERSE_CHARGE = (
    "Reverse charge: the customer accounts for the VAT (Article 196, Directive 2006/112/EC)."
)
Facts = Mapping[str, str]
"""What is known of seller or customer, by the names of the settings and of the account's keys."""
OUTSIDE = (
    "Not subject to VAT: the place of supply is the customer's country, outside the EU"
    " (Article 44, Directive 2006/112/EC)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCategory:
    """A category with its rate in percent; `reason` and its code where there is no tax."""

    code: str
    percent: Decimal
    reason: str = ""
    reason_code: str = ""


def category_of(rate_bp: Decimal, seller: Facts, customer: Facts) -> TaxCategory | None:
    """The category of a rate between these two; None where nobody has said why there is no tax."""
    percent = rate_bp.scaleb(-2)
    if percent:
        return TaxCategory(code="S", percent=percent)
    decided = customer.get("tax_category", "")
    if decided:  # by HOME/tax.toml, when the document was issued
        return TaxCategory(
            code=decided,
            percent=percent,
            reason=customer.get("tax_reason", ""),
            reason_code=customer.get("tax_reason_code", ""),
        )
    said = customer.get("tax_exemption", "")
    if said:
        return TaxCategory(code="E", percent=percent, reason=said)
    seller_in, customer_in = _country(seller), _country(customer)
    if is_reverse_charge(seller, customer):
        return TaxCategory(
            code="AE", percent=percent, reason=REVERSE_CHARGE, reason_code="VATEX-EU-AE"
        )
    if seller_in in EU_COUNTRIES and customer_in and customer_in not in EU_COUNTRIES:
        return TaxCategory(code="O", percent=percent, reason=OUTSIDE, reason_code="VATEX-EU-O")
    return None


def is_reverse_charge(seller: Facts, customer: Facts) -> bool:
    """Whether an untaxed sale is one between businesses of two EU countries, by their tax ids."""
    of_seller = seller.get("tax_id", "").strip()[:2].upper()
    of_customer = customer.get("tax_id", "").strip()[:2].upper()
    return bool(of_seller) and of_seller != of_customer and of_customer in EU_TAX_IDS


def _country(party: Facts) -> str:
    return party.get("country", "").strip().upper()
