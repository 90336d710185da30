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


PAST = "2026-10-01T05"
WAIVE = ("metering waive e1 --hour {} --by {} --reason {}").format
SLIPS = {
    # G12: kept for ever, so nothing hides in it.
    "a reason": (WAIVE(PAST, "k", "a\x1b[31m"), "--reason"),
    "a name": (WAIVE(PAST, "\u202ek", "a"), "--by"),
    "who suspends": ("billing suspend acme --by a\u200b --reason b", "--by"),
    "why it is billed": ("billing accept --reason a\rb", "--reason"),
    "why it is right": ("billing release R1 --reason a\nb", "--reason"),
    # M6, E12: an hour or an edge that is none would be waited for, or waived, in vain.
    "a day is no hour": (WAIVE(PAST[:10], "k", "a"), "is no hour"),
    "an hour to come": (WAIVE("2099-01-01T00", "k", "a"), "ahead"),
    "an edge of two words": ("metering edges --expect x,y", "--expect"),
    "no region": ("metering edges --expect e2 --region -", "--region"),
    # G7: while a promise stands that is years ahead, no late feed is noticed.
    "payments to come": ("billing alerts --payments-through 2099-01-01", "cannot be posted yet"),
    # G19: what would be passed over without a word, or end in a traceback.
    "a payment of no invoice": ("billing paid --id k --amount 5", "nothing was posted"),
    "the year nought": ("billing invoice --month 0000-01", "is not a month"),
    "the last month of all": ("billing statement acme --month 9999-12", "is not a month"),
    "fewer than none": ("billing ledger --limit -1", "--limit"),
}


@pytest.fixture(scope="module")
def slips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with accounts, at which slips are made."""
    return make_home(tmp_path_factory.mktemp("slips"))


@pytest.mark.parametrize(("command", "said"), SLIPS.values(), ids=SLIPS.keys())
def test_g19_a_slip_is_said_in_a_line_and_changes_nothing(
    command: str, said: str, slips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path for path in slips.rglob("*") if "lock" not in path.name)
    assert main([*command.split(" "), "--home", str(slips)]) in (1, 2)
    assert said in " ".join(capsys.readouterr().err.split())
    assert sorted(path for path in slips.rglob("*") if "lock" not in path.name) == before
