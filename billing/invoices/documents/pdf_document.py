"""The PDF of an invoice by typst: the time of issue as its only date.

System fonts and the clock are kept out, so that the same invoice is the same file on every machine.
The built-in fonts have Latin, Greek, Cyrillic, Hebrew and Arabic; what else names need (Chinese,
Japanese, Korean, Thai, …) comes from font files in HOME/fonts.
"""

from __future__ import annotations

from datetime import UTC
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from billing.invoices.documents.page import page
from billing.invoices.records import Invoice

if TYPE_CHECKING:
    import typst

FONTS = "fonts"
# The last code point of the built-in fonts' alphabets, and the general marks they have beyond it.
LAST_OF_ALPHABETS = 0x06FF
MARKS = ((0x1D00, 0x2BFF), (0xFB00, 0xFEFF))


def render(invoice: Invoice, fonts: Path | None = None) -> bytes:
    """The PDF's bytes (PDF 1.7, tagged for screen readers); `fonts` has more font files."""
    data = orjson.dumps(page(invoice)).decode("utf-8")
    moment = int(invoice.issued_at.astimezone(UTC).timestamp())
    made = _compiler(fonts).compile(format="pdf", sys_inputs={"page": data}, timestamp=moment)
    if not isinstance(made, bytes):
        raise TypeError(f"typst made {type(made).__name__} of {invoice.invoice_no}, not one file")
    return made


def fonts_of(home: Path) -> Path | None:
    """The folder of font files that the home brings, if it has one."""
    folder = home.joinpath(FONTS)
    return folder if folder.is_dir() else None


def unprintable(invoice: Invoice) -> str:
    """The characters of names and addresses that the built-in fonts lack, in order, each once."""
    parties = (invoice.seller, invoice.customer)
    texts = [text for party in parties for text in (party.name, *party.lines)]
    found = dict.fromkeys(char for text in (*texts, *invoice.notes) for char in text)
    return "".join(char for char in found if not _is_built_in(ord(char)))


def _is_built_in(point: int) -> bool:
    return point <= LAST_OF_ALPHABETS or any(first <= point <= last for first, last in MARKS)


@cache
def _compiler(fonts: Path | None) -> typst.Compiler:
    """One compiler per process: it keeps fonts and the parsed template between documents."""
    import typst

    template = files("billing.invoices").joinpath("templates", "invoice.typ")
    with as_file(template) as path:
        return typst.Compiler(
            input=str(path),
            root=str(path.parent),
            font_paths=[] if fonts is None else [str(fonts)],
            ignore_system_fonts=True,
        )
