"""The HTML invoice in a real browser: it fits the screen, and prints on A4."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from billing.invoices.documents import html_document
from billing.invoices.records import Invoice
from tests.billing.invoices.documents.test_cases_people import many_domains
from tests.billing.invoices.samples import invoice, line
from tests.effort import PATIENCE_S

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MEASURE = (
    "<script>addEventListener('load',()=>{const d=document.documentElement;"
    "const cut=[...document.querySelectorAll('td,th,dd')].filter(e=>e.scrollWidth>e.clientWidth+1);"
    "document.title=`wide ${d.scrollWidth} of ${innerWidth}, cut ${cut.length}`})</script>"
)


def chromium(folder: Path, *words: str) -> str:
    """Run the browser once on its own profile; what it printed."""
    profile = folder / "profile"
    done = subprocess.run(
        ["chromium", *FLAGS, f"--user-data-dir={profile}", *words],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    shutil.rmtree(profile, ignore_errors=True)
    return done.stdout.decode()


@pytest.mark.needs_chromium
@pytest.mark.parametrize("width", [1000, 500])
def test_the_page_fits_the_screen_and_cuts_no_cell(tmp_path: Path, width: int) -> None:
    page = tmp_path / "invoice.html"
    page.write_bytes(
        html_document.render(invoice()).replace(b"</body>", MEASURE.encode() + b"</body>")
    )
    dom = chromium(tmp_path, f"--window-size={width},1400", "--dump-dom", page.as_uri())
    title = re.search(r"<title>wide (\d+) of (\d+), cut (\d+)</title>", dom)
    assert title is not None
    wide, window, cut = (int(group) for group in title.groups())
    assert (wide <= window, cut) == (True, 0)


FRAME = """<body style="margin:0"><iframe id="page" style="width:360px;height:900px;border:0"
srcdoc="{page}" onload="const d=this.contentDocument;
const all=[...d.querySelectorAll('td,dd,h1,.number')];
const seen=all.filter(e=>e.getClientRects().length);
const out=seen.filter(e=>e.getBoundingClientRect().right>360
  ||e.scrollWidth>e.clientWidth+1);
document.title=`wide ${{d.documentElement.scrollWidth}} of ${{seen.length}}, cut ${{out.length}}`">
</iframe>"""


@pytest.mark.needs_chromium
@pytest.mark.parametrize("one", [invoice(), many_domains(60)], ids=["two lines", "60 domains"])
def test_p9_on_a_phone_every_figure_is_in_sight(tmp_path: Path, one: Invoice) -> None:
    page = tmp_path / "phone.html"
    inside = html.escape(html_document.render(one).decode())
    page.write_text(FRAME.format(page=inside), encoding="utf-8")
    dom = chromium(tmp_path, "--window-size=600,900", "--dump-dom", page.as_uri())
    title = re.search(r"<title>wide (\d+) of (\d+), cut (\d+)</title>", dom)
    assert title is not None
    wide, seen, cut = (int(group) for group in title.groups())
    assert wide <= 360
    assert cut == 0
    assert seen > 10, "figures are shown, not hidden"


@pytest.mark.needs_chromium
@pytest.mark.needs_poppler
@pytest.mark.parametrize("count", [2, 6, 15])
def test_p9_no_printed_page_holds_the_hashes_alone(tmp_path: Path, count: int) -> None:
    lines = tuple(replace(line(), line_no=number) for number in range(1, count))
    page, printed = tmp_path / "invoice.html", tmp_path / "invoice.pdf"
    page.write_bytes(html_document.render(invoice(lines=lines)))
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri())
    text = subprocess.run(
        ["pdftotext", "-layout", str(printed), "-"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout.decode()
    for one in text.split("\f")[:-1]:
        own = [row for row in one.splitlines() if row.strip() and "Page " not in row]
        assert any("sha256" not in row for row in own), one


@pytest.mark.needs_chromium
@pytest.mark.needs_poppler
def test_the_page_prints_on_a4_with_numbered_pages(tmp_path: Path) -> None:
    lines = tuple(replace(line(), line_no=number) for number in range(1, 60))
    page, printed = tmp_path / "invoice.html", tmp_path / "invoice.pdf"
    page.write_bytes(html_document.render(invoice(lines=lines)))
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri())
    about = subprocess.run(
        ["pdfinfo", str(printed)], capture_output=True, check=True, timeout=PATIENCE_S
    ).stdout.decode()
    assert "(A4)" in about
    text = subprocess.run(
        ["pdftotext", "-layout", str(printed), "-"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout.decode()
    pages = text.split("\f")[:-1]
    assert len(pages) > 1
    assert all("Amount" in one for one in pages[:-1]), "the heading of the lines is on each page"
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]
