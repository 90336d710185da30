"""Text that people and terminals meet: one line, without what could make it look like another.

A name may come from a customer's own form. Control characters drive terminals, bidirectional ones
turn the rest of a line around, and a line break in an address adds a recipient (CASES G12).
"""

from __future__ import annotations

import re
import unicodedata

from edge.domain import canonical_domain

_JOINERS = "\u200c\u200d"
"""Of the invisible characters these two are part of words (Persian, emoji)."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def check_line(text: str) -> str:
    """`text` itself; ValueError when it is more than a line of visible characters."""
    for character in text:
        kind = unicodedata.category(character)
        if kind in ("Cc", "Cs", "Zl", "Zp", "Cn", "Co") or (
            kind == "Cf" and character not in _JOINERS
        ):
            name = unicodedata.name(character, "a control character").lower()
            raise ValueError(f"U+{ord(character):04X} ({name}) may not stand in it")
    if text != text.strip():
        raise ValueError("it begins or ends with a space")
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
