"""The forecast by its own statement: when the projected amount is spent, with its band."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import sql

HOUR = 3600
YEAR = 366 * 24 * HOUR
# projected, burnt in the last hour, day, week, hours known -> zero in, earliest, latest, per hour
CASES = [
    ("a usual week", (2400, 200, 2400, 8400, 168), (32 * HOUR, 12 * HOUR, 48 * HOUR, 75)),
    ("below zero already", (-1, 200, 2400, 8400, 168), (0, 0, 0, 75)),
    ("below zero, nothing burning", (-1, 0, 0, 0, 168), (0, 0, 0, 0)),
    ("nothing left, nothing burning", (0, 0, 0, 0, 168), (None, None, None, 0)),
    ("a quiet hour has no end", (2400, 0, 2400, 8400, 168), (32 * HOUR, 24 * HOUR, None, 75)),
    ("a young account", (60, 10, 60, 60, 6), (6 * HOUR, 6 * HOUR, 6 * HOUR, 10)),
    ("farther than a year", (366 * 24 + 1, 1, 24, 168, 168), (None, None, None, 1)),
    ("a year to the second", (366 * 24, 1, 24, 168, 168), (YEAR, YEAR, YEAR, 1)),
    ("credits burn nothing", (100, -5, -5, -5, 168), (None, None, None, 0)),
    ("beyond 64 bits", (10**30, 10**28, 10**29, 10**29, 24), (240 * HOUR, 100 * HOUR, 240 * HOUR,
     10**29 // 24)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [row[1:] for row in CASES], ids=[r[0] for r in CASES])
def test_zero_comes_at_the_mean_burn_within_the_band(given: Any, wanted: Any) -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TEMP TABLE figures_measured AS SELECT 'a' AS account_id, 'USD' AS currency,"
        " $1::HUGEINT AS available, 0::HUGEINT AS open_amount, $1::HUGEINT AS projected,"
        " $2::HUGEINT AS payable_hour, 0::HUGEINT AS payable_7_hours,"
        " $3::HUGEINT AS payable_24_hours, $4::HUGEINT AS payable_168_hours,"
        " 0::HUGEINT AS payable_day, $5::BIGINT AS hours_known",
        list(given),
    )
    connection.execute(sql.text("statements/balance/figures/forecast"))
    found = connection.execute(
        "SELECT zero_in, zero_in_earliest, zero_in_latest, burn_per_hour FROM account_figures"
    ).fetchall()
    assert found == [wanted]
