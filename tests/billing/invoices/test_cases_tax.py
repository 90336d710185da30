"""CASES G3 and G19: the rate of tax is that of the period in which the service was given, line by
line, to four decimals.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.appliers import open_store
from billing.invoices import reading
from billing.invoices.documents import html_document
from billing.invoices.documents.rendering import rendered
from billing.invoices.figures import minor
from billing.invoices.records import Invoice
from edge.errors import ConfigError
from tests.billing.homes import Use, load_text
from tests.billing.invoices.world import (
    ACCOUNTS,
    BOOK,
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    World,
    made_once,
)

# One dollar per 10,000 requests, so that amounts can be read off the counts.
DOLLAR = BOOK.replace('price = "0.008"', 'price = "1"')
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
SECOND = NOVEMBER + timedelta(days=1, hours=4)
RATES = """
[[accounts]]
id = "acme"
name = "Acme Video GmbH"
currency = "USD"
price_book = "plain"
tax_rate_percent = "20"
effective_from = 2020-01-01T00:00:00Z

[[accounts]]
id = "acme"
name = "Acme Video GmbH"
currency = "USD"
price_book = "plain"
tax_rate_percent = "22"
effective_from = 2026-11-01T00:00:00Z

[[domains]]
domain = "www.acme.example"
account = "acme"
"""


def world_of(folder: Path, accounts: str = RATES) -> World:
    """A home of one account, whose HTTPS requests cost a dollar per 10,000."""
    return World(folder, book=DOLLAR, accounts=accounts)


def used(world: World, when: datetime, dollars: str, end: datetime) -> None:
    """So much usage in that hour, hours closed up to `end`, and all rated then."""
    requests = int(Decimal(dollars) * 10_000)
    world.use(when, Use(requests=requests, bytes_sent=0), through=end)
    world.rate(end)


def tax_and_net(one: Invoice) -> tuple[str, str]:
    return minor(one.tax, one.digits), minor(one.net, one.digits)


def json_of(world: World, month: str) -> Any:
    """The JSON of the month's one document."""
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        reading.choose_month(store.connection, month, None)
        (one,) = rendered(store.connection)
    return json.loads(one.json)


def test_g3_october_issued_in_november_is_taxed_at_octobers_rate(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    used(world, OCTOBER, "744", NOVEMBER)
    world.invoice("2026-10", SECOND)
    (one,) = world.documents("2026-10")
    assert tax_and_net(one) == ("148.80", "744.00")
    assert one.tax_rate_bp == 2000


def test_g3_november_is_taxed_at_the_new_rate(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    used(world, NOVEMBER, "744", DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(days=40))
    (one,) = world.documents("2026-11", DECEMBER + timedelta(days=41))
    assert tax_and_net(one) == ("163.68", "744.00")


def test_g3_a_rate_loaded_after_the_month_but_in_force_before_its_end_counts(
    tmp_path: Path,
) -> None:
    world = world_of(
        tmp_path,
        RATES.split("[[accounts]]\n", 2)[0] + "[[accounts]]\n" + RATES.split("[[accounts]]\n")[1],
    )
    load_text(
        world.home,
        '[[domains]]\ndomain = "www.acme.example"\naccount = "acme"\n',
        name="domains.toml",
    )
    used(world, OCTOBER, "100", NOVEMBER)
    lowered = RATES.split("[[accounts]]\n")[2].split("[[domains]]")[0]
    lowered = lowered.replace('"22"', '"5"').replace("2026-11-01", "2026-10-31")
    load_text(world.home, f"[[accounts]]\n{lowered}", at=SECOND, name="rate.toml")
    world.invoice("2026-10", SECOND + timedelta(hours=1))
    assert tax_and_net(world.documents("2026-10")[0]) == ("5.00", "100.00")


def test_g3_the_month_ends_in_the_customers_own_zone(tmp_path: Path) -> None:
    """Shanghai's October ends on the 31st at 16:00 UTC: a rate from 20:00 on is November's."""
    accounts = RATES.replace(
        'price_book = "plain"', 'price_book = "plain"\ntimezone = "Asia/Shanghai"'
    )
    world = world_of(tmp_path, accounts.replace("2026-11-01T00:00", "2026-10-31T20:00"))
    used(world, OCTOBER, "50", NOVEMBER)
    world.invoice("2026-10", SECOND)
    assert tax_and_net(world.documents("2026-10")[0]) == ("10.00", "50.00")


@made_once
def late_october(folder: Path) -> World:
    """October issued at 20 %; 10.00 of it come late, beside 100.00 of November at 22 %."""
    world = world_of(folder)
    used(world, OCTOBER, "744", NOVEMBER)
    world.invoice("2026-10", SECOND)
    world.use(OCTOBER + timedelta(days=9), Use(requests=100_000, bytes_sent=0), through=NOVEMBER)
    used(world, NOVEMBER + timedelta(days=2), "100", DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=4))
    return world


def test_g3_late_usage_on_the_next_invoice_keeps_its_own_months_rate(tmp_path: Path) -> None:
    world = late_october(tmp_path)
    (one,) = world.documents("2026-11", DECEMBER + timedelta(days=1))
    lines = {line.kind: (line.tax_rate_bp, minor(line.tax, 2)) for line in one.lines}
    assert lines == {"usage": (2200, "22.00"), "correction": (2000, "2.00")}
    assert tax_and_net(one) == ("24.00", "110.00")
    assert one.tax_rate_bp is None
    page = html_document.render(one).decode()
    assert "Tax 20 % on 10.00" in page
    assert "Tax 22 % on 100.00" in page
    document = json_of(world, "2026-11")
    assert document["tax_rate_percent"] is None
    assert document["taxes"] == [
        {"tax_rate_percent": "20", "net": "10.00", "tax": "2.00"},
        {"tax_rate_percent": "22", "net": "100.00", "tax": "22.00"},
    ]


def test_g3_a_credit_note_on_a_line_gives_back_tax_at_the_lines_own_rate(tmp_path: Path) -> None:
    world = late_october(tmp_path)
    at = DECEMBER + timedelta(days=2)
    (one,) = world.documents("2026-11", at)
    correction = next(line for line in one.lines if line.kind == "correction")
    done = world.credit(one.invoice_no, correction.line_no, "5.00", "T-1", at)
    assert minor(done.total, 2) == "-6.00"
    void = world.void("INV-USD-2026-000001", at)
    assert minor(void.total, 2) == "-892.80"


@pytest.mark.parametrize(
    ("rate", "tax"),
    [("8.875", "88.75"), ("0.0001", "0.00"), ("7.7", "77.00"), ("19.9999", "200.00")],
)
def test_g19_a_rate_may_have_four_decimals(tmp_path: Path, rate: str, tax: str) -> None:
    world = world_of(tmp_path, RATES.replace('"20"', f'"{rate}"'))
    used(world, OCTOBER, "1000", NOVEMBER)
    world.invoice("2026-10", SECOND)
    (one,) = world.documents("2026-10")
    assert tax_and_net(one) == (tax, "1000.00")
    assert f"Tax {rate} %" in html_document.render(one).decode()
    assert json_of(world, "2026-10")["tax_rate_percent"] == rate


def test_g19_a_fifth_decimal_is_refused_not_rounded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="four decimals"):
        world_of(tmp_path, ACCOUNTS.replace('"19"', '"8.87512"'))
