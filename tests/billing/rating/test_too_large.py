"""What does not fit 128 bits is held or refused by name: it stops nobody else, nor wraps around."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from billing.prices import read_book
from edge.errors import ConfigError
from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Usage

BOOK = """
[book]
id = "book"
currency = "USD"
[regions]
NA = ["US"]
[[card]]
id = "https"
item = "https_requests"
effective_from = 2026-01-01
unit = "request"
price = "PRICE"
"""
BILLION = "1000000000"
FINER = """
[[card]]
id = "finer"
item = "https_requests"
effective_from = 2026-06-02
unit = "request"
per = 999_999_999_989
price = "0.0000000007"
discount_percent = "33.3333"
"""
DISCOUNTED = """
[[card]]
id = "later"
item = "https_requests"
effective_from = 2026-06-02
unit = "request"
per = 6_999_999_559
price = "0.01"
discount_percent = "33.3333"
"""
MANY = 2**62


def world(tmp_path: Path, price: str = BILLION, more: str = "") -> World:
    made = World(one_book(tmp_path, BOOK.replace("PRICE", price) + more))
    for name in ("a", "b"):
        made.account(Account(name, "UTC", at("2019-01-01"), "data_transfer"))
    return made


def use(made: World, account_id: str, when: str, requests: int) -> None:
    made.use([(account_id, Usage(at(when), "US", "https", requests, 0))])


def hours(made: World) -> set[tuple[str, datetime]]:
    return {(key[0], key[4]) for key in made.hourly()}


def test_duckdb_wraps_a_sum_of_two_threads_around_which_is_why_hours_are_bounded() -> None:
    largest = duckdb.sql(f"SELECT {2**127 - 1}::HUGEINT AS x")
    total = largest.union(duckdb.sql("SELECT 1::HUGEINT AS x")).sum("x")
    assert total.fetchall() == [(-(2**127),)]


def test_an_absurd_hour_is_held_by_name_and_others_are_rated(tmp_path: Path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", MANY)
    use(made, "a", "2026-06-01T01:00", 5)
    use(made, "b", "2026-06-01T00:00", 5)
    (held,) = made.rate(at("2026-06-01T02:00")).held
    assert (held.account_id, held.hour.hour) == ("a", 0)
    assert f"{MANY} requests of https_requests are too many to be priced exactly" in held.problem
    assert "book book" in held.problem
    assert "look for what produced them" in held.hint
    assert hours(made) == {("a", at("2026-06-01T01:00")), ("b", at("2026-06-01T00:00"))}


def test_an_hour_is_added_up_over_its_buckets_and_labels_before_it_is_judged(
    tmp_path: Path,
) -> None:
    made = world(tmp_path)
    most = 10**24 // 10**19
    rows = [
        Usage(at(f"2026-06-01T00:{m:02}"), "US", "https", most // 8, 0) for m in range(0, 40, 5)
    ]
    made.use([("a", row) for row in rows] + [("b", row) for row in rows])
    made.use([("b", Usage(at("2026-06-01T00:45"), "NA", "https", 1, 0))])
    assert [one.account_id for one in made.rate(at("2026-06-01T01:00")).held] == ["b"]
    assert sum(made.hourly().values()) == 10**24


def test_late_usage_that_makes_an_hour_absurd_takes_its_charge_back_until_it_is_priced(
    tmp_path: Path,
) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", 5)
    made.rate(at("2026-06-01T01:00"))
    use(made, "a", "2026-06-01T00:05", MANY)
    (held,) = made.rate(at("2026-06-01T02:00")).held
    assert held.hour.hour == 0
    assert made.totals() == {}


def test_a_card_of_a_finer_fraction_is_followed_exactly_in_the_middle_of_a_month(
    tmp_path: Path,
) -> None:
    """The month so far is brought to the new denominator without the product that would not fit."""
    first = BOOK.replace("PRICE", f'{BILLION}"\nper = 999_999_937 #')
    made = world(tmp_path)
    made.books = one_book(tmp_path, first)
    use(made, "a", "2026-06-01T00:00", 999_999_937 * 10**4)
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, first + DISCOUNTED)
    for day, requests in ((1, 999_999_937), (3, 6_999_999_559), (4, 6_999_999_559)):
        use(made, "a", f"2026-06-0{day}T02:00", requests)
        assert made.rate(at(f"2026-06-0{day}T03:00")).held == ()
    assert sum(made.hourly().values()) == 10**23 + 10**19 + 2 * 10**8 * 666_667 // 10**6


def test_a_month_too_large_for_a_finer_fraction_is_held_and_others_are_rated(
    tmp_path: Path,
) -> None:
    made = world(tmp_path, price="1")
    use(made, "a", "2026-06-01T00:00", 10**12)
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, BOOK.replace("PRICE", "1") + FINER)
    for name in ("a", "b"):
        use(made, name, "2026-06-03T00:00", 10**5)
    (held,) = made.rate(at("2026-06-03T01:00")).held
    assert (held.account_id, held.hour.day) == ("a", 3)
    assert "month so far is too much for the prices that price book book has now" in held.problem
    assert made.connection.execute(
        "SELECT account_id, quantity, numerator FROM month_state WHERE rate_card = 'finer'"
    ).fetchall() == [("b", 10**5, 7 * 666_667 * 10**5)]


@pytest.mark.parametrize(
    "more",
    [
        'flat_fee = "999999999999999999"',
        "per = 1000000000000\n",
        'model = "graduated"\ntiers = [{ up_to = 999999999999999999, price = "999999999999999999",'
        ' flat_fee = "99999999999999" }, { price = "0.0000000001" }]',
    ],
)
def test_a_card_whose_own_amounts_do_not_fit_is_refused_with_its_name(
    tmp_path: Path, more: str
) -> None:
    text = BOOK.replace('price = "PRICE"\n', "" if "tiers" in more else 'price = "1"\n') + more
    if more.startswith("per"):
        text = text.replace("https_requests", "data_transfer").replace('"request"', '"TB"')
    path = tmp_path / "book.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"book.toml.*card https cannot be added up exactly"):
        read_book(path)


def test_a_month_that_outgrows_64_bits_goes_on_to_the_unit_beside_those_that_fit(
    tmp_path: Path,
) -> None:
    made = world(tmp_path, price="400000000")
    for hour in range(1, 6):  # 4 * 10^18 units an hour; the third does not fit 2^63 any more
        use(made, "a", f"2026-06-01T{hour - 1:02}:00", 1)
        if hour == 2:
            use(made, "b", "2026-06-01T01:00", 1)
        made.rate(at(f"2026-06-01T{hour:02}:00"))
        for account, amount in (("a", hour), ("b", int(hour > 1))):
            found = made.connection.execute(
                "SELECT coalesce(sum(amount), 0)::HUGEINT FROM month_state WHERE account_id = ?",
                [account],
            ).fetchall()
            assert found == [(amount * 4 * 10**18,)]
    assert made.connection.table("month_sums_large").shape[0] == 1
    assert made.connection.table("month_sums").shape[0] == 1
