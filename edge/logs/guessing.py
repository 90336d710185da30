"""Which format a file is in: named only where there is no doubt (`--format auto`).

Every shipped format reads the first lines. One that reads nine in ten of them is the answer if no
other format makes other events of more than one in ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from edge.errors import InputError
from edge.event import CLASSES
from edge.logs.content import BYTE_ORDER_MARK, Content
from edge.logs.foreign import what_it_is
from edge.logs.formats.block import Format, Parsed, Parser, parse_whatever
from edge.logs.formats.mapped import MappedParser
from edge.logs.formats.shipped import FORMATS, find_format
from edge.reasons import UNREADABLE

SAMPLE_BYTES: Final = 64 << 10
"""How much of a file is tried."""
_SURE: Final = 10
"""One line in so many may be unreadable in the right format, or readable in a wrong one."""
_SCHEME, _HOST = "https", "auto.invalid"
"""Stand for what a person has to say, while it is tried whether the lines have the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What lines look like. `name` is blank where no format reads them, or several do: `others`.

    `read` of `lines` were read by it.
    """

    name: str = ""
    read: int = 0
    lines: int = 0
    others: tuple[str, ...] = ()

    def told(self) -> str:
        """The guess, for a person."""
        if self.name:
            return (
                f"{self.name} ({self.read:,} of {self.lines:,} lines; no other format reads them)"
            )
        if self.others:
            return "several formats read its lines: " + ", ".join(self.others)
        return "no format reads its lines"


def guess(block: bytes, now_ms: int, *, name: str = "") -> Guess:
    """The format of `block`, whole lines from the start of the file called `name`."""
    found = {form: _read(form, block, now_ms, name) for form in FORMATS if _may_be(form, block)}
    read = {form: parsed for form, parsed in found.items() if _good(parsed)}
    if not read:
        return Guess()
    best = min(read, key=lambda form: (_unreadable(read[form]), -len(read[form].rows)))
    lines = read[best].lines
    sure = _unreadable(read[best]) * _SURE <= lines
    rivals = [
        form
        for form, parsed in read.items()
        if form != best and _good(parsed) * _SURE > lines and _events(parsed) - _events(read[best])
    ]
    if rivals:
        return Guess(lines=lines, others=(best, *rivals))
    if not sure:
        return Guess(lines=lines, read=_good(read[best]))
    return Guess(name=best, read=_good(read[best]), lines=lines)


def format_of(
    paths: Sequence[Path], now_ms: int, *, scheme: str = "", host: str = "", zone: str = ""
) -> tuple[Format, Guess]:
    """The format of all of `paths`, with what a person says of their lines. InputError where one
    is in doubt, or is in another format than the rest.
    """
    found: dict[str, Guess] = {}
    for path in paths:
        with Content(path, documents=True, records="records") as content:
            start = content.read_at(0, SAMPLE_BYTES).removeprefix(BYTE_ORDER_MARK)
        whole = start[: start.rfind(b"\n") + 1] or start
        if not whole.strip(b"\r\n \t"):
            continue  # a log that nobody asked anything of is in any format
        here = guess(whole, now_ms, name=path.name)
        if not here.name:
            kind = what_it_is(start)
            raise InputError(
                f"{path}: {here.told()}{f'; {kind}' if kind else ''}", "say which with --format"
            )
        found.setdefault(here.name, here)
    if not found:
        raise InputError("there is no line to tell a format by", "say which with --format")
    if len(found) != 1:
        raise InputError(
            f"the files are in several formats: {', '.join(found)}", "import them apart"
        )
    name, one = next(iter(found.items()))
    return find_format(name, scheme=scheme, host=host, zone=zone), one


def looks_like(block: bytes, now_ms: int) -> str | None:
    """The format by which a person may read `block`, with the options it needs; None for none."""
    name = guess(block, now_ms).name
    if not name:
        return None
    lacks = FORMATS[name].lacks
    said = {"scheme": "http|https", "host": "NAME"}
    return name + "".join(f" --{part} {said[part]}" for part in lacks)


def _read(form: str, block: bytes, now_ms: int, name: str) -> Parsed:
    return parse_whatever(_whole(form).make(name), block, now_ms)


def _may_be(form: str, block: bytes) -> bool:
    """Whether it is worth reading `block` by a format."""
    if FORMATS[form].json and b"{" not in block:
        return False
    parser = _tester(form)
    return parser.might_read(block) if isinstance(parser, MappedParser) else b"\t" in block


@cache
def _tester(form: str) -> Parser:
    return _whole(form).make()


@cache
def _whole(form: str) -> Format:
    """The format with something said where a person has to say it, or may."""
    if form == "nginx-tsv":
        return FORMATS[form]
    return find_format(form, scheme=_SCHEME, host=_HOST if "host" in FORMATS[form].lacks else "")


def _good(parsed: Parsed) -> int:
    """Lines that were understood."""
    return parsed.lines - _unreadable(parsed) if len(parsed.rows) else 0


def _unreadable(parsed: Parsed) -> int:
    return sum(row.reason in UNREADABLE for row in parsed.refused)


def _events(parsed: Parsed) -> Counter[tuple[object, ...]]:
    """What would be counted."""
    columns = parsed.columns
    return Counter(
        zip(
            columns.time_ms.tolist(),
            (columns.domains[place] for place in columns.domain_index.tolist()),
            (CLASSES[code] for code in columns.class_code.tolist()),
            columns.bytes_sent.tolist(),
            strict=True,
        )
    )
