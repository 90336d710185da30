"""Domain names as they are counted: one canonical A-label per name, or none.

`canonical_domain` is total (every text and every byte string has an answer) and idempotent. Limits
come before parsing: what is longer than a name with a final dot and a port is refused unread
(FAULTS D1), since IDNA processing of long names has been a denial of service twice. What is no DNS
name (an address, a zero-width letter, a mix of scripts imitating another name) is unattributable:
counted, and billed to nobody (FAULTS D2 to D5). Underscores are allowed, since web servers serve
such names and wildcard certificates cover them; a TLS certificate has a rule of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import idna

from edge.event import DOMAIN_BYTES_MAX

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

UNATTRIBUTED: Final = ""
"""What stands for "no canonical name" in a batch's dictionary of domains."""

RAW_BYTES_MAX: Final = DOMAIN_BYTES_MAX + len(".:65535")
"""The longest text that can hold a name: 253 bytes, a final dot and a port."""

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_PORT: Final = re.compile(r":[0-9]{0,5}\Z")
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
_A_LABEL_PREFIX: Final = "xn--"
_JOINERS: Final = "\u200c\u200d"
"""Invisible letters that some scripts and emoji are written with."""
_IMITATED: Final = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


def canonical_domain(raw: str | bytes) -> str | None:
    """The canonical A-label name in `raw`, lower case, without port and final dot; None if none.

    Never raises, whatever `raw` holds; `canonical_domain(canonical_domain(x))` changes nothing.
    """
    return None if len(raw) > RAW_BYTES_MAX else _canonical(raw)


@lru_cache(maxsize=1 << 14)
def _canonical(raw: str | bytes) -> str | None:
    """The same, for a `raw` that is short enough; what it said of the last names is remembered."""
    if isinstance(raw, bytes):
        try:
            raw = raw.decode("utf-8")
        except UnicodeDecodeError:
            return None
    name = _PORT.sub("", raw.strip(" \t").lower() if raw.isascii() else raw.strip(" \t"))
    if not name.isascii():
        return _international(name)
    name = name.removesuffix(".")
    if not _is_host(name):
        return None
    if _A_LABEL_PREFIX in name and not all(map(_may_stand, name.split("."))):
        return None
    return name


def is_registry_suffix(name: str) -> bool:
    """True for `com`, `co.uk` and any top-level name: a registry sells names below it, to anybody.

    By the list of publicsuffixlist, pinned as it is; a name that a company lets others register
    below, as github.io, is that company's own.
    """
    return _suffixes().publicsuffix(name) == name


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True)


def host_too_long(raw: str | bytes) -> bool:
    """True when `raw` is refused for its length alone (reject reason `host_too_long`)."""
    return len(raw) > RAW_BYTES_MAX


def comparable_name(raw: str) -> str:
    """The text by which two spellings of one name are equal: TLS server name and Host, say.

    The canonical name; where `raw` has none, `raw` in small letters without port and final dot.
    """
    raw = raw.strip()
    name = canonical_domain(raw)
    if name is not None:
        return name
    return _PORT.sub("", raw[: 2 * RAW_BYTES_MAX].strip().lower()).removesuffix(".")


def canonical_domains(column: Iterable[str]) -> list[str | None]:
    """`canonical_domain` of each value, each distinct value being worked out once."""
    known: dict[str, str | None] = {}
    names: list[str | None] = []
    for raw in column:
        if raw not in known:
            known[raw] = canonical_domain(raw)
        names.append(known[raw])
    return names


def escaped(raw: str | bytes) -> str:
    """`raw` as printable ASCII of at most 253 bytes, for logs and quarantine (FAULTS D2, D5)."""
    head = raw[:DOMAIN_BYTES_MAX]
    data = head if isinstance(head, bytes) else head.encode("utf-8", "surrogatepass")
    text = "".join(chr(byte) if 32 < byte < 127 else f"\\x{byte:02x}" for byte in data)
    return text[:DOMAIN_BYTES_MAX]


def _is_host(name: str) -> bool:
    """True for letters, digits, hyphens and underscores within the limits, and no IPv4 address."""
    return (
        len(name) <= DOMAIN_BYTES_MAX
        and _NAME.match(name) is not None
        and not name.rpartition(".")[2].isdigit()
    )


def _may_stand(label: str) -> bool:
    """Whether a label of plain ASCII is taken as it is: an A-label must be punycode of some text.

    Which letters that text may have is the registry's rule and not ours: names with emoji are
    registered, served and asked for (issue 11, E7).
    """
    if not label.startswith(_A_LABEL_PREFIX):
        return True
    encoded = label.removeprefix(_A_LABEL_PREFIX)
    try:
        text = encoded.encode("ascii").decode("punycode")
        same = text.encode("punycode").decode("ascii") == encoded
    except (UnicodeError, ValueError, OverflowError):
        return False
    hidden = any(
        unicodedata.category(letter)[0] in "CZ" and letter not in _JOINERS for letter in text
    )
    return same and not text.isascii() and not hidden


@lru_cache(maxsize=4096)
def _international(name: str) -> str | None:
    """The A-label form of a name with other than plain ASCII labels, by UTS 46 and IDNA 2008."""
    if any(unicodedata.category(letter)[0] in "CZ" for letter in name):
        return None
    try:
        labels = _DOTS.split(idna.uts46_remap(name, std3_rules=False, transitional=False))
        if len(labels) > 1 and not labels[-1]:
            labels.pop()
        canonical = ".".join(_a_label(label) for label in labels)
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return None
    return canonical if _is_host(canonical) else None


def _a_label(label: str) -> str:
    """One label as an A-label; raises IDNAError for none, or for a mix of scripts."""
    if label.isascii():
        if not _may_stand(label):
            raise idna.IDNAError("no A-label")
        return label
    encoded = idna.alabel(label).decode("ascii")
    letters = idna.ulabel(encoded)
    latin = any("a" <= letter <= "z" for letter in letters)
    if latin and any(unicodedata.name(letter, "").startswith(_IMITATED) for letter in letters):
        raise idna.IDNAError("a mix of scripts")
    return encoded
