"""The e-invoice of a document, in the form its account asked for."""

from __future__ import annotations

from billing.invoices.einvoice import cii, ubl
from billing.invoices.einvoice.content import content
from billing.invoices.records import Invoice
from billing.vat.profiles import Profile, profile_of


def wanted(invoice: Invoice) -> Profile | None:
    """The profile that the document's account asked for when it was issued; None: no e-invoice."""
    name = invoice.customer.details.get("e_invoice", "")
    return profile_of(name) if name else None


def render(invoice: Invoice, profile: Profile) -> bytes:
    """The e-invoice's bytes; InputError names what the document lacks for `profile`."""
    write = ubl.write if profile.syntax == "ubl" else cii.write
    return write(content(invoice, profile))
