"""What the commands of billing say to a person who gets something wrong: G19 of CASES."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgetoll import main
from tests.billing.homes import BOOK, make_home


@pytest.mark.parametrize("amount", ["-5.00", "-0.01", "-1000000", "0", "0.00"])
def test_g19_an_amount_below_zero_is_refused_as_an_amount(
    amount: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    words = ["billing", "top-up", "acme", amount, "--id", "p1", "--home", str(home)]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "is not positive" in said
    assert "--kind refund" in said


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("free_quota", "1.5", "this must be a whole number"),
        ("free_quota", "[1]", "this must be a whole number"),
        ("per", "1.5", "this must be a whole number"),
        ("per", "0", "this must be more than 0"),
        ("model", '"flat"', "this must be one of 'per_unit'"),
        ("tiers", "3", "this must be a list"),
        ("price", "[1]", "money is a decimal string"),
    ],
)
def test_g19_a_wrong_value_in_a_price_book_is_said_in_words_of_the_file(
    key: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    lines = [line for line in BOOK.splitlines() if not line.startswith(f"{key} = ")]
    place = lines.index('item = "https_requests"') + 1
    book = "\n".join([*lines[:place], f"{key} = {value}", *lines[place:]])
    (home / "prices" / "plain.toml").write_text(book)
    assert main(["billing", "rate", "--home", str(home)]) == 1
    error = capsys.readouterr().err
    assert f"line {place + 1}, key card.1.{key}: {said}" in error
    assert "Input should" not in error
