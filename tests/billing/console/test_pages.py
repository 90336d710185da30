"""Pages show what the library answers, to anybody, whatever is asked; and nothing is written."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import openpyxl
import pytest

import edgetoll
from billing.analysts import library
from billing.console.site.pages import SitePage
from billing.console.site.table import PAGES
from tests.billing.console.conftest import HOSTILE, LOST_EDGE, NAMES, NOVEMBER, Served, usual
from tests.billing.homes import close_hour, copied
from tests.billing.runner import rate

INVOICE = "INV-USD-2026-000001"
KNOWN = {
    "account": "acme", "item": "https_requests", "invoice": INVOICE, "run": "R00000003",
    "edge": "edge-1",
}  # fmt: skip
URLS = [page.path.format(**KNOWN) for page in PAGES] + [
    "/?month=2026-11",
    "/accounts/beta?month=2026-10",
    "/accounts/acme/charges/https_requests?month=2026-11",
    "/usage?step=5min&from_day=2026-11-03&to_day=2026-11-03",
    "/usage?account=beta&step=hour&from_day=2026-11-03&to_day=2026-11-03",
    "/usage/periods?from_day=2026-11-01&other_from_day=2026-10-01&other_to_day=2026-10-31",
    "/completeness?month=2026-11",
    "/day?day=2026-11-03",
    "/hour?hour=2026-11-03T10",
    "/prices?try_book=plain&month=2026-11",
    "/ask",
    *(f"/ask/{one.name}" for one in library.all_queries() if "invoice" in one.name),
]
Get = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def followed() -> set[str]:
    """The forms of links that were followed."""
    return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_each_page_has_its_questions_their_sql_their_rows_as_files_and_what_acts(
    page: SitePage, get: Get
) -> None:
    answer = get(page.path.format(**KNOWN))
    assert answer.status_code == 200
    for block in page.blocks:
        if block.when:
            continue
        sql = library.find(block.question).title.replace("'", "&#39;").replace('"', "&#34;")
        assert sql in answer.text, block.question
        assert f"/ask/{block.question}.csv" in answer.text
        assert f"/ask/{block.question}.xlsx" in answer.text
        assert f"edgetoll query {block.question}" in answer.text
    for act in page.acts:
        assert act.what in answer.text


@pytest.mark.parametrize("url", URLS)
def test_hostile_names_are_text_on_every_page_and_nothing_comes_from_elsewhere(
    url: str, get: Get
) -> None:
    answer = get(url)
    assert answer.text.count("<script") == 1  # our own file
    assert HOSTILE not in answer.text
    assert "<img" not in answer.text
    assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
    assert " style=" not in answer.text
    assert " on" + "error=" not in answer.text.replace("onerror=alert(1)&gt;", "")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_name_of_an_account_is_shown_as_it_is_written(get: Get) -> None:
    assert "&lt;script&gt;document.title" in get("/accounts").text
    assert "Beta &amp; Söhne" in get("/accounts").text


def test_a_file_of_rows_is_what_the_command_writes(
    get: Get, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--param", "month=2026-11", "--param", "account=acme", "--home", str(home)]
    assert edgetoll.main(["query", "charges_of_month", *words, "--format", "csv"]) == 0
    said = capfd.readouterr().out
    url = "/ask/charges_of_month.{}?month=2026-11&account=acme"
    assert get(url.format("csv")).content == said.encode()
    sheet = openpyxl.load_workbook(io.BytesIO(get(url.format("xlsx")).content)).active
    assert sheet is not None
    rows = list(csv.DictReader(io.StringIO(said)))
    place = [cell.value for cell in sheet[1]].index("amount (exact)")
    assert [row[place].value for row in sheet.iter_rows(min_row=2)] == [r["amount"] for r in rows]


def test_the_figures_of_an_account_are_those_of_its_question(get: Get, home: Path) -> None:
    page = get("/accounts/acme?month=2026-11").text
    rows = list(csv.DictReader(io.StringIO(get("/ask/account_at_a_glance.csv?account=acme").text)))
    assert rows[0]["available"].rstrip("0") in page
    assert rows[0]["reason"] in page
    assert f'href="/invoices/{INVOICE}"' in page
    assert 'href="/accounts/acme/charges/https_requests?month=2026-11"' in page


def test_times_are_in_the_zone_of_the_account_with_utc_at_hand(get: Get) -> None:
    paid = '<time datetime="2026-10-05T08:00:00Z" title="2026-10-05T08:00:00Z">2026-10-05 17:00'
    assert paid in get("/accounts/beta").text
    assert paid.replace("17:00", "08:00") in get("/accounts/beta?times=utc").text


def test_a_month_total_leads_to_a_certificate_and_its_gaps(get: Get) -> None:
    link = "/hour?hour=2026-11-03T08&amp;account=acme"
    assert f'href="{link}"' in get("/accounts/acme/charges/https_requests?month=2026-11").text
    hour = get("/hour?hour=2026-11-03T08").text
    assert "Certificate of partition" in hour
    assert "a.beta.example" in hour
    assert "a.beta.example" not in get("/hour?hour=2026-11-03T08&account=acme").text


def test_the_heat_map_leads_to_the_hour_that_an_edge_is_missing_from(get: Get) -> None:
    page = get("/completeness?month=2026-11").text
    assert 'class="square incomplete" href="/hour?hour=2026-11-03T10"' in page
    assert 'href="/day?day=2026-11-03"' in page
    assert LOST_EDGE in page.partition("Ask this yourself")[0]  # of hours without an edge


def test_hours_by_edges_lead_to_the_certificate_of_the_edge_with_its_gaps(get: Get) -> None:
    lost = "/hour?hour=2026-11-03T10&amp;edge=fra-9#certificates"
    gaps = "/hour?hour=2026-11-03T09&amp;edge=edge-1#certificates"
    for page in ("/completeness?month=2026-11", "/day?day=2026-11-03"):
        text = get(page).text
        assert f'class="square missing" href="{lost}"' in text
        assert f'class="square gaps" href="{gaps}"' in text
    assert "fra-9 is missing" in get("/hour?hour=2026-11-03T10&edge=fra-9").text
    assert "epoch 1: 4–5" in get("/hour?hour=2026-11-03T09&edge=edge-1").text
    edge = get("/edges/edge-1?month=2026-11").text
    assert 'class="square gaps" href="/hour?hour=2026-11-03T09&amp;edge=edge-1#cert' in edge
    assert 'class="square level-4" href="/hour?hour=2026-11-03T08' in edge


def test_many_edges_are_walked_through_and_found_by_their_names(get: Get) -> None:
    words = {"day": "2026-11-03", "month": "2026-11", "top": "1"}
    for first, edge in (("1", "edge-1"), ("2", LOST_EDGE)):
        rows = csv.DictReader(
            io.StringIO(get("/ask/edges_by_hour.csv", params={**words, "first": first}).text)
        )
        assert {(row["edge_id"], row["edges"]) for row in rows} == {(edge, "2")}
    found = get("/day?day=2026-11-03&first=2").text
    assert "Edges 2 to 2 of 2." in found
    assert 'href="/day?day=2026-11-03&amp;edge=all&amp;first=1">before</a>' in found
    assert "Edges 1 to 1 of 1." in get("/day?day=2026-11-03&edge=FRA").text


def test_steps_of_usage_add_up_and_lead_from_a_month_to_the_hour(get: Get) -> None:
    span = "from_day=2026-11-01&to_day=2026-11-30&account=beta"
    sums = {}
    for step in ("month", "day", "hour", "5min"):
        text = get(f"/ask/usage_over_time.csv?{span}&step={step}").text
        sums[step] = sum(int(row["requests"]) for row in csv.DictReader(io.StringIO(text)))
    assert set(sums.values()) == {sums["month"]} != {0}
    kept = "&amp;account=beta&amp;domain=all&amp;region=all&amp;class=https"
    for step, leads in (
        ("month", "/usage?from_day=2026-11-01&amp;to_day=2026-11-30&amp;step=day" + kept),
        ("day", "/usage?from_day=2026-11-03&amp;to_day=2026-11-03&amp;step=hour" + kept),
        ("hour", "/hour?hour=2026-11-03T08&amp;account=beta"),
    ):
        page = get(f"/usage?{span}&step={step}").text
        assert f'<a href="{leads}" aria-label="' in page, step
        assert f'<a href="{leads}"><time' in page, step
    assert "Times are those of Asia/Tokyo" in page
    assert (
        '<time datetime="2026-11-03T08:00:00Z" title="2026-11-03T08:00:00Z">2026-11-03 17:00'
        in page
    )


@pytest.mark.parametrize("url", URLS)
def test_what_a_page_leads_to_is_there(url: str, get: Get, followed: set[str]) -> None:
    """One link of each form, from every page."""
    page = get(url)
    for href in map(html.unescape, re.findall(r'href="(/[^"]*)"', page.text)):
        split = urlsplit(href)
        form = (re.sub(r"[^/]*[-_.0-9][^/]*", "…", split.path), *sorted(parse_qs(split.query)))
        if split.path != "/leave" and str(form) not in followed:
            followed.add(str(form))
            assert get(href).status_code == 200, f"{url} leads to {href}"


def test_documents_are_those_on_disk_and_can_do_nothing(get: Get, home: Path) -> None:
    for ending in ("html", "csv", "detail.csv", "json"):
        answer = get(f"/invoices/{INVOICE}/document.{ending}")
        file = home / "invoices" / "2026-10" / f"{INVOICE}.{ending}"
        assert answer.content == file.read_bytes()
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/nobody",
        "/accounts/..%2Facme",
        "/invoices/INV-USD-2026-999999",
        f"/invoices/{INVOICE}/document.exe",
        f"/invoices/{INVOICE}/document.pdf",
        "/invoices/..%2F..%2Fedgetoll.toml/document.json",
        "/static/..%2Fapp.py",
        "/ask/nothing",
        "/ask/usage_by_day.parquet",
        "/nowhere",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(url: str, get: Get) -> None:
    answer = get(url)
    assert answer.status_code == 404
    assert "<h1>Not there</h1>" in answer.text or "Not Found" in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "/?month=November",
        "/?month=2026-13",
        "/?month=%00",
        "/?month=" + "9" * 5000,
        "/usage?from_day=2026-02-30",
        "/usage?step=century",
        "/usage?from_day=999999-01-01",
        "/hour?hour=../../journal",
        "/hour?hour=2026-11-03T99",
        "/ask/usage_split?top=1e9",
        "/ask/usage_split?top=-5",
        "/ask/usage_split?from=x",
        "/ask/usage_split?from=99999999999999999999",
        "/ask/charges_of_item.csv?month=2026-11",
        "/prices?percent=ten",
        "/prices?percent=" + "9" * 40,
    ],
)
def test_absurd_parameters_are_told_in_a_line(url: str, get: Get) -> None:
    answer = get(url)
    assert answer.status_code == 400
    assert '<p class="wrong" role="alert">' in answer.text
    assert "Traceback" not in answer.text


def test_names_with_signs_of_sql_are_values(get: Get) -> None:
    answer = get("/accounts", params={"search": "' OR 1=1; --%_\"", "state": "'); DROP"})
    assert answer.status_code == 200
    assert "No account is like that" in answer.text


def test_a_month_without_data_says_so_and_how_to_get_some(get: Get) -> None:
    answer = get("/usage?from_day=2020-01-01&to_day=2020-01-31")
    assert answer.status_code == 200
    assert "Nothing was served in these days" in answer.text
    assert "edgetoll billing invoice --month" in get("/invoices?month=2020-01").text


def test_more_rows_than_a_page_holds_are_walked_through(get: Get) -> None:
    first = get("/ask/unattributed_domains").text
    assert f"Rows 1 to 200 of {NAMES + 1}" in first
    assert 'href="/ask/unattributed_domains?from=200"' in first
    rest = get("/ask/unattributed_domains?from=200").text
    assert f"Rows 201 to {NAMES + 1} of {NAMES + 1}" in rest
    assert len(get("/ask/unattributed_domains.csv").text.splitlines()) == NAMES + 2


def test_looking_writes_nothing_into_the_home(get: Get, home: Path) -> None:
    def state() -> dict[str, tuple[int, str]]:
        return {
            str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(home.rglob("*"))
            if path.is_file()
        }

    before = state()
    for url in URLS:
        assert get(url).status_code in (200, 400)
    assert state() == before


def test_a_new_version_is_seen_at_the_next_look_and_a_broken_one_is_refused(
    home: Path, tmp_path: Path
) -> None:
    mine = copied(home, tmp_path / "mine")
    with Served(mine) as console, console.browser_of() as client:
        assert "2026-11-03T12" not in client.get("/day?day=2026-11-03").text
        close_hour(mine, NOVEMBER.replace(hour=12), usual(1))
        rate(mine, at=NOVEMBER.replace(hour=14))
        assert "2026-11-03T12" in client.get("/day?day=2026-11-03").text
        version = (mine / "lake" / "CURRENT").read_text().split()[0]
        listed = json.loads((mine / "lake" / "versions" / version / "version.json").read_text())
        name = next(file["path"] for file in listed["files"] if file["table"] == "accounts")
        broken = mine / "lake" / "versions" / version / name
        kept = broken.read_bytes()
        broken.write_bytes(kept[:-40] + b"x" * 40)
        answer = client.get("/accounts")
        assert answer.status_code == 503
        assert "edgetoll billing rate" in answer.text
        broken.write_bytes(kept)
        assert client.get("/accounts").status_code == 200
