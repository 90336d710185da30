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
    ("key", "value"),
    [
        ("free_quota", "1.5"),
        ("free_quota", "[1]"),
        ("per", "1.5"),
        ("per", "0"),
        ("model", '"flat"'),
        ("tiers", "3"),
        ("price", "[1]"),
    ],
)
def test_g19_a_wrong_value_in_a_price_book_is_said_in_words_of_the_file(
    key: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    lines = [line for line in BOOK.splitlines() if not line.startswith(f"{key} = ")]
    place = lines.index('item = "https_requests"') + 1
    book = "\n".join([*lines[:place], f"{key} = {value}", *lines[place:]])
    (home / "prices" / "plain.toml").write_text(book)
    assert main(["billing", "rate", "--home", str(home)]) == 1
    error = capsys.readouterr().err
    assert f"line {place + 1}, card https-1, key {key}: " in error
    assert "Input should" not in error


PLAN = {
    "id": '"p1"', "account": '"acme"', "kind": '"https_requests"', "quantity": "100",
    "starts": "2026-10-01T00:00:00Z", "ends": "2026-11-01T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("quantity", "1.5", "1.5 is not a quantity"),
        ("quantity", "-1", "this must be more than 0"),
        ("kind", '"qic"', "this must be one of"),
        ("id", '""', "this is not of the form"),
        ("ends", "7", "write a time like"),
        ("region", "[1]", "this must be text"),
    ],
)
def test_g19_a_wrong_row_of_a_load_file_is_counted_from_one(
    key: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    row = {key: value, **{name: one for name, one in PLAN.items() if name != key}}
    file = tmp_path / "rows.toml"
    file.write_text("# plans\n\n[[plans]]\n" + "".join(f"{k} = {v}\n" for k, v in row.items()))
    assert main(["billing", "load", str(file), "--home", str(home)]) == 1
    assert f"line 4, key plans.1.{key}: {said}" in capsys.readouterr().err
