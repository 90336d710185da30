"""From a line down to batches, between two runs, and along an account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.appliers import open_store
from billing.money import format_amount, parse_amount
from billing.prices import load_books
from billing.reports.diff import difference
from billing.reports.explain import Books, document, explanation
from billing.reports.explain_view import show
from billing.reports.records import Explanation
from billing.reports.statement import read, to_document
from edge.errors import InputError
from tests.billing.homes import Use
from tests.billing.invoices.world import DECEMBER, GB, ISSUE, World, issued, made_once, october

FIRST = datetime(2026, 10, 5, 13, tzinfo=UTC)


def found_behind(world: World, invoice_no: str, line: int, **more: Any) -> Explanation:
    """What is behind one line."""
    prices = load_books(world.home / "prices")
    books = Books(regions={book.book_id: book.regions for book in prices})
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        return explanation(store.connection, invoice_no, line, books=books, **more)


def explained(world: World, invoice_no: str, line: int, **more: Any) -> dict[str, Any]:
    """The same as programs read it."""
    return document(found_behind(world, invoice_no, line, **more))


@made_once
def late(folder: Path) -> World:
    """October issued, then late usage for one of its hours on November's invoice."""
    world = issued(folder)
    world.use(FIRST, Use(requests=50_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=1))
    return world


def test_people_read_prices_and_tiers_in_the_words_of_the_price_book(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = issued(tmp_path)
    show(found_behind(world, "INV-USD-2026-000001", 1))
    told = capsys.readouterr()
    assert "its prices are per 10,000 requests" in told.out + told.err
    show(found_behind(world, "INV-USD-2026-000001", 2))
    told = capsys.readouterr()
    assert "its prices are per GB; quantities here are bytes" in told.out + told.err
    assert "10 GB" in told.out


def test_a_line_is_explained_by_hours_domains_certificates_and_batches(tmp_path: Path) -> None:
    world = issued(tmp_path)
    found = explained(world, "INV-USD-2026-000001", 1)
    assert [(one["period_start"], one["quantity"], one["amount"]) for one in found["hours"]][
        :1
    ] == [(FIRST.replace(tzinfo=None), 1_000_000, "0.80")]
    assert sum(one["quantity"] for one in found["hours"]) == found["line"]["quantity"]
    amounts = sum(parse_amount(one["amount"]) for one in found["hours"])
    assert amounts == parse_amount(found["line"]["amount"])
    assert [(one["domain"], one["requests"]) for one in found["domains"]] == [
        ("www.acme.example", 1_002_345)
    ]
    hours = {one["hour"] for one in found["certificates"]}
    assert FIRST.replace(tzinfo=None) in hours
    assert all(len(one["certificate_sha256"]) == 64 for one in found["certificates"])
    (edge,) = found["edges"]
    assert (edge["edge_id"], edge["first_sequence"], edge["last_sequence"]) == ("edge-1", 0, 3)


def test_a_tier_line_shows_the_card_and_where_each_hour_stands_in_the_month(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    found = explained(world, "INV-USD-2026-000001", 3)
    assert [one["up_to"] for one in found["rate_card"]["tiers"]] == [10 * GB, 100 * GB, None]
    places = [(one["month_from"], one["month_to"]) for one in found["hours"] if one["quantity"]]
    assert places == [(0, 60 * GB), (60 * GB, 150 * GB)]


def test_every_line_of_a_card_adds_up_to_its_periods_and_to_what_they_were_charged(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    for line_no, parts in ((2, [10, 0]), (3, [50, 40]), (4, [0, 50])):
        found = explained(world, "INV-USD-2026-000001", line_no)
        inside = [one["in_this_line"] for one in found["hours"] if one["quantity"]]
        assert inside == [part * GB for part in parts]
        assert found["sums"]["in_this_line"] == found["line"]["billable_quantity"]
        assert [one["line_no"] for one in found["lines"]] == [2, 3, 4]
        charged = sum(parse_amount(one["amount"]) for one in found["lines"])
        assert charged == parse_amount(found["sums"]["amount"]) == parse_amount("7.60")


def test_an_hour_without_a_charge_of_the_line_is_an_error(tmp_path: Path) -> None:
    world = issued(tmp_path)
    with pytest.raises(InputError, match="no charge in the hour from 2026-10-06T13:00Z"):
        explained(world, "INV-USD-2026-000001", 1, only=FIRST + timedelta(days=1))


def test_one_hour_can_be_looked_at_alone(tmp_path: Path) -> None:
    world = issued(tmp_path)
    found = explained(world, "INV-USD-2026-000001", 1, only=FIRST)
    assert [one["period_start"] for one in found["hours"]] == [FIRST.replace(tzinfo=None)]
    assert [one["hour"] for one in found["certificates"]] == [FIRST.replace(tzinfo=None)]
    assert [one["requests"] for one in found["domains"]] == [1_000_000]


def test_a_correction_line_is_explained_by_its_own_late_charge(tmp_path: Path) -> None:
    found = explained(late(tmp_path), "INV-USD-2026-000003", 1)
    (hour,) = found["hours"]
    assert (hour["quantity"], hour["reasons"]) == (50_000, "late usage")
    assert (hour["month_from"], hour["month_to"]) == (1_002_345, 1_052_345)
    assert found["line"]["corrects_invoice"] == "INV-USD-2026-000001"
    assert {one["revision"] for one in found["certificates"]} == {0, 1}


def test_labels_of_overseas_leave_out_regions_with_a_card_of_their_own() -> None:
    books = Books(regions={"b": {"CN": "CN", "DE": "EU", "US": "NA", "BR": "SA"}})
    assert books.labels("b", "EU", ["EU", "OverSeas"]) == ["DE"]
    assert books.labels("b", "OverSeas", ["EU", "OverSeas", "CN"]) == ["BR", "US"]
    assert books.labels("b", "all", ["all"]) is None


def test_a_line_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    world = october(tmp_path)
    with pytest.raises(InputError, match="there is no line 1 on an invoice NOPE"):
        explained(world, "NOPE", 1)


def test_diff_says_what_changed_between_two_runs_and_why(tmp_path: Path) -> None:
    world = late(tmp_path)
    runs = world.query("SELECT run_id FROM runs ORDER BY journal_no")
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        found = difference(store.connection, runs[0][0], runs[-1][0])
        turned = difference(store.connection, runs[-1][0], runs[0][0])
        (invoice_run,) = store.connection.execute(
            "SELECT run_id FROM invoice_runs ORDER BY journal_no LIMIT 1"
        ).fetchall()[0]
        nothing = difference(store.connection, invoice_run, invoice_run)
        everything = difference(store.connection, "start", runs[0][0])
        with pytest.raises(InputError, match="there is no run 'nope'"):
            difference(store.connection, "nope", runs[0][0])
    assert [
        (one.account_id, one.item, one.reason, one.quantity, format_amount(one.amount, "USD"))
        for one in found.changes
        if one.quantity
    ] == [("acme", "https_requests", "late usage", 50_000, "0.04")]
    assert [one.invoice_no for one in found.documents] == [
        "INV-USD-2026-000001",
        "INV-USD-2026-000002",
    ]
    assert turned == found
    assert (nothing.changes, nothing.documents) == ((), ())
    assert {one.reason for one in everything.changes} == {"usage"}


def test_a_statement_runs_from_balance_to_balance(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.pay("acme", "50.00", "bank-1", datetime(2026, 10, 2, tzinfo=UTC))
    world.invoice("2026-10", ISSUE)
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        october_: dict[str, Any] = to_document(
            read(store.connection, "acme", month="2026-10", at=DECEMBER)
        )
        november: dict[str, Any] = to_document(
            read(store.connection, "acme", month="2026-11", at=DECEMBER)
        )
        with pytest.raises(InputError, match="there is no account 'nobody'"):
            read(store.connection, "nobody", month=None, at=DECEMBER)
    assert (october_["opening_balance"], october_["closing_balance"]) == ("0.00", "41.598124")
    assert [(one["what"], one["amount"]) for one in october_["moves"]][:2] == [
        ("cash", "50.00"),
        ("charge data_transfer", "-3.70"),
    ]
    assert november["opening_balance"] == "41.598124"
    assert [(one["what"], one["amount"]) for one in november["moves"]] == [
        ("cut", "0.001876"),
        ("tax", "-1.60"),
    ]
    assert november["closing_balance"] == "40.00"
