"""The HTML page of an invoice: one self-contained file, for the screen and for A4 paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from billing.invoices.documents.page import page
from billing.invoices.documents.pictures import data_uri, epc_svg
from billing.invoices.records import Invoice

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def render(invoice: Invoice, *, logo: str = "", template: Path | None = None) -> bytes:
    """The page's bytes; text from outside is escaped by the template engine. `logo` is SVG;
    `template` one of the home's.
    """
    made = _template() if template is None else _own_template(template)
    pictures = {"logo": data_uri(logo), "epc": data_uri(epc_svg(invoice))}
    return (made.render(page=page(invoice), **pictures) + "\n").encode("utf-8")


@cache
def _template() -> Template:
    return _environment().get_template("invoice.html.j2")


@cache
def _own_template(path: Path) -> Template:
    return _environment().from_string(path.read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("billing.invoices", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=False,
    )
