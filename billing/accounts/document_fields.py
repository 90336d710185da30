"""What an account's documents say besides name and address: terms of payment, the customer's own
references, and what an e-invoice is addressed by.
"""

from __future__ import annotations

import re

DETAILS = (
    "payment_terms",
    "purchase_order",
    "cost_center",
    "contract",
    "buyer_reference",
    "postcode",
    "city",
    "endpoint",
)
_TERMS = re.compile(r"(end of month \+ )?(0|[1-9]\d{0,2}) days?", re.ASCII)
_ENDPOINT = re.compile(r"(\d{4}|EM):\S{1,60}", re.ASCII)


def check_terms(text: str) -> str:
    """`text` itself if it is blank or terms of payment; else ValueError."""
    if text and not _TERMS.fullmatch(text):
        raise ValueError('write terms as "30 days" or "end of month + 15 days"')
    return text


def check_endpoint(text: str) -> str:
    """`text` itself if it is blank or an electronic address with its scheme; else ValueError."""
    if text and not _ENDPOINT.fullmatch(text):
        raise ValueError('write an electronic address as SCHEME:ID, "9930:DE123456789"')
    return text
