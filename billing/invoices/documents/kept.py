"""What documents are rendered from besides their record: the logos and templates of the home. They
are kept by content in HOME/invoices/kept/, and a document names them so: what is issued looks the
same for ever, whatever becomes of the home's own files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from billing.invoices.documents import html_document, pdf_document
from billing.invoices.documents.pictures import logo_svg
from billing.invoices.documents.sample import sample
from billing.invoices.records import Invoice
from billing.invoices.settings import InvoiceSettings, Seller
from edge.configfile import section
from edge.durable import write_atomically
from edge.errors import ConfigError, InputError

KEPT = "kept"
DEFAULTS = {"template_pdf": "invoice.typ", "template_html": "invoice.html.j2"}


def read_invoice_settings(home: Path) -> InvoiceSettings:
    """[invoices] of the home for whoever issues or draws up: each seller's logo and templates are
    looked at, kept, and named by what is kept of them. ConfigError names the file that is wrong.
    """
    settings = section(home, "invoices", InvoiceSettings)
    return settings.model_copy(
        update={
            "seller": _with_kept(home, settings.seller),
            "sellers": {name: _with_kept(home, one) for name, one in settings.sellers.items()},
        }
    )


def kept_path(home: Path, name: str) -> Path:
    """Where something kept lies; InputError when it is not there any more."""
    path = home.joinpath("invoices", KEPT, name)
    if not path.is_file():
        raise InputError(
            f"{path} is missing: documents were issued with it",
            "put it back from a backup; its name is the hash of its content",
        )
    return path


def logo_of(home: Path, invoice: Invoice) -> str:
    """The logo on a document as SVG; blank where it has none."""
    name = invoice.seller.details.get("logo", "")
    return logo_svg(kept_path(home, name)) if name else ""


def template_of(home: Path, invoice: Invoice, detail: str) -> Path | None:
    """The template of the home that a document was issued with; None: the one that comes along."""
    name = invoice.seller.details.get(detail, "")
    return kept_path(home, name) if name else None


def _with_kept(home: Path, seller: Seller) -> Seller:
    named = {}
    if seller.logo:
        path = home.joinpath(seller.logo)
        try:
            logo = logo_svg(path)
        except InputError as error:
            raise ConfigError(error.message, error.hint or "") from error
        named["logo"] = _keep(home, path, lambda: _check_logo(path, logo))
    for detail, usual in DEFAULTS.items():
        said = getattr(seller, detail)
        path = home.joinpath("templates", said or usual)
        if path.is_file():
            named[detail] = _keep(home, path, lambda path=path: _check_template(path))  # type: ignore[misc]
        elif said:
            raise ConfigError(
                f"there is no template {path}", f"put it there, or leave {detail} out"
            )
    return seller.model_copy(update=named) if named else seller


def _check_logo(path: Path, logo: str) -> None:
    try:
        pdf_document.render(sample(), None, logo=logo)
    except Exception as error:  # whatever the renderer says of it, it is the picture's fault
        raise ConfigError(f"the logo {path} cannot be drawn: {error}", "save it again") from error


def _check_template(path: Path) -> None:
    """Each kind of document once with the template: what it cannot render is found before a number
    is given.
    """
    for one in (sample(), sample(kind="credit_note")):
        try:
            if path.suffix == ".typ":
                pdf_document.render(one, None, template=path)
            else:
                html_document.render(one, template=path)
        except Exception as error:  # the engines have classes of their own for what is wrong
            why = " ".join(str(getattr(error, "message", error)).split())
            raise ConfigError(
                f"the template {path} cannot render a document: {why}",
                "mend it, or take it out of the home's templates/",
            ) from error


def _keep(home: Path, path: Path, check: Callable[[], None]) -> str:
    """Keep a file by its content, once it is checked; the name under which it is kept."""
    content = path.read_bytes()
    name = hashlib.sha256(content).hexdigest()[:32] + "." + path.name.partition(".")[2]
    kept = home.joinpath("invoices", KEPT, name)
    if not kept.is_file():
        check()
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, content)
    return name
