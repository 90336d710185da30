"""Which names a certificate or wildcard covers, and to which of several patterns a host belongs."""

from __future__ import annotations

from collections.abc import Iterable

from edge.domain import canonical_domain
from edge.errors import InputError

PROBE_LABEL = "edgetoll-probe"
"""Stands for any one label when a wildcard is asked for over a connection."""


def served_name(text: str) -> str:
    """`text` as the canonical name of a domain or a wildcard (`*.a.example`), else InputError."""
    text = text.strip()
    wildcard = text.startswith("*.")
    rest = text.removeprefix("*.")
    name = canonical_domain(rest)
    if name is None or "*" in rest or ":" in rest or "/" in rest:
        raise InputError(
            f"«{text}» is no domain name", "write it like www.example.com or *.example.com"
        )
    if "." not in name:
        raise InputError(f"«{text}» is a single label", "name the whole domain")
    return f"*.{name}" if wildcard else name


def covers(pattern: str, name: str) -> bool:
    """True when a certificate's name `pattern` stands for `name`: a wildcard covers one label.

    A wildcard name is covered by that very wildcard alone: `*.a.example` needs `*.a.example`.
    """
    pattern = pattern.lower().rstrip(".")
    if pattern == name:
        return True
    if not pattern.startswith("*.") or name.startswith("*."):
        return False
    return name.partition(".")[2] == pattern[2:]


def belongs_to(host: str, patterns: Iterable[str]) -> str | None:
    """The pattern that `host` belongs to: the exact name before its wildcard, else None."""
    known = set(patterns)
    if host in known:
        return host
    wildcard = f"*.{host.partition('.')[2]}"
    return wildcard if wildcard in known else None


def probe_name(name: str) -> str:
    """A host name that `name` is served under: itself, or one label of a wildcard."""
    return f"{PROBE_LABEL}.{name[2:]}" if name.startswith("*.") else name


def file_stem(name: str) -> str:
    """`name` as the stem of a file: `*` becomes `+`, which no domain name holds."""
    return name.replace("*", "+")
