"""The files of a document that travel with its mail: as they were issued, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from billing.invoices.documents.files import folder_of, safe_name
from billing.invoices.documents.sums import read_sums, sum_of
from edge.errors import Corrupt

PAGES = (("pdf", "application/pdf"), ("html", "text/html"), ("json", "application/json"))
"""The first of these that was written is the page for people."""
E_INVOICE = ("xml", "application/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a mail."""

    name: str
    media: str
    content: bytes


def attachments_of(home: Path, data: Mapping[str, object]) -> tuple[Attachment, ...]:
    """The page of the document that an event tells of, and its e-invoice where it has one.

    Corrupt when a file is missing, or is not what was issued: nobody gets such a one.
    """
    month, number = str(data["month"]), str(data["invoice_no"])
    folder = folder_of(home, month)
    sums = read_sums(folder)
    stem = safe_name(number)
    page = [kind for kind in PAGES if f"{stem}.{kind[0]}" in sums][:1]
    if not page:
        raise Corrupt(f"no file of {number} was written", _again(month))
    kinds = page + [kind for kind in (E_INVOICE,) if f"{stem}.{kind[0]}" in sums]
    return tuple(_read(folder, f"{stem}.{ending}", media, sums, month) for ending, media in kinds)


def _read(folder: Path, name: str, media: str, sums: Mapping[str, str], month: str) -> Attachment:
    try:
        content = folder.joinpath(name).read_bytes()
    except FileNotFoundError:
        raise Corrupt(f"{name} is missing", _again(month)) from None
    if sum_of(content) != sums[name]:
        raise Corrupt(f"{name} is not what was issued", _again(month))
    return Attachment(name=name, media=media, content=content)


def _again(month: str) -> str:
    return f"edgetoll billing invoice --month {month} writes it again"
