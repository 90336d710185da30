"""Bench: an hour of `edgetoll billing rate` from closed file to lake, for 10 k to 1 M accounts.

    python -m bench.rating [--accounts 10000 100000] [--hours 1] [--before 168]

A home on disk is made: accounts, domains and plans as one journal record, closed hours with their
certificates. Every account has HTTPS and QUIC requests and traffic in each hour; two books of other
currencies and time zones, two billing regions, one account in a thousand with a price of its own,
one in five with a plan; HTTPS has a free quota, traffic has tiers. One hour (or `--before`) is
rated first, so that months have begun; each next hour is then measured from opening the store to
closing it: import, rating, journal, ledger, the checks after a run, states and lake. The process
that measures did nothing else, so its peak memory is the run's. The baseline is bench/baselines/
hour_loop.py over the same hours; both must agree to the unit or the bench fails.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from bench.baselines.hour_loop import START, Loop, compare
from billing.accounts.owned_names import publish_owned_domains
from billing.appliers import open_store
from billing.balance import states
from billing.follow_up import check_record
from billing.invoices import payments
from billing.lake import publish
from billing.prices import load_books
from billing.runs import run as runs
from billing.runs.settings import read_settings
from edge.durable import sha256_file
from metering.closed import (
    Certificate,
    certificate_sha256,
    closed_file,
    hour_text,
    read_certificate,
)

BOOK = """
[book]
id = "{book}"
currency = "{currency}"
timezone = "{zone}"
[regions]
NA = ["US"]
EU = ["DE"]
[[card]]
id = "{book}-https"
item = "https_requests"
effective_from = 2020-01-01
unit = "request"
per = 10000
price = "0.008"
free_quota = 40000
[[card]]
id = "{book}-quic"
item = "quic_requests"
effective_from = 2020-01-01
unit = "request"
per = 10000
price = "0.008"
"""
TRAFFIC = """
[[card]]
id = "{book}-{region}"
item = "data_transfer"
region = "{region}"
effective_from = 2020-01-01
model = "graduated"
unit = "GB"
tiers = [
  {{ up_to = "50 GB", price = "0.04" }}, {{ up_to = "100 GB", price = "0.03" }},
  {{ price = "0.0{last}" }},
]
"""
OWN = """
[[override]]
id = "own-{number}"
account = "account-{number}"
item = "data_transfer"
region = "NA"
effective_from = 2020-01-01
unit = "GB"
price = "0.015"
"""
BOOKS = (("bench", "USD", "Asia/Shanghai"), ("bench-eu", "EUR", "Europe/Berlin"))
ACCOUNTS = (
    "SELECT 'account-' || i AS account_id, TIMESTAMP '2026-01-01' AS effective_from, '' AS name,"
    " CASE i % 4 WHEN 1 THEN 'EUR' ELSE 'USD' END AS currency,"
    " CASE i % 4 WHEN 1 THEN 'Europe/Berlin' ELSE 'Asia/Shanghai' END AS timezone,"
    " CASE i % 4 WHEN 1 THEN 'bench-eu' ELSE 'bench' END AS price_book,"
    " 'data_transfer' AS billing_method, 1000000000000::DECIMAL(38, 0) AS credit_limit,"
    " 24::INTEGER AS grace_hours, 'confirm' AS suspension_policy, 0::INTEGER AS tax_rate_bp,"
    " '' AS email, '' AS address, '' AS country, '' AS tax_id,"
    " NULL::DECIMAL(38, 0) AS low_balance_threshold, TIMESTAMP '2026-01-01' AS opened_at"
    " FROM range({n}) AS t(i)"
)
DOMAINS = (
    "SELECT 'd' || i AS ownership_id, 'www.customer-' || i || '.example' AS domain,"
    " 'account-' || i // {each} AS account_id, TIMESTAMP '2026-01-01' AS effective_from,"
    " NULL::TIMESTAMP AS effective_to FROM range({n} * {each}) AS t(i)"
)
PLANS = (
    "SELECT kind || i AS plan_id, 'account-' || i AS account_id, kind, 'all' AS region,"
    " quantity::BIGINT AS quantity, TIMESTAMP '2026-09-01' AS starts_at,"
    " TIMESTAMP '2027-09-01' AS ends_at, TIMESTAMP '2026-09-01' AS bought_at"
    " FROM range({n}) AS t(i), (VALUES ('data_transfer', 3, 20::BIGINT * 1073741824),"
    " ('https_requests', 7, 70000)) AS k(kind, rest, quantity) WHERE i % 10 = rest"
)
USAGE = (
    "COPY (SELECT TIMESTAMP '{hour}' + INTERVAL 5 MINUTE AS bucket,"
    " 'www.customer-' || i || '.example' AS domain,"
    " CASE i % 3 WHEN 0 THEN 'DE' ELSE 'US' END AS region, c.class,"
    " (1 + (i * 7919 + {h} * 104729) % 30011)::BIGINT AS requests,"
    " ((i * 15485863 + {h}::BIGINT * 32452843 + c.n) % 8589934592)::BIGINT AS bytes_sent"
    " FROM range({n}) AS t(i), (VALUES ('https', 1), ('quic', 2)) AS c(class, n))"
    " TO '{path}' (FORMAT parquet)"
)


def make_home(home: Path, accounts: int, each: int = 1) -> None:
    """A home with its book, and one record that loads all accounts, with `each` domains."""
    (home / "prices").mkdir(parents=True)
    (home / "edgetoll.toml").write_text("[billing]\ntoo_old_days = 60\n", encoding="utf-8")
    for book, currency, zone in BOOKS:
        text = BOOK.format(book=book, currency=currency, zone=zone)
        for region, last in (("NA", 20), ("EU", 25)):
            text += TRAFFIC.format(book=book, region=region, last=last)
        if book == "bench":
            text += "".join(OWN.format(number=number) for number in range(0, accounts, 1000))
        (home / "prices" / f"{book}.toml").write_text(text, encoding="utf-8")
    connection = duckdb.connect()
    effects = {
        name: connection.sql(query.format(n=accounts, each=each)).to_arrow_table()
        for name, query in (
            ("account_versions", ACCOUNTS), ("domains", DOMAINS), ("plans", PLANS)
        )
    }  # fmt: skip
    with open_store(home, owner="bench", now=START) as store:
        store.commit("load", effects, at=START)


def close_hour(
    home: Path, number: int, accounts: int, before: Path | None, *, empty_since: int | None = None
) -> Path:
    """Write closed hour `number` (from 0) and its certificate, whose path is returned; with
    `empty_since` it stands for the run of empty hours from that one on.
    """
    hour = START + timedelta(hours=number)
    empty = None if empty_since is None else hour_text(START + timedelta(hours=empty_since))
    file = closed_file(home, hour, "spool", 0)
    file.data_path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(
        USAGE.format(hour=hour.replace(tzinfo=None), h=number, n=accounts, path=file.data_path)
    )
    rows, requests, size = connection.execute(
        "SELECT count(*), coalesce(sum(requests), 0)::BIGINT, coalesce(sum(bytes_sent), 0)::BIGINT"
        " FROM read_parquet($path)",
        {"path": str(file.data_path)},
    ).fetchall()[0]
    certificate = Certificate(
        hour=hour_text(hour), partition="spool", revision=0, state="closed",
        closed_at=(hour + timedelta(hours=1, minutes=1)).isoformat(),
        data_file=file.data_path.name, data_sha256=sha256_file(file.data_path),
        previous_certificate_sha256=None if before is None else certificate_sha256(before),
        number=1 if before is None else read_certificate(before).number + 1,
        rows=rows, requests=requests, bytes_sent=size, duplicates=0, quarantined=0,
        edges=(), missing_edges=(), waivers=(), unproven_sources=(), generation=1,
        checkpoint=1, complete_through=hour_text(hour + timedelta(hours=1)),
        empty_since=empty,
    )  # fmt: skip
    file.certificate_path.write_bytes(certificate.to_bytes())
    return file.certificate_path


def run(home: Path, at: datetime) -> dict[str, float]:
    """What `edgetoll billing rate` does, at `at`; seconds by step."""
    clock = [("", time.perf_counter())]

    def lap(name: str) -> None:
        clock.append((name, time.perf_counter()))

    books, settings = load_books(home / "prices"), read_settings(home)
    store = open_store(home, owner="bench", now=at)
    lap("open")
    done = runs.rate(store, books=books, settings=settings, at=at)
    lap("rate")
    red = check_record(store, done.journal_no, at=at)
    lap("check")
    payments.settle(store, at=at)
    states.refresh(store, now=at)
    lap("states")
    publish_owned_domains(store, home / "lake" / "owned_domains.txt")
    publish.publish(store)
    lap("lake")
    store.close()
    lap("close")
    if red or done.state != "done":
        sys.exit(f"the run is {done.state}: {red or done.reason}")
    return {name: now - clock[n][1] for n, (name, now) in enumerate(clock[1:])}


def measured(home: Path, number: int) -> None:
    """Run hour `number` in this process; print seconds by step, CPU seconds and peak memory."""
    before = time.process_time()
    laps = run(home, START + timedelta(hours=number + 1, minutes=5))
    laps["cpu"] = time.process_time() - before
    # Not ru_maxrss: a child's begins at what its parent had.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps({"laps": laps, "peak": peak}))


def apart(home: Path, number: int) -> tuple[dict[str, float], int]:
    """`measured` in a process of its own."""
    command = [sys.executable, "-m", "bench.rating", "--measure", str(home), str(number)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return found["laps"], found["peak"]


def main() -> None:
    """Print one row per measured hour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--hours", type=int, default=1)
    parser.add_argument("--before", type=int, default=1, help="hours rated before, in one run")
    parser.add_argument("--folder", help="where to make the homes; default: the system's /tmp")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measured(Path(options.measure[0]), int(options.measure[1]))
        return
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    steps = ("open", "rate", "check", "states", "lake", "close")
    heads = (*steps, "all s", "CPU s")
    print(f"{'accounts':>9} {'hour':>4}", *(f"{name:>6}" for name in heads), f"{'peak MiB':>9}")
    for accounts in options.accounts:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            home = Path(folder) / "home"
            make_home(home, accounts)
            last = None
            for number in range(options.before):
                last = close_hour(home, number, accounts, last)
            apart(home, options.before - 1)
            for number in range(options.before, options.before + options.hours):
                last = close_hour(home, number, accounts, last)
                laps, peak = apart(home, number)
                cpu = laps.pop("cpu")
                seconds = [*(laps[name] for name in steps), sum(laps.values()), cpu]
                print(f"{accounts:>9,} {number:>4}", *(f"{one:>6.2f}" for one in seconds), end="")
                print(f" {peak:>9,}", flush=True)
            with open_store(home, owner="bench", now=datetime.now(UTC)) as store:
                baseline = Loop(store.connection, load_books(home / "prices"))
                looped = [baseline.hour(n) for n in range(options.before + options.hours)]
                compare(store.connection, baseline.charged)
            print(f"{'':>9} equal to the loop over the rules, which takes {looped[-1]:.2f} CPU s"
                  f" for this hour ({looped[-1] / 3 / accounts * 1e6:.1f} us a charge): it took"
                  f" {cpu / looped[-1]:.1f} times its CPU and"
                  f" {sum(seconds[:-2]) / looped[-1]:.1f} times its time")  # fmt: skip


if __name__ == "__main__":
    main()
