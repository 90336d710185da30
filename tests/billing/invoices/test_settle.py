"""Settlement: the cut, the leftover and the tax, SQL against a slow reference of a few lines."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sql
from billing.invoices.settlement import cut_to_minor
from billing.money import DIGITS, parse_amount

CURRENCY_OF = {0: "JPY", 2: "USD", 3: "KWD"}
STEPS = (
    "statements/invoices/rounding/settle_nets",
    "statements/invoices/rounding/settle_lines",
    "statements/invoices/rounding/settle_taxes",
    "statements/invoices/rounding/settle_line_taxes",
    "statements/invoices/rounding/settle_totals",
)
Settled = tuple[int, int, int, list[int], list[int], list[int]]
Lines = tuple[list[int], list[Decimal], int]
"""What a document is made of: the amount and the tax rate of each line, its currency's decimals."""


def settle_in_sql(*documents: Lines) -> list[Settled]:
    """(subtotal, cut, tax, settled amounts, leftovers, line taxes) of each, as the statements have
    it: all of a month's documents are settled at once.
    """
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TEMP TABLE invoice_exact_lines"
            " (account_no INTEGER, line_no INTEGER, amount HUGEINT, tax_rate_bp DECIMAL(9, 2));"
            "CREATE TEMP TABLE invoice_due (account_no INTEGER, currency VARCHAR,"
            " seller_id VARCHAR);"
            "CREATE TEMP TABLE invoice_currencies"
            " (currency VARCHAR, seller_id VARCHAR, kind VARCHAR, digits INTEGER, step HUGEINT)"
        )
        for digits, currency in CURRENCY_OF.items():
            connection.execute(
                "INSERT INTO invoice_currencies VALUES ($currency, '', 'invoice', $digits, $step)",
                {"currency": currency, "digits": digits, "step": 10 ** (DIGITS - digits)},
            )
        connection.execute(sql.temporary("macros/cut_to_units"))
        for account, (amounts, rates, digits) in enumerate(documents):
            connection.execute(
                "INSERT INTO invoice_due VALUES ($account, $currency, '')",
                {"account": account, "currency": CURRENCY_OF[digits]},
            )
            connection.execute(
                "INSERT INTO invoice_exact_lines SELECT $account, unnest(range(1, $count)),"
                " unnest($amounts::VARCHAR[]), unnest($rates::VARCHAR[])",
                {
                    "account": account,
                    "count": len(amounts) + 1,
                    "amounts": [str(one) for one in amounts],
                    "rates": [str(one) for one in rates],
                },
            )
        for name in STEPS:
            connection.execute(sql.text(name))
        totals = connection.execute(
            "SELECT subtotal, cut, tax FROM invoice_totals ORDER BY account_no"
        ).fetchall()
        lines = connection.execute(
            "SELECT list(settled_amount ORDER BY line_no), list(leftover ORDER BY line_no),"
            " list(tax ORDER BY line_no) FROM invoice_taxed_lines GROUP BY account_no"
            " ORDER BY account_no"
        ).fetchall()
    return [(*total, *columns) for total, columns in zip(totals, lines, strict=True)]


def half_up(amount: Fraction, step: int) -> int:
    """The nearest multiple of `step`, halves away from zero."""
    units = abs(amount) / step + Fraction(1, 2)
    whole = units.numerator // units.denominator * step
    return whole if amount >= 0 else -whole


def settle_slowly(amounts: list[int], rates: list[Decimal], digits: int) -> Settled:
    """The same from DOMAIN §6 #24, §10.15 and decision 0702, line after line, in fractions."""
    step = 10 ** (DIGITS - digits)
    net, cut = cut_to_minor(sum(amounts), CURRENCY_OF[digits])
    largest = max(range(len(amounts)), key=lambda place: (abs(amounts[place]), -place))
    rounded = [half_up(Fraction(one), step) for one in amounts]
    leftovers = [net - sum(rounded) if place == largest else 0 for place in range(len(amounts))]
    settled = [one + rest for one, rest in zip(rounded, leftovers, strict=True)]
    shares = [Fraction(rate) / 10_000 for rate in rates]
    taxes = [half_up(one * share, step) for one, share in zip(settled, shares, strict=True)]
    tax = 0
    for share in set(shares):
        own = [place for place in range(len(amounts)) if shares[place] == share]
        of_rate = half_up(sum(settled[place] for place in own) * share, step)
        first = max(own, key=lambda place: (abs(amounts[place]), -place))
        taxes[first] += of_rate - sum(taxes[place] for place in own)
        tax += of_rate
    return sum(amounts), cut, tax, settled, leftovers, taxes


AMOUNTS = st.lists(
    st.integers(-(10**13), 10**13) | st.integers(-(10**25), 10**25) | st.just(5 * 10**7),
    min_size=1,
    max_size=12,
)


RATE = st.decimals(0, 10_000, places=2)


@st.composite
def documents(draw: st.DrawFn) -> list[Lines]:
    """A month's documents, of one rate each or of several."""
    made = []
    for amounts in draw(st.lists(AMOUNTS, min_size=1, max_size=8)):
        some = draw(st.lists(RATE, min_size=1, max_size=3))
        rates = [some[place % len(some)] for place in range(len(amounts))]
        made.append((amounts, rates, draw(st.sampled_from([0, 2, 3]))))
    return made


@given(documents())
@settings(max_examples=40)
def test_g3_i1_settling_in_sql_is_settling_line_by_line_with_the_rate_of_each(
    month: list[Lines],
) -> None:
    """And what is settled adds up to net and tax to the last unit."""
    for lines, found in zip(month, settle_in_sql(*month), strict=True):
        assert found == settle_slowly(*lines)
        amounts, _, digits = lines
        subtotal, cut, tax, settled, _, taxes = found
        step = 10 ** (DIGITS - digits)
        assert subtotal == sum(amounts)
        assert sum(settled) == subtotal - cut
        assert sum(taxes) == tax
        assert abs(cut) < step
        assert cut == 0 or (cut > 0) == (subtotal > 0), "the cut never makes an invoice larger"
        assert all(one % step == 0 for one in (*settled, *taxes))


def test_domain_6_24_five_equal_lines_cut_once_with_the_leftover_on_one_line() -> None:
    lines = [parse_amount("12.1234")] * 5
    ((subtotal, cut, tax, settled, leftovers, _),) = settle_in_sql((lines, [Decimal(0)] * 5, 2))
    assert subtotal - cut == parse_amount("60.61")
    assert cut == parse_amount("0.007")
    assert settled == [parse_amount("12.13"), *[parse_amount("12.12")] * 4]
    assert leftovers[0] == parse_amount("0.01")
    assert tax == 0


@pytest.mark.parametrize(
    ("net", "rate_bp", "tax"),
    [
        ("10.50", "1900", "2.00"),
        ("0.05", "1000", "0.01"),
        ("0.04", "1000", "0.00"),
        ("-0.05", "1000", "-0.01"),
        ("100.00", "887.5", "8.88"),
        ("1000.00", "887.51", "88.75"),
        ("40000.00", "0.01", "0.04"),
    ],
)
def test_tax_is_rounded_half_up_once_on_the_net(net: str, rate_bp: str, tax: str) -> None:
    (found,) = settle_in_sql(([parse_amount(net)], [Decimal(rate_bp)], 2))
    assert found[2] == parse_amount(tax)
