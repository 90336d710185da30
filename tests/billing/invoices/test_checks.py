"""Each check over invoices is silent on sound books and speaks when one thing was changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from billing.appliers import open_store
from billing.checks import invariants
from billing.checks.red import CheckResult
from billing.store.store import Store
from tests.billing.homes import Use
from tests.billing.invoices.world import DECEMBER, NOVEMBER, october

ISSUE = NOVEMBER + timedelta(hours=4)
FAULTS = {
    "total": ("UPDATE invoices SET total = total + 1 WHERE number = 1", "invoice_totals"),
    "line amount": (
        "UPDATE invoice_lines SET amount = amount - 1 WHERE line_no = 1",
        "invoice_totals",
    ),
    "missing lines": ("DELETE FROM invoice_lines WHERE line_no > 0", "invoice_totals"),
    "charge added under an issued month": (
        "CREATE OR REPLACE TEMP VIEW filed_charges AS"
        " SELECT * REPLACE (amount + 1 AS amount) FROM present_charges",
        "invoice_equals_charges",
    ),
    "month's sum moved by hand": (
        "UPDATE month_sums SET amount = amount + 1",
        "invoice_equals_sums",
    ),
    "late charge of another amount": (
        "UPDATE late_charges SET amount = amount + 1",
        "invoice_late_charges_kept",
    ),
    "late charge forgotten": ("DELETE FROM late_charges", "invoice_late_charges_kept"),
    "late charge on two invoices": (
        "INSERT INTO invoice_corrections SELECT 'INV-USD-2026-000002', 1, charge_id"
        " FROM invoice_corrections",
        "invoice_charge_once",
    ),
    "number skipped": (
        "UPDATE invoices SET number = number + 1 WHERE number = 3",
        "invoice_numbers_gapless",
    ),
    "issued before the one before": (
        "UPDATE invoices SET issued_at = TIMESTAMP '2020-01-01' WHERE number = 3",
        "invoice_numbers_gapless",
    ),
    "last number of the series lost": (
        "UPDATE invoice_series SET last_number = last_number + 1",
        "invoice_numbers_gapless",
    ),
    "customer renamed": (
        "UPDATE invoices SET customer_name = 'Mallory' WHERE number = 1",
        "invoice_content_unchanged",
    ),
    "line text changed": (
        "UPDATE invoice_lines SET tier = 'x' WHERE line_no = 1",
        "invoice_content_unchanged",
    ),
    "appendix changed": (
        "UPDATE invoice_detail SET requests = requests + 1",
        "invoice_content_unchanged",
    ),
    "tax not posted": ("DELETE FROM posted_transfers WHERE code = 'tax'", "invoice_ledger"),
    "cut posted twice": (
        "INSERT INTO posted_transfers SELECT * FROM posted_transfers WHERE code = 'cut'",
        "invoice_ledger",
    ),
    "credit beyond the invoice": (
        "UPDATE invoices SET total = total * 100 WHERE kind = 'credit_note'",
        "invoice_credits_within",
    ),
    "month issued but open": ("DELETE FROM issued_months", "invoice_months_once"),
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two months, a correction line, a credit note; each test takes back what it changes."""
    world = october(tmp_path_factory.mktemp("checks"))
    world.invoice("2026-10", ISSUE)
    late_hour = datetime(2026, 10, 5, 13, tzinfo=UTC)
    world.use(late_hour, Use(requests=50_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=1))
    world.credit("INV-USD-2026-000001", 4, "1.00", "T-1", DECEMBER + timedelta(hours=2))
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        yield store


def failing(store: Store, *statements: str, scope: int | None = None) -> list[CheckResult]:
    """The checks that fail after `statements`, which are then taken back."""
    store.connection.execute("BEGIN")
    try:
        for statement in statements:
            store.connection.execute(statement)
        return invariants.run(store.connection, scope=scope)
    finally:
        store.connection.execute("ROLLBACK")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_check_fires_on_a_planted_fault(fault: str, books: Store) -> None:
    statement, wanted = FAULTS[fault]
    assert wanted in {failure.check for failure in failing(books, statement)}


def test_sound_books_pass_every_check(books: Store) -> None:
    assert failing(books) == []


def test_a_check_over_one_record_looks_at_what_that_record_issued(books: Store) -> None:
    ((last,),) = books.connection.execute("SELECT max(journal_no) FROM invoices").fetchall()
    everywhere = "UPDATE invoices SET total = total + 1"
    assert [
        len(one.rows)
        for one in failing(books, everywhere, scope=last)
        if one.check == "invoice_totals"
    ] == [1]


def test_many_documents_are_hashed_and_looked_at_part_by_part(
    books: Store, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In parts of one document each has the hash that it has among all, and each is looked at."""
    hashes = (
        "SELECT invoice_no, content_sha256 FROM invoices"
        " WHERE month = '2026-10' AND kind = 'invoice' ORDER BY ALL"
    )
    monkeypatch.setattr(invariants, "DOCUMENTS_AT_ONCE", 1)
    assert failing(books) == []
    everywhere = "UPDATE invoices SET reason = reason || '!'"
    ((documents,),) = books.connection.execute("SELECT count(*) FROM invoices").fetchall()
    assert [
        len(one.rows)
        for one in failing(books, everywhere)
        if one.check == "invoice_content_unchanged"
    ] == [documents]
    monkeypatch.setattr("billing.invoices.run.DOCUMENTS_AT_ONCE", 1)
    world = october(tmp_path_factory.mktemp("parts"))
    world.invoice("2026-10", ISSUE)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        found = store.connection.execute(hashes).fetchall()
    assert found == books.connection.execute(hashes).fetchall() != []
