"""One home for all tests of analysts: two months, plans, tags, late usage, a debt, two invoices."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import edgetoll
from billing.lake import query
from tests.billing.homes import Use, close_hour, load_text
from tests.billing.invoices.world import BOOK, GB, World
from tests.billing.runner import rate

HOUR = timedelta(hours=1)
OCTOBER = datetime(2026, 10, 5, 8, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 3, 8, tzinfo=UTC)
ISSUED = datetime(2026, 11, 2, 4, tzinfo=UTC)
TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
ACCOUNTS = """
[[accounts]]
id = "acme"
name = "Acme Video GmbH"
currency = "USD"
price_book = "plain"
tax_rate_percent = "19"
country = "DE"
opened = 2026-10-01T00:00:00Z
tags = { segment = "media" }

[[accounts]]
id = "beta"
name = "Beta"
currency = "USD"
price_book = "plain"
suspension_policy = "auto"
opened = 2026-10-01T00:00:00Z

[[domains]]
domain = "www.acme.example"
account = "acme"
tags = { team = "web" }

[[domains]]
domain = "cdn.acme.example"
account = "acme"
tags = { team = "video" }

[[domains]]
domain = "*.beta.example"
account = "beta"
tags = { team = "all" }

[[plans]]
id = "acme-eu"
account = "acme"
kind = "data_transfer"
region = "EU"
quantity = "2 GB"
starts = 2026-10-01T00:00:00Z
ends = 2027-10-01T00:00:00Z

[[plans]]
id = "beta-old"
account = "beta"
kind = "data_transfer"
region = "EU"
quantity = "8 GB"
starts = 2026-10-01T00:00:00Z
ends = 2026-11-01T00:00:00Z
"""


def answered(requests: int, *, hits: int, errors: int = 0, **more: object) -> Use:
    """Usage of which a file says how it was answered."""
    use = Use(requests=requests, cache_hits=hits, status_2xx=requests - errors, status_5xx=errors)
    return replace(use, **more)  # type: ignore[arg-type]


def usual(scale: int) -> list[Use]:
    """What is served in an hour."""
    return [
        answered(scale * 30_007, hits=scale * 20_001, errors=13, bytes_sent=scale * GB + 7),
        answered(scale * 1009, hits=400, domain="cdn.acme.example", bytes_sent=3 * GB, minute=20),
        answered(501, hits=0, domain="cdn.acme.example", class_="http", bytes_sent=999_999),
        answered(303, hits=9, domain="www.acme.example", class_="quic", bytes_sent=10**8),
        answered(scale * 7001, hits=7000, domain="a.beta.example", region="FR", bytes_sent=GB),
        answered(17, hits=0, domain="b.beta.example", bytes_sent=GB // 3, class_="http", minute=55),
        answered(23, hits=1, domain="nobody.example", bytes_sent=12345),
    ]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home as its lake stands on 25 November; nobody writes to it."""
    world = World(tmp_path_factory.mktemp("analysts"), accounts=ACCOUNTS, book=BOOK)
    for hour in range(3):
        close_hour(world.home, OCTOBER + hour * HOUR, usual(hour + 1))
    end = datetime(2026, 11, 1, tzinfo=UTC)
    close_hour(world.home, end - HOUR, [], empty_since=OCTOBER + 3 * HOUR)
    world.pay("acme", "0.50", "wire-1", OCTOBER)
    rate(world.home, at=OCTOBER + 4 * HOUR)
    rate(world.home, at=OCTOBER + 30 * HOUR)
    rate(world.home, at=end)
    world.invoice("2026-10", ISSUED)
    world.pay("beta", "5.00", "wire-2", ISSUED + HOUR)
    close_hour(world.home, OCTOBER, [answered(40, hits=0, bytes_sent=GB)])
    for hour in range(2):
        close_hour(world.home, NOVEMBER + hour * HOUR, usual(4))
    close_hour(world.home, NOVEMBER + 2 * HOUR, [Use(requests=3, bytes_sent=1)], state="incomplete")
    rate(world.home, at=NOVEMBER + 4 * HOUR)
    load_text(world.home, ACCOUNTS.replace('"media"', '"video"'), at=NOVEMBER + 5 * HOUR)
    rate(world.home, at=NOVEMBER + 6 * HOUR)
    return world.home


@pytest.fixture(scope="module")
def process_of_an_analyst() -> Iterator[None]:
    """There pandas is to be found, which our own commands withhold."""
    with pytest.MonkeyPatch.context() as patch:
        ours = [finder for finder in sys.meta_path if not isinstance(finder, edgetoll.Withheld)]
        patch.setattr(sys, "meta_path", ours)
        yield


@pytest.fixture
def ask(home: Path) -> Callable[..., list[tuple[object, ...]]]:
    """Asks the home as `edgetoll sql` does, on TODAY."""

    def asked(text: str, **values: object) -> list[tuple[object, ...]]:
        with query.connect(home, query=text) as connection:
            connection.execute(f"CREATE MACRO now() AS TIMESTAMPTZ '{TODAY.isoformat()}'")
            return connection.sql(text, params=values or None).fetchall()

    return asked
