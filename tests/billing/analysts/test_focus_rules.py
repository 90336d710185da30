"""The rules of FOCUS as checks: the views keep them, and each rule that a row breaks is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import sql
from billing.lake import query

TAX = "\"ChargeCategory\" = 'Tax'"
USAGE = '"ChargeCategory" = \'Usage\' AND "ChargeClass" IS NULL'
PLAN = '"CommitmentDiscountId" IS NOT NULL'
# What breaks a rule: which column of which rows is set to what, and words of the rule.
BROKEN = [
    ("BilledCost", "NULL", USAGE, "a cost is null"),
    ("ContractedCost", "NULL", TAX, "a cost is null"),
    ("BillingCurrency", "'usd'", USAGE, "no ISO 4217 code"),
    ("PricingCurrency", "'EUR'", USAGE, "PricingCurrency differs"),
    ("BillingAccountName", "NULL", USAGE, "the billing account is null"),
    ("HostProviderName", "NULL", USAGE, "who provides"),
    ("ServiceCategory", "NULL", USAGE, "the service is null"),
    ("ChargeCategory", "'Fee'", TAX, "none of the five"),
    ("ChargeClass", "'Late'", USAGE, "neither null nor Correction"),
    ("ChargeFrequency", "NULL", TAX, "none of the three"),
    ("ChargeDescription", "NULL", USAGE, "ChargeDescription is null"),
    ("ChargePeriodEnd", '"ChargePeriodStart"', USAGE, "the charge period does not end"),
    ("BillingPeriodStart", "NULL", USAGE, "the billing period does not end"),
    (
        "ChargePeriodEnd",
        '"BillingPeriodEnd" + INTERVAL 1 HOUR',
        USAGE,
        "outside its billing period",
    ),
    ("PricingCategory", "'Spot'", USAGE, "none of the four"),
    ("PricingCategory", "'Standard'", TAX, "tax has a PricingCategory"),
    ("SkuPriceId", "NULL", USAGE, "usage lacks its SKU"),
    ("SkuId", "'https_requests:all'", TAX, "tax has a SKU"),
    ("ConsumedQuantity", "1", TAX, "no usage has a ConsumedQuantity"),
    ("ConsumedUnit", "NULL", USAGE, "ConsumedQuantity and ConsumedUnit"),
    ("PricingUnit", "NULL", USAGE, "PricingQuantity and PricingUnit"),
    ("ListUnitPrice", "-0.1", USAGE, "a unit price is negative"),
    ("CommitmentDiscountType", "NULL", PLAN, "said of a commitment"),
    ("CommitmentDiscountStatus", "'Spent'", PLAN, "no such word"),
    ("CommitmentDiscountId", "NULL", PLAN, "Committed without a commitment"),
    ("ContractApplied", "NULL", PLAN, "ContractApplied and the commitment"),
    ("RegionName", "'EU'", '"RegionId" IS NULL', "RegionName without"),
    ("ResourceName", "'x'", USAGE, "ResourceName without"),
    ("SubAccountName", "'x'", USAGE, "SubAccountName without"),
    ("AllocatedResourceId", "'x'", USAGE, "AllocatedResourceId without"),
]


@pytest.fixture(scope="module")
def rows(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The rows of the view, as a table that a test may change."""
    with query.connect(home, query="focus_1_3") as lake, duckdb.connect() as connection:
        connection.register("given", lake.table("focus_1_3").to_arrow_table())
        connection.execute("CREATE TABLE kept AS FROM given")
        yield connection


def rules_broken(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(connection.execute(sql.text("checks/focus_rules")).fetchall())


def test_the_views_keep_the_rules_and_what_is_billed_is_what_was_invoiced(home: Path) -> None:
    for check in ("checks/focus_rules", "checks/focus_equals_invoices"):
        with query.connect(home, query=sql.text(check)) as connection:
            assert connection.execute(sql.text(check)).fetchall() == []
            assert connection.sql("FROM focus SELECT count(*) > 20").fetchall() == [(True,)]


@pytest.mark.parametrize(("column", "value", "where", "rule"), BROKEN)
def test_a_rule_that_rows_break_is_named(
    column: str, value: str, where: str, rule: str, rows: duckdb.DuckDBPyConnection
) -> None:
    rows.execute("CREATE OR REPLACE TABLE focus_1_3 AS FROM kept")
    assert rules_broken(rows) == {}
    rows.execute(f'UPDATE focus_1_3 SET "{column}" = {value} WHERE {where}')  # noqa: S608
    assert any(rule in name and found for name, found in rules_broken(rows).items())


@pytest.mark.parametrize("lost", ['"InvoiceId" IS NOT NULL', USAGE])
def test_a_row_that_is_missing_is_seen_on_its_document_or_account(home: Path, lost: str) -> None:
    with (
        query.connect(home, query="focus invoices charges") as lake,
        duckdb.connect() as connection,
    ):
        for view in ("focus", "invoices", "charges"):
            connection.register("given", lake.table(view).to_arrow_table())
            connection.execute(f"CREATE TABLE {view} AS FROM given")
        check = sql.text("checks/focus_equals_invoices")
        assert connection.execute(check).fetchall() == []
        kept = f'FROM focus SELECT min(rowid) WHERE "BilledCost" <> 0 AND {lost}'
        connection.execute(f"DELETE FROM focus WHERE rowid = ({kept})")  # noqa: S608
        assert connection.execute(check).fetchall() != []
