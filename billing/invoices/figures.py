"""How figures are written on documents. Nothing here rounds: what does not fit exactly is an error.

Rounding to the minor unit happened before (sql/statements/invoices/rounding.sql);
this file only turns whole numbers into text.
"""

from __future__ import annotations

from decimal import Decimal

from billing.money import DIGITS, format_amount

GIBIBYTE = 1024**3


def exact(amount: int, currency: str | None = None) -> str:
    """`amount` exactly, with at least the decimals people use for `currency` (two, if none is
    said, as in JSON and CSV): every exact figure on documents.
    """
    return format_amount(amount, currency)


def minor(amount: int, digits: int) -> str:
    """A settled `amount` with the currency's `digits`; ValueError if it is not settled."""
    step = 10 ** (DIGITS - digits)
    sign = "-" if amount < 0 else ""
    units, rest = divmod(abs(amount), step)
    if rest:
        raise ValueError(f"{exact(amount)} is not settled to {digits} decimals")
    if not digits:
        return f"{sign}{units}"
    whole, part = divmod(units, 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"


def grouped(text: str) -> str:
    """Thousands separated by commas, for people: `-1234567.50` -> `-1,234,567.50`."""
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole not in ("-0",) else f"-0{point}{rest}"


def percent(rate_bp: Decimal) -> str:
    """Basis points as a percentage without needless zeros: 1900 -> `19`, 887.5 -> `8.875`."""
    return f"{rate_bp.scaleb(-2):.4f}".rstrip("0").rstrip(".")


def gigabytes(count: int, size: int = GIBIBYTE) -> str:
    """Bytes as GB of `size` bytes with three decimals, cut down: for people beside the exact bytes.

    What is less than a thousandth is told in bytes, since 0.000 would say that there is nothing.
    """
    sign = "-" if count < 0 else ""
    thousandths = abs(count) * 1000 // size
    if count and not thousandths:
        return f"{count:,} byte{'' if abs(count) == 1 else 's'}"
    return f"{sign}{thousandths // 1000:,}.{thousandths % 1000:03d} GB"
