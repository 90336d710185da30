"""The month's page: one file, right figures, seen in a real browser on a desk and on a phone."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

import edgetoll
from billing.analysts import report
from billing.analysts.page import ReportCell, cell
from edge.errors import InputError
from tests.billing.invoices.documents.test_browser import chromium

FRAME = """<body style="margin:0"><iframe style="width:{width}px;height:900px;border:0"
srcdoc="{page}" onload="const d=this.contentDocument;
const drawn=[...d.querySelectorAll('figure svg')].filter(e=>e.getBoundingClientRect().height>40);
const out=[...d.querySelectorAll('h1,h2,.tile,.note,code')].filter(e=>
  e.getBoundingClientRect().right>{width}||e.scrollWidth>e.clientWidth+1);
const wide=d.documentElement.scrollWidth;
document.title=`wide ${{wide}}, ${{drawn.length}} drawn, ${{out.length}} cut`">
</iframe>"""


@pytest.fixture(scope="module")
def page(home: Path) -> str:
    """The page of November."""
    return report.made(home, "2026-11")


def test_the_page_holds_all_it_needs_and_its_figures_are_those_of_the_questions(page: str) -> None:
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=", page.replace("xlink:href", "")) == []
    assert "2 of 720 hours are closed" in page
    assert "<h1>November 2026</h1>" in page
    for figure in (
        '<b title="1.3812654969 USD">1.38</b>', '<b title="0.2433112000 USD">0.24</b>', "304,",
        "beta", "www.acme.example",
    ):  # fmt: skip
        assert figure in page, figure
    for name in re.findall(r"edgetoll query (\w+)", page):
        assert name in {section.question for section in report.SECTIONS}


@pytest.mark.needs_chromium
@pytest.mark.parametrize("width", [1100, 360], ids=["desk", "phone"])
def test_a_browser_shows_it_whole_on_a_desk_and_on_a_phone(
    page: str, width: int, tmp_path: Path
) -> None:
    file = tmp_path / "frame.html"
    file.write_text(FRAME.format(page=html.escape(page), width=width), encoding="utf-8")
    dom = chromium(tmp_path, "--window-size=1200,900", "--dump-dom", file.as_uri())
    title = re.search(r"<title>wide (\d+), (\d+) drawn, (\d+) cut</title>", dom)
    assert title is not None
    wide, drawn, cut = (int(group) for group in title.groups())
    assert wide <= width
    assert drawn >= 4
    assert cut == 0


@pytest.mark.needs_chromium
@pytest.mark.needs_poppler
def test_it_prints_on_few_pages_with_its_charts(page: str, tmp_path: Path) -> None:
    file, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    file.write_text(page, encoding="utf-8")
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", file.as_uri())
    pdftotext = shutil.which("pdftotext") or ""
    text = subprocess.run(
        [pdftotext, "-layout", str(printed), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert 1 < text.count("\f") <= 6
    assert "Largest changes" in text


def test_a_page_about_one_account_has_only_what_is_its_own(home: Path) -> None:
    page = report.made(home, "2026-11", "beta")
    assert "<h1>Beta’s November 2026</h1>" in page
    assert "acme" not in page
    assert "belong to nobody" not in page


def test_a_wrong_month_account_or_file_is_one_line(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"no account «acm»"):
        report.made(home, "2026-11", "acm")
    words = ["report", "--home", str(home), "-o", str(tmp_path / "a.html"), "--month"]
    assert edgetoll.main([*words, "November"]) == 1
    assert "«November» is no month" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert edgetoll.main([*words, "2026-11"]) == 0
    assert edgetoll.main([*words, "2026-11"]) == 1
    assert "is there already" in capfd.readouterr().err


def test_names_from_data_are_text_on_the_page(tmp_path: Path) -> None:
    from billing.analysts.page import rendered, title_of

    known = {"hours_closed": 1, "hours_of_month": 1, "hours_incomplete": 0}
    page = rendered(title_of("2026-11", "<script>"), "<script>", [], [], known)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("value", "name", "currency", "text", "exact"),
    [
        (Decimal("1234.5050000000"), "amount", "USD", "1,234.51", "1,234.5050000000 USD"),
        (Decimal("-0.0050000000"), "change", "USD", "-0.01", "-0.0050000000 USD"),
        (Decimal("0.0000000001"), "amount", "USD", "< 0.01", "0.0000000001 USD"),
        (Decimal("-0.4900000000"), "change", "JPY", "> -1", "-0.4900000000 JPY"),
        (Decimal("0.0000000000"), "amount", "USD", "0.00", ""),
        (Decimal("12.3400000000"), "amount", "EUR", "12.34", ""),
        (Decimal("957.5000000000"), "amount", "JPY", "958", "957.5000000000 JPY"),
        (Decimal("1.0004000000"), "amount", "KWD", "1.000", "1.0004000000 KWD"),
        (Decimal("0.0040000000"), "amount", None, "0.0040000000", ""),
        (999, "bytes_sent", None, "999 bytes", ""),
        (17_482_869_202, "bytes_sent", None, "17.48 GB", "17,482,869,202 bytes"),
        (1_000, "bytes_sent", None, "1.00 kB", "1,000 bytes"),
        (17_482_869_202, "requests", None, "17,482,869,202", ""),
        (995, "encrypted_permille", None, "99.5 %", ""),
        (None, "amount", "USD", "—", ""),
    ],
)  # fmt: skip
def test_what_is_shortened_for_a_manager_has_all_of_it_beside(
    value: object, name: str, currency: str | None, text: str, exact: str
) -> None:
    assert cell(value, name=name, currency=currency) == ReportCell(text=text, exact=exact)
