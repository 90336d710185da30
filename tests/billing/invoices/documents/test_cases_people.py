"""CASES P2, P3, P9 and P10: what people see of an invoice."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billing.appliers import open_store
from billing.cli import app
from billing.invoices import reading
from billing.invoices.documents import html_document, pdf_document
from billing.invoices.documents.page import page
from billing.invoices.documents.rendering import rendered
from billing.invoices.fonts import packages
from billing.invoices.records import DetailRow, Invoice, Party
from billing.invoices.run import Order, issue, prepare
from billing.invoices.waiting import Printing
from edge.errors import InputError
from tests.billing.invoices.samples import invoice, line
from tests.billing.invoices.world import ACCOUNTS, NOVEMBER, OCTOBER, World, october
from tests.effort import PATIENCE_S

HOUR = timedelta(hours=1)
ISSUE = NOVEMBER + 4 * HOUR
# No font has the last code point of the private planes.
NOWHERE = "\U00010570"  # VITHKUQI CAPITAL LETTER A: in no font of this time


def issued(world: World, texts: str = "") -> list[tuple[str, str, str]]:
    """Issue October as the command does, the renderer asked about glyphs; who has to wait. `texts`:
    what documents that are not in English say.
    """
    order = Order(month="2026-10", account=None, at=ISSUE)

    def unprintable(text: str) -> str:
        return pdf_document.unprintable(text, None)

    with open_store(world.home, owner="test", now=ISSUE) as store:
        printing = Printing(
            unprintable=unprintable, texts_of=lambda language: "" if language == "en" else texts
        )
        done = issue(store, order, world.settings, printing=printing)
    return [(one.account_id, one.problem, one.hint) for one in done.waiting]


def test_a_language_whose_letters_no_font_has_stops_its_accounts_by_name(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace('country = "DE"\n', 'country = "DE"\nlanguage = "ja"\n', 1)
    ((account, problem, hint),) = issued(october(tmp_path, accounts=accounts), texts=NOWHERE)
    assert account == "acme"
    assert "no font has" in problem
    assert "of its language (ja)" in problem
    assert "HOME/fonts" in hint


@pytest.mark.parametrize("field", ["name", "address"])
def test_p2_an_account_whose_document_would_show_boxes_waits_and_is_named(
    tmp_path: Path, field: str
) -> None:
    was = {"name": "Acme Video GmbH", "address": "Hauptstrasse 1, 10115 Berlin"}[field]
    world = october(tmp_path, accounts=ACCOUNTS.replace(was, f"{was} {NOWHERE}"))
    ((account, problem, hint),) = issued(world)
    assert account == "acme"
    assert "U+10570" in problem
    assert "install fonts-noto-core (Debian), or put a font file" in hint
    assert [one.account_id for one in world.documents("2026-10")] == ["beta"]


def test_p2_a_seller_without_a_glyph_issues_nothing(tmp_path: Path) -> None:
    world = october(tmp_path)
    seller = world.settings.seller.model_copy(update={"payment": (f"IBAN {NOWHERE}",)})
    world.settings = world.settings.model_copy(update={"seller": seller})
    with pytest.raises(InputError, match=r"no font has .*U\+10570.* of the seller's name"):
        issued(world)


@pytest.mark.parametrize(
    ("characters", "wanted"),
    [
        ("株式会社", ("fonts-noto-cjk",)),
        ("有限公司", ("fonts-noto-cjk",)),
        ("주식회사", ("fonts-noto-cjk",)),
        ("カブ（）", ("fonts-noto-cjk",)),
        ("บริษัท", ("fonts-noto-core",)),
        ("株ไ", ("fonts-noto-cjk", "fonts-noto-core")),
        ("\U0001f680", ("fonts-noto-color-emoji",)),
    ],
)
def test_p2_the_package_that_has_the_font_is_named(
    characters: str, wanted: tuple[str, ...]
) -> None:
    assert packages(characters) == wanted


def test_p2_latin_greek_cyrillic_and_arabic_need_no_font_of_the_system() -> None:
    text = "Žižkov & Søn Ελλάς Київ שלום شركة الكويت – 5 €"
    assert pdf_document.unprintable(text, None) == ""


@pytest.mark.needs_fonts
@pytest.mark.needs_poppler
@pytest.mark.parametrize(
    ("name", "font", "at_least"),
    [
        ("上海云端视频科技有限公司", "NotoSerifCJKsc", 1500),
        ("株式会社エッジ動画", "NotoSerifCJKjp", 1200),
        ("주식회사 엣지 동영상", "NotoSerifCJKkr", 1000),
        ("شركة الكويت للفيديو", "", 500),
    ],
)
def test_p2_names_of_other_scripts_are_printed_with_their_own_letters(
    tmp_path: Path, name: str, font: str, at_least: int
) -> None:
    one = invoice(customer=Party(name=name), seller=Party(name="A"))
    assert pdf_document.unprintable(name, None) == ""
    path = tmp_path / "invoice.pdf"
    path.write_bytes(pdf_document.render(one))
    assert font in shell("pdffonts", str(path)).replace("-", "")
    text = unicodedata.normalize("NFKC", shell("pdftotext", "-layout", str(path), "-"))
    assert sum(char in text for char in name) >= len(name) - 2
    # The picture: where the name stands there is ink, much more than the frames of boxes have.
    shell("pdftoppm", "-r", "150", "-gray", "-x", "90", "-y", "220", "-W", "520", "-H", "110",
          str(path), str(tmp_path / "name"))  # fmt: skip
    (picture,) = tmp_path.glob("name*.pgm")
    pixels = picture.read_bytes().split(b"\n", 3)[3]
    assert sum(pixel < 128 for pixel in pixels) >= at_least


def shell(*words: str) -> str:
    """What a program of poppler prints."""
    done = subprocess.run(words, capture_output=True, check=True, timeout=PATIENCE_S)
    return done.stdout.decode()


def draft(folder: Path, at: datetime = ISSUE) -> Invoice:
    """The draft of acme's October."""
    world = october(folder)
    settings = world.settings.model_copy(
        update={"seller": world.settings.seller.model_copy(update={"payment": ("IBAN EX00",)})}
    )
    order = Order(month="2026-10", account="acme", at=at, draft=True)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        prepare(store, order, settings)
        reading.choose_month(store.connection, "2026-10", "acme", reading.DRAFTS)
        (one,) = reading.documents(store.connection, reading.DRAFTS)
        (tables,) = rendered(store.connection, reading.DRAFTS)
    assert b'"due_on": null' in tables.json
    assert b"IBAN" not in tables.json
    return one


def test_p3_a_draft_cannot_be_taken_for_an_invoice(tmp_path: Path) -> None:
    one = draft(tmp_path)
    shown = page(one)
    assert (shown.title, shown.draft, shown.due) == ("Draft invoice", True, "")
    assert [note.partition(":")[0] for note in shown.payment] == ["Draft"]
    html = html_document.render(one).decode()
    assert re.search(r'class="watermark"[^>]*>DRAFT<', html)
    for never in ("Payable", "IBAN", "<dt>Due", "Date of issue"):
        assert never not in html, never


def test_p3_a_draft_of_a_month_that_is_not_over_says_so(tmp_path: Path) -> None:
    one = draft(tmp_path, at=OCTOBER + timedelta(days=20))
    assert "The month is not over" in " ".join(page(one).payment)
    assert "2026-10-21T00:00:00Z" in html_document.render(one).decode()


def test_p3_an_issued_document_has_none_of_that() -> None:
    shown = page(invoice())
    assert (shown.title, shown.draft, shown.due) == ("Invoice", False, "15 November 2026")
    assert 'watermark"' not in html_document.render(invoice()).decode()


def many_domains(count: int) -> Invoice:
    """An invoice whose account has so many domains."""
    rows = tuple(
        DetailRow(
            day=date(2026, 10, 1),
            domain=f"d{number:03d}.acme.example",
            traffic_class="https" if number % 2 else "quic",
            region="CN",
            requests=1000 - number,
            bytes_sent=1024**3,
        )
        for number in range(count)
    )
    return invoice(detail=rows)


def test_p9_what_is_left_out_of_the_appendix_is_summed_up_and_so_is_all_of_it() -> None:
    shown = page(many_domains(200)).domains
    assert len(shown) == 42
    rest, every = shown[-2:]
    assert (rest.domain, rest.transfer) == ("160 more domains", "160.000 GB")
    assert (every.domain, every.transfer) == ("All 200 domains", "200.000 GB")
    requests = sum(1000 - number for number in range(200))
    https = int(every.https.replace(",", ""))
    assert https + int(every.quic.replace(",", "")) == requests


def test_p9_forty_one_domains_leave_one_out_and_one_domain_needs_no_sum() -> None:
    assert page(many_domains(41)).domains[-2].domain == "1 more domain"
    assert [one.domain for one in page(many_domains(1)).domains] == ["d000.acme.example"]


def test_p9_a_class_without_a_line_is_explained() -> None:
    (note,) = page(many_domains(4)).domain_notes
    assert note.startswith("QUIC requests are counted here but have no line of their own")
    priced = many_domains(4)
    priced = replace(priced, lines=(*priced.lines, line(line_no=3, item="quic_requests")))
    assert page(priced).domain_notes == ()
    assert page(invoice()).domain_notes == ()


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("xn--fiqs8s.example", "中国.example"),
        ("www.xn--mnchen-3ya.example", "www.münchen.example"),
        ("xn--i-7iq.shop.example", "xn--i-7iq.shop.example"),
        ("plain.example", "plain.example"),
    ],
)
def test_p9_people_read_domains_in_their_own_script(domain: str, shown: str) -> None:
    (row,) = invoice().detail
    one = invoice(detail=(replace(row, domain=domain),))
    assert page(one).domains[0].domain == shown
    assert page(one, printable=str.isascii).domains[0].domain == domain


def run_cli(home: Path, *words: str, at: datetime) -> str:
    """What a command says, on whichever stream."""
    done = CliRunner().invoke(app, [*words, "--home", str(home), "--as-of", at.isoformat()])
    assert done.exit_code == 0, done.output
    return done.output


def test_p10_one_invoice_is_one_invoice_and_a_credit_note_is_over_what_it_gives_back(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    said = run_cli(world.home, "invoice", "--month", "2026-10", "--account", "acme", at=ISSUE)
    assert "1 invoice issued" in said
    said = run_cli(world.home, "invoice", "--month", "2026-10", at=ISSUE)
    assert "1 invoice issued" in said
    said = run_cli(
        world.home, "credit-note", "INV-USD-2026-000001", "--line", "1", "--amount", "0.50",
        "--id", "T-1", "--reason", "goodwill", at=ISSUE,
    )  # fmt: skip
    assert "over 0.60 USD for INV-USD-2026-000001 issued" in said
    said = run_cli(world.home, "paid", "INV-USD-2026-000001", "--id", "bank-7", at=ISSUE)
    assert "posted 9.40 USD to acme as bank-7" in said
    assert "1 invoice changed standing" in said
    said = run_cli(world.home, "paid", "INV-USD-2026-000001", "--id", "bank-7", at=ISSUE)
    assert "bank-7 was posted before (9.40 USD to acme): nothing was posted" in said
