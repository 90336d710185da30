"""The PDF of an invoice by typst: built-in fonts only, the time of issue as its only date.

System fonts and the clock are kept out, so that the same invoice is the same file on every machine.
"""

from __future__ import annotations

from datetime import UTC
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import orjson

from billing.invoices.documents.page import page
from billing.invoices.records import Invoice


def render(invoice: Invoice) -> bytes:
    """The PDF's bytes (PDF 1.7, tagged for screen readers)."""
    data = orjson.dumps(page(invoice)).decode("utf-8")
    moment = int(invoice.issued_at.astimezone(UTC).timestamp())
    made = _compiler().compile(format="pdf", sys_inputs={"page": data}, timestamp=moment)
    return bytes(made)


@cache
def _compiler() -> Any:
    """One compiler per process: it keeps fonts and the parsed template between documents."""
    import typst

    template = files("billing").joinpath("templates", "invoice.typ")
    with as_file(template) as path:
        return typst.Compiler(input=str(path), root=str(path.parent), ignore_system_fonts=True)
