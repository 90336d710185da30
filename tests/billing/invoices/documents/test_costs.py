"""What a document costs by a tag of its domains: kept with it, and adding up to the last unit."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from billing.appliers import open_store
from billing.close.issuing import issue_month
from billing.invoices.documents import html_document, pdf_document
from billing.invoices.documents.appendix import costs_of
from billing.invoices.records import Invoice
from billing.invoices.run import Order
from billing.money import SCALE
from edgetoll import main
from tests.billing.homes import Use, load_text
from tests.billing.invoices.world import GB, ISSUE, NOVEMBER, OCTOBER, SETTINGS, World, made_once

ACCOUNTS = """
[[accounts]]
id = "acme"
name = "Acme"
currency = "USD"
price_book = "plain"
tax_rate_percent = "19"
cost_tag = "team"

[[domains]]
domain = "www.acme.example"
account = "acme"
tags = { team = "web" }

[[domains]]
domain = "*.video.example"
account = "acme"
tags = { team = "=video" }

[[domains]]
domain = "old.acme.example"
account = "acme"
"""
UNTAGGED = """
[[domains]]
domain = "www.acme.example"
account = "acme"
tags = { team = "other" }
"""


@made_once
def shared(folder: Path) -> World:
    """October of three domains in tiers, issued with its costs by team."""
    world = World(folder, accounts=ACCOUNTS)
    first = datetime(2026, 10, 5, 13, tzinfo=UTC)
    uses = [
        Use(domain="www.acme.example", requests=1_000_001, bytes_sent=7 * GB),
        Use(domain="a.video.example", requests=355, bytes_sent=90 * GB),
        Use(domain="old.acme.example", requests=3, bytes_sent=GB),
    ]
    world.month(
        [(OCTOBER, Use(requests=0, bytes_sent=0)), *((first, one) for one in uses)], NOVEMBER
    )
    world.rate(NOVEMBER)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        issue_month(store, Order(month="2026-10", account=None, at=ISSUE), SETTINGS)
    return world


def document(folder: Path) -> Invoice:
    """The issued document."""
    (one,) = shared(folder).documents("2026-10")
    return one


def test_the_costs_add_up_to_the_documents_net_and_total(tmp_path: Path) -> None:
    one = document(tmp_path)
    found = costs_of(one)
    assert [part.value for part in found] == ["=video", "web", ""]
    assert sum(part.net for part in found) == one.net
    assert sum(part.net + part.tax for part in found) == one.total


def test_they_are_what_the_librarys_question_answers_when_it_is_issued(tmp_path: Path) -> None:
    world = shared(tmp_path)
    output = tmp_path / "by_tag.csv"
    words = ("query", "bill_by_tag", "--param", "month=2026-10", "--param", "tag=team")
    assert main([*words, "-o", str(output), "--home", str(world.home)]) == 0
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    asked = {row["tag_value"].lstrip("'"): int(Decimal(row["total"]) * SCALE) for row in rows}
    (one,) = world.documents("2026-10")
    kept = {part.value: part.net + part.tax for part in costs_of(one)}
    assert asked == {"=video": kept["=video"], "web": kept["web"], "(none)": kept[""]}


def test_page_and_csv_show_them_and_stay_when_tags_change(tmp_path: Path) -> None:
    world = shared(tmp_path)
    (one,) = world.documents("2026-10")
    html = html_document.render(one).decode()
    assert "Appendix: costs by team" in html
    assert "(no team)" in html
    assert pdf_document.render(one).startswith(b"%PDF")
    path = world.home / "invoices" / "2026-10" / f"{one.invoice_no}.costs.csv"
    issued = path.read_bytes()
    rows = list(csv.DictReader(issued.decode().splitlines()))
    assert [row["value"] for row in rows] == ["'=video", "web", ""], "no formula in a spreadsheet"
    assert sum(Decimal(row["total"]) for row in rows) * SCALE == one.total
    load_text(world.home, UNTAGGED, name="tags.toml")
    path.unlink()
    with open_store(world.home, owner="test", now=ISSUE) as store:
        issue_month(store, Order(month="2026-10", account=None, at=ISSUE), SETTINGS)
    assert path.read_bytes() == issued


def test_a_credit_note_takes_no_costs_along(tmp_path: Path) -> None:
    world = shared(tmp_path)
    (one,) = world.documents("2026-10")
    world.void(one.invoice_no, ISSUE)
    note = next(each for each in world.documents("2026-10") if each.kind == "credit_note")
    assert costs_of(note) == ()
    assert "costs" not in note.customer.details


def test_a_document_without_a_tag_asked_for_has_none() -> None:
    from tests.billing.invoices.samples import invoice

    assert costs_of(invoice()) == ()
