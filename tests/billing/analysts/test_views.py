"""Views for what could not be asked: each adds up to what it is a view of, to the last unit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.analysts import library
from billing.lake import query
from tests.billing.analysts.conftest import GB, HOUR, ISSUED
from tests.billing.analysts.conftest import NOVEMBER as NOVEMBER_3
from tests.billing.analysts.conftest import OCTOBER as OCTOBER_5
from tests.billing.homes import EXAMPLES, Use, close_hour
from tests.billing.invoices.world import DECEMBER, NOVEMBER, OCTOBER, World
from tests.billing.runner import published

Ask = Callable[..., list[tuple[Any, ...]]]
ADDS_UP = """
SELECT i.invoice_no, i.subtotal - i.cut AS net, i.tax, sum(b.amount), sum(b.tax)
FROM invoices AS i LEFT JOIN domain_bills AS b ON i.invoice_no = b.invoice_no
GROUP BY ALL HAVING net IS DISTINCT FROM sum(b.amount) OR i.tax IS DISTINCT FROM sum(b.tax)
"""


def test_shares_of_domains_add_up_to_the_invoice_and_lie_with_who_used_it(ask: Ask) -> None:
    assert ask(ADDS_UP) == []
    found = ask(
        "SELECT domain, sum(amount), any_value(tags) FROM domain_bills WHERE account_id = 'acme'"
        " AND item = 'https_requests' GROUP BY domain ORDER BY domain"
    )
    assert found == [
        ("cdn.acme.example", Decimal("0.0048797395"), {"team": "video"}),
        ("www.acme.example", Decimal("0.1451202605"), {"team": "web"}),
    ]


@settings(max_examples=EXAMPLES)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["www.acme.example", "a.beta.example", "b.beta.example"]),
            st.integers(0, 10**7),
            st.integers(0, 10**13),
            st.sampled_from(["https", "http"]),
            st.sampled_from(["DE", "FR"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_used_the_shares_add_up(
    tmp_path_factory: pytest.TempPathFactory, used: list[tuple[str, int, int, str, str]]
) -> None:
    world = World(tmp_path_factory.mktemp("shares"))
    uses = [
        Use(domain=domain, requests=requests, bytes_sent=size, class_=kind, region=region)
        for domain, requests, size, kind, region in used
    ]
    close_hour(world.home, OCTOBER, uses, complete_through=NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", ISSUED)
    with query.connect(published(world.home), query=ADDS_UP) as connection:
        assert connection.sql(ADDS_UP).fetchall() == []


def test_requests_by_status_and_cache_are_those_of_the_files(ask: Ask) -> None:
    assert ask(
        "SELECT status_class, sum(requests) FROM usage_by_status WHERE domain = 'www.acme.example'"
        " AND class = 'https' GROUP BY ALL ORDER BY ALL"
    ) == [("2xx", 14 * 30_007 + 40 - 5 * 13), ("5xx", 5 * 13)]
    assert ask(
        "SELECT sum(cache_hits), sum(requests) FROM usage_by_cache"
        " WHERE domain = 'cdn.acme.example' AND class = 'https'"
    ) == [(5 * 400, 14 * 1009)]
    # A file that does not say leaves a count unknown, and never zero.
    assert ask(
        "SELECT cache_hits FROM usage_by_cache WHERE hour = '2026-11-03 10:00'"
        " AND domain = 'www.acme.example'"
    ) == [(None,)]


def test_a_month_has_all_its_slots_when_a_percentile_is_taken(ask: Ask) -> None:
    slots = 31 * 288
    ((found,),) = ask(
        "SELECT slots FROM percentiles WHERE month = '2026-10' AND account_id = 'acme'"
    )
    assert found == slots
    samples = [10, 30, 20]
    asked = "percentile_of($s, 4, 100), percentile_of($s, 4, 75), percentile_of($s, 4, 1)"
    assert ask(f"SELECT {asked}, percentile_of($s, 40, 95)", s=samples) == [(30, 20, 0, 10)]


def test_states_have_an_end_and_receivables_an_age(ask: Ask) -> None:
    rows = ask("SELECT state, since, until FROM account_state_history WHERE account_id = 'beta'"
               " ORDER BY version")  # fmt: skip
    assert [row[0] for row in rows] == ["overdue", "suspended", "ok"]
    assert [row[2] for row in rows[:-1]] == [row[1] for row in rows[1:]]
    assert rows[-1][2] is None
    assert ask(
        "SELECT ageing, days_overdue, owed - paid_amount = open_amount"
        " FROM invoice_balances WHERE account_id = 'acme'"
    ) == [("1-30 days", 9, True)]
    assert ask("SELECT payment_id, amount FROM payments ORDER BY paid_at") == [
        ("wire-1", Decimal("0.5")), ("wire-2", Decimal(5)),
    ]  # fmt: skip
    assert ask("SELECT plan_id, bought - used, left_over, wasted FROM plan_usage ORDER BY 1") == [
        ("acme-eu", 0, 0, 0), ("beta-old", 4 * GB + 1, 0, 4 * GB + 1),
    ]  # fmt: skip


def test_completeness_says_what_is_late_and_what_is_missing(ask: Ask) -> None:
    found = ask(
        "SELECT hour, state, late, revisions, imported, seconds_to_close FROM hours_completeness"
        " WHERE late > 0 OR state <> 'closed' ORDER BY hour"
    )
    assert found == [
        (OCTOBER_5.replace(tzinfo=None), "closed", 40, 1, True, 60),
        ((NOVEMBER_3 + 2 * HOUR).replace(tzinfo=None), "incomplete", 0, 0, True, 60),
    ]


def unbilled(home: Path) -> list[tuple[Any, ...]]:
    """What the library says of it, held to the rows of focus_rows, charge by charge."""
    asked = library.find("unbilled").text
    each = (
        "SELECT account_id, billing_month AS month, currency, sum(cost) AS amount,"
        " coalesce(sum(cost) FILTER (is_correction), 0) AS of_it_corrections FROM focus_rows"
        " WHERE invoice_no IS NULL AND charge_category = 'Usage' GROUP BY ALL ORDER BY ALL"
    )
    with query.connect(published(home)) as connection:
        found = connection.sql(asked).order("ALL").fetchall()
        assert found == connection.sql(each).fetchall()
    return found


def test_what_is_not_billed_yet_is_that_whatever_was_late_or_voided(tmp_path: Path) -> None:
    world = World(tmp_path)
    use = Use(requests=30_000, bytes_sent=GB)
    world.month([(OCTOBER_5, use)], NOVEMBER)
    world.rate(NOVEMBER)
    (october,) = unbilled(world.home)
    assert october[1] == "2026-10"
    world.invoice("2026-10", ISSUED)
    assert unbilled(world.home) == []
    world.use(OCTOBER_5, Use(requests=500, bytes_sent=0))  # late
    world.use(NOVEMBER_3, use, through=DECEMBER)
    world.rate(DECEMBER)
    ((_, month, _, amount, late),) = unbilled(world.home)
    assert (month, late) == ("2026-11", Decimal("0.0004"))
    assert amount > late
    world.invoice("2026-11", DECEMBER + 4 * HOUR)
    assert unbilled(world.home) == []
    world.void("INV-USD-2026-000001", DECEMBER + 5 * HOUR)
    assert unbilled(world.home) == [october]  # what came late stays on the invoice of November
    world.invoice("2026-10", DECEMBER + 6 * HOUR, reissue=True)
    assert unbilled(world.home) == []


FOCUS_RULES = {
    "BilledCost equals the invoices": """
        SELECT i.invoice_no
        FROM invoices AS i LEFT JOIN focus_1_3 AS f ON i.invoice_no = f.InvoiceId
        WHERE i.status <> 'void' GROUP BY i.invoice_no, i.total
        HAVING i.total IS DISTINCT FROM sum(f.BilledCost)""",
    "mandatory columns are never null": """
        SELECT * FROM focus_1_3 WHERE BilledCost IS NULL OR BillingAccountId IS NULL
        OR BillingCurrency IS NULL OR BillingPeriodStart IS NULL OR BillingPeriodEnd IS NULL
        OR ChargeCategory IS NULL OR ChargePeriodStart IS NULL OR ChargePeriodEnd IS NULL
        OR EffectiveCost IS NULL OR ListCost IS NULL OR ContractedCost IS NULL
        OR ServiceProviderName IS NULL OR HostProviderName IS NULL OR InvoiceIssuerName IS NULL
        OR ServiceName IS NULL OR ServiceCategory IS NULL OR ProviderName IS NULL""",
    "values of the list": """
        SELECT * FROM focus_1_3 WHERE ChargeCategory NOT IN
        ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment') OR ChargeClass <> 'Correction'
        OR PricingCategory NOT IN ('Standard', 'Dynamic', 'Committed', 'Other')
        OR ChargeFrequency NOT IN ('One-Time', 'Recurring', 'Usage-Based')""",
    "a tax has no price": """
        SELECT * FROM focus_1_3 WHERE ChargeCategory = 'Tax'
        AND (PricingQuantity, PricingUnit, SkuId, SkuPriceId, ListUnitPrice) IS DISTINCT FROM
            (NULL, NULL, NULL, NULL, NULL)
        AND coalesce(PricingUnit, SkuId, SkuPriceId) IS NOT NULL""",
    "a contract is applied exactly where a plan pays, with a cost or a quantity": """
        SELECT * FROM focus_1_3
        WHERE (ContractApplied IS NULL) <> (CommitmentDiscountId IS NULL)
        OR (ContractApplied IS NOT NULL AND (
            ContractApplied ->> '$.ContractApplied[0].ContractCommitmentId' IS NULL
            OR coalesce(ContractApplied ->> '$.ContractApplied[0].ContractCommitmentAppliedCost',
                ContractApplied ->> '$.ContractApplied[0].ContractCommitmentAppliedQuantity')
                IS NULL))""",
    "nothing is allocated here": """
        SELECT * FROM focus_1_3 WHERE coalesce(AllocatedMethodId, AllocatedMethodDetails,
        AllocatedResourceId, AllocatedResourceName, CAST(AllocatedTags AS VARCHAR)) IS NOT NULL""",
    "periods are half open and not empty": """
        SELECT * FROM focus_1_3 WHERE ChargePeriodStart >= ChargePeriodEnd
        OR BillingPeriodStart >= BillingPeriodEnd""",
}


@pytest.mark.parametrize("rule", FOCUS_RULES)
def test_focus_1_3_keeps_its_rules(rule: str, ask: Ask) -> None:
    assert ask(FOCUS_RULES[rule]) == []


def test_focus_1_3_has_the_rows_of_1_2_and_eight_columns_more(home: Path, ask: Ask) -> None:
    with query.connect(home, query="focus focus_1_3") as connection:
        before, after = (connection.table(name).columns for name in ("focus", "focus_1_3"))
    assert set(after) - set(before) == {
        "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId",
        "AllocatedResourceName", "AllocatedTags", "ContractApplied", "HostProviderName",
        "ServiceProviderName",
    }  # fmt: skip
    assert set(before) <= set(after)
    rows = ask("SELECT count(*), sum(BilledCost) FROM focus")
    assert rows == ask("SELECT count(*), sum(BilledCost) FROM focus_1_3")
    assert rows[0][0] > 10
    assert ask("SELECT DISTINCT Tags['segment'] FROM focus WHERE BillingAccountId = 'acme'") == [
        ("video",)
    ]
