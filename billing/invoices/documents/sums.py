"""SHA256SUMS beside a month's documents: the hash of each as it was written, all forms.

What an earlier edgetoll rendered keeps its bytes that way, and one that is missing or differs is
known by name, without rendering it again; `sha256sum -c SHA256SUMS` verifies it without us, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from edge.durable import write_atomically

SUMS = "SHA256SUMS"
HEX = 64
_SEPARATOR = "  "
_DIGITS = frozenset("0123456789abcdef")


def sum_of(data: bytes) -> str:
    """The hash of a document's bytes, as it stands in the list."""
    return hashlib.sha256(data).hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """The hash of each document by file name; a line that cannot be read names none."""
    try:
        text = folder.joinpath(SUMS).read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    lines = (line.partition(_SEPARATOR) for line in text.split("\n"))
    return {name: digest for digest, _, name in lines if name and is_sum(digest)}


def is_sum(digest: str) -> bool:
    """Whether this is a hash in writing."""
    return len(digest) == HEX and _DIGITS.issuperset(digest)


def write_sums(folder: Path, sums: Mapping[str, str]) -> None:
    """Replace the list by one of these, if it is another."""
    text = "".join(f"{digest}{_SEPARATOR}{name}\n" for name, digest in sorted(sums.items()))
    path = folder.joinpath(SUMS)
    if text and not (path.is_file() and path.read_bytes() == text.encode()):
        write_atomically(path, text.encode())
