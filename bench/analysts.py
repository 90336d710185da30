"""Bench: the query library over a generated month, beside DuckDB alone and pandas.

    python -m bench.analysts [--accounts 1000] [--days 31] [--keep DIR] [--only QUESTION …]

Accounts with two domains each, a month with a row of each domain in every 5 minutes, its charges by
the hour and an invoice of each account (see `made`). Each question is asked as `edgetoll query`
asks it, at that command's limits, but for the start of the program: by the clock and in CPU seconds
of all threads, the cheaper of two. One that fails is written so and the next is asked. Beside some
of them stand the same answers by DuckDB alone over the same Parquet files (up to 8 GB of memory),
and by pandas over the same, a file at a time: all of them do not fit into memory.
"""

from __future__ import annotations

import argparse
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb

import sql
from bench.baselines.hour_loop import START
from bench.rating import close_hour, make_home
from billing.analysts import library
from billing.appliers import open_store
from billing.follow_up import follow_up
from billing.invoices.run import Order, issue
from billing.invoices.settings import InvoiceSettings, Seller
from billing.lake import limited, version
from billing.lake.charges import Part, joined
from billing.lake.query import QueryLimits, ask_alone, connect
from billing.lake.result import QueryResult
from billing.prices import load_books
from billing.runs import run as runs
from billing.runs.settings import read_settings
from edge.errors import EdgetollError

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
    period_end + INTERVAL 1 HOUR * {h} AS period_end
)
FROM read_parquet('{first}')
WHERE
    CAST(split_part(account_id, '-', 2) AS BIGINT) % {busy} = 0
    OR CAST(split_part(account_id, '-', 2) AS BIGINT) % 24 = {h} % 24
"""
PARTS_OF_A_DAY = 4
DOMAINS_EACH = 2
SETTINGS = InvoiceSettings(
    formats=("json",),
    seller=Seller(name="Bench CDN", address=("1 Bench Street",), tax_id="B-1"),
)
GROWN = (
    "usage_5min", "usage_hourly", "usage_daily", "bandwidth_hourly", "charges", "charges_daily",
)  # fmt: skip
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
    "revenue_by_region": (
        "charges",
        "SELECT region, item, sum(amount), count(DISTINCT account_id), currency"
        " FROM read_parquet($files) WHERE month = $month GROUP BY ALL ORDER BY 3 DESC",
        ["region", "item", "currency"], ["amount"],
    ),
    "bandwidth_peaks": (
        "usage_5min",
        "SELECT account_id, max(sent) FROM (SELECT bucket, account_id, sum(bytes_sent) AS sent"
        " FROM read_parquet($files) WHERE strftime(bucket, '%Y-%m') = $month GROUP BY ALL)"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
        ["bucket", "account_id"], ["bytes_sent"],
    ),
}  # fmt: skip
"""Of a question: the table its plain forms read, the SQL, and what pandas groups by and adds up."""
GIVEN = {
    "month": "{month}", "edge": "edge-1", "day": "{month}-10", "from_day": "{month}-01",
    "other_from_day": "2026-09-01", "other_to_day": "2026-09-30", "to_day": "{month}-31",
    "hour": "{month}-10T08", "tag": "team", "account": "account-1",
    "book": "bench", "run": "R00000002", "invoice": "INV-USD-2026-000001",
}  # fmt: skip


def made(home: Path, accounts: int, days: int, buckets: int = 12, busy: int = 1) -> int:
    """A home with a month of usage, charges and invoices in its lake; how many rows of 5 minutes it
    has, of which each domain has so many an hour. Of so many accounts (`busy`) one is served in
    each hour, the others in one hour a day.

    Accounts, prices, the first hour and the invoices go the real way. The other hours are written
    as files of the lake, in its layout: a file an hour of usage, of charges as the lake joins them,
    sums by the SELECTs that publish them.
    """
    make_home(home, accounts, DOMAINS_EACH)
    first = close_hour(home, 0, accounts * DOMAINS_EACH, None)
    close_hour(home, 31 * 24 - 1, 0, first, empty_since=1)
    at = START + timedelta(days=31, hours=4)
    with open_store(home, owner="bench", now=at) as store:
        runs.rate(store, books=load_books(home / "prices"), settings=read_settings(home), at=at)
        done = issue(store, Order(month="2026-10", account=None, at=at), SETTINGS)
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
    files = [one for one in lake.files if one.table not in GROWN]
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for name, source in (("accounts", "accounts"), ("given_zone_offsets", "zone_offsets")):
        connection.read_parquet([str(one) for one in lake.paths(source)]).create_view(name)

    def write(table: str, name: str, rows: duckdb.DuckDBPyRelation) -> str:
        path = lake.folder / table / name
        path.unlink(missing_ok=True)
        rows.write_parquet(str(path), compression="snappy")
        count = connection.read_parquet(str(path)).aggregate("count(*)").fetchall()[0][0]
        files.append(version.described(lake.folder, table, path, count))
        return str(path)

    def add_up(tables: tuple[str, ...], parts: list[str], source: str, name: str) -> None:
        found = connection.read_parquet(parts, hive_partitioning=False)
        found.create_view(source)
        for table in tables:
            write(table, name, connection.sql(sql.text(f"lake/{table}")))
        parts.clear()

    first = Path(tempfile.mkdtemp()) / "first.parquet"
    first.write_bytes(lake.paths("charges")[0].read_bytes())
    for table in GROWN:
        for path in lake.folder.joinpath(table).iterdir():
            path.unlink()
    usage: list[str] = []
    charges: list[str] = []
    hourly: list[version.VersionFile] = []
    for number in range(hours):
        hour = (START + timedelta(hours=number)).replace(tzinfo=None)
        text = HOUR_OF_USAGE.format(hour=hour, h=number, n=domains, each=DOMAINS_EACH,
                                    buckets=buckets, busy=busy)  # fmt: skip
        name = f"day={hour:%Y-%m-%d}.{number:08d}.parquet"
        usage.append(write("usage_5min", name, connection.sql(text)))
        text = HOUR_OF_CHARGES.format(h=number, first=first, busy=busy)
        charges.append(write("charges", f"{number:08d}.parquet", connection.sql(text)))
        hourly.append(files[-1])
        is_last = number == hours - 1
        if is_last or hour.hour % (24 // PARTS_OF_A_DAY) == 24 // PARTS_OF_A_DAY - 1:
            limits = {"after": 0, "through": hours + FIRST_RECORDS, "day": f"{hour:%Y-%m-%d}"}
            connection.execute(sql.text("statements/lake/publish/set_lake_range"), limits)
            add_up(("usage_hourly", "usage_daily", "bandwidth_hourly"), usage, "usage", name)
        if is_last or number % 24 == 23:
            name = f"{number:08d}-{number + 1:08d}.parquet"
            add_up(("charges_daily",), charges, "filed_charges", name)
    shutil.rmtree(first.parent)
    for part, one_by_one in _joined_runs(hourly):
        places = [str(lake.folder / one.path) for one in one_by_one]
        connection.read_parquet(places).create_view("present_charges")
        text = sql.text("statements/lake/publish/joined_charges")
        write("charges", f"{part.first:08d}-{part.last:08d}.joined.parquet", connection.sql(text))
        for one in one_by_one:
            files.remove(one)
            lake.folder.joinpath(one.path).unlink()
    return files


def _joined_runs(
    hourly: list[version.VersionFile],
) -> Iterator[tuple[Part, list[version.VersionFile]]]:
    """Which files of charges a lake joins, of a month of runs."""
    runs = (
        Part(first=number, last=number, rows=one.rows, files=())
        for number, one in enumerate(hourly)
    )
    for part in joined(runs):
        if part.first < part.last:
            yield part, hourly[part.first : part.last + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long something took: by the clock, and in CPU seconds of all threads; or why not."""

    clock: float = 0
    cpu: float = 0
    failed: str = ""


def best(work: Callable[[], None], times: int = 2) -> Took:
    """The cheapest of some runs by CPU seconds, which say more of a query than the clock of a
    machine that has other work. `work` does it in a process of its own.
    """
    found = []
    for _ in range(times):
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            work()
        except EdgetollError as error:
            return Took(failed=error.message)
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        found.append(Took(clock=time.perf_counter() - began, cpu=cpu))
    return min(found, key=lambda one: one.cpu)


def apart(work: Callable[[], object], memory: str = "16GB") -> None:
    """`work` in a process of its own, whose error is raised here."""

    def alone() -> None:
        try:
            work()
        except (duckdb.Error, MemoryError) as error:
            raise EdgetollError(str(error).splitlines()[0], "") from error

    limited.run(alone, seconds=3600, memory=memory, clean=lambda _child: None)


def _count(result: QueryResult, file: Path) -> None:
    file.write_text(str(result.table().num_rows))


def asked(home: Path, one: library.LibraryQuery, month: str) -> tuple[Took, int]:
    """What a question takes from the opening of the lake to its last row, and its rows."""
    words = [
        f"{each.name}={GIVEN[each.name].format(month=month)}"
        for each in one.parameters if each.default is None
    ]  # fmt: skip
    with tempfile.NamedTemporaryFile() as told:
        count = Path(told.name)
        took = best(
            lambda: ask_alone(
                home,
                one.text,
                lambda result: _count(result, count),
                QueryLimits(),
                values=one.values(words),
            )
        )
        return took, int(count.read_text() or 0)


def beside(home: Path, name: str, month: str) -> tuple[Took, Took]:
    """An answer by DuckDB alone over the files of a table, and by pandas over the same."""
    lake = version.current(home)
    assert lake is not None
    table, text, keys, values = PLAIN[name]
    files = [str(path) for path in lake.paths(table)]

    def by_duckdb() -> None:
        with duckdb.connect() as connection:
            connection.execute("SET threads = 2")
            connection.execute("SET memory_limit = '8GB'")
            connection.sql(text, params={"files": files, "month": month}).fetchall()

    def by_pandas() -> None:
        import pandas as pd

        parts = []
        for file in files:
            frame = pd.read_parquet(file, columns=[*keys, *values], dtype_backend="pyarrow")
            if "class" in keys:
                frame = frame[frame["class"] == "https"]
            part = frame.groupby(keys)[values].sum()
            parts.append(part.groupby(level=1).max() if "bucket" in keys else part)
        whole = pd.concat(parts)
        levels = list(range(whole.index.nlevels))
        grouped = whole.groupby(level=levels)
        grouped.max() if "bucket" in keys else grouped.sum()

    return best(partial(apart, by_duckdb)), best(partial(apart, by_pandas), 1)


def _said(took: Took) -> str:
    return (
        f"failed: {took.failed[:60]}" if took.failed else f"{took.clock:.2f} s {took.cpu:.2f} CPU s"
    )


def _line(home: Path, one: library.LibraryQuery, month: str) -> tuple[str, Took]:
    took, rows = asked(home, one, month)
    line = f"{one.name:36} "
    line += took.failed and f"FAILED: {took.failed}"
    line += "" if took.failed else f"{took.clock:7.2f} s {took.cpu:7.2f} CPU s {rows:6} rows"
    if one.name in PLAIN:
        alone, pandas = beside(home, one.name, month)
        times = f" ({took.cpu / alone.cpu:.2f} x)" if alone.cpu and took.cpu else ""
        line += f"   DuckDB alone {_said(alone)}{times}, pandas {_said(pandas)}"
    return line, took


def _sizes(home: Path) -> str:
    lake = version.current(home)
    assert lake is not None
    sizes = {name: sum(one.bytes for one in lake.of(name)) >> 20 for name in GROWN}
    rows = {name: sum(one.rows for one in lake.of(name)) for name in GROWN}
    return ", ".join(f"{name} {rows[name]:,} rows {sizes[name]} MB" for name in GROWN)


def main() -> None:
    """Make the month, ask everything, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--keep", type=Path, help="make it there, or take what was made there")
    parser.add_argument("--only", nargs="+", default=[], help="ask these questions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgetoll-bench-") as folder:
        home = (options.keep or Path(folder)) / "home"
        began = time.perf_counter()
        if not home.exists():
            apart(lambda: made(home, options.accounts, options.days))
        versions = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
        print(f"{platform.machine()}, {versions}; made in {time.perf_counter() - began:.0f} s")
        print(_sizes(home))
        month = "2026-10"  # in the book's zone, where START is its first hour
        opening = best(partial(apart, lambda: connect(home).close()))
        print(f"opening the lake with all views: {_said(opening)}", flush=True)
        wanted = [one for one in library.all_queries() if one.name in (options.only or [one.name])]
        all_took = []
        for one in wanted:
            line, took = _line(home, one, month)
            print(line, flush=True)
            all_took.append(took)
    failed = sum(bool(one.failed) for one in all_took)
    quick = sum(not one.failed and one.clock <= 2 for one in all_took)
    cheap = sum(not one.failed and one.cpu <= 2 for one in all_took)
    print(f"{len(all_took)} questions: {quick} within 2 s by the clock, {cheap} within 2 CPU s,"
          f" {failed} failed")  # fmt: skip
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
