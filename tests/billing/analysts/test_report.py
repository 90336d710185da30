"""The month's page: one file, right figures, seen in a real browser on a desk and on a phone."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import edgetoll
from billing.analysts import report
from edge.errors import InputError
from tests.billing.invoices.test_browser import chromium

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
    for figure in ("1.3812654969", "0.2433112", "304,", "beta", "www.acme.example"):
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
    assert "2026-11 · beta" in page
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
    from billing.analysts.page import rendered

    known = {"hours_closed": 1, "hours_of_month": 1, "hours_incomplete": 0}
    page = rendered("2026-11", "<script>", [], [], known)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
