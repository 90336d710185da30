"""Goal: no edit of a price book moves rated usage to other prices unseen (F7, DOMAIN §10.13).

Method: a small world is rated, its book is edited where no card changes, and rated again. What is
allowed must end as if the book had always been so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import ConflictError
from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Usage

BOOK = """
[book]
id = "book"
currency = "USD"
[regions]
NA = ["US"]
EU = ["DE", "FR"]
[[card]]
id = "https"
item = "https_requests"
effective_from = 2026-05-01
unit = "request"
price = "1"
[[card]]
id = "bytes"
item = "data_transfer"
effective_from = 2026-05-01
unit = "GB"
price = "1"
"""
CARD = """
[[card]]
id = "new"
item = "{item}"
region = "{region}"
effective_from = {start}
unit = "{unit}"
price = "2"
"""


def rated(tmp_path: Path, text: str = BOOK) -> World:
    made = World(one_book(tmp_path, text))
    made.account(Account("a", "UTC", at("2019-01-01"), "data_transfer"))
    made.use([("a", Usage(at("2026-05-03 01:00"), "DE", "https", 7, 2**30))])
    made.use([("a", Usage(at("2026-05-03 01:05"), "US", "quic", 3, 2**30))])
    made.rate(at("2026-05-03 02:00"))
    return made


def test_f7_a_label_never_means_another_region_once_its_traffic_is_rated(tmp_path: Path) -> None:
    world = rated(tmp_path)
    moved = BOOK.replace('"US"]', '"US", "DE"]').replace('["DE", "FR"]', '["FR"]')
    world.books = one_book(tmp_path, moved)
    with pytest.raises(ConflictError, match=r"label DE in region EU, and \[regions\] now"):
        world.rate(at("2026-05-03 03:00"))
    world.books = one_book(tmp_path, BOOK.replace('["DE", "FR"]', '["DE"]\nSA = ["FR", "BR"]'))
    world.rate(at("2026-05-03 03:00"))


@pytest.mark.parametrize(
    ("item", "region", "unit", "word"),
    [
        ("data_transfer", "EU", "GB", "data_transfer of label DE by its cards for EU"),
        ("data_transfer", "OverSeas", "GB", "data_transfer of label DE by its cards for OverSeas"),
        ("https_requests", "EU", "request", "https_requests of label DE by its cards for EU"),
        ("quic_requests", "all", "request", "quic_requests of label US by its cards for all"),
    ],
)
def test_f7_a_first_card_that_begins_later_does_not_orphan_rated_usage(
    item: str, region: str, unit: str, word: str, tmp_path: Path
) -> None:
    """Replayed hours would find a narrower scope without a card in force, and be held."""
    world = rated(tmp_path)
    start = "2026-06-01"
    world.books = one_book(
        tmp_path, BOOK + CARD.format(item=item, region=region, unit=unit, start=start)
    )
    with pytest.raises(ConflictError, match=word):
        world.rate(at("2026-05-03 03:00"))


def test_f7_a_first_card_from_the_first_hour_on_with_a_reason_replays_everybody(
    tmp_path: Path,
) -> None:
    world = rated(tmp_path)
    card = CARD.format(item="data_transfer", region="EU", unit="GB", start="2026-05-01")
    text = BOOK + card + 'corrects = "EU has its own price"\n'
    world.books = one_book(tmp_path, text)
    world.rate(at("2026-05-03 03:00"))
    always = rated(tmp_path, text)
    assert world.totals() == always.totals()
    assert world.totals()["a", "2026-05", "data_transfer", "EU"][3] == 2 * 10**10
    assert not world.rate(at("2026-05-03 03:00")).charges


def test_an_item_or_region_nobody_used_may_be_sold_from_any_date(tmp_path: Path) -> None:
    world = rated(tmp_path)
    later = CARD.format(item="http_requests", region="all", unit="request", start="2026-06-01")
    world.books = one_book(
        tmp_path,
        BOOK + later + later.replace('"new"', '"na"').replace("http_requests", "https_requests")
        .replace('"all"', '"NA"'),
    )  # fmt: skip
    assert world.rate(at("2026-05-03 03:00")).held == ()
