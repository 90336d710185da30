"""Money: a whole number of 10^-10 currency units, and its text.

An amount is an `int` in Python, HUGEINT in SQL and DECIMAL(38,10) in Parquet and views. Nothing
here or near it is a float: 0.1 has no exact binary form, and 9007199254740993 is not a double
(FAULTS G25). No amount is made here by rounding: rating rounds to 10^-10 units where it prices
(sql/macros), and documents to the minor unit where they are settled (billing.invoices.settlement).
"""

from __future__ import annotations

import re

from edge.errors import InputError

DIGITS = 10
SCALE = 10**DIGITS
# FAULTS L6: one entry stays below 2^96, so that any sum of 2^24 of them stays below 2^120 in
# HUGEINT.
AMOUNT_MAX = 2**96 - 1

# ISO 4217 minor units that are not 2; every other currency code has 2 digits.
_OTHER_MINOR_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip

# The currencies of ISO 4217 in which something can be paid (list one of 2026); not metals, special
# drawing rights, bond units, nor the codes for tests and for none.
CURRENCIES = frozenset((
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK", "DJF",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
    "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR",
    "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT",
    "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP",
    "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR",
    "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB",
    "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN",
    "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAF",
    "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
))  # fmt: skip

_AMOUNT = re.compile(r"([+-]?)(\d{1,18})(?:\.(\d{1,10}))?", re.ASCII)


def parse_amount(text: str) -> int:
    """The amount written as a decimal string, `"12.34"` -> 123400000000.

    Raises InputError for anything else: an exponent, a thousands mark, more than 10 decimals (they
    would have to be cut), a float (its decimal form is not what somebody wrote).
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(
            f"{text!r} is not an amount",
            "write it as a decimal string with at most 10 decimals: 12.34",
        )
    sign, whole, fraction = match.groups()
    units: int = int(whole) * SCALE + int((fraction or "").ljust(DIGITS, "0"))
    return -units if sign == "-" else units


def format_amount(units: int, currency: str | None = None) -> str:
    """The amount as a decimal string, exact, with at least the decimals people use for `currency`.

    123400000000 -> `"12.34"` in USD or in no currency, `"12.340"` in KWD; 957 yen are `"957"`.
    """
    check_amount(units)
    whole, fraction = divmod(abs(units), SCALE)
    least = 2 if currency is None else minor_digits(currency)
    digits = f"{fraction:0{DIGITS}d}".rstrip("0").ljust(least, "0")
    return f"{'-' if units < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def check_amount(units: int) -> int:
    """`units` itself if it may stand in the ledger (FAULTS L6, G25); TypeError or OverflowError if
    not.
    """
    if type(units) is not int:
        raise TypeError(f"money is an int of 10^-10 units, not {type(units).__name__}")
    if abs(units) > AMOUNT_MAX:
        raise OverflowError(f"amount {units} is beyond 2^96")
    return units


def check_currency(code: str) -> str:
    """`code` itself if it is a currency of ISO 4217; else InputError."""
    if not isinstance(code, str) or code not in CURRENCIES:
        raise InputError(f"{code!r} is not a currency", "use an ISO 4217 code: USD, CNY, EUR")
    return code


def minor_digits(currency: str) -> int:
    """The number of decimals people use for `currency` on documents (ISO 4217)."""
    return _OTHER_MINOR_DIGITS.get(currency, 2)


def floor_to_minor(units: int, currency: str) -> int:
    """`units` in whole minor units of `currency`, never more than there is: -2.001 -> -2.01.

    Only for telling people their balance, never for an amount that is posted: who pays what is
    missing of this is surely not in debt.
    """
    step: int = 10 ** (DIGITS - minor_digits(currency))
    return check_amount(units) // step * step


def nearest_minor(units: int, currency: str) -> int:
    """`units` in whole minor units of `currency`, halves away from zero: 1.005 USD -> 1.01.

    Only for a page that has the exact amount beside it, never for an amount that is posted or sent.
    """
    step: int = 10 ** (DIGITS - minor_digits(currency))
    whole = (abs(check_amount(units)) * 2 + step) // (step * 2) * step
    return -whole if units < 0 else whole
