"""The monthly run: what is on an invoice, when it may be issued, and that it is issued once."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import ANY

import pytest

from billing.invoices.figures import exact, minor
from billing.invoices.periods import LocalPeriod, month_days, month_span, zone_rules
from billing.invoices.readiness import whole_hours
from billing.invoices.records import Evidence
from billing.money import parse_amount
from edge.errors import InputError
from tests.billing.homes import Use, close_hour, load_text
from tests.billing.invoices.world import (
    ACCOUNTS,
    BOOK,
    DECEMBER,
    GB,
    NOVEMBER,
    OCTOBER,
    PLAN,
    World,
    october,
)

FOUR_HOURS_LATER = NOVEMBER + timedelta(hours=4)


def test_https_requests_stand_on_a_line_of_their_own_beside_traffic_in_tiers(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    acme = world.documents("2026-10")[0]
    lines = [(one.item, one.quantity, exact(one.unit_price), one.amount) for one in acme.lines]
    assert lines == [
        ("https_requests", 1_002_345, "0.008", parse_amount("0.801876")),
        ("data_transfer", 10 * GB, "0.07", parse_amount("0.70")),
        ("data_transfer", 90 * GB, "0.06", parse_amount("5.40")),
        ("data_transfer", 50 * GB, "0.03", parse_amount("1.50")),
    ]
    assert [one.tier for one in acme.lines] == ["", "0–10 GB", "10–100 GB", "above 100 GB"]
    assert (exact(acme.subtotal), exact(acme.cut)) == ("8.401876", "0.001876")
    assert (minor(acme.net, 2), minor(acme.tax, 2), minor(acme.total, 2)) == (
        "8.40",
        "1.60",
        "10.00",
    )


def test_a_month_of_more_than_64_bits_stands_on_its_document_to_the_unit(tmp_path: Path) -> None:
    world = october(tmp_path, book=BOOK.replace('"0.008"', '"40000000"'))
    world.invoice("2026-10", FOUR_HOURS_LATER)
    acme = world.documents("2026-10")[0]
    assert acme.lines[0].amount == 1_002_345 * 4_000 * 10**10 > 2**63


def test_a_line_that_a_plan_pays_wholly_is_shown_with_amount_zero(tmp_path: Path) -> None:
    world = october(tmp_path, accounts=ACCOUNTS + PLAN)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    https, traffic = world.documents("2026-10")[0].lines
    assert https.amount == parse_amount("0.801876")
    assert (traffic.item, traffic.quantity, traffic.plan_quantity) == (
        "data_transfer",
        150 * GB,
        150 * GB,
    )
    assert (traffic.billable_quantity, traffic.amount) == (0, 0)


def test_i3_numbers_are_gapless_and_in_the_order_of_accounts(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    numbers = [(one.invoice_no, one.account_id) for one in world.documents("2026-10")]
    assert numbers == [("INV-USD-2026-000001", "acme"), ("INV-USD-2026-000002", "beta")]


def test_i5_running_again_writes_nothing(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    journal = (world.home / "journal" / "journal.jsonl").read_bytes()
    again = world.invoice("2026-10", FOUR_HOURS_LATER + timedelta(days=9))
    assert (again.invoices, again.journal_no) == (0, None)
    assert (world.home / "journal" / "journal.jsonl").read_bytes() == journal


def test_accounts_issued_in_two_runs_share_one_series(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER, account="beta")
    world.invoice("2026-10", FOUR_HOURS_LATER + timedelta(days=1))
    found = {one.account_id: one.invoice_no for one in world.documents("2026-10")}
    assert found == {"beta": "INV-USD-2026-000001", "acme": "INV-USD-2026-000002"}


def test_domain_6_34_355_requests_are_exact_on_the_line_and_cut_on_the_total(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use(domain="a.beta.example", requests=355, bytes_sent=0))], NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    beta = world.documents("2026-10")[0]
    assert (exact(beta.subtotal), exact(beta.cut), minor(beta.total, 2)) == (
        "0.000284",
        "0.000284",
        "0.00",
    )


def test_domain_6_40_a_month_of_tiny_hours_is_cut_once_on_the_total(tmp_path: Path) -> None:
    book = BOOK.replace('price = "0.008"', 'price = "0.05"')
    world = World(tmp_path, book=book)
    hours = [OCTOBER + timedelta(hours=step) for step in range(0, 720, 24)]
    tiny = Use(domain="a.beta.example", requests=1_800 * 24, bytes_sent=0)
    world.month([(hour, tiny) for hour in hours], NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    assert exact(world.documents("2026-10")[0].total) == "6.48"


def test_a_month_with_open_hours_names_partition_and_hours(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use())], NOVEMBER - timedelta(hours=5))
    world.rate(NOVEMBER)
    waiting = world.invoice("2026-10", FOUR_HOURS_LATER).waiting
    assert [one.account_id for one in waiting] == ["acme"]
    assert waiting[0].problem == (
        "5 hours from 2026-10-31T19:00Z to 2026-11-01T00:00Z are not closed in partition spool"
    )
    assert "edgetoll metering run" in waiting[0].hint
    assert world.documents("2026-10") == []


def test_a_month_taken_in_but_not_rated_is_not_issued(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use())], NOVEMBER - timedelta(hours=5))
    world.rate(NOVEMBER)
    world.use(OCTOBER + timedelta(days=30), Use(), through=NOVEMBER)
    waiting = world.invoice("2026-10", FOUR_HOURS_LATER).waiting
    assert "not closed" in waiting[0].problem
    world.rate(FOUR_HOURS_LATER)
    assert world.invoice("2026-10", FOUR_HOURS_LATER).invoices == 1


def test_a_month_whose_last_hours_are_empty_and_come_later_is_issued(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use())], NOVEMBER - timedelta(hours=5))
    world.rate(NOVEMBER)
    last = NOVEMBER - timedelta(hours=1)
    close_hour(world.home, last, (), empty_since=NOVEMBER - timedelta(hours=5))
    world.rate(FOUR_HOURS_LATER)
    assert world.invoice("2026-10", FOUR_HOURS_LATER).invoices == 1
    assert world.documents("2026-10")[0].evidence == Evidence(
        hours=6, incomplete_hours=0, certificates=2, usage_sha256=ANY, tzdata=zone_rules()
    )


def test_the_evidence_counts_hours_of_the_month_by_their_last_revision(tmp_path: Path) -> None:
    world = World(tmp_path)
    close_hour(world.home, OCTOBER, (Use(),), state="incomplete")
    close_hour(world.home, OCTOBER + timedelta(hours=1), (), state="incomplete")
    close_hour(world.home, OCTOBER, (Use(requests=1),))
    close_hour(
        world.home, NOVEMBER + timedelta(hours=9), (), empty_since=OCTOBER + timedelta(hours=2)
    )
    world.rate(NOVEMBER + timedelta(hours=10))
    world.invoice("2026-10", NOVEMBER + timedelta(hours=10))
    assert world.documents("2026-10")[0].evidence == Evidence(
        hours=744, incomplete_hours=1, certificates=4, usage_sha256=ANY, tzdata=zone_rules()
    )


def test_an_account_whose_past_was_changed_is_rated_before_it_is_issued(tmp_path: Path) -> None:
    world = october(tmp_path)
    load_text(world.home, PLAN, at=FOUR_HOURS_LATER)
    issued = world.invoice("2026-10", FOUR_HOURS_LATER)
    assert (issued.invoices, [one.account_id for one in issued.waiting]) == (1, ["acme"])
    assert "no run has rated that yet" in issued.waiting[0].problem
    world.rate(FOUR_HOURS_LATER)
    assert world.invoice("2026-10", FOUR_HOURS_LATER).invoices == 1
    line = next(one for one in world.documents("2026-10")[1].lines if one.plan_quantity)
    assert (line.item, line.plan_quantity) == ("data_transfer", 150 * GB)


def test_a_month_that_waits_names_the_edges_whose_promise_is_short(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use())], NOVEMBER - timedelta(hours=5))
    world.rate(NOVEMBER)
    (world.home / "live").mkdir(exist_ok=True)
    rows = (
        ("done", "2026-11-01T00:00:00.000Z", 7, None),
        ("silent", "2026-10-31T19:00:00.000Z", 7, None),
        ("retired", "2026-10-02T00:00:00.000Z", 7, "2026-10-02T00:00:00.000Z"),
        ("never-seen", None, None, None),
        ("promises-nothing", None, 7, None),
    )
    keys = ("edge_id", "watermark", "epoch", "expected_until")
    edges = [dict(zip(keys, row, strict=True), partition="spool") for row in rows]
    # Two workers, each with a status of its own.
    for name, told in (("-0-3", edges[:2]), ("-4-7", edges[2:])):
        path = world.home / "live" / f"status{name}.json"
        path.write_text(json.dumps({"edges": told}))
    waiting = world.invoice("2026-10", FOUR_HOURS_LATER).waiting
    assert waiting[0].problem.endswith("partition spool, waiting for edge never-seen, silent")
    assert "waive" in waiting[0].hint


def test_a_month_that_has_not_ended_can_only_be_drafted(tmp_path: Path) -> None:
    world = october(tmp_path)
    early = NOVEMBER - timedelta(hours=1)
    waiting = world.invoice("2026-10", early).waiting
    assert waiting[0].problem == "the month ends at 2026-11-01T00:00Z"


def test_the_month_is_that_of_the_accounts_time_zone(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace('id = "beta"', 'id = "beta"\ntimezone = "Asia/Kathmandu"')
    world = World(tmp_path, accounts=accounts)
    last_hour = datetime(2026, 9, 30, 18, tzinfo=UTC)  # Kathmandu's October begins at 18:15 UTC
    world.month(
        [
            (last_hour, Use(domain="a.beta.example", requests=10, bytes_sent=0, minute=10)),
            (last_hour, Use(domain="a.beta.example", requests=700, bytes_sent=0, minute=15)),
        ],
        NOVEMBER,
    )
    world.rate(NOVEMBER)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    beta = world.documents("2026-10")[0]
    assert beta.period_start == datetime(2026, 9, 30, 18, 15, tzinfo=UTC)
    assert [one.quantity for one in beta.lines if one.item == "https_requests"] == [700]
    assert [(row.day.isoformat(), row.requests) for row in beta.detail] == [("2026-10-01", 700)]


def test_an_account_with_a_held_hour_waits_and_others_are_issued(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month(
        [
            (OCTOBER, Use(region="XX")),
            (OCTOBER, Use(domain="a.beta.example")),
        ],
        NOVEMBER,
    )
    world.rate(NOVEMBER)
    issued = world.invoice("2026-10", FOUR_HOURS_LATER)
    assert [one.account_id for one in world.documents("2026-10")] == ["beta"]
    assert [one.account_id for one in issued.waiting] == ["acme"]
    assert "2026-10-01T00Z is held" in issued.waiting[0].problem


def test_g10_late_usage_is_a_line_on_the_next_invoice_and_the_issued_one_stays(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    before = world.documents("2026-10")
    late_hour = datetime(2026, 10, 5, 13, tzinfo=UTC)
    world.use(late_hour, Use(requests=50_000, bytes_sent=1 * GB), through=DECEMBER)
    world.use(NOVEMBER + timedelta(days=3), Use(requests=10, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=4))
    assert world.documents("2026-10") == before
    november = world.documents("2026-11")[0]
    assert [(one.kind, one.item, one.quantity) for one in november.lines] == [
        ("usage", "https_requests", 10),
        ("correction", "https_requests", 50_000),
        ("correction", "data_transfer", 1 * GB),
    ]
    corrections = november.lines[1:]
    assert {one.corrects_invoice for one in corrections} == {"INV-USD-2026-000001"}
    assert {one.corrects_hour for one in corrections} == {late_hour}
    # All on-time usage came first, so the late gigabyte falls into October's last tier.
    assert [exact(one.amount) for one in corrections] == ["0.04", "0.03"]
    again = world.invoice("2026-11", DECEMBER + timedelta(days=2))
    assert again.invoices == 0


def test_late_usage_alone_makes_an_invoice_of_the_next_month(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    late_hour = datetime(2026, 10, 5, 13, tzinfo=UTC)
    world.use(late_hour, Use(requests=10_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=4))
    only = world.documents("2026-11")
    assert [(one.account_id, [line.kind for line in one.lines]) for one in only] == [
        ("acme", ["correction"])
    ]


def test_usage_that_is_late_but_before_the_invoice_is_on_the_months_own_line(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    late_hour = datetime(2026, 10, 5, 13, tzinfo=UTC)
    world.use(late_hour, Use(requests=655, bytes_sent=0), through=NOVEMBER)
    world.rate(NOVEMBER + timedelta(hours=1))
    world.invoice("2026-10", FOUR_HOURS_LATER)
    https = world.documents("2026-10")[0].lines[0]
    assert (https.kind, https.quantity) == ("usage", 1_003_000)


def test_a_price_change_inside_the_month_gives_a_line_for_each_price(tmp_path: Path) -> None:
    cheaper = BOOK + (
        '\n[[card]]\nid = "https-2"\nitem = "https_requests"\nregion = "all"\n'
        "effective_from = 2026-10-10\n"
        'model = "per_unit"\nunit = "request"\nper = 10000\nprice = "0.004"\n'
    )
    world = october(tmp_path, book=cheaper)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    lines = [one for one in world.documents("2026-10")[0].lines if one.item == "https_requests"]
    assert [(one.quantity, exact(one.unit_price)) for one in lines] == [
        (1_000_000, "0.008"),
        (2_345, "0.004"),
    ]


def test_a_fixed_fee_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    with_fee = BOOK.replace('price = "0.008"', 'price = "0.008"\nflat_fee = "5.00"')
    world = october(tmp_path, book=with_fee)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    fee = next(one for one in world.documents("2026-10")[0].lines if one.reason == "flat fee")
    assert (fee.item, fee.quantity, exact(fee.amount)) == ("https_requests", 0, "5.00")


def test_an_account_that_used_nothing_gets_no_invoice(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.month([(OCTOBER, Use())], NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    assert [one.account_id for one in world.documents("2026-10")] == ["acme"]


def test_the_customer_on_an_issued_invoice_stays_as_it_was(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", FOUR_HOURS_LATER)
    before = world.documents("2026-10")
    moved = ACCOUNTS.split("[[domains]]", maxsplit=1)[0].replace("Hauptstrasse 1", "Nebenstrasse 2")
    moved = moved.replace('country = "DE"', 'country = "DE"\neffective_from = 2026-11-05T00:00:00Z')
    load_text(world.home, moved, at=DECEMBER)
    assert world.documents("2026-10") == before


@pytest.mark.parametrize(
    ("month", "zone", "hours"),
    [
        ("2026-10", "UTC", 744),
        ("2026-10", "Europe/Berlin", 745),
        ("2026-03", "Europe/Berlin", 743),
        ("2028-02", "UTC", 696),
        ("2026-10", "Asia/Kathmandu", 745),
    ],
)
def test_e_months_have_the_hours_of_their_time_zone(month: str, zone: str, hours: int) -> None:
    assert whole_hours(month_span(month, zone)) == hours


def test_e2_days_cover_the_month_without_gap_even_where_the_clock_changes() -> None:
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Asia/Beirut"):
        for month in ("2018-11", "2026-03", "2026-10"):
            days = month_days(month, zone)
            span = month_span(month, zone)
            edges = [(days[0].start, days[-1].end)]
            assert edges == [(span.start, span.end)]
            assert all(a.end == b.start for a, b in itertools.pairwise(days))


def test_a_month_must_be_written_as_year_and_month(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(InputError, match="is not a month"):
        world.invoice("10/2026", DECEMBER)
    assert whole_hours(LocalPeriod(start=OCTOBER, end=OCTOBER)) == 0


def test_an_unknown_account_is_an_error_and_not_nothing_to_issue(tmp_path: Path) -> None:
    world = october(tmp_path)
    with pytest.raises(InputError, match="there is no account 'acmee'"):
        world.invoice("2026-10", NOVEMBER + timedelta(hours=4), account="acmee")
