"""The HTML page of an invoice: one self-contained file, for the screen and for A4 paper."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from billing.invoices.documents.page import page
from billing.invoices.records import Invoice

if TYPE_CHECKING:
    from jinja2 import Template


def render(invoice: Invoice) -> bytes:
    """The page's bytes; text from outside is escaped by the template engine."""
    return (_template().render(page=page(invoice)) + "\n").encode("utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("billing.invoices", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=False,
    )
    return environment.get_template("invoice.html.j2")
