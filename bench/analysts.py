"""Bench: the query library over a generated month, beside DuckDB alone and pandas.

    python -m bench.analysts [--accounts 1000] [--days 31] [--keep DIR]

A home on disk is made by the real code: accounts with two domains each, closed hours of a month
with a row of each domain in every 5 minutes, rated and published once. Each question is asked as
`edgetoll query` asks it, without the start of the program, in CPU seconds of all threads; the
better of two. Beside three of them stand the same answers by DuckDB alone over the same Parquet
files, and by pandas.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb

from bench.rating import START
from bench.rating_run import make_home
from billing.analysts import library
from billing.appliers import open_store
from billing.follow_up import follow_up
from billing.lake import version
from billing.lake.query import QueryLimits, connect
from billing.lake.result import run
from billing.prices import load_books
from billing.runs import run as runs
from billing.runs.settings import read_settings
from edge.durable import sha256_file
from metering.closed import Certificate, certificate_sha256, closed_file, hour_text

USAGE = (
    "COPY (SELECT TIMESTAMP '{hour}' + INTERVAL 5 MINUTE * b AS bucket,"
    " 'www.customer-' || i || '.example' AS domain, 'US' AS region,"
    " CASE WHEN (i + b) % 4 = 0 THEN 'http' ELSE 'https' END AS class,"
    " (1 + (i * 7919 + {h}::BIGINT * 104729 + b * 31) % 3001)::BIGINT AS requests,"
    " ((i * 15485863 + {h}::BIGINT * 32452843 + b) % 858993459)::BIGINT AS bytes_sent,"
    " 0::BIGINT AS status_0xx, 0::BIGINT AS status_1xx, 1::BIGINT AS status_2xx,"
    " 0::BIGINT AS status_3xx, 0::BIGINT AS status_4xx, (i % 3)::BIGINT AS status_5xx,"
    " 0::BIGINT AS status_other, (i % 7)::BIGINT AS cache_hits"
    " FROM range({n}) AS t(i), range(12) AS s(b)) TO '{path}' (FORMAT parquet)"
)
DOMAINS_EACH = 2
GIVEN = {
    "month": "{month}", "day": "{month}-10", "tag": "team", "account": "account-1", "book": "bench",
}  # fmt: skip


def close_hours(home: Path, count: int, domains: int) -> int:
    """Close `count` hours from START; how many rows they hold."""
    before: Path | None = None
    whole = 0
    connection = duckdb.connect()
    for number in range(count):
        hour = START + timedelta(hours=number)
        file = closed_file(home, hour, "spool", 0)
        file.data_path.parent.mkdir(parents=True, exist_ok=True)
        query = USAGE.format(
            hour=hour.replace(tzinfo=None), h=number, n=domains, path=file.data_path
        )
        connection.execute(query)
        rows, requests, size = connection.execute(
            "SELECT count(*), sum(requests)::BIGINT, sum(bytes_sent)::BIGINT"
            " FROM read_parquet($path)",
            {"path": str(file.data_path)},
        ).fetchall()[0]
        whole += rows
        certificate = Certificate(
            hour=hour_text(hour), partition="spool", revision=0, state="closed",
            closed_at=(hour + timedelta(hours=1, minutes=1)).isoformat(),
            data_file=file.data_path.name, data_sha256=sha256_file(file.data_path),
            previous_certificate_sha256=None if before is None else certificate_sha256(before),
            number=number + 1, rows=rows, requests=requests, bytes_sent=size, duplicates=0,
            quarantined=0, edges=(), missing_edges=(), waivers=(), unproven_sources=(),
            generation=1, checkpoint=1, complete_through=hour_text(hour + timedelta(hours=1)),
        )  # fmt: skip
        file.certificate_path.write_bytes(certificate.to_bytes())
        before = file.certificate_path
    return whole


def made(home: Path, accounts: int, hours: int) -> int:
    """A home with its month rated and published; rows of usage."""
    make_home(home, accounts, DOMAINS_EACH)
    rows = close_hours(home, hours, accounts * DOMAINS_EACH)
    at = START + timedelta(hours=hours)
    with open_store(home, owner="bench", now=at) as store:
        done = runs.rate(
            store, books=load_books(home / "prices"), settings=read_settings(home), at=at
        )
        follow_up(store, at=at, record=done.journal_no)
    return rows


def best(work: Callable[[], object], times: int = 2) -> float:
    """The CPU seconds of the cheapest of some runs, all threads together: the wall clock says more
    of a machine's other work than of a query.
    """
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def asked(home: Path, month: str) -> dict[str, float]:
    """CPU seconds per question, the opening of the lake not counted."""
    seconds = {}
    with connect(home, QueryLimits(seconds=600, memory="4GB")) as connection:
        for one in library.all_queries():
            words = [
                f"{each.name}={GIVEN[each.name].format(month=month)}"
                for each in one.parameters if each.default is None
            ]  # fmt: skip
            values = one.values(words)
            work = partial(run, connection, [one.text], 600, values=values)
            seconds[one.name] = best(lambda ask=work: ask().table())
    return seconds


def beside(home: Path, month: str) -> dict[str, tuple[float, float]]:
    """The same answers by DuckDB alone and by pandas, over the same Parquet files."""
    import pandas as pd

    lake = version.current(home)
    assert lake is not None
    usage = [str(path) for path in lake.paths("usage_5min")]
    plain = {
        "top_domains_by_https_requests": "SELECT domain, account_id, sum(requests), sum(bytes_sent)"
        " FROM read_parquet($usage) WHERE class = 'https' AND strftime(bucket + INTERVAL 8 HOUR,"
        " '%Y-%m') = $month GROUP BY ALL ORDER BY 3 DESC LIMIT 20",
        "busiest_hours": "SELECT hour(bucket), isodow(bucket), sum(requests)"
        " FROM read_parquet($usage) WHERE strftime(bucket, '%Y-%m') = $month GROUP BY ALL",
        "status_by_day": "SELECT bucket::DATE, sum(status_2xx), sum(status_5xx)"
        " FROM read_parquet($usage) WHERE strftime(bucket, '%Y-%m') = $month GROUP BY ALL",
    }
    found = {}
    for name, text in plain.items():
        values = {"usage": usage, "month": month}
        alone = best(lambda text=text, given=values: duckdb.sql(text, params=given).fetchall())

        def by_pandas(name: str = name) -> object:
            columns = ["bucket", "domain", "class", "requests", "status_2xx", "status_5xx"]
            frame = pd.concat([pd.read_parquet(path, columns=columns) for path in usage])
            if name.startswith("top"):
                return frame[frame["class"] == "https"].groupby("domain")["requests"].sum()
            if name == "status_by_day":
                return frame.groupby(frame["bucket"].dt.date)[["status_2xx", "status_5xx"]].sum()
            return frame.groupby([frame["bucket"].dt.hour, frame["bucket"].dt.day_of_week])[
                "requests"
            ].sum()

        found[name] = (alone, best(by_pandas, 1))
    return found


def main() -> None:
    """Make the month, ask everything, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgetoll-bench-") as folder:
        home = (options.keep or Path(folder)) / "home"
        began = time.perf_counter()
        rows = made(home, options.accounts, options.days * 24)
        versions = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
        print(f"{platform.machine()}, {versions}")
        print(f"{options.accounts} accounts, {options.days} days, {rows:,} rows of 5 minutes;"
              f" made in {time.perf_counter() - began:.0f} s")  # fmt: skip
        month = "2026-10"  # in the book's zone, where START is its first hour
        opening = best(lambda: connect(home).close())
        print(f"opening the lake: {opening:.3f} s")
        others = beside(home, month)
        for name, seconds in sorted(asked(home, month).items(), key=lambda one: -one[1]):
            line = f"{name:36} {seconds:8.3f} s"
            if name in others:
                alone, pandas = others[name]
                line += f"   DuckDB alone {alone:.3f} s ({seconds / alone:.2f} x)"
                line += f", pandas {pandas:.2f} s"
            print(line)


if __name__ == "__main__":
    main()
