"""Standard output and error on which nothing but text appears, whatever a name in it holds.

An id or a host may hold an escape sequence that drives the terminal, or an override that turns a
line around (CASES G12). Every command prints through these streams, so no place that prints needs
to think of it. The escapes are those of JSON: a document stays one.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_UNUSUAL = re.compile(r"[^\n\t\x20-\x7e]")
_JOINERS = "\u200c\u200d"
"""Of the invisible characters these two are parts of words."""


def escaped(text: str) -> str:
    """`text` with each character that is not shown as itself as \\uXXXX; line ends stay."""
    if _UNUSUAL.search(text) is None:
        return text
    return re.sub(r"\r(?!\n)|[^\n\r\t\x20-\x7e]", lambda found: _shown(found[0]), text)


def _shown(char: str) -> str:
    if char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs":
        return char
    if ord(char) < 0x10000:
        return f"\\u{ord(char):04x}"
    pair = char.encode("utf-16-be").hex()
    return f"\\u{pair[:4]}\\u{pair[4:]}"


class Escaping:
    """A text stream that writes to another one what `escaped` makes of it."""

    def __init__(self, beneath: TextIO) -> None:
        self.beneath = beneath

    def __getattr__(self, name: str) -> object:
        return getattr(self.beneath, name)

    def write(self, text: str) -> int:
        """Write `text`, escaped; gives the length of what was handed in."""
        self.beneath.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        """Write each of `lines`, escaped."""
        for line in lines:
            self.write(line)


def bare(stream: TextIO) -> TextIO:
    """The stream beneath, for styles of our own around text that is escaped already."""
    return stream.beneath if isinstance(stream, Escaping) else stream


@contextmanager
def escaping_streams() -> Iterator[None]:
    """While the block runs, whatever is printed is escaped."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Escaping(bare(before[0])), Escaping(bare(before[1]))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
