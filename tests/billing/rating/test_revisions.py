"""The past changes only through numbered revisions with a reason: prices, lateness, moves (F1 to
F8).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import ConflictError
from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Usage

PRICES = """
[book]
id = "book"
currency = "USD"
[[card]]
id = "https"
item = "https_requests"
effective_from = 2026-05-01
unit = "request"
price = "1"
"""
LATER = """
[[card]]
id = "later"
item = "https_requests"
effective_from = 2026-06-01T01:30:00Z
unit = "request"
price = "3"
"""
UNIT = 10**10


def world(tmp_path: Path, text: str = PRICES) -> World:
    made = World(one_book(tmp_path, text))
    made.account(Account("a", "UTC", at("2019-01-01"), "data_transfer"))
    made.account(Account("b", "UTC", at("2019-01-01"), "data_transfer"))
    return made


def use(made: World, account_id: str, when: str, requests: int = 10) -> None:
    made.use([(account_id, Usage(at(when), "US", "https", requests, 0))])


def charges(made: World) -> list[tuple]:
    rows = made.connection.execute(
        "SELECT account_id, strftime(period_start, '%H:%M'), quantity, amount, rate_card, revision,"
        " reason FROM charges ORDER BY account_id, period_start, revision, rate_card"
    ).fetchall()
    return [(who, when, int(n), int(amount) // UNIT, *rest) for who, when, n, amount, *rest in rows]


def test_f6_a_price_change_inside_an_hour_cuts_the_hour(tmp_path) -> None:
    made = world(tmp_path, PRICES + LATER)
    use(made, "a", "2026-06-01T01:25", 4)
    use(made, "a", "2026-06-01T01:30", 5)
    made.rate(at("2026-06-01T02:00"))
    assert charges(made) == [
        ("a", "01:00", 4, 4, "https", 0, "usage"),
        ("a", "01:30", 5, 15, "later", 0, "usage"),
    ]


def test_f7_a_used_price_cannot_be_edited(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, PRICES.replace('"1"', '"2"'))
    with pytest.raises(ConflictError, match=r"card https .* was edited"):
        made.rate(at("2026-06-01T02:00"))


def test_f8_a_used_card_cannot_change_its_unit(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, PRICES.replace('price = "1"', 'per = 10000\nprice = "1"'))
    with pytest.raises(ConflictError, match="was edited"):
        made.rate(at("2026-06-01T02:00"))


def test_f7_a_used_card_cannot_vanish(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, PRICES.replace('"https"', '"other"'))
    with pytest.raises(ConflictError, match="is gone"):
        made.rate(at("2026-06-01T02:00"))


def test_f7_an_unused_card_may_still_be_edited(tmp_path) -> None:
    made = world(tmp_path, PRICES + LATER)
    use(made, "a", "2026-06-01T00:00")
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, PRICES + LATER.replace('"3"', '"4"'))
    use(made, "a", "2026-06-01T01:30")
    made.rate(at("2026-06-01T02:00"))
    assert charges(made)[-1] == ("a", "01:30", 10, 40, "later", 0, "usage")


def test_a_new_card_in_the_past_must_say_why(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T03:00")
    made.rate(at("2026-06-01T04:00"))
    made.books = one_book(tmp_path, PRICES + LATER)
    with pytest.raises(ConflictError, match="rated already"):
        made.rate(at("2026-06-01T05:00"))


def test_a_corrected_price_takes_back_the_old_card_and_charges_the_new_one(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    use(made, "a", "2026-06-01T03:00")
    made.rate(at("2026-06-01T04:00"))
    made.books = one_book(tmp_path, PRICES + LATER + 'corrects = "typing mistake"\n')
    made.rate(at("2026-06-01T05:00"))
    assert charges(made)[1:] == [
        ("a", "03:00", 10, 10, "https", 0, "usage"),
        ("a", "03:00", -10, -10, "https", 1, "price corrected"),
        ("a", "03:00", 10, 30, "later", 2, "price corrected"),
    ]


def test_g9_late_usage_before_the_invoice_is_a_revision_of_its_hour(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    made.rate(at("2026-06-01T03:00"))
    use(made, "a", "2026-06-01T00:05", 7)
    made.rate(at("2026-06-01T03:00"))
    assert charges(made) == [
        ("a", "00:00", 10, 10, "https", 0, "usage"),
        ("a", "00:00", 7, 7, "https", 1, "late usage"),
    ]


def test_f3_a_domain_that_moves_is_taken_back_from_one_and_charged_to_the_other(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    use(made, "a", "2026-06-01T01:00", 5)
    made.rate(at("2026-06-01T02:00"))
    made.connection.execute("UPDATE usage SET account_id = 'b' WHERE hour = '2026-06-01 01:00'")
    for name in ("a", "b"):
        made.changed(name, at("2026-06-01T01:00"), "domain moved")
    made.rate(at("2026-06-01T02:00"))
    assert charges(made) == [
        ("a", "00:00", 10, 10, "https", 0, "usage"),
        ("a", "01:00", 5, 5, "https", 0, "usage"),
        ("a", "01:00", -5, -5, "https", 1, "domain moved"),
        ("b", "01:00", 5, 5, "https", 0, "domain moved"),
    ]


def test_g2_a_second_run_finds_nothing(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    made.rate(at("2026-06-01T03:00"))
    outcome = made.rate(at("2026-06-01T03:00"))
    assert (outcome.charges, dict(outcome.effects)) == (0, {"charges": "rating_out_charges"})


def test_an_open_hour_waits_for_its_end(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00")
    use(made, "a", "2026-06-01T03:00")
    made.rate(at("2026-06-01T03:00"))
    assert len(charges(made)) == 1
    made.rate(at("2026-06-01T04:00"))
    assert len(charges(made)) == 2
