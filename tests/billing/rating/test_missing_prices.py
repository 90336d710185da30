"""A missing price stops that account's hour, loudly, never as zero (FAULTS F11, P5); it heals
later.
"""

from __future__ import annotations

from pathlib import Path

from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Usage

PRICES = """
[book]
id = "book"
currency = "USD"
[regions]
NA = ["US"]
EU = ["DE"]
[[card]]
id = "https"
item = "https_requests"
effective_from = 2026-05-01
unit = "request"
price = "1"
[[card]]
id = "na"
item = "data_transfer"
region = "NA"
effective_from = 2026-05-01
unit = "GB"
price = "1"
"""


def world(tmp_path: Path, text: str = PRICES) -> World:
    made = World(one_book(tmp_path, text))
    made.account(Account("a", "UTC", at("2019-01-01"), "data_transfer"))
    made.account(Account("b", "UTC", at("2019-01-01"), "data_transfer"))
    return made


def use(made: World, account_id: str, when: str, label: str = "US", size: int = 2**30) -> None:
    made.use([(account_id, Usage(at(when), label, "https", 10, size))])


def test_f11_an_hour_without_a_price_is_held_whole_and_others_are_rated(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", "DE")
    use(made, "a", "2026-06-01T01:00")
    use(made, "b", "2026-06-01T00:00")
    outcome = made.rate(at("2026-06-01T02:00"))
    assert [(one.account_id, one.hour.hour) for one in outcome.held] == [("a", 0)]
    assert outcome.held[0].problem == "price book book has no card of data_transfer for region DE"
    hours = {(key[0], key[2], key[4].hour) for key in made.hourly()}
    assert hours == {(name, item, hour) for name, hour in (("a", 1), ("b", 0))
                     for item in ("https_requests", "data_transfer")}  # fmt: skip


def test_f11_an_unknown_region_label_is_named(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", "XX")
    (held,) = made.rate(at("2026-06-01T01:00")).held
    assert held.problem == "region XX is in no billing region of price book book"
    assert "[regions]" in held.hint


def test_f11_usage_before_the_first_card_is_held(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-04-01T00:00")
    (held,) = made.rate(at("2026-04-01T01:00")).held
    assert "in force" in held.problem
    assert made.totals() == {}


def test_a_missing_price_book_holds_the_hours_of_its_accounts(tmp_path) -> None:
    made = world(tmp_path)
    made.account(Account("c", "UTC", at("2019-01-01"), "data_transfer"), book="gone")
    use(made, "c", "2026-06-01T00:00")
    (held,) = made.rate(at("2026-06-01T01:00")).held
    assert (held.account_id, held.problem) == ("c", "there is no price book gone")


def test_an_account_in_another_currency_than_its_book_is_held(tmp_path) -> None:
    made = world(tmp_path)
    made.connection.execute("UPDATE accounts SET currency = 'EUR' WHERE account_id = 'a'")
    use(made, "a", "2026-06-01T00:00")
    (held,) = made.rate(at("2026-06-01T01:00")).held
    assert "EUR" in held.problem


def test_held_hours_are_rated_once_the_price_is_there_and_end_as_if_it_always_was(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", "DE")
    use(made, "a", "2026-06-01T01:00")
    made.rate(at("2026-06-01T02:00"))
    more = PRICES + PRICES[PRICES.index('[[card]]\nid = "na"') :].replace("na", "eu").replace(
        '"NA"', '"EU"'
    ).replace('price = "1"', 'price = "1"\ncorrects = "EU was not sold yet"')
    made.books = one_book(tmp_path, more)
    outcome = made.rate(at("2026-06-01T03:00"))
    assert outcome.held == ()
    assert made.connection.execute("SELECT count(*) FROM rating_held").fetchall() == [(0,)]
    direct = world(tmp_path, more)
    use(direct, "a", "2026-06-01T00:00", "DE")
    use(direct, "a", "2026-06-01T01:00")
    direct.rate(at("2026-06-01T03:00"))
    assert made.totals() == direct.totals()
    assert made.hourly() == direct.hourly()


def test_a_held_hour_is_not_looked_at_again_while_nothing_changed(tmp_path) -> None:
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", "XX")
    made.rate(at("2026-06-01T01:00"))
    outcome = made.rate(at("2026-06-01T02:00"))
    assert "replayed" not in outcome.effects
    assert [one.hour.hour for one in outcome.held] == [0], "it is told again at every run"
    assert outcome.held_count == 1
    assert made.connection.execute("SELECT count(*) FROM rating_held").fetchall() == [(1,)]


def test_an_item_without_any_card_is_not_sold_and_not_listed(tmp_path) -> None:
    made = world(tmp_path)
    made.use([("a", Usage(at("2026-06-01T00:00"), "US", "quic", 10, 0))])
    outcome = made.rate(at("2026-06-01T01:00"))
    assert outcome.held == ()
    assert outcome.charges == 0


def test_g2_a_changed_book_looks_at_held_hours_once_and_not_at_every_run(tmp_path) -> None:
    """The run after the change remembers the book it saw, though it ends at the same hour."""
    made = world(tmp_path)
    use(made, "a", "2026-06-01T00:00", "XX")
    made.rate(at("2026-06-01T01:00"))
    made.books = one_book(tmp_path, PRICES.replace("[regions]", '[regions]\nSA = ["BR"]'))
    assert "replayed" in made.rate(at("2026-06-01T01:00")).effects
    for _ in range(4):
        assert made.rate(at("2026-06-01T01:00")).effects.keys() == {"charges"}
