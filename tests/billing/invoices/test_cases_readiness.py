"""CASES G9, G10, G18 and M3: what keeps a month from being issued, and what an issued one keeps."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from billing.appliers import open_store
from billing.checks import red
from billing.invoices.documents import writing
from billing.invoices.documents.page import page, period_text
from billing.invoices.figures import exact
from billing.invoices.run import Order, prepare
from billing.invoices.settings import InvoiceSettings, Seller
from edge.errors import InputError
from edgetoll import main
from tests.billing.homes import Use
from tests.billing.invoices.samples import invoice
from tests.billing.invoices.stored import stored
from tests.billing.invoices.world import BOOK, ISSUE, NOVEMBER, OCTOBER, World, issued, october

HOUR = timedelta(hours=1)
# Hours of October taken in so much later are too old to be billed unseen (too_old_days = 60).
MUCH_LATER = NOVEMBER + 62 * 24 * HOUR


def with_old_hours(folder: Path, count: int) -> World:
    """October whose first hours came only two months later; the others are rated."""
    world = World(folder)
    world.month([(NOVEMBER - 2 * HOUR, Use())], NOVEMBER)
    world.rate(NOVEMBER)
    for number in range(count):
        world.use(OCTOBER + number * HOUR, Use(requests=100), through=NOVEMBER)
    world.rate(MUCH_LATER)
    return world


@pytest.mark.parametrize(("count", "said"), [(6, "738 of 744 hours"), (1, "743 of 744 hours")])
def test_g9_a_month_is_not_issued_while_hours_of_it_are_too_old(
    tmp_path: Path, count: int, said: str
) -> None:
    world = with_old_hours(tmp_path, count)
    issued = world.invoice("2026-10", MUCH_LATER)
    assert issued.invoices == 0
    (waiting,) = issued.waiting
    assert said in waiting.problem
    assert f"{count * 100:,} requests" in waiting.problem
    assert "billing accept" in waiting.hint


def test_g9_the_run_that_meets_old_hours_ends_with_1_and_check_names_them_till_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use(requests=1234))], NOVEMBER)
    settings = world.home / "edgetoll.toml"
    settings.write_text(settings.read_text().replace("too_old_days = 60", "too_old_days = 1"))
    home = ["--home", str(world.home)]
    rate = ["billing", "rate", *home]
    assert main(rate) == 1
    assert "1 file too old to be billed unseen: edgetoll billing accept" in capsys.readouterr().out
    assert main(rate) == 0
    assert main(["check", *home]) == 1
    said = capsys.readouterr()
    assert "no_usage_waits_to_be_billed" in said.out + said.err
    assert "1,234 requests" in said.out + said.err
    assert red.read(world.home).red == (), "nobody's suspension waits for usage that is not billed"
    assert main(["billing", "accept", "--reason", "seen", *home]) == 0
    assert main(rate) == 0
    assert main(["check", *home]) == 0


def test_usage_without_a_price_ends_each_run_with_1_and_check_names_account_and_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use(region="DE"))], NOVEMBER)
    settings = world.home / "edgetoll.toml"
    settings.write_text(settings.read_text().replace("too_old_days = 60", "too_old_days = 9999"))
    for book in (world.home / "prices").glob("*.toml"):
        book.write_text(book.read_text().replace("2020-01-01", "2026-11-15"))
    home = ["--home", str(world.home)]
    for _ in range(2):
        assert main(["billing", "rate", *home]) == 1
    assert main(["check", *home]) == 1
    said = capsys.readouterr()
    assert "no_usage_waits_to_be_billed" in said.out + said.err
    assert red.read(world.home).red == ()


def test_g9_only_the_month_with_the_old_hours_waits(tmp_path: Path) -> None:
    world = with_old_hours(tmp_path, 2)
    world.use(NOVEMBER + 5 * HOUR, Use(), through=NOVEMBER + 30 * 24 * HOUR)
    world.rate(NOVEMBER + 31 * 24 * HOUR)
    assert world.invoice("2026-11", MUCH_LATER).invoices == 1


def test_g9_a_month_of_which_everything_is_too_old_is_not_nothing_to_issue(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use(requests=100)), (NOVEMBER - HOUR, Use(requests=7))], NOVEMBER)
    world.rate(MUCH_LATER)
    (waiting,) = world.invoice("2026-10", MUCH_LATER).waiting
    assert waiting.account_id == "any account"
    assert "742 of 744 hours" in waiting.problem


REAL: dict[str, Any] = {"name": "Real CDN", "address": ("2 Way",), "tax_id": "X-1"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, "tax_id"),
        ({"name": "Real CDN", "address": ("2 Way",)}, "tax_id"),
        ({"name": "Real CDN", "tax_id": "X-1"}, "address"),
        ({"address": ("2 Way",), "tax_id": "X-1"}, "name"),
        ({"name": "Real CDN", "address": (" ",), "tax_id": "X-1"}, "address"),
        ({"name": " ", "address": ("2 Way",), "tax_id": "X-1"}, "name"),
        ({"name": "EXAMPLE  CDN ltd ", "address": ("2 Way",), "tax_id": "X-1"}, "name"),
        ({"name": "Real CDN", "address": ("2 Way", "example city"), "tax_id": "X-1"}, "address"),
        ({"name": "Real CDN", "address": ("2 Way, Example City",), "tax_id": "X-1"}, "address"),
        ({"name": "Real CDN", "address": ("1 Edge Street", "Ulm"), "tax_id": "X-1"}, "address"),
        ({"name": "Example CDN Ltd.", "address": ("2 Way",), "tax_id": "X-1"}, "name"),
        (REAL | {"email": "Billing@Example.com"}, "email"),
        (REAL | {"iban": "DE02120300000000202051"}, "iban"),
        (REAL | {"payment_link": "https://pay.example.com/{invoice}"}, "payment_link"),
    ],
)
def test_g10_nothing_is_issued_in_the_name_of_the_shipped_example(
    tmp_path: Path, change: dict[str, Any], wrong: str
) -> None:
    world = october(tmp_path)
    world.settings = InvoiceSettings(formats=("json",), seller=Seller(**change))
    with pytest.raises(InputError, match=f"the seller's .*{wrong}.*shipped example"):
        world.invoice("2026-10", ISSUE)
    assert world.documents("2026-10") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Real\u202eCDN"}, {"name": "Real\nBcc: a@b.example"}, {"phone": "\x1b[31m"},
        {"address": ("2 Way\u2028",  "Ulm\x00")}, {"payment": ("to\r\nme",)}, {"footer": "a\tb"},
        {"email": "not an address"}, {"email": "a@b.example, c@d.example"},
        {"iban": "DE00 1001 0010 0006 8201 01"}, {"iban": "DE02 1001 0010 0006 8210 01"},
        {"payment_link": "https://pay.real.example/{number}"},
    ],
)  # fmt: skip
def test_g12_what_is_said_of_the_seller_is_visible_lines_and_can_be_paid(
    wrong: dict[str, Any],
) -> None:
    assert Seller(**REAL | {"name": " Real CDN "}).name == "Real CDN"
    with pytest.raises(ValidationError):
        Seller(**REAL | wrong)


def test_g10_drafts_are_shown_and_a_seller_may_have_no_tax_id(tmp_path: Path) -> None:
    world = october(tmp_path)
    example = InvoiceSettings(formats=("json",))
    with open_store(world.home, owner="test", now=ISSUE) as store:
        order = Order(month="2026-10", account=None, at=ISSUE, draft=True)
        assert prepare(store, order, example).invoices == 2
    world.settings = InvoiceSettings(
        formats=("json",), seller=Seller(name="Real CDN", address=("2 Way",), tax_id="none")
    )
    world.invoice("2026-10", ISSUE)
    assert world.documents("2026-10")[0].seller.tax_id == ""


def test_g10_a_credit_note_of_the_example_is_refused_as_well(tmp_path: Path) -> None:
    world = issued(tmp_path)
    world.settings = InvoiceSettings(formats=("json",))
    with pytest.raises(InputError, match="shipped example"):
        world.credit("INV-USD-2026-000001", 1, "0.10", "T-1", ISSUE)
    with pytest.raises(InputError, match="shipped example"):
        world.void("INV-USD-2026-000001", ISSUE)


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        ('flat_fee = "5.00"', {"flat fee": "5.00"}),
        ('minimum = "9.00"', {"minimum": "8.198124"}),
        ('maximum = "0.50"', {"maximum": "-0.301876"}),
        ('flat_fee = "5.00"\nminimum = "9.00"', {"flat fee": "5.00", "minimum": "3.198124"}),
        ('flat_fee = "5.00"\nmaximum = "3.00"', {"flat fee": "5.00", "maximum": "-2.801876"}),
    ],
)
def test_g18_fee_minimum_and_maximum_are_lines_of_their_own(
    tmp_path: Path, terms: str, wanted: dict[str, str]
) -> None:
    world = october(tmp_path, book=BOOK.replace('price = "0.008"', f'price = "0.008"\n{terms}'))
    world.invoice("2026-10", ISSUE)
    lines = [one for one in world.documents("2026-10")[0].lines if one.item == "https_requests"]
    assert {one.reason: exact(one.amount) for one in lines if one.reason} == wanted
    assert [one.quantity for one in lines if one.reason] == [0] * len(wanted)
    assert [exact(one.amount) for one in lines if not one.reason] == ["0.801876"]
    shown = [one for one in page(world.documents("2026-10")[0]).lines if one.notes]
    assert {note for one in shown for note in one.notes} >= set(wanted)
    assert all(one.quantity == "–" for one in shown if set(one.notes) & set(wanted))


def test_m3_an_invoice_says_by_which_time_zone_rules_its_period_was_cut_out(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    evidence = world.documents("2026-10")[0].evidence
    assert evidence is not None
    assert evidence.tzdata is not None
    assert evidence.tzdata.startswith("20")


@pytest.mark.parametrize(
    ("month", "text"),
    [
        ("2026-10", "1 October 2026 – 31 October 2026"),
        ("2028-02", "1 February 2028 – 29 February 2028"),
        ("2026-12", "1 December 2026 – 31 December 2026"),
    ],
)
def test_m3_the_printed_period_does_not_depend_on_time_zone_rules(month: str, text: str) -> None:
    assert period_text(month) == text


def test_m3_a_document_of_an_earlier_edgetoll_stays_as_it_was_issued(tmp_path: Path) -> None:
    formats = ("json", "csv", "html")
    with stored(invoice()) as connection:
        writing.write_month(tmp_path, connection, "2026-10", formats)
        folder = tmp_path / "invoices" / "2026-10"
        (folder / "SHA256SUMS").unlink()  # it did not write one yet
        path = folder / f"{invoice().invoice_no}.json"
        old = json.loads(path.read_bytes())
        del old["taxes"]
        path.write_text(json.dumps(old, indent=2))
        path.with_suffix(".html").write_text("as it looked then")
        before = {one.name: one.read_bytes() for one in folder.iterdir()}
        again = writing.write_month(tmp_path, connection, "2026-10", formats)
        assert (again.new, again.restored) == (0, 0)
        (folder / "SHA256SUMS").unlink()
        assert {one.name: one.read_bytes() for one in folder.iterdir()} == before
        path.with_suffix(".html").unlink()
        assert writing.write_month(tmp_path, connection, "2026-10", formats).new == 1


@pytest.mark.parametrize("key", ["T-1\u200b", "T‑1", "Т-1", "T-1\n", " T-1"])
def test_g12_an_id_of_a_credit_that_looks_like_another_is_refused(tmp_path: Path, key: str) -> None:
    world = issued(tmp_path)
    with pytest.raises(InputError):
        world.credit("INV-USD-2026-000001", 1, "0.10", key, ISSUE)


@pytest.mark.parametrize("reason", ["good\u202ewill", "good\x1b[31mwill", "two\nlines"])
def test_g12_a_reason_that_would_drive_what_is_printed_around_it_is_refused(
    tmp_path: Path, reason: str
) -> None:
    world = issued(tmp_path)
    with pytest.raises(InputError, match="the reason holds"):
        world.void("INV-USD-2026-000001", ISSUE, reason=reason)
