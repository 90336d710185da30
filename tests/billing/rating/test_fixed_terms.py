"""Flat fee, cap and floor close a month after all of its usage, whatever its regions are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.billing.rating.world import World, at, one_book
from tests.reference import Account, Usage

PRICES = """
[book]
id = "book"
currency = "USD"
[regions]
CN = ["CN"]
EU = ["DE"]
SA = ["BR"]
zz = ["ZZ"]
[[card]]
id = "data"
item = "data_transfer"
region = "SCOPE"
effective_from = 2020-01-01
unit = "GB"
price = "1"
minimum = "5"
[[card]]
id = "peak"
item = "peak_bandwidth"
region = "SCOPE"
effective_from = 2020-01-01
model = "step_reached"
unit = "Mbps"
tiers = [{ price = "0.0001" }]
minimum = "5"
"""


@pytest.mark.parametrize("method", ["data_transfer", "peak_bandwidth"])
@pytest.mark.parametrize(
    ("scope", "label"), [("OverSeas", "DE"), ("OverSeas", "BR"), ("all", "ZZ")]
)
def test_a_minimum_holds_when_the_last_hour_of_the_month_is_used_in_any_region(
    tmp_path: Path, scope: str, label: str, method: str
) -> None:
    world = World(one_book(tmp_path, PRICES.replace("SCOPE", scope)))
    world.account(Account("a", "UTC", at("2026-02-01"), method))
    world.use([("a", Usage(at("2026-03-31T23:20"), label, "https", 1, 1000))])
    world.rate(at("2026-04-01"))
    amounts = [row[-1] for key, row in world.totals().items() if key[1:3] == ("2026-03", method)]
    assert amounts == [5 * 10**10]
