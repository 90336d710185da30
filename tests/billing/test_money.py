"""Money: exact in and out, cut only on documents, never a float."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoices.settlement import cut_to_minor
from billing.money import (
    AMOUNT_MAX,
    SCALE,
    check_amount,
    check_currency,
    format_amount,
    minor_digits,
    parse_amount,
)
from edge.errors import InputError

units = st.integers(-AMOUNT_MAX, AMOUNT_MAX)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.34", 123_400_000_000),
        ("0.0000000001", 1),
        ("-0.5", -5_000_000_000),
        ("+7", 70_000_000_000),
        ("900719925474099.3", 9_007_199_254_740_993 * 10**9),
    ],
)
def test_a_decimal_string_is_read_exactly(text: str, amount: int) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "1e3",
        "1,000.00",
        "1.00000000001",
        "nan",
        "0x10",
        " 1",
        "1 ",
        "١٢",
        "--1",
    ],
)
def test_what_is_no_plain_decimal_string_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_amount(text)


def test_g25_a_float_is_refused_at_every_door() -> None:
    for value in (1.5, 1.0, True):
        with pytest.raises(TypeError):
            check_amount(value)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        parse_amount(12.34)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        format_amount(1.5)  # type: ignore[arg-type]


@given(units)
def test_g25_writing_and_reading_an_amount_changes_nothing(amount: int) -> None:
    text = format_amount(amount)
    if len(text.split(".")[0].lstrip("-")) <= 18:
        assert parse_amount(text) == amount
    assert Fraction(text) * SCALE == amount


def test_g26_an_amount_beyond_2_to_the_96_raises() -> None:
    assert check_amount(2**96 - 1) == 2**96 - 1
    for amount in (2**96, -(2**96)):
        with pytest.raises(OverflowError):
            check_amount(amount)


@given(units, st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_f10_cutting_keeps_the_sum_and_cuts_toward_zero(amount: int, currency: str) -> None:
    kept, cut = cut_to_minor(amount, currency)
    step = 10 ** (10 - minor_digits(currency))
    assert kept + cut == amount
    assert kept % step == 0
    assert abs(cut) < step
    assert abs(kept) <= abs(amount)
    assert cut_to_minor(-amount, currency) == (-kept, -cut)


def test_minor_units_follow_iso_4217() -> None:
    digits = {code: minor_digits(code) for code in ("USD", "CNY", "JPY", "KWD", "CLF")}
    assert digits == {"USD": 2, "CNY": 2, "JPY": 0, "KWD": 3, "CLF": 4}


@pytest.mark.parametrize("code", ["usd", "US", "USDT", "U$D", "", "XYZ", "XXX", "DEM", "ZZZ"])
def test_a_currency_is_one_of_iso_4217(code: str) -> None:
    with pytest.raises(InputError):
        check_currency(code)


def test_an_amount_has_the_decimals_of_its_currency_and_stays_exact() -> None:
    assert format_amount(957 * SCALE, "JPY") == "957"
    assert format_amount(957 * SCALE + SCALE // 4, "JPY") == "957.25"
    assert format_amount(-957 * SCALE, "KWD") == "-957.000"
    assert format_amount(957 * SCALE, "USD") == format_amount(957 * SCALE) == "957.00"
