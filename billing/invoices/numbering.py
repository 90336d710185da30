"""Invoice numbers: gapless per series, one series per kind, currency and year of issue (decision
0701).

`INV-USD-2026-000042` is the 42nd invoice in US dollars that the seller issued in 2026. Whether the
month it bills lies in another year does not matter: issue time never decreases as the number grows
(I3).
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from edge.errors import InputError

NUMBER_DIGITS = 6


def series_of(prefix: str, currency: str, issued_at: datetime, timezone: str) -> str:
    """The series a document issued at `issued_at` belongs to, by the year in the seller's
    `timezone`.
    """
    return f"{prefix}-{currency}-{issued_at.astimezone(ZoneInfo(timezone)).year}"


def invoice_no(series: str, number: int) -> str:
    """The number as printed. More than a million a year simply grow wider."""
    if number < 1:
        raise ValueError(f"numbers of series {series} begin at 1, not {number}")
    return f"{series}-{number:0{NUMBER_DIGITS}d}"


def split_no(text: str) -> tuple[str, int]:
    """Series and number of a printed invoice number; InputError when it cannot be one."""
    series, _, digits = text.rpartition("-")
    if not series or not digits.isascii() or not digits.isdigit() or int(digits) < 1:
        raise InputError(f"«{text}» is not an invoice number", "they look like INV-USD-2026-000042")
    return series, int(digits)
