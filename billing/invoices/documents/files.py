"""Documents on disk: HOME/invoices/YYYY-MM/NUMBER.json and its sisters, the same bytes on every
run.

They are made from the journal's content and can be made again at any time, so they are not
fsynced; a document that is missing, torn or was edited by hand is put back as it was issued
(FAULTS G14).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from billing.invoices.documents import csv_document, html_document, json_document, pdf_document
from billing.invoices.records import Invoice

Renderer = Callable[[Invoice], bytes]
DRAFTS = "drafts"
RENDERERS: dict[str, tuple[tuple[str, Renderer], ...]] = {
    "json": (("json", json_document.render),),
    "csv": (("csv", csv_document.render_lines), ("detail.csv", csv_document.render_detail)),
    "html": (("html", html_document.render),),
}


@dataclass(slots=True)
class Written:
    """What happened to the files: new, put back because they differed, or there already.

    `unprintable` names the documents whose PDF shows boxes for want of a font, with the characters.
    """

    new: int = 0
    restored: int = 0
    same: int = 0
    unprintable: dict[str, str] = field(default_factory=dict)

    def add(self, other: Written) -> None:
        """Count what `other` counted too."""
        self.new += other.new
        self.restored += other.restored
        self.same += other.same
        self.unprintable.update(other.unprintable)


def folder_of(home: Path, month: str) -> Path:
    """Where the documents of a month lie."""
    return home.joinpath("invoices", month)


def write(
    home: Path,
    invoices: Iterable[Invoice],
    formats: Sequence[str],
    *,
    drafts: bool = False,
    advance: Callable[[int], None] = lambda _count: None,
) -> Written:
    """Write the documents of `invoices`; a file that has the right bytes already is not touched."""
    written = Written()
    folder_of_fonts = home.joinpath(pdf_document.FONTS)
    fonts = folder_of_fonts if folder_of_fonts.is_dir() else None
    pdf: Renderer = partial(pdf_document.render, fonts=fonts)
    of_format = {**RENDERERS, "pdf": (("pdf", pdf),)}
    renderers = [renderer for name in formats for renderer in of_format[name]]
    made: set[Path] = set()
    for invoice in invoices:
        folder = folder_of(home, invoice.month)
        folder = folder.joinpath(DRAFTS) if drafts else folder
        if folder not in made:
            folder.mkdir(parents=True, exist_ok=True)
            made.add(folder)
        stem = invoice.account_id if drafts else invoice.invoice_no
        for extension, render in renderers:
            if extension != "detail.csv" or invoice.detail:
                put(f"{folder}/{safe_name(stem)}.{extension}", render(invoice), written)
        if "pdf" in formats and fonts is None and (missing := pdf_document.unprintable(invoice)):
            written.unprintable[stem] = missing
        advance(1)
    return written


def safe_name(text: str) -> str:
    """`text` as a file name: whatever could leave the folder or hide becomes `_`."""
    kept = "".join(char if char.isalnum() or char in "-_.@" else "_" for char in text)
    return f"_{kept[1:]}" if kept.startswith(".") else kept


def put(path: str, data: bytes, written: Written) -> None:
    """Make the file hold `data`: never half, and not touched when it does already."""
    try:
        with open(path, "rb", buffering=0) as file:
            present: bytes | None = file.read()
    except FileNotFoundError:
        present = None
    if present == data:
        written.same += 1
        return
    folder, _, name = path.rpartition("/")
    hidden = f"{folder}/.{name}.tmp"
    write_bytes(hidden, data, os.O_TRUNC)
    os.replace(hidden, path)
    if present is None:
        written.new += 1
    else:
        written.restored += 1


def write_bytes(path: str, data: bytes, how: int) -> None:
    """Write a file in one go; `how` is what to do where one is: O_TRUNC, or O_EXCL for an error."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o666)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(f"{path}: the disk took only part of it")
    finally:
        os.close(descriptor)
