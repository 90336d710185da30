"""Text of a load file: names and addresses are one visible line, an e-mail address is one address.

A name may come from a customer's own form. Control characters drive terminals, bidirectional ones
turn the rest of a line around, and a line break in an address adds a recipient (CASES G12).
"""

from __future__ import annotations

import re

from billing.readable import hidden_in
from edge.domain import canonical_domain

_JOINED = re.compile("(?<=\\S)[\u200c\u200d\ufe0f]+(?=\\S)|(?<=\\S)\ufe0f$")
"""Inside a word these are part of it: Persian writes with them, and emoji are made of them."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def check_line(text: str) -> str:
    """`text` itself; ValueError when it is more than a line of visible characters."""
    hidden = hidden_in(_JOINED.sub("", text))
    if hidden is not None:
        raise ValueError(f"it holds {hidden}")
    return text


def check_email(text: str) -> str:
    """`text` itself, blank or one plain address like `name@example.com`; else ValueError."""
    if not text:
        return text
    local, at, domain = text.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        raise ValueError(f"{text!r} is not one e-mail address, like name@example.com")
    name = canonical_domain(domain)
    if name is None or "." not in name:
        raise ValueError(f"{domain!r} is not a domain that takes mail")
    return text
