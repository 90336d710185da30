"""E-invoices against the official rules: EN 16931 in both syntaxes, Peppol BIS 3, XRechnung."""

from __future__ import annotations

import itertools
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from billing.appliers import open_store
from billing.invoices.documents import pdf_document, writing
from billing.invoices.documents.factur_x import described
from billing.invoices.einvoice import xml_document
from billing.invoices.einvoice.content import content
from billing.invoices.records import AccountStanding, Invoice, InvoiceLine
from billing.invoices.run import Order, issue
from billing.vat.category import OUTSIDE, REVERSE_CHARGE
from billing.vat.profiles import PROFILES
from edge.errors import InputError
from edgetoll import main
from tests.billing.invoices.einvoice.rules import broken_rules, fired_rules, schema_errors
from tests.billing.invoices.samples import CENT, UNIT, credit_note, invoice, line, transfer_line
from tests.billing.invoices.world import ACCOUNTS, ISSUE, SETTINGS, World, october

pytestmark = [pytest.mark.needs_rules, pytest.mark.xdist_group("einvoice")]
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
SELLER = {
    "country": "IE", "postcode": "D02 XY01", "city": "Dublin", "contact": "Ann Bill",
    "phone": "+353 1 234567", "iban": "IE29 AIBK 9311 5212 3456 78", "bic": "AIBKIE2D",
    "endpoint": "9935:IE1234567FA",
}  # fmt: skip
CUSTOMER = {
    "country": "DE", "postcode": "10115", "city": "Berlin", "buyer_reference": "04011000-12345-34",
    "purchase_order": "PO-1", "contract": "C-1", "cost_center": "IT",
    "endpoint": "9930:DE123456789",
}  # fmt: skip


def european(one: Invoice, **customer: Any) -> Invoice:
    """The document between an Irish seller and a German customer, in euro."""
    details = {**CUSTOMER, **customer.pop("details", {})}
    return replace(
        one,
        currency="EUR",
        seller=replace(one.seller, tax_id="IE1234567FA", details=SELLER),
        customer=replace(one.customer, details=details, **customer),
        standing=AccountStanding(balance_before=0, payments_since=0, prepaid_used=0),
    )


def of_lines(*lines: InvoiceLine, **changes: Any) -> Invoice:
    """A document of these lines, its sums and taxes as a run settles them."""
    numbered = [replace(one, line_no=no) for no, one in enumerate(lines, start=1)]
    rates = {one.tax_rate_bp for one in numbered}
    taxed: list[InvoiceLine] = []
    for rate in rates:
        own = [one for one in numbered if one.tax_rate_bp == rate]
        net = sum(one.settled_amount for one in own)
        size = (abs(net) * int(rate * 100) * 2 + 1_000_000 * CENT) // (2_000_000 * CENT) * CENT
        tax = size if net >= 0 else -size
        taxed += [replace(one, tax=tax if one is own[0] else 0) for one in own]
    taxed.sort(key=lambda one: one.line_no)
    net = sum(one.settled_amount for one in taxed)
    subtotal = sum(one.amount for one in taxed)
    tax = sum(one.tax for one in taxed)
    return european(
        invoice(
            lines=tuple(taxed), subtotal=subtotal, cut=subtotal - net, tax=tax, total=net + tax,
            **changes,
        )
    )  # fmt: skip


FEE = line(
    quantity=0, billable_quantity=0, unit="", unit_quantity=0, unit_price=0, amount=13 * UNIT,
    settled_amount=13 * UNIT, reason="flat fee", rate_card="",
)  # fmt: skip
AGREED = [
    replace(FEE, item=item, amount=amount, settled_amount=amount, reason=reason, rate_card=card)
    for item, amount, reason, card in (
        ("https_requests", -30 * CENT, "promotional credit spring", "credit/spring"),
        ("commitment", 4371 * CENT, "missing to commitment deal", "commitment/deal"),
        ("plan", 4 * UNIT, "plan h10m", "plan/h10m"),
    )
]
BACK = line(
    kind="correction", quantity=-250_000, billable_quantity=-250_000, amount=-20 * CENT,
    settled_amount=-20 * CENT, corrects_invoice="INV-EUR-2026-000017", reason="late usage",
)  # fmt: skip
YEN = invoice(
    lines=(
        line(quantity=1_005_000, billable_quantity=1_005_000, unit_price=8 * UNIT // 10,
             amount=804 * UNIT // 10, settled_amount=80 * UNIT, tax=15 * UNIT),
    ),
    digits=0, subtotal=804 * UNIT // 10, cut=4 * UNIT // 10, tax=15 * UNIT, total=95 * UNIT,
)  # fmt: skip
NO_TAX = {"tax_rate_bp": Decimal(0), "tax": 0}
CASES = {
    "usage beside what a plan paid": european(invoice()),
    "partly prepaid": replace(
        european(invoice()),
        standing=AccountStanding(balance_before=-CENT, payments_since=0, prepaid_used=95 * CENT),
    ),
    "a leftover and a cut": of_lines(
        line(amount=80 * CENT + 7 * CENT // 10, settled_amount=79 * CENT, leftover=-CENT),
        line(quantity=100_000, billable_quantity=100_000, amount=8 * CENT + 5 * CENT // 10,
             settled_amount=9 * CENT),
    ),
    "a fee, a correction and a line of tiers": of_lines(
        FEE, line(), BACK, transfer_line(plan_quantity=0, billable_quantity=536_870_912_000,
                                         amount=19 * UNIT, settled_amount=19 * UNIT)
    ),
    "a credit, a commitment and a plan": of_lines(line(), *AGREED),
    "two rates": of_lines(line(), line(tax_rate_bp=Decimal("887.5")), FEE),
    "reverse charge": of_lines(line(**NO_TAX), tax_rate_bp=Decimal(0)),
    "whole yen": replace(european(YEN), currency="JPY"),
    "a credit note": replace(european(credit_note()), currency="EUR"),
    "a month below zero": replace(
        of_lines(line(quantity=100_000, billable_quantity=100_000, amount=8 * CENT,
                      settled_amount=8 * CENT), BACK),
        kind="credit_note", invoice_no="CRN-EUR-2026-000002", reason="Corrections of before",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("case", "profile"), itertools.product(CASES, PROFILES))
def test_a_document_breaks_no_rule_of_its_profile(case: str, profile: str) -> None:
    made = xml_document.render(CASES[case], PROFILES[profile])
    assert schema_errors(made) == []
    assert broken_rules(profile, made) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_the_rules_look_at_what_is_written_and_see_what_is_wrong(profile: str) -> None:
    made = xml_document.render(european(invoice()), PROFILES[profile])
    assert fired_rules(profile, made) > 10
    wrong = made.replace(b">0.95<", b">0.96<", 1)
    assert wrong != made
    assert any("(fatal)" in one for one in broken_rules(profile, wrong))


@pytest.mark.parametrize("profile", ["ubl", "cii"])
def test_a_sale_outside_the_union_says_so(profile: str) -> None:
    one = of_lines(line(**NO_TAX), tax_rate_bp=Decimal(0))
    abroad = replace(
        one.customer, tax_id="", lines=("1 Main St", "US"), details={**CUSTOMER, "country": "US"}
    )
    made = xml_document.render(replace(one, customer=abroad), PROFILES[profile])
    assert broken_rules(profile, made) == []
    assert OUTSIDE in made.decode()


@pytest.mark.parametrize("profile", ["ubl", "cii"])
def test_an_exemption_is_said_with_its_reason(profile: str) -> None:
    one = of_lines(line(**NO_TAX), tax_rate_bp=Decimal(0))
    details = {**CUSTOMER, "tax_exemption": "Exempt: Article 151, Directive 2006/112/EC"}
    exempt = replace(one, customer=replace(one.customer, details=details))
    made = xml_document.render(exempt, PROFILES[profile])
    assert broken_rules(profile, made) == []
    assert "Article 151" in made.decode()


def test_reverse_charge_is_said_on_the_e_invoice_and_by_its_code() -> None:
    made = xml_document.render(CASES["reverse charge"], PROFILES["ubl"]).decode()
    assert REVERSE_CHARGE in made
    assert "VATEX-EU-AE" in made


def test_sums_of_the_e_invoice_are_those_of_the_document() -> None:
    one = CASES["a fee, a correction and a line of tiers"]
    root = etree.fromstring(xml_document.render(one, PROFILES["ubl"]))

    def sums(path: str) -> Decimal:
        return sum((Decimal(str(each.text)) for each in root.iterfind(path)), Decimal(0))

    settled = Decimal(sum(each.settled_amount for each in one.lines)).scaleb(-10)
    assert sums(f"{CAC}InvoiceLine/{CBC}LineExtensionAmount") == settled
    assert sums(f"{CAC}LegalMonetaryTotal/{CBC}PayableAmount") == Decimal(one.total).scaleb(-10)
    assert sums(f"{CAC}TaxTotal/{CBC}TaxAmount") == Decimal(one.tax).scaleb(-10)


def test_the_exact_sum_and_the_cut_are_said_where_there_is_a_cut() -> None:
    said = content(CASES["a leftover and a cut"], PROFILES["ubl"]).notes
    assert said == (
        "The exact sum of all lines is 0.892 EUR; 0.012 of it lies below the smallest unit and is"
        " not asked for, so the net is 0.88.",
    )
    assert content(CASES["usage beside what a plan paid"], PROFILES["ubl"]).notes == ()


@pytest.mark.parametrize(
    ("profile", "change", "said"),
    [
        ("xrechnung", {"buyer_reference": ""}, "the account's `buyer_reference` is missing"),
        ("xrechnung", {"city": "", "postcode": ""}, "`city`, the account's `postcode` are missing"),
        ("ubl", {"country": ""}, "the account's `country` is missing"),
        ("peppol", {"endpoint": "EM:a@b.example"}, "the account's `endpoint` is missing"),
    ],
)
def test_what_a_profile_needs_and_nobody_said_is_named(
    profile: str, change: dict[str, str], said: str
) -> None:
    one = european(invoice(), details=change)
    with pytest.raises(InputError, match=said):
        xml_document.render(one, PROFILES[profile])


def test_no_tax_and_no_reason_is_refused_never_guessed() -> None:
    one = of_lines(line(**NO_TAX), tax_rate_bp=Decimal(0))
    unknown = replace(one, customer=replace(one.customer, tax_id=""))
    with pytest.raises(InputError, match="nobody has said why there is no tax"):
        xml_document.render(unknown, PROFILES["ubl"])


def hybrid() -> tuple[bytes, bytes]:
    """A Factur-X document, and the XML that went into it."""
    one = CASES["partly prepaid"]
    xml = xml_document.render(one, PROFILES["factur-x"])
    return pdf_document.render(one, xml=xml), xml


@pytest.mark.needs_poppler
def test_factur_x_has_the_e_invoice_inside_and_says_so(tmp_path: Path) -> None:
    pdf, xml = hybrid()
    path = tmp_path / "invoice.pdf"
    path.write_bytes(pdf)
    subprocess.run(["pdfdetach", "-save", "1", "-o", tmp_path / "out.xml", path], check=True)
    assert (tmp_path / "out.xml").read_bytes() == xml
    said = subprocess.run(
        ["pdfinfo", "-meta", path], capture_output=True, text=True, check=True
    ).stdout
    assert "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>" in said
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in said
    assert "<pdfaid:part>3</pdfaid:part>" in said


def test_each_part_of_a_factur_x_file_is_where_its_table_says_and_its_bytes_are_the_same() -> None:
    pdf, _xml = hybrid()
    assert hybrid()[0] == pdf
    (start,) = re.findall(rb"startxref\n(\d+)\n%%EOF", pdf)
    table = pdf[int(start) :]
    assert table.startswith(b"xref\n")
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n", table)]
    assert len(places) > 20
    for number, place in enumerate(places, start=1):
        assert pdf[place:].startswith(b"%d 0 obj" % number)


def test_a_pdf_that_is_not_as_it_was_expected_is_refused_not_broken() -> None:
    plain = pdf_document.render(CASES["partly prepaid"])
    with pytest.raises(ValueError, match=r"schemas|metadata"):
        described(plain)


WANTS = ACCOUNTS.replace('country = "DE"\n', 'country = "DE"\ne_invoice = "{form}"\n', 1)
SELLS = SETTINGS.seller.model_copy(update={"country": "DE", "tax_id": "DE123456789"})


def issued(folder: Path, form: str) -> tuple[World, Any]:
    """October issued where acme wants e-invoices of that form."""
    world = october(folder, accounts=WANTS.format(form=form))
    world.settings = SETTINGS.model_copy(update={"seller": SELLS, "formats": ("json",)})
    order = Order(month="2026-10", account=None, at=ISSUE)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        done = issue(store, order, world.settings)
        writing.write_month(world.home, store.connection, "2026-10", ("json",))
    return world, done


def test_an_account_that_wants_them_gets_an_e_invoice_beside_its_document(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    world, _done = issued(tmp_path, "cii")
    folder = world.home / "invoices" / "2026-10"
    (path,) = folder.glob("*.xml")
    assert broken_rules("cii", path.read_bytes()) == []
    assert path.name in (folder / "SHA256SUMS").read_text()
    at = (ISSUE + timedelta(hours=1)).isoformat()
    words = ["billing", "e-invoice", path.stem, "--home", str(world.home), "--as-of", at]
    assert main(words) == 0
    assert capfdbinary.readouterr().out == path.read_bytes()
    assert main([*words, "--profile", "ubl"]) == 0
    assert broken_rules("ubl", capfdbinary.readouterr().out) == []


def test_an_account_that_wants_factur_x_gets_it_in_its_pdf_and_no_file_beside(
    tmp_path: Path,
) -> None:
    world, _done = issued(tmp_path, "factur-x")
    folder = world.home / "invoices" / "2026-10"
    assert sorted(path.name for path in folder.iterdir()) == [
        "INV-USD-2026-000001.json", "INV-USD-2026-000001.pdf", "INV-USD-2026-000002.json",
        "SHA256SUMS",
    ]  # fmt: skip
    assert b"urn:factur-x:pdfa" in (folder / "INV-USD-2026-000001.pdf").read_bytes()


def test_an_account_whose_e_invoice_cannot_be_made_waits_by_name(tmp_path: Path) -> None:
    world, done = issued(tmp_path, "xrechnung")
    (waiting,) = done.waiting
    assert waiting.account_id == "acme"
    assert "its e-invoice (xrechnung) cannot be made: the seller's `city`" in waiting.problem
    assert [one.account_id for one in world.documents("2026-10")] == ["beta"]
