"""Factur-X files as Mustang sees them: veraPDF for PDF/A-3, the Factur-X rules for what is inside.

It knows nothing of our rules' jars, and takes seconds to start: one call for all files.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from billing.accounts.languages import LANGUAGES
from billing.invoices.documents import pdf_document
from billing.invoices.einvoice import xml_document
from billing.vat.profiles import PROFILES
from tests.billing.invoices.einvoice.rules import mustang_says
from tests.billing.invoices.einvoice.test_einvoices import CASES

pytestmark = [
    pytest.mark.needs_rules, pytest.mark.needs_fonts, pytest.mark.xdist_group("einvoice"),
]  # fmt: skip
OTHERS = [one for one in LANGUAGES if one != "en"]
FACTUR_X = PROFILES["factur-x"]


def test_twenty_factur_x_files_in_seven_languages_are_valid_and_broken_ones_are_not(
    tmp_path: Path,
) -> None:
    for number, (one, language) in enumerate(zip(CASES.values(), cycle(OTHERS), strict=False)):
        for said in ("en", language):
            details = {**one.customer.details, "language": said}
            written = replace(one, customer=replace(one.customer, details=details))
            made = pdf_document.render(written, xml=xml_document.render(written, FACTUR_X))
            tmp_path.joinpath(f"{number}-{said}.pdf").write_bytes(made)
    good = {path.name: ("valid", "valid") for path in tmp_path.iterdir()}

    one = CASES["partly prepaid"]
    xml = xml_document.render(one, FACTUR_X)
    made = pdf_document.render(one, xml=xml)
    no_archive = made.replace(b"<pdfaid:part>3<", b"<pdfaid:part>1<")
    wrong_sum = pdf_document.render(one, xml=xml.replace(b">0.95<", b">0.96<", 1))
    tmp_path.joinpath("no-archive.pdf").write_bytes(no_archive)
    tmp_path.joinpath("wrong-sum.pdf").write_bytes(wrong_sum)
    assert mustang_says(tmp_path) == {
        **good,
        "no-archive.pdf": ("invalid", "valid"),
        "wrong-sum.pdf": ("valid", "invalid"),
    }
    assert len(good) == 20
