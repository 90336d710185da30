"""Bench: hourly rating of 10 k, 100 k and 1 M accounts × 3 items against a loop over accounts.

    python -m bench.rating [--accounts 10000 100000] [--hours 1]

Every account has HTTPS and QUIC requests and traffic in each hour; one in ten has a data plan, one
in ten a request plan; HTTPS has a free quota, traffic has tiers. One hour is rated first, so that
months have begun; the next `--hours` are measured: the engine, then its appliers (charges and
month-to-date stored, without ledger and journal). The baseline is a plain Python loop over the same
usage with the same rules, in the same run; both must agree to the unit or the bench fails.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

import sql
from billing.prices.records import PriceBook, PriceBooks, RateCard, Tier
from billing.rating import appliers, engine
from billing.store import charge_files

GB = 2**30
START = datetime(2026, 9, 30, 16, tzinfo=UTC)  # the first hour of October in Asia/Shanghai
FREE = 40_000
TIERS = ((50 * GB, 400_000_000), (100 * GB, 300_000_000), (None, 200_000_000))
RATE = {"https_requests": 80_000_000, "quic_requests": 80_000_000}


def books() -> PriceBooks:
    """One book: HTTPS with a free quota, QUIC, traffic in three tiers."""

    def card(item: str, tiers: tuple[Tier, ...], size: int, free: int = 0) -> RateCard:
        return RateCard(
            card_id=item, book="bench", account_id=None, item=item, scope="all",
            model="graduated" if len(tiers) > 1 else "per_unit", currency="USD", unit="request",
            per=1, unit_quantity=size, period="month", effective_until=None,
            effective_from=datetime(2020, 1, 1, tzinfo=UTC),
            tiers=tiers, free_quantity=free,
        )  # fmt: skip

    cards = (
        card("https_requests", (Tier(up_to=None, price=RATE["https_requests"]),), 10_000, FREE),
        card("quic_requests", (Tier(up_to=None, price=RATE["quic_requests"]),), 10_000),
        card("data_transfer", tuple(Tier(up_to=end, price=price) for end, price in TIERS), GB),
    )
    book = PriceBook(book_id="bench", title="", currency="USD", timezone="Asia/Shanghai",
                     regions={"US": "NA"}, cards=cards)  # fmt: skip
    return PriceBooks(books={"bench": book})


def store(accounts: int) -> duckdb.DuckDBPyConnection:
    """The tables of billing in memory, with accounts and plans."""
    connection = duckdb.connect()
    for name in ("billing", "rating", "invoices"):
        connection.execute(sql.text(f"schema/{name}"))
    charge_files.show(connection)
    connection.execute("CREATE TABLE made_charges AS FROM charges")
    connection.execute("CREATE OR REPLACE TEMP VIEW charges AS FROM made_charges")
    connection.execute(
        "INSERT INTO accounts BY NAME SELECT 1 AS journal_no, 'account-' || i AS account_id,"
        " TIMESTAMP '2026-01-01' AS effective_from, '' AS name, 'USD' AS currency,"
        " 'Asia/Shanghai' AS timezone, 'bench' AS price_book, 'data_transfer' AS billing_method,"
        " 0 AS credit_limit, 24 AS grace_hours, 'confirm' AS suspension_policy, 0 AS tax_rate_bp,"
        " '' AS email, '' AS address, '' AS country, '' AS tax_id,"
        " TIMESTAMP '2026-01-01' AS opened_at FROM range($n) AS t(i)",
        {"n": accounts},
    )
    for kind, rest, quantity in (("data_transfer", 3, 20 * GB), ("https_requests", 7, 70_000)):
        connection.execute(
            "INSERT INTO plans SELECT $kind || i, 'account-' || i, $kind, 'all', $quantity,"
            " '2026-09-01', '2027-09-01', '2026-09-01', NULL, NULL, NULL, 1 FROM range($n) AS t(i)"
            " WHERE i % 10 = $rest",
            {"n": accounts, "kind": kind, "rest": rest, "quantity": quantity},
        )
    return connection


def use(connection: duckdb.DuckDBPyConnection, accounts: int, first: int, hours: int) -> None:
    """Usage of `hours` hours from hour `first` on: two rows per account and hour."""
    connection.execute(
        "INSERT INTO usage (hour, bucket, partition, revision, account_id, domain, region, class,"
        " requests, bytes_sent, import_no) SELECT s.hour, s.hour + INTERVAL 5 MINUTE, 'spool', 0,"
        " 'account-' || i, 'www.example.com', 'US', c.class, 1 + (i * 7919 + h * 104729) % 30011,"
        " (i * 15485863 + h * 32452843 + c.n) % 8589934592, $import_no"
        " FROM range($first, $first + $hours) AS hours(h)"
        " CROSS JOIN range($n) AS t(i)"
        " CROSS JOIN (VALUES ('https', 1), ('quic', 2)) AS c(class, n)"
        " CROSS JOIN LATERAL (SELECT $start::TIMESTAMP + INTERVAL 1 HOUR * h AS hour) AS s",
        {"n": accounts, "first": first, "hours": hours, "import_no": first + 1,
         "start": START.replace(tzinfo=None)},
    )  # fmt: skip


def rate(connection: duckdb.DuckDBPyConnection, through: datetime) -> tuple[float, float, int]:
    """Rate and apply; seconds of each and the charges made."""
    begun = time.perf_counter()
    outcome = engine.rate(connection, books=books(), run_id="bench", through=through)
    rated = time.perf_counter()
    for name, table in outcome.effects.items():
        connection.register(f"effect_{name}", connection.table(table))
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO made_charges BY NAME SELECT '' AS charge_id, 'bench' AS run_id,"
        " 1 AS journal_no, * EXCLUDE (numerator, denominator, place_from, replayed)"
        " FROM effect_charges"
    )
    effects: dict[str, Any] = dict.fromkeys(outcome.effects, "")
    appliers.apply(connection, effects | {"rating_mark": dict(outcome.mark)})
    connection.execute("COMMIT")
    for name in outcome.effects:
        connection.unregister(f"effect_{name}")
    return rated - begun, time.perf_counter() - rated, outcome.charges


def loop(connection: duckdb.DuckDBPyConnection) -> tuple[float, dict[tuple[str, str], int]]:
    """The baseline: all usage, account by account, hour by hour, in Python; CPU seconds (it has one
    thread, and other programs do not count) and amounts by item.
    """
    rows = connection.execute(
        "SELECT account_id, hour, sum(CASE WHEN class = 'https' THEN requests ELSE 0 END)::BIGINT,"
        " sum(CASE WHEN class = 'quic' THEN requests ELSE 0 END)::BIGINT, sum(bytes_sent)::BIGINT"
        " FROM usage GROUP BY ALL ORDER BY account_id, hour"
    ).fetchall()
    plans = dict(connection.execute("SELECT plan_id, quantity FROM plans").fetchall())
    begun = time.process_time()
    charged: dict[tuple[str, str], int] = {}
    place: dict[tuple[str, str], int] = {}
    free: dict[str, int] = {}
    for account, _, https, quic, size in rows:
        number = account.rpartition("-")[2]
        given = min(https, FREE - free.get(account, 0))
        free[account] = free.get(account, 0) + given
        for item, quantity in (
            ("https_requests", https - given), ("quic_requests", quic), ("data_transfer", size)
        ):  # fmt: skip
            plan = item + number
            if item != "quic_requests" and plans.get(plan, 0):
                paid = min(quantity, plans[plan])
                plans[plan] -= paid
            else:
                paid = 0
            key = (account, item)
            place[key] = place.get(key, 0) + quantity - paid
            charged[key] = amount(item, place[key])
    return time.process_time() - begun, charged


def amount(item: str, quantity: int) -> int:
    """What a month-cumulative quantity costs, cut once."""
    if item != "data_transfer":
        return quantity * RATE[item] // 10_000
    total, lower = 0, 0
    for end, price in TIERS:
        top = quantity if end is None else min(quantity, end)
        total += max(0, top - lower) * price
        lower = end or 0
    return total // GB


def compare(connection: duckdb.DuckDBPyConnection, wanted: dict[tuple[str, str], int]) -> None:
    """Exit with an error unless month_state holds exactly the loop's amounts."""
    rows = connection.execute(
        "SELECT account_id, item, sum(amount)::DECIMAL(38, 0) FROM month_state GROUP BY ALL"
    ).fetchall()
    got = {(account, item): int(value) for account, item, value in rows if value}
    if got != {key: value for key, value in wanted.items() if value}:
        sys.exit("the engine and the loop disagree")


def main() -> None:
    """Print one row per number of accounts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--hours", type=int, default=1)
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    head = f"{'accounts':>9} {'hours':>5} {'charges':>10} {'rate s':>7} {'apply s':>8}"
    print(f"{head} {'loop s':>7} {'ratio':>6} {'peak MiB':>9}")
    for accounts in options.accounts:
        connection = store(accounts)
        use(connection, accounts, 0, 1)
        rate(connection, START + timedelta(hours=1))
        use(connection, accounts, 1, options.hours)
        rated, applied, charges = rate(connection, START + timedelta(hours=1 + options.hours))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        looped, wanted = loop(connection)
        compare(connection, wanted)
        # The loop priced the first hour too: its share of the hours measured is compared.
        share = looped * options.hours / (1 + options.hours)
        print(
            f"{accounts:>9,} {options.hours:>5} {charges:>10,} {rated:>7.2f} {applied:>8.2f}"
            f" {share:>7.2f} {share / rated:>6.1f} {peak:>9,}"
        )
        connection.close()


if __name__ == "__main__":
    main()
