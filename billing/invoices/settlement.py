"""The rounding of documents for one amount: cut to the minor unit, the cut shown (DOMAIN §9.9).

A month's run does the same in SQL over all documents (sql/statements/invoices, settling).
"""

from __future__ import annotations

from billing.money import DIGITS, check_amount, minor_digits


def cut_to_minor(units: int, currency: str) -> tuple[int, int]:
    """(kept, cut): `units` cut toward zero to the minor unit of `currency`; kept + cut == units."""
    check_amount(units)
    step = 10 ** (DIGITS - minor_digits(currency))
    kept = abs(units) // step * step
    kept = -kept if units < 0 else kept
    return kept, units - kept
