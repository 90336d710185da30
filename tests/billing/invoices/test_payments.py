"""Payments reach invoices oldest first, and a chargeback uncovers the newest again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.invoices import payments
from edge.errors import InputError
from tests.billing.homes import Use
from tests.billing.invoices.world import DECEMBER, NOVEMBER, World, october

ISSUE = NOVEMBER + timedelta(hours=4)
LATER = DECEMBER + timedelta(hours=4)


def two_months(folder: Path) -> World:
    """acme owes 10.00 for October and 9.52 for November."""
    world = october(folder)
    world.invoice("2026-10", ISSUE, account="acme")
    hour = NOVEMBER + timedelta(days=3)
    world.use(hour, Use(requests=10_000_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", LATER, account="acme")
    return world


def test_payments_reach_the_oldest_invoice_first(tmp_path: Path) -> None:
    world = two_months(tmp_path)
    first, second = "INV-USD-2026-000001", "INV-USD-2026-000002"
    assert world.standing() == {first: "issued", second: "issued"}
    world.pay("acme", "9.99", "bank-1", LATER)
    assert world.standing() == {first: "issued", second: "issued"}
    world.pay("acme", "0.01", "bank-2", LATER)
    assert world.standing() == {first: "paid", second: "issued"}
    world.pay("acme", "20.00", "bank-3", LATER)
    assert world.standing() == {first: "paid", second: "paid"}


def test_a_chargeback_uncovers_the_newest_invoice(tmp_path: Path) -> None:
    world = two_months(tmp_path)
    world.pay("acme", "30.00", "bank-1", LATER)
    world.pay("acme", "15.00", "bank-1-back", LATER, kind="chargeback")
    assert world.standing() == {"INV-USD-2026-000001": "paid", "INV-USD-2026-000002": "issued"}


def test_a_prepaid_balance_pays_a_new_invoice(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.pay("acme", "100.00", "bank-1", NOVEMBER)
    world.invoice("2026-10", ISSUE, account="acme")
    with open_store(world.home, owner="test", now=ISSUE) as store:
        assert payments.settle(store, at=ISSUE) == 1
        assert payments.settle(store, at=ISSUE) == 0
    assert world.standing() == {"INV-USD-2026-000001": "paid"}


def test_a_credit_note_lessens_what_is_open(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", ISSUE, account="acme")
    world.credit("INV-USD-2026-000001", 4, "1.00", "T-1", ISSUE)
    with open_store(world.home, owner="test", now=ISSUE) as store:
        (one,) = payments.standing(store.connection)
    assert one.document() | {"due_on": ""} == {
        "invoice_no": "INV-USD-2026-000001",
        "account_id": "acme",
        "month": "2026-10",
        "status": "issued",
        "currency": "USD",
        "owed": "8.81",
        "open": "8.81",
        "due_on": "",
    }
    world.pay("acme", "8.81", "bank-1", LATER)
    assert world.standing() == {"INV-USD-2026-000001": "paid"}


def test_a_payment_for_an_invoice_is_what_is_open_of_it_and_posted_once(tmp_path: Path) -> None:
    world = two_months(tmp_path)
    with open_store(world.home, owner="test", now=LATER) as store:
        for _ in range(2):
            payments.take_in(store, "INV-USD-2026-000001", amount="10.00", key="b-1", at=LATER)
        payments.settle(store, at=LATER)
        with pytest.raises(InputError, match="is paid already"):
            payments.take_in(store, "INV-USD-2026-000001", amount=None, key="b-2", at=LATER)
        done = payments.take_in(store, "INV-USD-2026-000002", amount=None, key="b-2", at=LATER)
        again = payments.take_in(store, "INV-USD-2026-000002", amount=None, key="b-2", at=LATER)
    assert (done.transfer.amount, done.new, again.new) == (95_200_000_000, True, False)


def test_a_payment_names_its_id_and_an_invoice_that_stands(tmp_path: Path) -> None:
    world = two_months(tmp_path)
    with open_store(world.home, owner="test", now=LATER) as store:
        with pytest.raises(InputError, match="needs its id"):
            payments.take_in(store, "INV-USD-2026-000001", amount=None, key=None, at=LATER)
        with pytest.raises(InputError, match="there is no invoice"):
            payments.take_in(store, "INV-USD-2026-000077", amount=None, key="b", at=LATER)
