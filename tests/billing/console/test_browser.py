"""What people do, in a real browser: a clerk, the person on call, an analyst; and how it looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.billing.console.conftest import Served
from tests.billing.console.test_pages import INVOICE, URLS
from tests.effort import PATIENCE_S

pytestmark = pytest.mark.needs_chromium
WIDTHS = ((360, 780), (1280, 900), (3840, 2160))
CUT = """[...document.querySelectorAll('h1,h2,dt,dd,.tiles a,button')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.textContent)"""

NOT_PRINTED = """[
  ...[...document.querySelectorAll('nav,aside,form.fields,.ask')].filter(e => e.offsetParent),
  ...[...document.querySelectorAll('.table')].filter(e => e.scrollHeight > e.clientHeight + 1),
].map(e => e.outerHTML.slice(0, 60)).concat(
  getComputedStyle(document.body).color === 'rgb(22, 32, 46)' ? [] : ['the dark colours'])"""


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """A page that came in by the printed link; what its console complains of fails the test."""
    context = browser.new_context(base_url=served.base, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_S * 1000)
    found = context.new_page()
    said: list[str] = []
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda error: said.append(str(error)))
    found.goto(served.link())
    yield found
    context.close()
    assert said == []


def test_a_clerk_finds_why_an_account_is_at_risk_and_which_invoice_is_open(page: Page) -> None:
    page.get_by_role("link", name="accounts at risk").click()
    page.get_by_role("link", name="acme", exact=True).click()
    facts = page.locator("#account-at-a-glance").inner_text()
    assert "the balance is below zero" in facts
    assert "overdue" in page.locator("#states-of-account").inner_text()
    page.get_by_role("link", name=INVOICE).click()
    assert "open amount" in page.locator("#invoice-at-a-glance").inner_text()
    preview = page.frame_locator("iframe.preview")
    assert "Invoice" in preview.locator("body").inner_text()
    assert f"edgetoll billing paid {INVOICE}" in page.locator("aside").inner_text()


def test_the_person_on_call_finds_the_edge_that_an_hour_lacks(page: Page) -> None:
    page.get_by_role("link", name="hours incomplete").click()
    page.locator("#incomplete-hours").get_by_role("link", name="2026-11-03 10:00").click()
    assert page.get_by_role("heading", name="Hour 2026-11-03T10").is_visible()
    assert "incomplete" in page.get_by_role("heading", name="Certificate").first.inner_text()


def test_an_analyst_goes_from_a_month_to_a_certificate_and_back_to_the_sql(page: Page) -> None:
    page.goto("/accounts/acme?month=2026-11")
    shapes = page.locator(".plot rect, .plot .dot").count()
    assert shapes == page.locator(".plot a rect, .plot a .dot").count() > 0
    page.locator("#charges-as-they-grow .plot a").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/acme/charges/https_requests?month=2026-11")
    page.go_back()
    page.locator("#charges-of-month").get_by_role("link", name="https_requests").click()
    page.locator("#charges-of-item").get_by_role("link", name="2026-11-03 08:00").click()
    assert "Certificate of partition" in page.locator("main").inner_text()
    asked = page.locator("#usage-of-hour")
    asked.locator("summary").click()
    assert "FROM usage_hourly" in asked.inner_text()
    asked.get_by_role("link", name="by itself").click()
    assert page.url.endswith("/ask/usage_of_hour?hour=2026-11-03T08&account=acme")
    with page.expect_download() as file:
        page.get_by_role("link", name="CSV", exact=True).first.click()
    assert Path(file.value.path()).read_text().startswith("account_id,domain,region,class")


def test_all_of_it_can_be_walked_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
    assert {"INPUT", "BUTTON", "A"} <= set(reached)
    page.get_by_role("link", name="Accounts", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_any_width_runs_nothing_and_can_be_used_by_everybody(
    scheme: Literal["light", "dark"], browser: Browser, served: Served
) -> None:
    """Each page is opened once: axe looks at it, hostile names have run nothing, and then it is as
    wide as a phone, a desk and a 4K screen, and a sheet of paper: in light colours, without what
    only a screen can use. What is dark has the same words: a few pages do.
    """
    context = browser.new_context(base_url=served.base, color_scheme=scheme, bypass_csp=True)
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    page.goto(served.link())
    wrong: list[str] = []
    for url in ["/enter", *(URLS if scheme == "light" else URLS[:6])]:
        page.goto(url)
        if "taken" in page.title():
            wrong.append(f"{url}: a name ran")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        wrong += [
            f"{url}: {one['id']}: {one['nodes'][0]['html'][:120]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        for wide, high in WIDTHS:
            page.set_viewport_size({"width": wide, "height": high})
            if page.evaluate("document.documentElement.scrollWidth") > wide:
                wrong.append(f"{url}: wider than {wide}")
            if cut := page.evaluate(CUT):
                wrong.append(f"{url}: at {wide} cut: {cut}")
        page.emulate_media(media="print")
        if printed := page.evaluate(NOT_PRINTED):
            wrong.append(f"{url}: printed with {printed}")
        page.emulate_media(media="screen")
    context.close()
    assert wrong == []


def test_without_javascript_every_page_is_whole(browser: Browser, served: Served) -> None:
    context = browser.new_context(base_url=served.base, java_script_enabled=False)
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    page.goto(served.link())
    assert page.locator("svg[aria-label]").count() >= 1
    page.locator("nav").get_by_role("link", name="Accounts").click()
    page.get_by_label("id or name has").fill("bet")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody tr").count() == 1
    assert page.url.endswith("/accounts?search=bet&state=all")
    context.close()
