"""The files of a document that travel with its mail: as they were issued, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from billing.invoices.documents.files import folder_of, safe_name, statements_folder
from billing.invoices.documents.sums import read_sums, sum_of
from edge.errors import Corrupt

PDF = ("pdf", "application/pdf")
PAGES = (PDF, ("html", "text/html"), ("json", "application/json"))
"""The first of these that was written is the page for people."""
E_INVOICE = ("xml", "application/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a mail."""

    name: str
    media: str
    content: bytes


def statement_name(account_id: str, month: str, number: int) -> str:
    """The file of the statement that an account got the `number`th time, counted from 0."""
    again = f"~{number + 1}" if number else ""  # no account's own name has that mark
    return f"{safe_name(account_id)}-{month}{again}.pdf"


def attachments_of(home: Path, data: Mapping[str, object]) -> tuple[Attachment, ...]:
    """The page of the document that an event tells of, and its e-invoice where it has one.

    Corrupt when a file is missing, or is not what was issued: nobody gets such a one.
    """
    month = str(data["month"])
    if data["document"] == "statement":
        again = f"edgetoll billing statement {data['account_id']} --month {month} --send --again"
        name, sums = str(data["file"]), {str(data["file"]): str(data["sha256"])}
        return (
            _read(statements_folder(home, month), name, PDF[1], sums, f"{again} sends a new one"),
        )
    number = str(data["invoice_no"])
    folder = folder_of(home, month)
    sums = read_sums(folder)
    stem = safe_name(number)
    page = [kind for kind in PAGES if f"{stem}.{kind[0]}" in sums][:1]
    if not page:
        raise Corrupt(f"no file of {number} was written", _again(month))
    kinds = page + [kind for kind in (E_INVOICE,) if f"{stem}.{kind[0]}" in sums]
    again = _again(month)
    return tuple(_read(folder, f"{stem}.{ending}", media, sums, again) for ending, media in kinds)


def _read(folder: Path, name: str, media: str, sums: Mapping[str, str], again: str) -> Attachment:
    try:
        content = folder.joinpath(name).read_bytes()
    except FileNotFoundError:
        raise Corrupt(f"{name} is missing", again) from None
    if sum_of(content) != sums[name]:
        raise Corrupt(f"{name} is not what was issued", again)
    return Attachment(name=name, media=media, content=content)


def _again(month: str) -> str:
    return f"edgetoll billing invoice --month {month} writes it again"
