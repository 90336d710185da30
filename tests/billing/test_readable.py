"""G6: an id that a person could take for another when both are printed is refused."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.accounts.file_rows import read_load_file
from billing.readable import check_id, hidden_in, unlike_any_other
from edge.errors import InputError

TAKEN_FOR_ANOTHER = {
    "an escape sequence": "pay\x1b[2K-1",
    "a line break": "pay\n1",
    "a carriage return": "pay-2\rpay-1",
    "a tab": "pay\t1",
    "C1 control": "pay\x9b1",
    "right-to-left override": "pay-\u202e12",
    "an isolate": "pay-\u20661\u2069",
    "a zero-width space": "pay\u200b-1",
    "a zero-width joiner": "pay\u200d-1",
    "a soft hyphen": "pay\u00ad-1",
    "a byte order mark": "\ufeffpay-1",
    "a variation selector": "pay-1\ufe0f",
    "a tag": "pay-1\U000e0031",
    "a filler letter": "pay\u3164",
    "a braille blank": "pay\u2800",
    "a no-break space": "pay\u00a01",
    "an ideographic space": "pay\u30001",
    "a space before": " pay-1",
    "a space behind": "pay-1 ",
    "two spaces": "pay  1",
    "decomposed": "zu\u0308rich-1",
    "fullwidth": "\uff50ay-1",
    "a ligature": "o\ufb03ce",
    "a superscript": "pay\u00b2",
    "a Kelvin sign": "\u212a-1",
    "another hyphen": "pay\u20101",
    "a dash": "pay\u20131",
    "a minus": "pay\u22121",
    "other quotes": "pay\u2019s",
    "other digits": "pay-\u0661",
    "Bengali digits": "\u09ea\u09e6",
    "a Cyrillic a": "p\u0430y-1",
    "a Greek omicron": "c\u03bfde",
    "all Cyrillic, all lookalikes": "\u0441\u043e\u0440\u0430",
    "a dotless i": "pay\u0131d",
    "a mark on a digit": "pay-1\u0301",
    "a mark on nothing": "pay-\u0301",
    "a letter struck through": "a\u0335b",
    "a click that is a bar": "pay-\u01c01",
    "a Lisu letter": "\ua4ee-1",
    "a Cherokee letter": "\u13aa-1",
    "a private character": "pay\ue000",
    "a half of a pair": "pay\ud800",
}
FINE = (
    "k",
    "stripe-ch_1234",
    "PAY 17/2026",
    "Größe-1",
    "付款-17",
    "платёж-9",
    "請求書 No.5",
    "a@b.example",
)


@pytest.mark.parametrize("what", TAKEN_FOR_ANOTHER)
def test_g6_an_id_that_could_be_taken_for_another_is_refused(what: str) -> None:
    with pytest.raises(InputError, match="could be taken for another"):
        check_id(TAKEN_FOR_ANOTHER[what], "--id")


@pytest.mark.parametrize("text", FINE)
def test_g6_an_id_that_reads_as_itself_is_taken_in_any_script(text: str) -> None:
    assert check_id(text, "--id") == text


def test_g6_an_id_is_neither_empty_nor_endless() -> None:
    for text in ("", "x" * 201):
        with pytest.raises(InputError, match="1 to 200"):
            check_id(text, "--id")


@given(st.text(max_size=20), st.text(max_size=20))
def test_g6_two_ids_that_are_taken_never_look_the_same(one: str, other: str) -> None:
    """Printed the same: the same once compatibility forms are folded and what is blank is gone."""
    if unlike_any_other(one) is None and unlike_any_other(other) is None and one != other:
        shown = [
            "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable()).strip()
            for text in (one, other)
        ]
        assert shown[0] != shown[1]


def test_g12_a_name_may_be_in_any_script_but_hides_nothing() -> None:
    for name in ("Müller & Söhne", "北京网络", "شركة", "Ο Κόσμος", "Ｗｉｄｅ"):
        assert hidden_in(name) is None
    assert hidden_in("evil\x1b[31m") == "U+001B a control character"
    assert hidden_in("evil\u202egnp") == "U+202E RIGHT-TO-LEFT OVERRIDE"
    assert hidden_in("two\nlines") == "a line break"
    assert hidden_in(" x") == "a space at its begin or end"


@pytest.mark.parametrize("what", ["right-to-left override", "a space behind", "a Cyrillic a"])
def test_g6_an_ownership_with_such_an_id_is_not_loaded(what: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    row = f'"{TAKEN_FOR_ANOTHER[what]}",www.new.example,acme'
    path.write_text(f"id,domain,account\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2, key id: .*could be taken for another"):
        read_load_file(path)
    path.write_text("id,domain,account\nmove-17,www.new.example,acme\n", encoding="utf-8")
    assert len(read_load_file(path).domains) == 1
