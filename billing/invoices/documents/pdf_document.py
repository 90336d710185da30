"""The PDF of an invoice by typst: the time of issue as its only date.

The clock is kept out, and the built-in fonts come first, so that an invoice in their alphabets
(Latin, Greek, Cyrillic, Hebrew, Arabic) is the same file on every machine. What else names need
comes from font files in HOME/fonts, then from the fonts of the system.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson

from billing.invoices.documents.factur_x import described
from billing.invoices.documents.page import page
from billing.invoices.documents.pictures import epc_svg
from billing.invoices.records import Invoice

if TYPE_CHECKING:
    import typst

FONTS = "fonts"
# A page of nothing but the text asked about. As PDF/A it is refused where a glyph is missing.
_PROBE = b"""#set text(font: "Libertinus Serif", number-type: "lining")
#sys.inputs.text
"""
_ARCHIVAL: Literal["a-2b"] = "a-2b"
_HYBRID: Literal["a-3b"] = "a-3b"


def render(
    invoice: Invoice,
    fonts: Path | None = None,
    xml: bytes | None = None,
    *,
    logo: str = "",
    template: Path | None = None,
) -> bytes:
    """The PDF's bytes (PDF 1.7, tagged for screen readers); `fonts` has more font files, `logo` is
    SVG, `template` one of the home's. With the e-invoice `xml` it is Factur-X: PDF/A-3, the
    e-invoice inside.
    """
    shown = page(invoice, printable=lambda text: not unprintable(text, fonts))
    pictures = {"logo": logo, "epc": epc_svg(invoice)}
    return compiled(
        template or ("billing.invoices", "invoice.typ"),
        orjson.dumps(shown),
        fonts=fonts,
        at=invoice.issued_at,
        xml=xml,
        more={name: svg for name, svg in pictures.items() if svg},
    )


def compiled(
    template: tuple[str, str] | Path,
    page: bytes,
    *,
    fonts: Path | None,
    at: datetime,
    xml: bytes | None = None,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """The PDF of a template (a file, or its package and name below templates/) and the JSON it
    shows; `at` is the only time in it, `more` further inputs. With an `xml` to be embedded it is
    PDF/A-3.
    """
    inputs = {"page": page.decode("utf-8"), **(more or {})}
    if xml is not None:
        inputs["xml"] = xml.decode("utf-8")
    made = _compiler(fonts, template).compile(
        format="pdf",
        sys_inputs=inputs,
        timestamp=int(at.astimezone(UTC).timestamp()),
        pdf_standards=[] if xml is None else _HYBRID,
    )
    if not isinstance(made, bytes):
        raise TypeError(f"typst made {type(made).__name__} of {template}, not one file")
    return made if xml is None else described(made)


def fonts_of(home: Path) -> Path | None:
    """The folder of font files that the home brings, if it has one."""
    folder = home.joinpath(FONTS)
    return folder if folder.is_dir() else None


def unprintable(text: str, fonts: Path | None) -> str:
    """The characters of `text` that no font at hand has, in order, each once: asked of the renderer
    itself.
    """
    characters = dict.fromkeys(char for char in text if not char.isascii())
    return "".join(char for char in characters if not _prints(char, fonts))


@lru_cache(maxsize=100_000)
def _prints(text: str, fonts: Path | None) -> bool:
    import typst

    try:
        _prober(fonts).compile(
            input=_PROBE,
            format="pdf",
            sys_inputs={"text": text},
            pdf_standards=_ARCHIVAL,
            timestamp=0,
        )
    except typst.TypstError as error:
        if "could not be displayed" not in error.message:
            raise
        return False
    return True


@cache
def _prober(fonts: Path | None) -> typst.Compiler:
    import typst

    return typst.Compiler(font_paths=_font_paths(fonts), ignore_system_fonts=False)


def _font_paths(fonts: Path | None) -> list[str]:
    return [] if fonts is None else [str(fonts)]


@cache
def _compiler(fonts: Path | None, template: tuple[str, str] | Path) -> typst.Compiler:
    """One compiler per process: it keeps fonts and the parsed template between documents."""
    if isinstance(template, Path):
        return _compiler_of(template, fonts)
    package, name = template
    with as_file(files(package).joinpath("templates", name)) as path:
        return _compiler_of(path, fonts)


def _compiler_of(path: Path, fonts: Path | None) -> typst.Compiler:
    import typst

    return typst.Compiler(
        input=str(path),
        root=str(path.parent),
        font_paths=_font_paths(fonts),
        ignore_system_fonts=False,
    )
