"""The view focus: charges and documents in the columns of FOCUS 1.2, equal to the last unit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.appliers import open_store
from billing.lake import query
from billing.lake.publish import publish
from tests.billing.homes import Use, make_home
from tests.billing.invoices.world import ACCOUNTS, DECEMBER, GB, NOVEMBER, PLAN, World, october
from tests.billing.runner import published

LATE = datetime(2026, 10, 5, 13, tzinfo=UTC)
ISSUED = NOVEMBER + timedelta(hours=4)
# The columns of FOCUS 1.2, as its specification lists them.
COLUMNS = """
AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency
BillingPeriodEnd BillingPeriodStart CapacityReservationId CapacityReservationStatus ChargeCategory
ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart
CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity
CommitmentDiscountStatus CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity
ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost InvoiceId InvoiceIssuerName ListCost
ListUnitPrice PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice
PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName
PublisherName RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName
ServiceSubcategory SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName
SubAccountType Tags
"""


def ask(world: World, text: str, at: datetime = DECEMBER) -> list[tuple[Any, ...]]:
    """What `edgetoll sql` gives once the lake is published."""
    with open_store(world.home, owner="test", now=at) as store:
        publish(store)
    with query.connect(world.home, query=text) as connection:
        return connection.sql(text).fetchall()


def assert_adds_up(world: World) -> None:
    """Usage is the charges; each document that stands is its total; periods are its own."""
    assert ask(
        world,
        "SELECT BillingAccountId, SkuMeter, sum(BilledCost), sum(ConsumedQuantity) FROM focus"
        " WHERE ChargeCategory = 'Usage' GROUP BY ALL ORDER BY ALL",
    ) == ask(
        world,
        "SELECT account_id, item, sum(amount), sum(quantity)::DECIMAL(38, 10) FROM charges"
        " GROUP BY ALL ORDER BY ALL",
    )
    found = ask(
        world,
        "SELECT InvoiceId, sum(BilledCost), min(BillingPeriodStart), max(BillingPeriodEnd)"
        " FROM focus WHERE InvoiceId IS NOT NULL GROUP BY ALL ORDER BY ALL",
    )
    assert found == ask(
        world,
        "SELECT i.invoice_no, i.total, i.period_start, i.period_end FROM invoices AS i"
        " LEFT JOIN invoices AS c ON i.corrects = c.invoice_no"
        " WHERE i.status <> 'void' AND i.total <> 0"
        " AND NOT (i.kind = 'credit_note' AND c.status = 'void') ORDER BY ALL",
    )
    assert found


def test_it_has_the_columns_of_focus_1_2_and_is_there_in_an_empty_home(tmp_path: Path) -> None:
    with query.connect(published(make_home(tmp_path)), query="focus") as connection:
        columns = connection.table("focus").columns
        assert [name for name in columns if not name.startswith("x_")] == COLUMNS.split()
        assert connection.table("focus").fetchall() == []


def test_usage_adds_up_to_charges_and_documents_to_their_totals(tmp_path: Path) -> None:
    world = october(tmp_path, accounts=ACCOUNTS + PLAN)
    assert ask(world, "SELECT DISTINCT InvoiceId, ChargeClass FROM focus") == [(None, None)]
    world.invoice("2026-10", ISSUED)
    assert_adds_up(world)
    assert ask(
        world,
        "SELECT CommitmentDiscountId, CommitmentDiscountStatus, sum(CommitmentDiscountQuantity),"
        " sum(BilledCost) FROM focus WHERE PricingCategory = 'Committed' GROUP BY ALL",
    ) == [("p1", "Used", Decimal(150 * GB), Decimal(0))]
    assert ask(
        world,
        "SELECT PricingUnit, ListUnitPrice, sum(PricingQuantity), sum(ListCost) FROM focus"
        " WHERE SkuId = 'https_requests:all' AND BillingAccountId = 'acme' GROUP BY ALL",
    ) == [
        ("10000 Requests", Decimal("0.008"), Decimal("100.2345"), Decimal("0.801876")),
    ]


def test_late_usage_is_a_correction_in_the_period_of_the_next_invoice(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", ISSUED)
    world.use(LATE, Use(requests=50_000, bytes_sent=1 * GB), through=DECEMBER)
    world.use(NOVEMBER + timedelta(days=3), Use(requests=10, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    corrections = (
        "SELECT DISTINCT InvoiceId, strftime(BillingPeriodStart, '%Y-%m'), ChargePeriodStart"
        " FROM focus WHERE ChargeClass = 'Correction'"
    )
    naive = LATE.replace(tzinfo=None)
    assert ask(world, corrections) == [(None, "2026-11", naive)]
    assert_adds_up(world)
    world.invoice("2026-11", DECEMBER + timedelta(hours=4))
    assert ask(world, corrections) == [("INV-USD-2026-000003", "2026-11", naive)]
    assert_adds_up(world)


def test_credits_are_rows_of_their_own_and_void_documents_none(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", ISSUED)
    world.credit("INV-USD-2026-000001", 1, "0.50", "k1", DECEMBER)
    assert_adds_up(world)
    assert ask(
        world, "SELECT ChargeClass, sum(BilledCost) < 0 FROM focus WHERE ChargeCategory = 'Credit'"
        " GROUP BY ALL",
    ) == [("Correction", True)]  # fmt: skip
    world.void("INV-USD-2026-000002", DECEMBER)
    assert_adds_up(world)
    world.invoice("2026-10", DECEMBER + timedelta(hours=1))
    assert_adds_up(world)


def test_costs_are_exact_decimals_and_never_null(tmp_path: Path) -> None:
    world = october(tmp_path)
    costs = "BilledCost, EffectiveCost, ListCost, ContractedCost"
    with query.connect(published(world.home), query="focus") as connection:
        types = connection.table("focus").project(costs).types
    assert {str(kind) for kind in types} == {"DECIMAL(38,10)"}
    assert ask(world, "SELECT * FROM focus WHERE greatest(BilledCost, EffectiveCost) IS NULL"
               " OR ListCost IS NULL OR ContractedCost IS NULL") == []  # fmt: skip
