"""Several sellers: each has its own series, terms, picture and colour, and what is issued keeps
them whatever becomes of the home's files.
"""

from __future__ import annotations

import base64
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import typst
import zxingcpp

from billing.appliers import open_store
from billing.close.issuing import issue_month
from billing.invoices.documents import html_document
from billing.invoices.documents.kept import read_invoice_settings
from billing.invoices.documents.pictures import epc_svg, logo_svg
from billing.invoices.records import AccountStanding
from billing.invoices.run import Order
from billing.invoices.settings import InvoiceSettings, NamedSeller, check_prefixes
from edge.errors import ConfigError, InputError
from tests.billing.invoices.samples import CENT, invoice
from tests.billing.invoices.world import ACCOUNTS, ISSUE, World, october

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'
)
ASIA = ACCOUNTS.replace('name = "Beta"\n', 'name = "Beta"\nseller = "asia"\nlanguage = "zh"\n')
SELLERS = """
[invoices]
prefix = "INV"
formats = ["json", "html"]
[invoices.seller]
name = "Tests CDN"
address = ["1 Test Street"]
tax_id = "T-1"
[invoices.sellers.asia]
prefix = "ASI"
credit_note_prefix = "ASC"
name = "Tests Asia"
address = ["2 Harbour Road"]
tax_id = "A-1"
color = "#aa3300"
footer = "Registered in Singapore"
logo = "logo.svg"
payment_days = 5
timezone = "Asia/Singapore"
"""


def two_sellers(folder: Path) -> World:
    """October of acme, of the first seller, and of beta, whose seller is asia."""
    world = october(folder, accounts=ASIA)
    path = world.home / "edgetoll.toml"
    path.write_text(path.read_text(encoding="utf-8").split("[invoices")[0] + SELLERS)
    world.home.joinpath("logo.svg").write_text(LOGO, encoding="utf-8")
    world.settings = read_invoice_settings(world.home)
    return world


def test_each_seller_issues_in_its_own_series_with_its_own_terms_and_face(tmp_path: Path) -> None:
    world = two_sellers(tmp_path)
    world.invoice("2026-10", ISSUE)
    acme, beta = sorted(world.documents("2026-10"), key=lambda one: one.account_id)
    assert (acme.invoice_no, beta.invoice_no) == ("INV-USD-2026-000001", "ASI-USD-2026-000001")
    assert (acme.seller.name, beta.seller.name) == ("Tests CDN", "Tests Asia")
    assert acme.due_on is not None
    assert beta.due_on is not None
    assert (acme.due_on - beta.due_on).days == 9
    html = html_document.render(beta, logo=LOGO).decode()
    assert "--accent: #aa3300" in html
    assert "Registered in Singapore" in html
    assert base64.b64encode(LOGO.encode()).decode() in html
    note = world.credit(beta.invoice_no, 2, "0.01", "k1", ISSUE)
    assert note.credit_note == "ASC-USD-2026-000001"


def test_an_account_of_a_seller_that_is_none_waits_by_name(tmp_path: Path) -> None:
    world = two_sellers(tmp_path)
    world.settings = world.settings.model_copy(update={"sellers": {}})
    done = world.invoice("2026-10", ISSUE)
    assert [(one.account_id, one.problem) for one in done.waiting] == [
        ("beta", "there is no seller 'asia'")
    ]
    assert done.invoices == 1


def test_a_document_looks_as_issued_after_the_logo_and_template_have_changed(
    tmp_path: Path,
) -> None:
    world = two_sellers(tmp_path)
    own = world.home / "templates" / "invoice.html.j2"
    own.parent.mkdir()
    own.write_text("<p>{{ page.no }} for {{ page.customer.name }} {{ logo[:9] }}</p>")
    with open_store(world.home, owner="test", now=ISSUE) as store:
        settings = read_invoice_settings(world.home)
        issue_month(store, Order(month="2026-10", account=None, at=ISSUE), settings)
    path = world.home / "invoices" / "2026-10" / "ASI-USD-2026-000001.html"
    issued = path.read_bytes()
    assert issued == b"<p>ASI-USD-2026-000001 for Beta data:imag</p>\n"
    own.write_text("<p>other</p>")
    world.home.joinpath("logo.svg").unlink()
    path.unlink()
    with open_store(world.home, owner="test", now=ISSUE) as store:
        order = Order(month="2026-10", account=None, at=ISSUE)
        world.home.joinpath("logo.svg").write_text(LOGO.replace("9", "8"), encoding="utf-8")
        issue_month(store, order, read_invoice_settings(world.home))
    assert path.read_bytes() == issued


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("invoice.html.j2", "{{ page.nothing }}", "has no attribute 'nothing'"),
        ("invoice.html.j2", "{% if %}", "Expected an expression"),
        ("invoice.typ", "#let p = json(bytes(sys.inputs.page))\n#p.nothing", "nothing"),
    ],
)
def test_a_template_that_cannot_render_is_refused_before_a_number_is_given(
    name: str, text: str, why: str, tmp_path: Path
) -> None:
    tmp_path.joinpath("edgetoll.toml").write_text(SELLERS.replace('logo = "logo.svg"\n', ""))
    tmp_path.joinpath("templates").mkdir()
    tmp_path.joinpath("templates", name).write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_invoice_settings(tmp_path)
    assert why in str(refused.value)
    assert name in str(refused.value)
    assert not tmp_path.joinpath("invoices").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), (b"GIF89a", "is neither SVG nor PNG"), (b"<svg", "cannot be drawn")],
)
def test_a_logo_that_is_none_is_refused_by_name(
    content: bytes | None, why: str, tmp_path: Path
) -> None:
    tmp_path.joinpath("edgetoll.toml").write_text(SELLERS)
    if content is not None:
        tmp_path.joinpath("logo.svg").write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_invoice_settings(tmp_path)
    assert why in str(refused.value)
    assert "logo.svg" in str(refused.value)


def test_a_png_is_a_logo_too(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(picture("#rect(width: 20pt, height: 10pt)", "png"))
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', logo_svg(path))
    assert found is not None
    drawn = picture(f'#image(bytes({quoted(logo_svg(path))}), format: "svg")', "png")
    assert drawn.startswith(b"\x89PNG")


def test_two_sellers_never_share_a_series() -> None:
    asia = NamedSeller(prefix="INV", credit_note_prefix="ASC")
    with pytest.raises(ConfigError, match="are both INV"):
        check_prefixes(InvoiceSettings(sellers={"asia": asia}))


def quoted(text: str) -> str:
    """Text as typst writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def picture(body: str, form: Literal["png", "pdf"]) -> bytes:
    """What typst draws of that."""
    source = f"#set page(width: auto, height: auto, margin: 4pt)\n{body}".encode()
    made = typst.compile(source, format=form)
    assert isinstance(made, bytes)
    return made


def test_the_qr_code_says_what_a_banking_app_needs_to_pay(tmp_path: Path) -> None:
    one = invoice(
        currency="EUR",
        total=1234 * CENT,
        standing=AccountStanding(balance_before=0, payments_since=0, prepaid_used=34 * CENT),
    )
    bank = {"iban": "DE02 1001 0010 0006 8201 01", "bic": "BYLADEM1001", "epc_qr": "true"}
    one = replace(one, seller=replace(one.seller, name="Müller CDN", details=bank))
    svg = epc_svg(one)
    pdf = tmp_path / "code.pdf"
    pdf.write_bytes(picture(f'#image(bytes({quoted(svg)}), format: "svg", width: 120pt)', "pdf"))
    drawn = subprocess.run(
        ["pdftoppm", "-r", "150", "-gray", str(pdf)], capture_output=True, check=True
    ).stdout
    kind, width, height, _ = drawn.split(maxsplit=4)[:4]
    assert kind == b"P5"
    size = int(width) * int(height)
    pixels = np.frombuffer(drawn[-size:], dtype=np.uint8).reshape(int(height), int(width))
    (code,) = zxingcpp.read_barcodes(pixels)
    assert code.text.split("\n") == [
        "BCD", "002", "1", "SCT", "BYLADEM1001", "Müller CDN", "DE02100100100006820101",
        "EUR12.00", "", "", "INV-USD-2026-000042",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "without",
    [{"epc_qr": ""}, {"iban": ""}],
)
def test_no_code_where_the_seller_does_not_set_it_or_has_no_account(
    without: dict[str, str],
) -> None:
    one = invoice(
        currency="EUR",
        standing=AccountStanding(balance_before=0, payments_since=0, prepaid_used=0),
    )
    details = {"iban": "DE02 1001 0010 0006 8201 01", "epc_qr": "true", **without}
    assert epc_svg(replace(one, seller=replace(one.seller, details=details))) == ""


def test_no_code_on_dollars_or_where_all_is_paid() -> None:
    details = {"iban": "DE02 1001 0010 0006 8201 01", "epc_qr": "true"}
    one = invoice(standing=AccountStanding(balance_before=0, payments_since=0, prepaid_used=0))
    one = replace(one, seller=replace(one.seller, details=details))
    assert epc_svg(one) == ""
    paid = replace(
        one,
        currency="EUR",
        standing=AccountStanding(balance_before=0, payments_since=0, prepaid_used=one.total),
    )
    assert epc_svg(paid) == ""


def test_a_logo_that_went_missing_is_named(tmp_path: Path) -> None:
    from billing.invoices.documents.kept import logo_of

    one = invoice()
    one = replace(one, seller=replace(one.seller, details={"logo": "0" * 32 + ".svg"}))
    with pytest.raises(InputError, match="is missing: documents were issued with it"):
        logo_of(tmp_path, one)
