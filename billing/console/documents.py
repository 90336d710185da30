"""The documents of an invoice as they were issued: handed out, never made."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse, Response

from billing.console.problems import NotThere
from billing.console.reading import LakeReader
from billing.readers.tokens import TokenReader

KINDS = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "detail.csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
APART = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:;"
    " frame-ancestors 'self'"
)
"""A document brings its own style and no script; it is shown in a frame that may do nothing."""


def document(
    home: Path, lake: LakeReader, reader: TokenReader, number: str, ending: str
) -> Response:
    """One file of an invoice that this reader may see. NotThere for any other."""
    found = lake.ask("invoice_at_a_glance", {"invoice": number}, reader.account).records()
    if not found:
        raise NotThere(f"no invoice «{number}»", "/invoices lists them")
    if ending not in KINDS:
        raise NotThere(f"no document .{ending}", f"one of {', '.join(KINDS)}")
    path = home.joinpath("invoices", str(found[0]["month"]), f"{number}.{ending}")
    if not path.is_file():
        raise NotThere(
            f"{path.name} is not in the home",
            f"write it again: edgetoll billing invoice --month {found[0]['month']}",
        )
    return FileResponse(
        path,
        media_type=KINDS[ending],
        filename=path.name,
        content_disposition_type="inline" if ending in ("html", "pdf") else "attachment",
        headers={"content-security-policy": APART},
    )
