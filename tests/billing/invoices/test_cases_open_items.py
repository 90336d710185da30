"""CASES G4 and G5: open items add up to the debt, credits settle the oldest first, and what is
below zero is a credit note in a series of its own.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.checks import invariants
from billing.invoices import payments
from billing.invoices.documents import html_document
from billing.invoices.figures import minor
from billing.ledger.transfers import balance
from billing.money import SCALE, format_amount
from tests.billing.homes import THOROUGH, Use, load_text
from tests.billing.invoices.test_cases_tax import DOLLAR
from tests.billing.invoices.world import World, made_once

AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = "INV-USD-2026-000001"
ACCOUNTS = """
[[accounts]]
id = "acme"
name = "Acme"
currency = "USD"
price_book = "plain"

[[accounts]]
id = "beta"
name = "Beta"
currency = "USD"
price_book = "plain"

[[domains]]
domain = "www.acme.example"
account = "acme"

[[domains]]
domain = "shop.acme.example"
account = "acme"
"""


def dollars(amount: str, domain: str = "www.acme.example") -> Use:
    """HTTPS requests that cost so much."""
    return Use(domain=domain, requests=int(Decimal(amount) * 10_000), bytes_sent=0)


@made_once
def september(folder: Path, *uses: tuple[datetime, Use]) -> World:
    """September used, rated and issued; by default 30.80 stay with acme and 35.20 move away."""
    world = World(folder, book=DOLLAR, accounts=ACCOUNTS)
    world.month(
        uses
        or (
            (SEPTEMBER, dollars("30.80")),
            (SEPTEMBER + 20 * 24 * HOUR, dollars("17.60", "shop.acme.example")),
            (SEPTEMBER + 21 * 24 * HOUR, dollars("17.60", "shop.acme.example")),
        ),
        OCTOBER,
    )
    world.rate(OCTOBER)
    world.invoice("2026-09", OCTOBER + 4 * HOUR)
    return world


def move_shop(world: World, at: datetime, since: datetime = SEPTEMBER + 10 * 24 * HOUR) -> None:
    """The shop was beta's since then, as is told only now; what follows is rated."""
    when = f"{since:%Y-%m-%dT%H:%M:%SZ}"
    row = f"""
[[domains]]
domain = "shop.acme.example"
account = "acme"
effective_to = {when}

[[domains]]
domain = "shop.acme.example"
account = "beta"
effective_from = {when}
"""
    load_text(world.home, row, at=at, name="move.toml")
    world.rate(at)


def settle(world: World, at: datetime) -> dict[str, tuple[str, str]]:
    """What follows a change of money; each invoice's standing and what is open of it."""
    with open_store(world.home, owner="test", now=at) as store:
        payments.settle(store, at=at)
        assert invariants.run(store.connection) == []
        return {
            one.invoice_no: (one.status, format_amount(one.still_open, "USD"))
            for one in payments.standing(store.connection, with_paid=True)
            if one.account_id == "acme"
        }


def test_g4_a_credit_reaches_the_open_invoice_and_the_rest_pays_it(tmp_path: Path) -> None:
    world = september(tmp_path)
    at = OCTOBER + 5 * HOUR
    assert settle(world, at) == {FIRST: ("issued", "66.00")}
    move_shop(world, at + HOUR)
    assert settle(world, at + 2 * HOUR) == {FIRST: ("issued", "30.80")}
    world.pay("acme", "30.80", "bank-1", at + 3 * HOUR)
    assert settle(world, at + 4 * HOUR) == {FIRST: ("paid", "0.00")}
    with open_store(world.home, owner="test", now=at + 5 * HOUR) as store:
        assert balance(store.connection, "acme").available == 0


def test_g4_the_payment_may_come_before_the_credit(tmp_path: Path) -> None:
    world = september(tmp_path)
    at = OCTOBER + 5 * HOUR
    world.pay("acme", "30.80", "bank-1", at)
    assert settle(world, at) == {FIRST: ("issued", "35.20")}
    move_shop(world, at + HOUR)
    assert settle(world, at + 2 * HOUR) == {FIRST: ("paid", "0.00")}


def october_too(world: World, amount: str) -> None:
    """October used, rated and issued as well."""
    world.use(OCTOBER + 48 * HOUR, dollars(amount), through=NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", NOVEMBER + 4 * HOUR)


def test_g4_what_was_settled_by_a_credit_stays_so_when_the_credit_gets_its_line(
    tmp_path: Path,
) -> None:
    world = september(tmp_path)
    move_shop(world, OCTOBER + 5 * HOUR)
    world.pay("acme", "30.80", "bank-1", OCTOBER + 6 * HOUR)
    october_too(world, "50")
    found = settle(world, NOVEMBER + 5 * HOUR)
    assert found == {FIRST: ("paid", "0.00"), "INV-USD-2026-000002": ("issued", "50.00")}
    (october,) = [one for one in world.documents("2026-10") if one.account_id == "acme"]
    assert minor(october.total, 2) == "14.80"


def test_g4_a_credit_larger_than_the_oldest_goes_on_to_the_next(tmp_path: Path) -> None:
    world = september(tmp_path, (SEPTEMBER, dollars("10", "shop.acme.example")))
    october_too(world, "50")
    world.pay("acme", "10.00", "bank-1", NOVEMBER + 5 * HOUR)
    move_shop(world, NOVEMBER + 6 * HOUR, SEPTEMBER - 24 * HOUR)
    found = settle(world, NOVEMBER + 7 * HOUR)
    assert found == {FIRST: ("paid", "0.00"), "INV-USD-2026-000002": ("issued", "40.00")}


def test_g4_a_partial_credit_note_lessens_its_own_invoice(tmp_path: Path) -> None:
    world = september(tmp_path)
    at = OCTOBER + 5 * HOUR
    world.credit(FIRST, 1, "6.00", "T-1", at)
    move_shop(world, at + HOUR)
    assert settle(world, at + 2 * HOUR) == {FIRST: ("issued", "24.80")}


def test_g4_a_void_invoice_and_its_credit_note_leave_nothing_open(tmp_path: Path) -> None:
    world = september(tmp_path)
    world.void(FIRST, OCTOBER + 5 * HOUR)
    assert settle(world, OCTOBER + 6 * HOUR) == {}
    world.invoice("2026-09", OCTOBER + 7 * HOUR, reissue=True)
    assert settle(world, OCTOBER + 8 * HOUR) == {"INV-USD-2026-000002": ("issued", "66.00")}


@pytest.mark.parametrize("seed", range(40 if THOROUGH else 3))
def test_g4_open_items_add_up_whatever_comes_in_whatever_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    world = september(tmp_path)
    at = OCTOBER + 5 * HOUR
    moved = issued = False
    for step in range(7):
        at += 26 * HOUR
        choice = chance.choice(["pay", "late", "move", "credit", "issue", "chargeback"])
        if choice == "pay":
            world.pay("acme", f"{chance.randint(1, 6000) / 100:.2f}", f"bank-{step}", at)
        elif choice == "chargeback":
            world.pay("acme", "50.00", f"in-{step}", at)
            world.pay("acme", f"{chance.randint(1, 50)}.00", f"back-{step}", at, kind="chargeback")
        elif choice == "late":
            hour = SEPTEMBER + chance.randint(1, 400) * HOUR
            world.use(hour, dollars(f"{chance.randint(1, 20)}.5"), through=OCTOBER)
            world.rate(at)
        elif choice == "move" and not moved:
            move_shop(world, at)
            moved = True
        elif choice == "credit":
            world.credit(FIRST, 1, f"0.{chance.randint(10, 99)}", f"T-{step}", at)
        elif choice == "issue" and not issued:
            at = max(at, NOVEMBER)
            october_too(world, f"{chance.randint(1, 60)}")
            at += 5 * HOUR
            issued = True
        settle(world, at)


@made_once
def below_zero(folder: Path) -> World:
    """September's shop turns out to be beta's; acme uses 14.80 in October."""
    world = september(folder)
    move_shop(world, OCTOBER + 5 * HOUR)
    return world


def test_g5_a_month_below_zero_is_a_credit_note_in_its_own_series(tmp_path: Path) -> None:
    world = below_zero(tmp_path)
    october_too(world, "10")
    (note,) = [one for one in world.documents("2026-10") if one.account_id == "acme"]
    assert (note.invoice_no, note.kind) == ("CRN-USD-2026-000001", "credit_note")
    assert (minor(note.total, 2), note.notes) == ("-25.20", ())
    page = html_document.render(note).decode()
    assert "Credit note" in page
    assert "Payable by" not in page
    assert settle(world, NOVEMBER + 5 * HOUR) == {FIRST: ("issued", "40.80")}
    assert world.invoice("2026-10", NOVEMBER + 6 * HOUR).invoices == 0


def test_g5_without_any_usage_of_the_month_it_is_a_credit_note_too(tmp_path: Path) -> None:
    world = below_zero(tmp_path)
    world.use(OCTOBER + 48 * HOUR, dollars("3", "shop.acme.example"), through=NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", NOVEMBER + 4 * HOUR)
    (note,) = [one for one in world.documents("2026-10") if one.account_id == "acme"]
    assert (note.kind, minor(note.total, 2)) == ("credit_note", "-35.20")


def test_g5_corrections_are_one_line_a_period_not_one_an_hour(tmp_path: Path) -> None:
    world = below_zero(tmp_path)
    october_too(world, "50")
    (one,) = [one for one in world.documents("2026-10") if one.account_id == "acme"]
    (correction,) = [line for line in one.lines if line.kind == "correction"]
    assert minor(correction.amount, 2) == "-35.20"
    assert correction.corrects_hour == SEPTEMBER + 20 * 24 * HOUR
    assert correction.corrects_until == SEPTEMBER + 21 * 24 * HOUR + HOUR
    assert "2026-09-21 00:00 to 2026-09-22 01:00 UTC" in html_document.render(one).decode()


def test_g5_it_may_be_carried_forward_until_an_invoice_has_room(tmp_path: Path) -> None:
    world = below_zero(tmp_path)
    world.settings = world.settings.model_copy(update={"below_zero": "carry"})
    october_too(world, "10")
    (october,) = [one for one in world.documents("2026-10") if one.account_id == "acme"]
    assert (october.kind, minor(october.total, 2)) == ("invoice", "10.00")
    assert settle(world, NOVEMBER + 5 * HOUR)[FIRST] == ("issued", "30.80")
    world.use(NOVEMBER + 48 * HOUR, dollars("60"), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + 4 * HOUR)
    (november,) = [one for one in world.documents("2026-11") if one.account_id == "acme"]
    assert (november.kind, minor(november.total, 2)) == ("invoice", "24.80")
    settle(world, DECEMBER + 5 * HOUR)


def test_g5_carried_forward_with_no_usage_there_is_no_document_at_all(tmp_path: Path) -> None:
    world = below_zero(tmp_path)
    world.settings = world.settings.model_copy(update={"below_zero": "carry"})
    world.use(OCTOBER + 48 * HOUR, dollars("3", "shop.acme.example"), through=NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", NOVEMBER + 4 * HOUR)
    assert [one.account_id for one in world.documents("2026-10")] == ["beta"]
    assert SCALE == 10**10
