"""Credits, commitments and plans that were sold, from the load to documents and the books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.checks import invariants
from billing.reports.explain import Books, document, explanation
from billing.reports.explain_view import show
from billing.reports.statement import read
from tests.billing.homes import Use, copied, load_text
from tests.billing.invoices.world import DECEMBER, GB, ISSUE, NOVEMBER, World, october

DEAL = """
[[credits]]
id = "spring"
account = "acme"
amount = "0.50"
items = ["https_requests"]
starts = 2026-10-01T00:00:00Z
ends = 2027-01-01T00:00:00Z
[[commitments]]
id = "deal"
account = "acme"
amount = "100.00"
starts = 2026-10-16T00:00:00Z
ends = 2026-11-01T00:00:00Z
[[plans]]
id = "h10m"
account = "acme"
kind = "https_requests"
quantity = 10000000
price = "4.00"
starts = 2026-10-20T06:00:00Z
ends = 2027-10-20T06:00:00Z
"""
# 0.80 of HTTPS, 7.60 of data, 4.00 of the plan in October; 16 of 31 days of 100.00 are promised.
MISSING = 392_129_032_258


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October rated, with all of it loaded after the first run: replayed, posted, issued."""
    world = october(tmp_path_factory.mktemp("agreed"))
    load_text(world.home, DEAL, at=NOVEMBER + timedelta(hours=1))
    world.rate(NOVEMBER + timedelta(hours=2))
    world.invoice("2026-10", ISSUE)
    return world.home


def beside_usage(world: World, invoice: str) -> list[tuple[str, int, str]]:
    """The lines of a document that are not usage: item, amount, why."""
    rows = world.query(
        "SELECT item, amount::DECIMAL(38, 0), concat_ws('; ', nullif(tier, ''), reason), invoice_no"
        " FROM invoice_lines WHERE contains(rate_card, '/') ORDER BY line_no"
    )
    return [(item, int(amount), why) for item, amount, why, number in rows if number == invoice]


def test_each_stands_on_the_document_as_a_line_with_its_reason(agreed: Path) -> None:
    world = World.at(agreed)
    assert beside_usage(world, "INV-USD-2026-000001") == [
        ("https_requests", -5_000_000_000, "promotional credit spring"),
        ("commitment", MISSING, "missing to commitment deal"),
        (
            "plan", 40_000_000_000,
            "10,000,000 HTTPS requests, 2026-10-20 to 2027-10-20 06:00 UTC; plan h10m",
        ),
    ]  # fmt: skip
    (head,) = [one for one in world.documents("2026-10") if one.account_id == "acme"]
    assert head.subtotal == 8_000_000_000 + 76_000_000_000 + 392_129_032_258 + 35_000_000_000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (2, "It is of 0.50 USD for https_requests, all regions, priority 100, from 2026-10-01"),
        (6, "At least 100.00 USD a month over all items before credit, from 2026-10-16"),
        (
            6,
            "2026-10: 51.6129032258 are its share of that month (by 5 minutes), of which 12.40 was",
        ),
        (
            7,
            "It was sold for 4.00 USD, from 2026-10-20 06:00:00 to 2027-10-20 06:00:00 UTC; it has",
        ),
    ],
)
def test_explain_says_what_was_agreed(
    agreed: Path, capsys: pytest.CaptureFixture[str], line: int, words: str
) -> None:
    with open_store(agreed, owner="test", now=DECEMBER) as store:
        found = explanation(store.connection, "INV-USD-2026-000001", line, books=Books(regions={}))
    show(found)
    told = capsys.readouterr()
    assert words in told.out + told.err
    assert sum(one.charged.amount for one in found.periods) == found.line.amount
    said = document(found)["agreement"]
    assert isinstance(said, dict)
    assert said["amount"] == {2: "0.50", 6: "100.00", 7: "4.00"}[line]


def test_the_statement_names_each_agreement(agreed: Path) -> None:
    with open_store(agreed, owner="test", now=DECEMBER) as store:
        found = read(store.connection, "acme", month="2026-10", at=DECEMBER)
    named = {one.reference: one.amount for one in found.moves if one.reference}
    assert named == {
        "credit:spring": 5_000_000_000, "plan:h10m": -40_000_000_000, "commitment:deal": -MISSING,
    }  # fmt: skip


def test_late_usage_lowers_the_true_up_on_the_next_document_and_open_items_add_up(
    agreed: Path, tmp_path: Path
) -> None:
    world = World.at(copied(agreed, tmp_path / "home"))
    hour = datetime(2026, 10, 20, 7, tzinfo=UTC)
    world.use(hour, Use(requests=0, bytes_sent=100 * GB), through=None)
    world.use(NOVEMBER, Use(requests=10_000), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=4))
    (late,) = [one for one in beside_usage(world, "INV-USD-2026-000003") if one[0] == "commitment"]
    assert late[1:] == (-30_000_000_000, "missing to commitment deal; commitment, late usage")
    with open_store(world.home, owner="test", now=DECEMBER + timedelta(hours=5)) as store:
        assert invariants.run(store.connection) == []


def test_a_credit_is_red_where_it_paid_what_its_scope_leaves_out(
    agreed: Path, tmp_path: Path
) -> None:
    home = copied(agreed, tmp_path / "home")
    with open_store(home, owner="test", now=DECEMBER) as store:
        store.connection.execute(
            "UPDATE agreements SET items = 'quic_requests' WHERE kind = 'credit'"
        )
        store.connection.execute("UPDATE agreements SET amount = 1 WHERE agreement_id = 'spring'")
        (found,) = [
            one for one in invariants.run(store.connection) if one.check == "credits_within"
        ]
        assert len(found.rows) == 2


def test_the_journal_alone_gives_the_same_months_again(agreed: Path, tmp_path: Path) -> None:
    home = copied(agreed, tmp_path / "home")
    states = []
    for again in (False, True):
        if again:
            (home / "billing.duckdb").unlink()
        with open_store(home, owner="test", now=DECEMBER) as store:
            states.append(store.connection.execute("FROM month_state ORDER BY ALL").fetchall())
            states.append(store.connection.execute("FROM agreements ORDER BY ALL").fetchall())
    assert states[0] == states[2]
    assert states[1] == states[3]
    assert len(states[1]) == 2
