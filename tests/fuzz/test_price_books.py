"""Goal: no price book, however wrong, ends in a traceback or is refused without file and key.

Method: files of any bytes and any text, and well-formed books of which some keys hold anything
that TOML can hold, are gone or misspelt. What is accepted must fit the engine's tables. Hypothesis
prints the seed; EDGETOLL_FUZZ_EXAMPLES says how many are tried.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billing.prices import PriceBooks, load_books, read_book, tables
from edge.errors import EdgetollError
from tests.fuzz.budget import repeated

EXAMPLES = int(os.environ.get("EDGETOLL_FUZZ_EXAMPLES", "60"))
FUZZ = repeated(
    settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
)
# What the reader's own libraries say, which nobody who writes a price book has ever heard of.
INSIDE = ("Input should", "valid integer", "pydantic", "Value error", "tuple", "NoneType", "str'",
          "Exceeds the limit", "datetime.", "ZoneInfo", "TZPATH", "base quantit",
          ".int:")  # fmt: skip
KEYS = ["id", "item", "region", "effective_from", "effective_until", "model", "unit", "per",
        "price", "tiers", "period", "flat_fee", "minimum", "maximum", "free_quota",
        "discount_percent", "corrects", "note", "account", "title", "currency", "timezone",
        "source", "up_to", "at_zero", "prorated", "prise"]  # fmt: skip
GOOD: dict[str, list[object]] = {
    "id": ["a", "b", "c"], "item": ["https_requests", "data_transfer", "peak_bandwidth"],
    "region": ["all", "EU", "OverSeas"], "effective_from": [date(2026, 1, 1), date(2026, 5, 1)],
    "model": ["per_unit", "graduated", "volume", "step_reached", "package"],
    "unit": ["request", "GB", "TB1000", "Mbps"], "per": [1, 10_000, 10**12],
    "price": ["0.01", "1", "99999999999999999", "0.0000000001"], "period": ["hour", "day"],
    "minimum": ["5"], "maximum": ["9", "99999999999999999999"], "flat_fee": ["1.5"],
    "free_quota": [100, "50 TB", "400 Mbps"], "discount_percent": ["10", "33.3333"],
    "tiers": [[{"up_to": 5, "price": "1"}, {"price": "2"}], [{"price": "1", "at_zero": True}]],
}  # fmt: skip
plain = st.one_of(
    st.integers(), st.integers(-(2**70), 2**70), st.booleans(), st.floats(), st.text(max_size=20),
    st.dates(), st.datetimes(), st.datetimes(timezones=st.just(UTC)), st.times(),
    st.sampled_from(["", "0", "-1", "1e9", "\u202ebidi", "a\x1b[31m", "1" * 5000, "50 TB", "١٢"]),
)  # fmt: skip
anything = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*KEYS, "", "x y", "é"]), inner, max_size=3),
    ),
    max_leaves=5,
)


@st.composite
def books(draw: st.DrawFn) -> str:
    """A book in TOML of which a few values are anything."""

    def rows(least: int) -> list[dict[str, object]]:
        return [dict(row) for row in draw(st.lists(st.just(CARD), min_size=least, max_size=3))]

    book: dict[str, object] = {
        "book": {"id": "b", "currency": "USD"}, "regions": {"EU": ["DE"]}, "card": rows(1),
    }  # fmt: skip
    if draw(st.booleans()):
        book["override"] = [{**row, "account": "acme"} for row in rows(1)]
    places = [book, book["book"], book["regions"], *book["card"], *book.get("override", [])]  # type: ignore[misc,call-overload]
    for number, row in enumerate([*book["card"], *book.get("override", [])]):  # type: ignore[misc,call-overload]
        row["id"] = f"c{number}"
        row["effective_from"] = date(2026, 1 + number, 1)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from(places))
        key = draw(st.sampled_from([*place, *KEYS]))
        kind = draw(st.sampled_from(["good", "good", "any", "gone"]))
        if kind == "gone":
            place.pop(key, None)
        elif kind == "good" and key in GOOD:
            place[key] = draw(st.sampled_from(GOOD[key]))
        else:
            place[key] = draw(anything)
    return "\n".join(f"{quoted(key)} = {toml(value)}" for key, value in book.items()) + "\n"


CARD: dict[str, object] = {
    "id": "a", "item": "https_requests", "effective_from": date(2026, 1, 1), "unit": "request",
    "price": "0.01",
}  # fmt: skip


def quoted(text: str) -> str:
    """A TOML string; a lone surrogate, which no file can hold, is left out."""
    clean = text.encode("utf-8", "ignore").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml(value: object) -> str:
    """`value` as TOML on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return str(value).replace("e+", "e")


def said(path: Path, data: bytes) -> str | None:
    """What the reader says about `data`; None when it takes the book, which then fits."""
    path.write_bytes(data)
    book, refused = None, None
    try:
        book = read_book(path)
    except EdgetollError as error:
        refused = error
    if book is None:
        assert refused is not None
        text = str(refused)
        assert path.name in refused.message
        assert refused.hint
        assert text.isprintable()
        assert len(text) < 700
        assert not [word for word in INSIDE if word in text], text
        return text
    made = PriceBooks(books={book.book_id: book})
    with duckdb.connect() as connection:
        tables.bind(connection, made)
    assert made.fingerprint()
    return None


@FUZZ
@given(text=books())
@example(text='book = {id = "b", currency = "USD"}\ncard = 1')
@example(text='book = {id = "b", currency = "USD"}\ncard = [{free_quota = 1.5}]')
def test_g19_a_wrong_book_is_refused_with_file_and_key_in_words_of_the_file(
    tmp_path: Path, text: str
) -> None:
    answer = said(tmp_path / "wrong.toml", text.encode())
    assert answer is None or "key " in answer or "is blank" in answer, answer


@FUZZ
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(
    lambda text: text.encode("utf-8", "surrogatepass"))))  # fmt: skip
@example(data=b"a = " + b"[" * 5000)
@example(data=b"a = " + b"9" * 5000)
@example(data="\ufeff[book]\n".encode())
@example(data="[book]\n".encode("utf-16"))
@example(data=b"a = 2026-02-30")
@example(data=b"a = 0000-01-01")
def test_g19_a_file_of_anything_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    assert said(tmp_path / "wrong.toml", data) is not None


@FUZZ
@given(cut=st.integers(0, 20_000), bit=st.integers(0, 7), how=st.sampled_from(["cut", "flip"]))
def test_a_shipped_book_that_was_torn_or_flipped_is_read_or_refused_by_name(
    tmp_path: Path, cut: int, bit: int, how: str
) -> None:
    whole = (Path(__file__).parents[2] / "examples/prices/alibaba-international.toml").read_bytes()
    place = cut % len(whole)
    data = whole[:place]
    if how == "flip":
        data += bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :]
    said(tmp_path / "torn.toml", data)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("free_quota = 1.5", "free_quota"),
        ("free_quota = true", "free_quota"),
        ('free_quota = "5 parsecs"', "free_quota"),
        ("per = 1.5", "per"),
        ("price = 0.01", "price"),
        ("minimum = 5", "minimum"),
        ("effective_until = 20260101", "effective_until"),
        ("effective_until = 10:00:00", "effective_until"),
        ('model = "tiered"', "model"),
        ('corrects = ""', "corrects"),
        ('note = "\\u202e"', "note"),
        ("tiers = [{ up_to = 1.5 }]", "tiers.1.up_to"),
        ('flat_fees = "1"', "flat_fees"),
    ],
)
def test_g19_each_key_is_named_with_its_card_and_line(tmp_path: Path, line: str, key: str) -> None:
    book = '[book]\nid = "b"\ncurrency = "USD"\n'
    card = (
        '[[card]]\nid = "c{}"\nitem = "https_requests"\neffective_from = 2026-01-0{}\n'
        'unit = "request"\n'
    )
    path = tmp_path / "book.toml"
    price = "" if line.startswith("price") else 'price = "1"\n'
    path.write_text(book + card.format(1, 1) + 'price = "1"\n' + card.format(2, 2) + price + line)
    with pytest.raises(EdgetollError) as caught:
        load_books(tmp_path)
    number = len(path.read_text().splitlines())
    assert f"book.toml, line {number}, card c2, key {key}: " in caught.value.message
    assert not [word for word in INSIDE if word in str(caught.value)]


TEXTS = ["title", "source", "account", "corrects", "note", "label", "region"]


@pytest.mark.parametrize("key", TEXTS)
@pytest.mark.parametrize("hidden", ["\\u001b[31m", "\\u202e", "\\u0000", "\\u0085", "\\u200b"])
def test_g12_a_text_with_a_character_nobody_can_see_is_refused(
    tmp_path: Path, key: str, hidden: str
) -> None:
    texts = dict.fromkeys(TEXTS, "plain") | {key: f"pl{hidden}ain"}
    path = tmp_path / "book.toml"
    path.write_text(
        '[book]\nid = "b"\ncurrency = "USD"\n'
        f'title = "{texts["title"]}"\nsource = "{texts["source"]}"\n'
        f'[regions]\n"{texts["region"]}" = ["{texts["label"]}"]\n'
        '[[card]]\nid = "c"\nitem = "https_requests"\neffective_from = 2026-01-01\n'
        f'unit = "request"\nprice = "1"\nnote = "{texts["note"]}"\n'
        '[[override]]\nid = "o"\nitem = "https_requests"\neffective_from = 2026-01-01\n'
        f'unit = "request"\nprice = "1"\naccount = "{texts["account"]}"\n'
        f'corrects = "{texts["corrects"]}"\n'
    )
    with pytest.raises(EdgetollError, match="nobody can see") as caught:
        read_book(path)
    assert str(caught.value).isprintable()
    assert "key " in caught.value.message
