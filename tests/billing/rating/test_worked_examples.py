"""The worked examples of DOMAIN §6 that are about prices, plans and quotas, as one table.

Each row is rated by the real engine from usage rows; books of other vendors are given here in
TOML, since edgetoll ships only what DOMAIN has figures for. (#24, #26 and #39 are about settlement
documents, suspension and alerts: their tests are with those. #15 to #18 are in test_plans.py.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from billing.money import parse_amount
from billing.prices import PriceBooks, read_book
from billing.prices.units import parse_quantity
from tests.billing.rating.world import World, at
from tests.reference import Account, Plan, Usage

EXAMPLES = Path(__file__).parents[3] / "examples" / "prices"
GB = 2**30

WAF = """
[book]
id = "waf"
currency = "CNY"
timezone = "Asia/Shanghai"
[[card]]
id = "waf-{flat}"
item = "https_requests"
effective_from = 2019-01-01
model = "step_reached"
period = "hour"
unit = "request"
per = 10000
tiers = [
  {{ up_to = 20000, flat_fee = "{flat}" }},
  {{ price = "0.2" }},
]
"""
CLOUDFRONT = """
[book]
id = "cloudfront"
currency = "USD"
[regions]
NA = ["US"]
[[card]]
id = "http"
item = "http_requests"
region = "NA"
effective_from = 2021-01-01
unit = "request"
per = 10000
price = "0.0075"
[[card]]
id = "https"
item = "https_requests"
region = "NA"
effective_from = 2021-01-01
unit = "request"
per = 10000
price = "0.0100"
"""


@dataclass(frozen=True)
class Example:
    """One row: usage as (bucket, label, class, requests, bytes), and what it costs by item."""

    number: str
    book: str
    usage: tuple[tuple[str, str, str, int, int], ...]
    costs: dict[str, str]
    plans: tuple[Plan, ...] = ()
    left: dict[str, int] | None = None
    currency: str = "CNY"


def plan(plan_id: str, kind: str, quantity: int, region: str = "CN") -> Plan:
    return Plan(plan_id, kind, region, quantity, at("2023-12-31T16:00"), at("2026-12-31T16:00"))


EXAMPLES_OF_DOMAIN = [
    Example(
        "1 a month over 10 TB, hour 00-01 of 10 March UTC+8",
        "alibaba-china",
        (
            ("2024-03-05T04:00", "CN", "http", 1, 10_200 * GB),
            ("2024-03-09T16:00", "CN", "http", 1, 90 * GB),
        ),
        {"data_transfer": "2469.10"},
    ),
    Example("5 15,000 requests", WAF.format(flat="0.4"),
            (("2019-08-01T04:00", "CN", "https", 15_000, 0),), {"https_requests": "0.40"}),
    Example("5 350,000 requests", WAF.format(flat="0.4"),
            (("2019-08-01T04:00", "CN", "https", 350_000, 0),), {"https_requests": "7.00"}),
    Example("6 15,000 requests", WAF.format(flat="0.1"),
            (("2021-08-01T04:00", "CN", "https", 15_000, 0),), {"https_requests": "0.10"}),
    Example("6 350,000 requests", WAF.format(flat="0.1"),
            (("2021-08-01T04:00", "CN", "https", 350_000, 0),), {"https_requests": "7.00"}),
    Example("8 user A", "alibaba-china",
            (("2024-03-05T04:00", "CN", "https", 14_000_000, 0),), {"https_requests": "45.00"}),
    Example("8 user B", "alibaba-china",
            (("2024-03-05T04:00", "CN", "https", 14_000_000, 0),), {},
            (plan("b", "https_requests", 10_000_000),), {"b": 1_000_000}),
    Example("10 no pack", "tencent-2023-01",
            (("2024-03-05T04:00", "CN", "https", 4_000_000, 0),), {"https_requests": "5.00"}),
    Example("10 with a pack", "tencent-2023-01",
            (("2024-03-05T04:00", "CN", "https", 4_000_000, 0),), {},
            (plan("p", "https_requests", 10_000_000),), {"p": 9_000_000}),
    Example("20 single-request deduction", "alibaba-international",
            (("2024-03-05T04:00", "US", "https", 355, 0),), {},
            (plan("p", "https_requests", 10_000_000),), {"p": 9_999_645}, "USD"),
    Example("20 bytes of a flow plan", "alibaba-international",
            (("2024-03-05T04:00", "CN", "http", 9, 26_723_131),), {},
            (plan("p", "data_transfer", 10_995_116_277_760),), {"p": 10_995_089_554_629}, "USD"),
    Example("33 USD", "alibaba-international",
            (("2024-03-05T04:00", "US", "https", 1_000_000, 0),), {"https_requests": "0.80"},
            currency="USD"),
    Example("33 CNY", "alibaba-china",
            (("2021-06-05T04:00", "CN", "https", 1_000_000, 0),), {"https_requests": "5.00"}),
    Example("34 USD", "alibaba-international",
            (("2024-03-05T04:00", "US", "https", 355, 0),), {"https_requests": "0.000284"},
            currency="USD"),
    Example("34 CNY", "alibaba-china",
            (("2021-06-05T04:00", "CN", "https", 355, 0),), {"https_requests": "0.001775"}),
    Example("35 Alibaba", "alibaba-international",
            (("2024-03-05T04:00", "US", "http", 1_000_000, 0),
             ("2024-03-05T04:00", "US", "https", 1_000_000, 0)),
            {"https_requests": "0.80"}, currency="USD"),
    Example("35 CloudFront", CLOUDFRONT,
            (("2024-03-05T04:00", "US", "http", 1_000_000, 0),
             ("2024-03-05T04:00", "US", "https", 1_000_000, 0)),
            {"http_requests": "0.75", "https_requests": "1.00"}, currency="USD"),
    Example("36", "alibaba-international",
            (("2024-03-05T04:00", "US", "https", 1_000_000, 0),
             ("2024-03-05T04:00", "US", "http", 1_000_000, 0)),
            {"https_requests": "0.80"}, currency="USD"),
    Example("37 static requests of an hour", "alibaba-china",
            (("2021-06-05T04:00", "CN", "http", 10_000, 0),
             ("2021-06-05T04:10", "CN", "https", 20_000, 0)), {"https_requests": "0.10"}),
    Example("38", "alibaba-international",
            (("2024-03-05T04:00", "CN", "https", 2_000_000, 3 * GB),), {"https_requests": "1.60"},
            (plan("p", "data_transfer", 50 * 1024 * GB),), {"p": 50 * 1024 * GB - 3 * GB}, "USD"),
    Example("40", "alibaba-china",
            tuple((f"{at('2021-05-31T16:00') + timedelta(hours=n)}", "CN", "https", 1800, 0)
                  for n in range(720)),
            {"https_requests": "6.48"}),
]  # fmt: skip


def book_of(example: Example, folder: Path) -> PriceBooks:
    path = EXAMPLES / f"{example.book}.toml"
    if "\n" in example.book:
        path = folder / "book.toml"
        path.write_text(example.book, encoding="utf-8")
    book = read_book(path)
    return PriceBooks(books={book.book_id: book})


def world_of(example: Example, folder: Path) -> World:
    books = book_of(example, folder)
    world = World(books, example.currency)
    account = Account("a", "Asia/Shanghai", at("2019-01-01T00:00"), "data_transfer",
                      plans=list(example.plans))  # fmt: skip
    world.account(account, book=next(iter(books)).book_id)
    rows = [(at(when), label, kind, n, b) for when, label, kind, n, b in example.usage]
    world.use(("a", Usage(*row)) for row in rows)
    world.rate(max(row[0] for row in rows).replace(minute=0) + timedelta(hours=1))
    return world


@pytest.mark.parametrize("example", EXAMPLES_OF_DOMAIN, ids=lambda example: example.number)
def test_worked_example(example: Example, tmp_path: Path) -> None:
    world = world_of(example, tmp_path)
    amounts: dict[str, int] = {}
    for (_, _, item, _), (_, _, _, amount) in world.totals().items():
        amounts[item] = amounts.get(item, 0) + amount
    wanted = {item: parse_amount(text) for item, text in example.costs.items()}
    assert {item: amount for item, amount in amounts.items() if amount} == wanted
    if example.left is not None:
        rows = world.connection.execute("SELECT plan_id, quantity FROM plans").fetchall()
        used = dict(world.connection.execute("FROM plan_state").fetchall())
        assert {name: quantity - int(used.get(name, 0)) for name, quantity in rows} == example.left


def test_worked_example_1_bills_the_hour_at_both_rates(tmp_path: Path) -> None:
    world = world_of(EXAMPLES_OF_DOMAIN[0], tmp_path)
    assert sorted(world.hourly().values())[0] == parse_amount("21.10")


def test_worked_example_20_plan_sizes_step_by_1024() -> None:
    assert parse_quantity("500 GB", "GB") == 536_870_912_000
    assert parse_quantity("10 TB", "GB") == 10_995_116_277_760


@pytest.mark.parametrize(
    ("first", "days", "rank"),
    [("2021-04-01", 30, 433), ("2024-02-01", 29, 418), ("2021-02-01", 28, 404),
     ("2021-03-01", 31, 447)],
)  # fmt: skip
def test_worked_example_3_the_95th_percentile_bills_the_sample_after_5_percent(
    first: str, days: int, rank: int, tmp_path: Path
) -> None:
    book = tmp_path / "book.toml"
    book.write_text(
        '[book]\nid = "b"\ncurrency = "CNY"\n[regions]\nCN = []\n[[card]]\nid = "c"\n'
        'item = "percentile95_bandwidth"\nregion = "CN"\neffective_from = 2020-01-01\n'
        'model = "step_reached"\nunit = "Mbps"\ntiers = [{ price = "37500000" }]\n'
    )
    books = PriceBooks(books={"b": read_book(book)})
    world = World(books, "CNY")
    world.account(Account("a", "UTC", at("2019-01-01"), "percentile95_bandwidth"), book="b")
    start = at(first)
    buckets = days * 288
    # One byte of bandwidth costs one: the sample billed is its own rank from the top.
    rows = [Usage(start + timedelta(minutes=5 * n), "CN", "http", 0, buckets - n)
            for n in range(buckets)]  # fmt: skip
    world.use(("a", row) for row in rows)
    world.rate(start + timedelta(days=days))
    ((_, _, _, amount),) = world.totals().values()
    assert amount == parse_amount(str(buckets - rank + 1))
