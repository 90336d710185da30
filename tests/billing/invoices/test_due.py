"""What is due: each document says how the account stood, what was paid since, what was there
already and what is to be paid by when; documents and ledger agree.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.checks import invariants
from billing.invoices import payments, reading
from billing.invoices.documents import html_document
from billing.invoices.documents.rendering import rendered
from billing.invoices.records import AccountStanding, Invoice
from billing.invoices.run import Order, prepare
from billing.money import parse_amount
from edge.errors import ConfigError
from tests.billing.homes import Use, load_text
from tests.billing.invoices.samples import CENT, invoice
from tests.billing.invoices.world import (
    ACCOUNTS,
    DECEMBER,
    ISSUE,
    NOVEMBER,
    World,
    issued,
    october,
)

WHEN = DECEMBER + timedelta(hours=4)


def of(world: World, account: str, month: str = "2026-10") -> Invoice:
    """The newest document of an account."""
    return [one for one in world.documents(month, WHEN) if one.account_id == account][-1]


def standing(one: Invoice) -> tuple[int, int, int]:
    """Balance before, payments since, and what was there already, in cents."""
    assert one.standing is not None
    found = (one.standing.balance_before, one.standing.payments_since, one.standing.prepaid_used)
    return (found[0] // CENT, found[1] // CENT, found[2] // CENT)


@pytest.mark.parametrize(
    ("paid", "used", "due"), [("4.00", 400, 600), ("10.00", 1000, 0), ("25.00", 1000, 0)]
)
def test_what_was_paid_before_is_taken_off_and_the_rest_is_due(
    paid: str, used: int, due: int, tmp_path: Path
) -> None:
    world = october(tmp_path)
    world.pay("acme", paid, "p1", NOVEMBER)
    world.invoice("2026-10", ISSUE)
    one = of(world, "acme")
    assert one.total == 1000 * CENT
    assert standing(one) == (0, parse_amount(paid) // CENT, used)
    assert one.due == due * CENT
    with open_store(world.home, owner="test", now=WHEN) as store:
        (open_item,) = payments.standing(store.connection, account="acme", with_paid=True)
    assert open_item.still_open == one.due


def test_each_document_begins_with_the_balance_at_which_the_one_before_ended(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    first = of(world, "acme").invoice_no
    world.pay("acme", "7.50", "p1", ISSUE + timedelta(days=1))
    world.credit(first, 1, "0.50", "c1", ISSUE + timedelta(days=2))
    world.pay("acme", "1.00", "p2", ISSUE + timedelta(days=3), kind="voucher")
    world.use(NOVEMBER + timedelta(hours=30), Use(requests=5_000_000), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", WHEN)
    world.void(of(world, "acme", "2026-11").invoice_no, WHEN + timedelta(hours=1))
    world.invoice("2026-11", WHEN + timedelta(hours=2), reissue=True)
    later = WHEN + timedelta(days=1)
    found = [
        one
        for month in ("2026-10", "2026-11")
        for one in world.documents(month, later)
        if one.account_id == "acme"
    ]
    found.sort(key=lambda one: (one.issued_at, one.invoice_no))
    assert len(found) == 5
    ends = [0]
    for one in found:
        assert one.standing is not None
        assert one.standing.balance_before == ends[-1]
        ends.append(ends[-1] - one.standing.payments_since + one.total)
    with open_store(world.home, owner="test", now=later) as store:
        items = payments.standing(store.connection, account="acme", with_paid=True)
        assert invariants.run(store.connection) == []
    assert sum(one.still_open for one in items) == max(0, ends[-1])


@pytest.mark.parametrize(
    ("terms", "due_on"),
    [
        ("", date(2026, 11, 15)),
        ("30 days", date(2026, 12, 1)),
        ("end of month + 15 days", date(2026, 12, 15)),
        ("0 days", date(2026, 11, 1)),
    ],
)
def test_a_document_is_due_by_the_terms_of_its_account(
    terms: str, due_on: date, tmp_path: Path
) -> None:
    line = 'country = "DE"\n'
    accounts = ACCOUNTS.replace(line, f'{line}payment_terms = "{terms}"\n', 1)
    world = october(tmp_path, accounts=accounts)
    world.invoice("2026-10", ISSUE)
    assert (of(world, "acme").due_on, of(world, "beta").due_on) == (due_on, date(2026, 11, 15))


@pytest.mark.parametrize("terms", ["30", "net 30", "end of month", "1000 days", "-3 days"])
def test_terms_that_nobody_could_reckon_by_are_refused_at_load(terms: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    text = (
        '[[accounts]]\nid = "gamma"\nname = "G"\ncurrency = "USD"\nprice_book = "plain"\n'
        f'payment_terms = "{terms}"\n'
    )
    with pytest.raises(ConfigError, match='write terms as "30 days"'):
        load_text(world.home, text)


def test_the_customers_own_references_stand_on_what_is_issued_from_their_date_on(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    again = ACCOUNTS.partition("[[domains]]")[0].replace(
        'country = "DE"\n',
        'country = "DE"\npurchase_order = "PO-1"\neffective_from = 2026-11-20T00:00:00Z\n',
    )
    load_text(world.home, again.partition('[[accounts]]\nid = "beta"')[0], at=ISSUE)
    world.use(NOVEMBER + timedelta(hours=30), Use(), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", WHEN)
    before, after = of(world, "acme"), of(world, "acme", "2026-11")
    assert "purchase_order" not in before.customer.details
    assert after.customer.details["purchase_order"] == "PO-1"
    assert "PO-1" in html_document.render(after).decode()


def test_the_page_says_how_to_pay_what_is_due_and_that_nothing_is() -> None:
    seller = invoice().seller
    bank = {"iban": "DE02 1001 0010 0006 8201 01", "bic": "BYLADEM1001",
            "payment_link": "https://pay.example/{invoice}"}  # fmt: skip
    one = invoice(
        seller=replace(seller, details=bank),
        standing=AccountStanding(
            balance_before=2 * CENT, payments_since=CENT, prepaid_used=0
        ),
    )  # fmt: skip
    page = html_document.render(one).decode()
    assert "Please pay 0.95 USD by 15 November 2026, giving INV-USD-2026-000042" in page
    assert "IBAN DE02 1001 0010 0006 8201 01, BIC BYLADEM1001" in page
    assert "https://pay.example/INV-USD-2026-000042" in page
    assert "Of earlier documents 0.01 USD are still open." in page
    paid = replace(
        one,
        standing=AccountStanding(
            balance_before=-500 * CENT, payments_since=0, prepaid_used=95 * CENT
        ),
    )
    page = html_document.render(paid).decode()
    assert "Nothing is to be paid: your prepaid balance has paid it." in page
    assert "5.00 in your favour" in page
    assert "IBAN DE02" not in page


def test_json_has_the_same_and_adds_up(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.pay("acme", "4.00", "p1", NOVEMBER)
    world.invoice("2026-10", ISSUE)
    with open_store(world.home, owner="test", now=WHEN) as store:
        reading.choose_month(store.connection, "2026-10", "acme")
        (document,) = (json.loads(one.json) for one in rendered(store.connection))
    assert (document["prepaid_used"], document["amount_due"]) == ("4.00", "6.00")
    assert document["account"] == {
        "balance_before": "0.00", "payments_since": "4.00", "balance_now": "6.00"
    }  # fmt: skip


def test_a_draft_says_nothing_of_it(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.pay("acme", "4.00", "p1", NOVEMBER)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        order = Order(month="2026-10", account=None, at=ISSUE, draft=True)
        prepare(store, order, world.settings)
        drafts = list(reading.of_month(store.connection, "2026-10", None, reading.DRAFTS))
    assert [(one.standing, one.due_on) for one in drafts] == [(None, None)] * 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invoices SET balance_before = balance_before + 1",
        "UPDATE invoices SET payments_since = payments_since + 1",
        "UPDATE invoices SET prepaid_used = prepaid_used + 1",
    ],
)
def test_what_a_document_says_of_the_account_cannot_change_after_issue(
    change: str, tmp_path: Path
) -> None:
    world = issued(tmp_path)
    with open_store(world.home, owner="test", now=WHEN) as store:
        store.connection.execute(change)
        red = [one.check for one in invariants.run(store.connection)]
    assert red == ["invoice_content_unchanged"]


@pytest.mark.parametrize(
    ("lines", "details", "printed"),
    [
        (("Way 1", "10115 Berlin", "DE"), {"country": "DE"}, ("Way 1", "10115 Berlin", "DE")),
        (("Way 1", "DE"), {"postcode": "10115", "city": "Berlin", "country": "DE"},
         ("Way 1", "10115 Berlin", "DE")),
        (("Way 1", "10115 Berlin", "DE"), {"postcode": "10115", "city": "Berlin", "country": "DE"},
         ("Way 1", "10115 Berlin", "DE")),
        (("Way 1",), {"city": "Town"}, ("Way 1", "Town")),
    ],
)  # fmt: skip
def test_each_part_of_an_address_is_printed_once_wherever_it_is_kept(
    lines: tuple[str, ...], details: dict[str, str], printed: tuple[str, ...]
) -> None:
    assert replace(invoice().customer, lines=lines, details=details).printed == printed


@pytest.mark.parametrize(
    ("customer", "said"),
    [
        ({"country": "US"}, "outside the EU"),
        ({"country": "DE", "tax_exemption": "Exempt: Article 151, Directive 2006/112/EC"},
         "Article 151"),
    ],
)  # fmt: skip
def test_an_invoice_without_tax_says_why_in_the_sentence_of_the_law(
    customer: dict[str, str], said: str
) -> None:
    base = invoice()
    one = replace(
        base,
        lines=tuple(replace(line, tax_rate_bp=Decimal(0), tax=0) for line in base.lines),
        seller=replace(base.seller, tax_id="IE1234567FA", details={"country": "IE"}),
        customer=replace(base.customer, tax_id="", details=customer),
    )
    assert said in html_document.render(one).decode()
    taxed = replace(one, lines=base.lines)
    assert said not in html_document.render(taxed).decode()
