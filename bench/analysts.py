"""Bench: the query library over a generated month, beside DuckDB alone and pandas.

    python -m bench.analysts [--accounts 1000] [--days 31] [--keep DIR]

Accounts with two domains each, a month with a row of each domain in every 5 minutes (see `made`).
Each question is asked as `edgetoll query` asks it, without the start of the program, by the clock
and in CPU seconds of all threads; the better of two. Beside three of them stand the same answers by
DuckDB alone over the same Parquet files, and by pandas.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb

import sql
from bench.rating import START
from bench.rating_run import close_hour, make_home
from billing.analysts import library
from billing.appliers import open_store
from billing.follow_up import follow_up
from billing.lake import version
from billing.lake.query import QueryLimits, connect
from billing.lake.result import run
from billing.prices import load_books
from billing.runs import run as runs
from billing.runs.settings import read_settings

HOUR_OF_USAGE = """
SELECT
    TIMESTAMP '{hour}' + INTERVAL 5 MINUTE * b AS bucket,
    'account-' || i // {each} AS account_id,
    'www.customer-' || i || '.example' AS domain,
    'US' AS region,
    CASE WHEN (i + b) % 4 = 0 THEN 'http' ELSE 'https' END AS class,
    (1 + (i * 7919 + {h}::BIGINT * 104729 + b * 31) % 3001)::BIGINT AS requests,
    ((i * 15485863 + {h}::BIGINT * 32452843 + b) % 858993459)::BIGINT AS bytes_sent,
    TIMESTAMP '{hour}' AS hour, 'spool' AS partition, 0 AS revision, {h}::BIGINT + 1 AS import_no,
    0::BIGINT AS status_0xx, 0::BIGINT AS status_1xx, 1::BIGINT AS status_2xx,
    0::BIGINT AS status_3xx, 0::BIGINT AS status_4xx, (i % 3)::BIGINT AS status_5xx,
    0::BIGINT AS status_other, (i % 7)::BIGINT AS cache_hits
FROM range({n}) AS t(i), range({buckets}) AS s(b)
WHERE i // {each} % {busy} = 0 OR i // {each} % 24 = {h} % 24
"""
HOUR_OF_CHARGES = """
SELECT * REPLACE (
    period_start + INTERVAL 1 HOUR * {h} AS period_start,
    period_end + INTERVAL 1 HOUR * {h} AS period_end,
    journal_no + {h} AS journal_no
)
FROM read_parquet('{first}')
WHERE
    CAST(split_part(account_id, '-', 2) AS BIGINT) % {busy} = 0
    OR CAST(split_part(account_id, '-', 2) AS BIGINT) % 24 = {h} % 24
"""
PARTS_OF_A_DAY = 4
FIRST_RECORDS = 10
"""More than the journal records of the first hour, which goes the real way."""
PLAIN = {
    "top_domains_by_https_requests": (
        "usage_daily",
        "SELECT domain, account_id, sum(requests), sum(bytes_sent) FROM read_parquet($files)"
        " WHERE class = 'https' AND strftime(day, '%Y-%m') = $month GROUP BY ALL"
        " ORDER BY 3 DESC LIMIT 20",
        ["domain", "class"], ["requests", "bytes_sent"],
    ),
    "busiest_hours": (
        "usage_hourly",
        "SELECT hour(hour), isodow(hour), sum(requests) FROM read_parquet($files)"
        " WHERE strftime(hour, '%Y-%m') = $month GROUP BY ALL",
        ["hour"], ["requests"],
    ),
    "status_by_day": (
        "usage_hourly",
        "SELECT hour::DATE, sum(status_2xx), sum(status_5xx), sum(status_4xx), sum(status_3xx)"
        " FROM read_parquet($files) WHERE strftime(hour, '%Y-%m') = $month GROUP BY ALL",
        ["hour"], ["status_2xx", "status_5xx", "status_4xx", "status_3xx"],
    ),
}  # fmt: skip
DOMAINS_EACH = 2
GIVEN = {
    "month": "{month}", "edge": "edge-1", "day": "{month}-10", "from_day": "{month}-01",
    "other_from_day": "2026-09-01", "other_to_day": "2026-09-30", "to_day": "{month}-31",
    "hour": "{month}-10T08", "tag": "team", "account": "account-1",
    "book": "bench", "run": "R00000002", "invoice": "INV-1",
}  # fmt: skip


def made(home: Path, accounts: int, days: int, buckets: int = 12, busy: int = 1) -> int:
    """A home with a month of usage and charges in its lake; how many rows of 5 minutes it has, of
    which each domain has so many an hour. Of so many accounts (`busy`) one is served in each hour,
    the others in one hour a day.

    Accounts, prices and the first hour go the real way. The other hours are written as files of the
    lake, in its layout: a file an hour of usage and charges, sums by the SELECTs that publish them.
    """
    make_home(home, accounts, DOMAINS_EACH)
    close_hour(home, 0, accounts * DOMAINS_EACH, None)
    at = START + timedelta(hours=1)
    with open_store(home, owner="bench", now=at) as store:
        done = runs.rate(
            store, books=load_books(home / "prices"), settings=read_settings(home), at=at
        )
        follow_up(store, at=at, record=done.journal_no)
    lake = version.current(home)
    assert lake is not None
    listed = _month_of_files(lake, accounts * DOMAINS_EACH, days * 24, buckets, busy)
    grown = replace(lake, files=tuple(sorted(listed, key=lambda one: one.path)))
    lake.folder.joinpath(version.LIST).write_bytes(grown.to_bytes())
    home.joinpath(version.LAKE, version.POINTER).write_bytes(version.pointer_bytes(grown))
    return sum(one.rows for one in grown.of("usage_5min"))


def _month_of_files(
    lake: version.Version, domains: int, hours: int, buckets: int, busy: int
) -> list[version.VersionFile]:
    """The files of a version with `hours` hours of usage and charges."""
    grown = ("usage_5min", "usage_hourly", "usage_daily", "charges", "charges_daily")
    files = [one for one in lake.files if one.table not in grown]
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for name, source in (("accounts", "accounts"), ("given_zone_offsets", "zone_offsets")):
        connection.read_parquet([str(one) for one in lake.paths(source)]).create_view(name)

    def write(table: str, name: str, rows: duckdb.DuckDBPyRelation) -> None:
        path = lake.folder / table / name
        path.unlink(missing_ok=True)
        rows.write_parquet(str(path), compression="snappy")
        count = connection.read_parquet(str(path)).aggregate("count(*)").fetchall()[0][0]
        files.append(version.described(lake.folder, table, path, count))

    first = Path(tempfile.mkdtemp()) / "first.parquet"
    first.write_bytes(lake.paths("charges")[0].read_bytes())
    for table in grown:
        for path in lake.folder.joinpath(table).iterdir():
            path.unlink()
    part: list[str] = []
    charged: list[str] = []
    for number in range(hours):
        hour = (START + timedelta(hours=number)).replace(tzinfo=None)
        usage = HOUR_OF_USAGE.format(hour=hour, h=number, n=domains, each=DOMAINS_EACH,
                                    buckets=buckets, busy=busy)  # fmt: skip
        name = f"day={hour:%Y-%m-%d}.{number:08d}.parquet"
        write("usage_5min", name, connection.sql(usage))
        charges = HOUR_OF_CHARGES.format(h=number, first=first, busy=busy)
        write("charges", f"{number:08d}.parquet", connection.sql(charges))
        part.append(str(lake.folder / "usage_5min" / name))
        charged.append(str(lake.folder / "charges" / f"{number:08d}.parquet"))
        if hour.hour % (24 // PARTS_OF_A_DAY) == 24 // PARTS_OF_A_DAY - 1 or number == hours - 1:
            connection.read_parquet(part, hive_partitioning=False).create_view("usage")
            connection.read_parquet(charged).create_view("filed_charges")
            limits = {"after": 0, "through": hours + FIRST_RECORDS, "day": f"{hour:%Y-%m-%d}"}
            connection.execute(sql.text("statements/lake/publish/set_lake_range"), limits)
            for table in ("usage_hourly", "usage_daily", "charges_daily"):
                write(table, name, connection.sql(sql.text(f"lake/{table}")))
            part, charged = [], []
    return files


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long something took: by the clock, and in CPU seconds of all threads."""

    clock: float
    cpu: float


def best(work: Callable[[], object], times: int = 2) -> Took:
    """The cheapest of some runs by CPU seconds, which say more of a query than the clock of a
    machine that has other work.
    """
    found = []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work()
        took = Took(clock=time.perf_counter() - began, cpu=time.process_time() - used)
        found.append(took)
    return min(found, key=lambda one: one.cpu)


def asked(home: Path, month: str) -> dict[str, tuple[Took, int]]:
    """What each question takes from the opening of the lake to its last row, and its rows."""
    found = {}
    for one in library.all_queries():
        words = [
            f"{each.name}={GIVEN[each.name].format(month=month)}"
            for each in one.parameters if each.default is None
        ]  # fmt: skip
        rows: list[int] = []
        found[one.name] = (best(partial(_ask, home, one.text, one.values(words), rows)), rows[0])
    return found


def _ask(home: Path, text: str, values: dict[str, library.Value], rows: list[int]) -> None:
    with connect(home, QueryLimits(seconds=600), query=text) as connection:
        rows.append(run(connection, [text], 600, values=values).table().num_rows)


def beside(home: Path, month: str) -> dict[str, tuple[Took, Took]]:
    """Three of the answers by DuckDB alone over the files that the question reads, and by pandas
    over the same, a file at a time: all of them do not fit into memory.
    """
    import pandas as pd

    lake = version.current(home)
    assert lake is not None
    found = {}
    for name, (table, text, keys, values) in PLAIN.items():
        files = [str(path) for path in lake.paths(table)]
        given = {"files": files, "month": month}
        alone = best(lambda text=text, given=given: duckdb.sql(text, params=given).fetchall())

        def by_pandas(
            files: list[str] = files, keys: list[str] = keys, values: list[str] = values
        ) -> object:
            parts = []
            for file in files:
                frame = pd.read_parquet(file, columns=[*keys, *values])
                if "class" in keys:
                    frame = frame[frame["class"] == "https"]
                parts.append(frame.groupby(keys)[values].sum())
            return pd.concat(parts).groupby(level=list(range(len(keys)))).sum()

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
        rows = made(home, options.accounts, options.days)
        versions = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
        print(f"{platform.machine()}, {versions}")
        print(f"{options.accounts} accounts, {options.days} days, {rows:,} rows of 5 minutes;"
              f" made in {time.perf_counter() - began:.0f} s")  # fmt: skip
        month = "2026-10"  # in the book's zone, where START is its first hour
        opening = best(lambda: connect(home).close())
        print(f"opening the lake with all views: {opening.clock:.2f} s, {opening.cpu:.2f} CPU s")
        others = beside(home, month)
        for name, (took, rows) in sorted(
            asked(home, month).items(), key=lambda one: -one[1][0].cpu
        ):
            line = f"{name:36} {took.clock:7.2f} s {took.cpu:7.2f} CPU s {rows:6} rows"
            if name in others:
                alone, pandas = others[name]
                line += f"   DuckDB alone {alone.cpu:.2f} CPU s ({took.cpu / alone.cpu:.2f} x)"
                line += f", pandas {pandas.cpu:.2f} CPU s"
            print(line, flush=True)


if __name__ == "__main__":
    main()
