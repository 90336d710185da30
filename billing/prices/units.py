"""Units of quantity: what each item is counted in, and how a price book may write an amount of it.

Base quantities are whole numbers: requests, bytes, and for bandwidth the bytes of one 5-minute
sample (1 Mbit/s for 300 s is 37,500,000 bytes), so that no count is ever rounded (DOMAIN §10.4).
"""

from __future__ import annotations

import re
from fractions import Fraction

from edge.errors import ConfigError

REQUEST_ITEMS = ("https_requests", "quic_requests", "http_requests")
BANDWIDTH_ITEMS = ("peak_bandwidth", "percentile95_bandwidth")
ITEMS = (*REQUEST_ITEMS, "data_transfer", *BANDWIDTH_ITEMS)
# An account buys its traffic in one of these ways at a time (DOMAIN §1.1).
BASIC_ITEMS = ("data_transfer", *BANDWIDTH_ITEMS)

HOME_REGION = "CN"
OVERSEAS = "OverSeas"
EVERYWHERE = "all"

SAMPLE_SECONDS = 300
_MBPS = 10**6 * SAMPLE_SECONDS // 8

_PREFIXES = ("K", "M", "G", "T", "P")
# DOMAIN §1.5: a GB is 1024^3 bytes at Alibaba and Huawei, 1000^3 at Tencent; bandwidth is decimal.
_FAMILIES: dict[str, dict[str, int]] = {
    "bytes1024": {"B": 1} | {f"{p}B": 1024 ** (n + 1) for n, p in enumerate(_PREFIXES)},
    "bytes1000": {"B": 1} | {f"{p}B": 1000 ** (n + 1) for n, p in enumerate(_PREFIXES)},
    "bandwidth": {"Mbps": _MBPS, "Gbps": 1000 * _MBPS, "Tbps": 1_000_000 * _MBPS},
    "requests": {"request": 1, "": 1},
}
_UNITS = {
    "request": ("requests", 1),
    "GB": ("bytes1024", 1024**3),
    "TB": ("bytes1024", 1024**4),
    "GB1000": ("bytes1000", 1000**3),
    "TB1000": ("bytes1000", 1000**4),
    "Mbps": ("bandwidth", _MBPS),
    "Gbps": ("bandwidth", 1000 * _MBPS),
}
_QUANTITY = re.compile(r"(\d{1,18})(?:\.(\d{1,9}))?\s*([A-Za-z]*)", re.ASCII)


def unit_size(item: str, unit: str) -> int:
    """How many base quantities one `unit` is; ConfigError when the item is not counted in it."""
    if unit not in _UNITS:
        raise ConfigError(f"unit {unit!r} is unknown", f"use one of {', '.join(_UNITS)}")
    family, size = _UNITS[unit]
    if family not in _families_of(item):
        fitting = [name for name, (kind, _) in _UNITS.items() if kind in _families_of(item)]
        raise ConfigError(f"{item} is not counted in {unit}", f"its units are {', '.join(fitting)}")
    return size


def parse_quantity(text: str | int, unit: str) -> int:
    """`text` in base quantities: 5000000, "50 TB" (1024 or 1000 by the card's unit), "400 Mbps".

    A number without a suffix counts requests, and nothing else: bytes must say what they are.
    """
    family = _UNITS[unit][0]
    match = _QUANTITY.fullmatch(str(text).replace("_", "").replace(",", "").strip())
    sizes = _FAMILIES[family]
    if match is None or match[3] not in sizes:
        raise ConfigError(
            f"{text!r} is not a quantity for unit {unit}",
            "write a whole number of requests"
            if family == "requests"
            else f"write a number and one of {', '.join(sizes)}",
        )
    exact = Fraction(f"{match[1]}.{match[2] or 0}") * sizes[match[3]]
    if exact.denominator != 1:
        raise ConfigError(
            f"{text!r} is not a whole number of "
            + {"requests": "requests", "bandwidth": "bytes in 5 minutes"}.get(family, "bytes"),
            "write one that is",
        )
    return exact.numerator


def base_unit(item: str) -> str:
    """The name of the base quantity of `item`, as reports show it."""
    if item in REQUEST_ITEMS:
        return "request"
    return "byte" if item == "data_transfer" else "byte per 5 minutes"


def _families_of(item: str) -> tuple[str, ...]:
    if item in REQUEST_ITEMS:
        return ("requests",)
    return ("bytes1024", "bytes1000") if item == "data_transfer" else ("bandwidth",)
