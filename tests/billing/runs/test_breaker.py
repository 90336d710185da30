"""The breaker: what is held, and what is not, by figures alone."""

from __future__ import annotations

import pytest

from billing.money import SCALE
from billing.runs.breaker import BreakerLimits, Total, from_text, to_text, verdict

LIMITS = BreakerLimits(factor=10, floor=100 * SCALE, caps={"USD": 50_000 * SCALE})


def total(
    amount: int, *, periods: int = 1, currency: str = "USD", kind: str = "hour", credit: int = 0
) -> Total:
    """A run's total of `amount` currency units over `periods`."""
    return Total(
        currency=currency,
        period_kind=kind,
        amount=(amount - credit) * SCALE,
        gross=(amount + credit) * SCALE,
        periods=periods,
        charges=periods,
    )


HISTORY = [[total(100)], [total(300)], [total(200)]]


@pytest.mark.parametrize(
    ("run", "history", "said"),
    [
        (total(2_000), HISTORY, None),
        (total(2_001), HISTORY, "more than 10 times the trailing median of 200.00"),
        (total(2_000 * 24, periods=24), HISTORY, None),  # a day of catching up, hour by hour usual
        (total(2_001 * 24, periods=24), HISTORY, "more than 10 times"),
        (total(2_001), HISTORY[:2], None),  # too little history to judge by
        (total(2_001), [[total(200 * 720, periods=720)]], "more than 10 times"),  # a month of logs
        (total(2_001, currency="JPY"), [[total(1, currency="JPY")]] * 3, "median of 1"),
        (total(90), [[total(1)]] * 5, None),  # below the floor: small accounts may grow
        (total(50_001, periods=10_000), HISTORY, "above the cap of 50000.00"),
        (total(50_001), [], "above the cap"),
        (total(10, credit=50_000), HISTORY, "above the cap"),  # a credit hides nothing
        (total(2_001, currency="EUR"), HISTORY, None),  # another currency has its own median
        (total(2_001, kind="day"), HISTORY, None),  # daily peaks come once a day
        (total(0), HISTORY, None),
    ],
)
def test_f8_a_run_is_held_above_the_median_or_the_cap(
    run: Total, history: list[list[Total]], said: str | None
) -> None:
    why = verdict([run], history, LIMITS)
    assert (why is None) if said is None else (why is not None and said in why)


def test_f8_a_unit_ten_thousand_times_too_large_is_held() -> None:
    assert verdict([total(200 * 10_000)], HISTORY, BreakerLimits(factor=10, floor=0, caps={}))


def test_totals_survive_being_stored() -> None:
    totals = [total(5), total(7, currency="EUR", kind="month", credit=9)]
    assert sorted(from_text(to_text(totals)), key=str) == sorted(totals, key=str)
