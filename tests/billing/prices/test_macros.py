"""Prices in SQL, for analysts, are the rating engine's prices: to the last unit, on every card."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

import sql
from billing.lake import binding, query
from billing.lake.sources import Sources
from billing.prices import PriceBooks, RateCard, tables
from billing.prices.compiled import compile_books
from billing.prices.units import ITEMS
from tests import reference
from tests.billing.homes import BOOK, START, THOROUGH, Use, close_hours, make_home
from tests.billing.prices.test_curves import quantities
from tests.billing.rating.reference.generated import BOOK as GENERATED
from tests.billing.rating.reference.generated import REGIONS, Case, generate, moment
from tests.billing.runner import rate

SEEDS = range(900, 960 if THOROUGH else 904)


def lake_of(case: Case) -> duckdb.DuckDBPyConnection:
    """The analysts' views and macros over a lake that holds only the prices of `case`."""
    connection = duckdb.connect()
    for schema in ("billing", "rating"):
        connection.execute(sql.text(f"schema/{schema}"))
    connection.execute("CREATE TEMP TABLE rating_out_numbered (rate_card VARCHAR)")
    tables.offer(connection, case.books)
    for name in ("cards", "labels", "tiers", "periods"):
        connection.table(f"rating_out_price_{name}").insert_into(f"price_{name}")
    assert set(case.books.books) == {GENERATED}
    for name in ("prices", "price_labels"):
        connection.sql(sql.text(f"lake/{name}")).create(f"lake_{name}")
    for name in sql.names("views"):
        connection.execute(f"DROP TABLE IF EXISTS {name.rsplit('/', 1)[1]}")
    schemas = [name.rsplit("/", 1)[1] for name in sql.names("lake_schema")]
    given = ("prices", "price_labels")
    relations: dict[str, list[Path]] = {
        name if name.startswith(("live_", "closed_")) else f"lake_{name}": []
        for name in schemas
        if name not in given
    }
    binding.bind(connection, Sources(relations=relations, closed_hours=[]))
    return connection


def month_price(card: RateCard, quantity: int, plan: int) -> Decimal:
    """What the engine charges for a whole period: fractions, cut once toward zero."""
    exact = reference.price(card, max(quantity - card.free_quantity - plan, 0)) + card.flat_fee
    if card.maximum is not None:
        exact = min(exact, Fraction(card.maximum))
    exact = max(exact, Fraction(card.minimum or 0))
    return Decimal(int(exact)).scaleb(-10)


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> Iterator[tuple[Case, duckdb.DuckDBPyConnection]]:
    case = generate(request.param, accounts=3)
    connection = lake_of(case)
    yield case, connection
    connection.close()


def test_every_card_costs_in_sql_what_it_costs_in_rating(
    world: tuple[Case, duckdb.DuckDBPyConnection],
) -> None:
    case, connection = world
    dice = random.Random(len(case.cards))
    rows = []
    for card in case.cards:
        if not card.free_quantity:
            rows += [(card, quantity, 0) for quantity in quantities(dice, card)]
        for extra in (-1, 0, 1, 10**7, 2**60):
            quantity = max(card.free_quantity + extra, 0)
            rows.append((card, quantity, dice.choice([0, quantity // 3])))
    found = connection.execute(
        "SELECT card_price(i.card, i.quantity, i.plan)"
        " FROM (SELECT unnest(?, recursive := true)) AS i(card, quantity, plan)",
        [[{"card": card.card_id, "quantity": q, "plan": p} for card, q, p in rows]],
    ).fetchall()
    assert [row[0] for row in found] == [month_price(*row) for row in rows]


def test_the_card_found_in_sql_is_the_card_that_rates(
    world: tuple[Case, duckdb.DuckDBPyConnection],
) -> None:
    case, connection = world
    dice = random.Random(len(case.cards))
    asked = [
        (dice.choice(ITEMS), dice.choice([*REGIONS, "XX"]),
         dice.choice([None, *(person.account_id for person in case.accounts)]), moment(dice))
        for _ in range(300)
    ]  # fmt: skip
    found = connection.execute(
        "SELECT card_of(i.item, i.region, $book, account := i.account, moment := i.moment)"
        " FROM (SELECT unnest($asked, recursive := true)) AS i(item, region, account, moment)",
        {
            "book": GENERATED,
            "asked": [
                {"item": item, "region": region, "account": account, "moment": when}
                for item, region, account, when in asked
            ],
        },
    ).fetchall()
    assert [row[0] for row in found] == [routed(case.books, *row) for row in asked]


def routed(
    books: PriceBooks, item: str, label: str, account: str | None, when: datetime
) -> str | None:
    """The card by the engine's own rows of tallies and cards in force."""
    compiled = compile_books(books)
    region = REGIONS.get(label)
    if item == "percentile95_bandwidth" and region not in (None, "CN"):
        region = "OverSeas"
    fitting = {region: 1, "all": 3}
    if region not in (None, "CN"):
        fitting["OverSeas"] = min(2, fitting.get("OverSeas", 2))
    tallies = {row[4]: row[0] for row in compiled.tallies if row[3] == item and row[4] in fitting}
    if not tallies:
        return None
    tally = tallies[min(tallies, key=lambda scope: fitting[scope])]
    rows = [row for row in compiled.force if row[1] == tally]
    own = [row for row in rows if row[0] is not None and row[0] == account]
    names = {row[0]: row[1] for row in compiled.terms}
    for _, _, card, start, end in own or [row for row in rows if row[0] is None]:
        if start <= when.replace(tzinfo=UTC) < end:
            return str(names[card])
    return None


TIERED = """
[[card]]
id = "https-2"
item = "https_requests"
region = "all"
effective_from = 2020-01-01
model = "graduated"
unit = "request"
per = 10000
tiers = [{ up_to = 3000, price = "0.011" }, { price = "0.007", flat_fee = "0.1" }]
free_quota = 500
discount_percent = "3.3333"

[[card]]
id = "data-2"
item = "data_transfer"
region = "all"
effective_from = 2020-01-01
model = "volume"
unit = "GB"
tiers = [{ up_to = "5 GB", price = "0.07" }, { price = "0.03" }]
"""


def test_what_if_on_the_same_book_is_what_was_charged_and_else_what_simulate_says(
    tmp_path: Path,
) -> None:
    from billing.appliers import open_store
    from billing.prices import load_books
    from billing.rating.simulate import simulate

    home = make_home(tmp_path)
    uses = [Use(), Use(domain="a.beta.example", region="US", requests=77, bytes_sent=10**8 + 7),
            Use(region="FR", requests=1, minute=35)]  # fmt: skip
    close_hours(home, START, 6, uses)
    rate(home)
    (home / "prices" / "tiered.toml").write_text(
        BOOK.split("[[card]]")[0].replace('"plain"', '"tiered"') + TIERED, encoding="utf-8"
    )
    close_hours(home, START + timedelta(hours=6), 1, uses)
    rate(home)
    with query.connect(home) as connection:
        same = connection.sql("SELECT charged, tried FROM what_if('plain', '2026-10')").fetchall()
        other = connection.sql(
            "SELECT account_id, item, sum(charged), sum(tried) FROM what_if('tiered', '2026-10')"
            " GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        total = connection.sql("SELECT sum(amount) FROM charges").fetchall()[0][0]
    assert [charged for charged, _ in same] == [tried for _, tried in same]
    assert sum(charged for charged, _ in same) == total > 0
    books = load_books(home / "prices")
    with open_store(home, owner="test", now=START + timedelta(days=30)) as store:
        tried = simulate(store.connection, books=books, tried=books.books["tiered"],
                         month="2026-10", instead_of="plain")  # fmt: skip
    assert other == [
        (one.account_id, item, Decimal(charged).scaleb(-10), Decimal(amount).scaleb(-10))
        for one in tried.accounts
        for item, (charged, amount) in sorted(one.items.items())
    ]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = make_home(tmp_path_factory.mktemp("macros"))
    close_hours(home, START, 1, [Use()])
    rate(home)
    with query.connect(home) as connection:
        yield connection


def test_a_numerator_of_any_size_is_cut_as_python_cuts_it() -> None:
    """Sums, denominators and both signs around each size at which another division is used."""
    edges = [2**bits + step for bits in (0, 30, 31, 61, 62, 92, 93, 120) for step in (-1, 0, 1)]
    pairs = [(sign * n, d) for n in edges for d in edges if 0 < d < 2**62 for sign in (1, -1)]
    with duckdb.connect() as connection:
        connection.execute(sql.text("macros/cut_to_units"))
        found = connection.execute(
            "SELECT cut_to_units(n::HUGEINT, d::HUGEINT)::VARCHAR"
            " FROM (SELECT unnest($n::VARCHAR[]) AS n, unnest($d::VARCHAR[]) AS d)",
            {"n": [str(n) for n, _ in pairs], "d": [str(d) for _, d in pairs]},
        ).fetchall()
    wanted = [abs(n) // d * (1 if n >= 0 else -1) for n, d in pairs]
    assert [int(value) for (value,) in found] == wanted


@pytest.mark.parametrize(
    ("asked", "price"),
    [
        ("price_of('https_requests', 'DE', 10001, account := 'acme')", "0.0100010000"),
        ("price_of('data_transfer', 'US', 1073741825, book := 'plain')", "0.0400000000"),
        ("tiered_price(30001, [{'up_to': NULL, 'price': 0.05}], per := 10000)", "0.1500050000"),
        ("tiered_price(30001, [{'up_to': NULL, 'price': 0.05}], model := 'package', per := 10000)",
         "0.2000000000"),
        ("tiered_price(15, [{'up_to': 10, 'price': 1}, {'up_to': NULL, 'price': 0.1}])",
         "10.5000000000"),
        ("tiered_price(15, [{'up_to': 10, 'price': 1}, {'up_to': NULL, 'price': 0.1}],"
         " model := 'volume', off_percent := 33.3333)", "1.0000005000"),
    ],
)  # fmt: skip
def test_prices_by_hand(asked: str, price: str, plain: duckdb.DuckDBPyConnection) -> None:
    assert plain.sql(f"SELECT {asked}").fetchall() == [(Decimal(price),)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("price_of('https_requests', 'DE', 1)", "name a book or an account"),
        ("price_of('quic_requests', 'DE', 1, account := 'acme')", "no price of quic_requests"),
        ("price_of('data_transfer', 'BR', 1, account := 'acme')", "for BR"),
        ("card_price('https-1', -1)", "below zero"),
        ("card_price('https-9', 1)", "no rate card https-9"),
        (
            "tiered_price(1, [{'up_to': NULL, 'price': 1}], model := 'tiered')",
            "no pricing model tiered",
        ),
        (
            "tiered_price(170141183460469231731687303715884105727, [{'up_to': NULL, 'price': 1}])",
            "more than can be priced",
        ),
    ],
)
def test_what_has_no_price_is_an_error_and_never_nothing(
    asked: str, message: str, plain: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(duckdb.Error, match=message):
        plain.sql(f"SELECT {asked}").fetchall()


def test_a_callers_columns_are_not_taken_for_the_price_books(
    plain: duckdb.DuckDBPyConnection,
) -> None:
    """A column named like one of price_cards or accounts must stay the caller's."""
    rows = plain.sql(
        "WITH asked AS (SELECT 'https_requests' AS item, 'FR' AS region, 'plain' AS book,"
        " 'acme' AS account_id, 'https-1' AS card_id, 20000 AS quantity)"
        " SELECT price_of(item, region, quantity, account := account_id),"
        " price_of(item, region, quantity, book := book), card_price(card_id, quantity),"
        " card_of(item, region, book, account := account_id) FROM asked"
    ).fetchall()
    assert rows == [(Decimal("0.0200000000"),) * 3 + ("https-1",)]


def test_what_if_a_book_lacks_an_item_is_null_and_no_error(
    plain: duckdb.DuckDBPyConnection,
) -> None:
    asked = "SELECT item, card_id, tried FROM what_if('no-such-book', '2026-10') ORDER BY item"
    assert plain.sql(asked).fetchall() == [
        ("data_transfer", None, None), ("https_requests", None, None)
    ]  # fmt: skip
