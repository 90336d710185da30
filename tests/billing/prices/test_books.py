"""Price books as files: what they may say, and that a wrong one names file, key and line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.money import parse_amount
from billing.prices import load_books, read_book
from edge.errors import ConfigError, EdgetollError

EXAMPLES = Path(__file__).parents[3] / "examples" / "prices"
HEAD = '[book]\nid = "b"\ncurrency = "USD"\ntimezone = "Asia/Shanghai"\n[regions]\nNA = ["US"]\n'
CARD = (
    '[[card]]\nid = "c"\nitem = "https_requests"\neffective_from = 2026-01-01\nunit = "request"\n'
)


def book(tmp_path: Path, text: str):
    path = tmp_path / "book.toml"
    path.write_text(text, encoding="utf-8")
    return read_book(path)


def test_the_example_books_hold_the_figures_of_domain() -> None:
    books = load_books(EXAMPLES).books
    assert sorted(books) == ["alibaba-china", "alibaba-international", "tencent-2023-01"]
    international = books["alibaba-international"]
    https = international.card("ali-intl-https-2020-12")
    assert (https.tiers[0].price, https.unit_quantity) == (parse_amount("0.008"), 10_000)
    assert https.effective_from == datetime(2020, 12, 13, 16, tzinfo=UTC)
    prices = [tier.price for tier in international.card("ali-intl-data-SA-2018-08").tiers]
    assert prices == [parse_amount(text) for text in ("0.20", "0.18", "0.14", "0.13")]
    bounds = [tier.up_to for tier in international.card("ali-intl-data-AP1-2020-12").tiers]
    assert bounds == [50 * 2**40, 100 * 2**40, 2**50, None]
    tencent = books["tencent-2023-01"]
    assert tencent.card("tencent-https-2023-01").free_quantity == 3_000_000
    assert tencent.card("tencent-data-CN-2022").tiers[0].up_to == 2 * 10**12
    assert international.regions["BR"] == "SA"


def test_dates_begin_at_midnight_of_the_books_zone(tmp_path) -> None:
    made = book(tmp_path, HEAD + CARD + 'price = "1"\n')
    assert made.cards[0].effective_from == datetime(2025, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "blank"),
        ("[book]\n", "key book.id"),
        (HEAD, "key card"),
        (HEAD + CARD + "price = 0.008\n", "line 12, card c, key price: "),
        (HEAD + CARD + "price = 1\n", "money is a decimal string"),
        (HEAD + CARD + 'price = "1e3"\n', "not an amount"),
        (HEAD + CARD + 'price = "-1"\n', "below zero"),
        (HEAD + CARD, "per_unit needs price"),
        (HEAD + CARD + 'prize = "1"\n', "card c, key prize"),
        (HEAD + CARD.replace("request\"", "GB\"") + 'price = "1"\n', "is not counted in GB"),
        (HEAD + CARD.replace("request\"", "furlong\"") + 'price = "1"\n', "unit 'furlong'"),
        (HEAD + CARD.replace("https_requests", "cups") + 'price = "1"\n', "card c, key item"),
        (HEAD + CARD + 'price = "1"\nregion = "MARS"\n', "region MARS"),
        (HEAD + CARD + 'price = "1"\n' + CARD + 'price = "2"\n', "card c exists twice"),
        (HEAD + CARD + 'price = "1"\nper = 0\n', "card c, key per"),
        (HEAD + CARD + 'price = "1"\ndiscount_percent = "101"\n', "percentage"),
        (HEAD + CARD + 'price = "1"\nminimum = "2"\nmaximum = "1"\n', "maximum is below minimum"),
        (HEAD + CARD + 'price = "1"\nperiod = "day"\n', "period is for step_reached"),
        (HEAD + CARD + 'model = "graduated"\ntiers = [{ up_to = 5, price = "1" }]\n',
         "only the last tier"),
        (HEAD + CARD + 'model = "graduated"\ntiers = [{ up_to = 5, price = "1" },'
         ' { up_to = 5, price = "1" }, { price = "1" }]\n', "not above the tier before"),
        (HEAD + CARD + 'model = "graduated"\ntiers = [{ up_to = 5 }, { price = "1" }]\n',
         "tier 1 has no price"),
        (HEAD + CARD.replace("2026-01-01", "2026-01-01T00:03:00Z") + 'price = "1"\n',
         "5-minute edge"),
        (HEAD + CARD + 'price = "1"\neffective_until = 2025-01-01\n', "not after effective_from"),
        (HEAD + CARD + 'price = "1"\n[[override]]\naccount = "a"\nid = "o"\nregion = "NA"\n'
         'item = "https_requests"\neffective_from = 2026-01-01\nunit = "request"\nprice = "1"\n',
         "no card of https_requests for NA"),
        (HEAD.replace("USD", "DOLLARS") + CARD + 'price = "1"\n', "DOLLARS"),
        (HEAD.replace("Asia/Shanghai", "Asia/Atlantis") + CARD + 'price = "1"\n', "Atlantis"),
        (HEAD.replace('["US"]', '["US"]\nEU = ["US"]') + CARD + 'price = "1"\n',
         "US is in NA and EU"),
        (HEAD + CARD + 'price = "1"\nnot toml', "line 13"),
    ],
)  # fmt: skip
def test_a_wrong_book_names_the_file_and_what_is_wrong(tmp_path, text: str, words: str) -> None:
    with pytest.raises(EdgetollError) as caught:
        book(tmp_path, text)
    assert "book.toml" in caught.value.message
    assert words in str(caught.value)
    assert "line " in caught.value.message or words in ("blank", "key card")
    assert caught.value.hint


def test_a_folder_without_books_is_an_error_not_free_service(tmp_path) -> None:
    with pytest.raises(ConfigError, match="no price book"):
        load_books(tmp_path)


def test_two_files_with_one_book_are_refused(tmp_path) -> None:
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(HEAD + CARD + 'price = "1"\n')
    with pytest.raises(
        ConfigError, match=r"two.toml, line 2, key book\.id: another file is price book b"
    ):
        load_books(tmp_path)


def test_a_card_may_be_long_gone_by_its_own_end(tmp_path) -> None:
    made = book(tmp_path, HEAD + CARD + 'price = "1"\neffective_until = 2026-02-01\n')
    assert made.cards[0].effective_until == datetime(2026, 1, 31, 16, tzinfo=UTC)


def test_the_fingerprint_of_a_card_covers_its_price_and_unit(tmp_path) -> None:
    one = book(tmp_path, HEAD + CARD + 'price = "1"\n').cards[0]
    other = book(tmp_path, HEAD + CARD + 'price = "2"\n').cards[0]
    unit = book(tmp_path, HEAD + CARD + 'price = "1"\nper = 10000\n').cards[0]
    assert len({one.fingerprint(), other.fingerprint(), unit.fingerprint()}) == 3
