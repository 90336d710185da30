"""Standard output and error on which nothing but text appears, whatever a name in it holds.

An id or a host may hold an escape sequence that drives the terminal, or an override that turns a
line around (CASES G12). Every command prints through these streams, so no place that prints needs
to think of it. The escapes are those of JSON: a document stays one. What the encoding of the
terminal does not have (a locale that is not UTF-8) is escaped in the same way.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
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
    return _escape(char)


def _escape(char: str) -> str:
    if ord(char) < 0x10000:
        return f"\\u{ord(char):04x}"
    pair = char.encode("utf-16-be").hex()
    return f"\\u{pair[:4]}\\u{pair[4:]}"


def _escape_unencodable(error: UnicodeError) -> tuple[str, int]:
    """What a codec writes for characters that it does not have."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(_escape, error.object[error.start : error.end])), error.end


_ESCAPE = "edgetoll.escape"
codecs.register_error(_ESCAPE, _escape_unencodable)


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


def _opened(stream: TextIO | None) -> TextIO:
    """The stream to write to; its descriptor is taken, so that no file of ours gets its number."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    below = bare(stream)
    if isinstance(below, TextIOWrapper):  # whatever it had: the C locale's own way fails too
        below.reconfigure(errors=_ESCAPE)
    return below


@contextmanager
def escaping_streams() -> Iterator[None]:
    """While the block runs, whatever is printed is escaped; a closed stream takes all of it."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Escaping(_opened(before[0])), Escaping(_opened(before[1]))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
