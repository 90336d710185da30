"""Pictures on documents, all as SVG text: the seller's logo, and the EPC QR code of a payment."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path

from billing.invoices.figures import minor
from billing.invoices.records import Invoice
from edge.errors import InputError

PNG = b"\x89PNG\r\n\x1a\n"
MOST_LOGO_BYTES = 500_000
EPC_CURRENCY = "EUR"
MOST_EPC_CENTS = 99_999_999_999
"""999,999,999.99 euro, the most that the code's standard knows (EPC069-12)."""


def logo_svg(path: Path) -> str:
    """A logo as SVG, a PNG wrapped in one; InputError if the file is neither."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the logo {path} cannot be read: {error.strerror}", "put the picture there"
        ) from error
    if len(content) > MOST_LOGO_BYTES:
        raise InputError(
            f"the logo {path} has {len(content):,} bytes", f"at most {MOST_LOGO_BYTES:,}"
        )
    if content.startswith(PNG) and len(content) > 24:
        width, height = struct.unpack(">II", content[16:24])
        data = base64.b64encode(content).decode("ascii")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}"><image width="{width}" height="{height}"'
            f' href="data:image/png;base64,{data}"/></svg>'
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if "<svg" not in text[:2_000]:
        raise InputError(f"the logo {path} is neither SVG nor PNG", "save it as one of these")
    return text


def epc_svg(invoice: Invoice) -> str:
    """The EPC QR code that pays what is due of an invoice in euro; blank where the seller does not
    set it, or nothing is to be paid that way.
    """
    seller = invoice.seller.details
    iban = seller.get("iban", "").replace(" ", "")
    cents = invoice.due // 10**8
    wanted = seller.get("epc_qr") and iban and invoice.standing is not None
    if not wanted or invoice.kind != "invoice" or invoice.currency != EPC_CURRENCY:
        return ""
    if not 0 < cents <= MOST_EPC_CENTS:
        return ""
    import segno

    # UTF-8, a SEPA credit transfer, the amount, and the number as unstructured remittance.
    name = invoice.seller.name[:70]
    fields = ("BCD", "002", "1", "SCT", seller.get("bic", ""), name, iban,
              f"EUR{minor(invoice.due, invoice.digits)}", "", "", invoice.invoice_no)  # fmt: skip
    code = segno.make("\n".join(fields), error="m", micro=False, encoding="utf-8")
    out = io.BytesIO()
    code.save(out, kind="svg", xmldecl=False, svgns=True, border=4, omitsize=True, nl=False)
    return out.getvalue().decode("utf-8")


def data_uri(svg: str) -> str:
    """The picture as the address of an HTML image, in which no script of it runs."""
    if not svg:
        return ""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")
