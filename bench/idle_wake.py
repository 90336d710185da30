"""What a wake with nothing to do costs after years of hours: CPU ms, metering and billing.

    python bench/idle_wake.py [--hours 17520] [--accounts 100000] [--wakes 50]

Makes a home whose worker has closed so many hours (two years by default), one file and certificate
each, with an hour still open, and lets the worker take one turn of its loop again and again:
look at the spool, decide what can close, publish. Then billing: so many accounts, those hours
imported and rated, and what its daemon does on a wake, when it judges everybody, and what one
top-up costs. The baseline in the same run is the first turn, which has everything to work out.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import duckdb
import numpy as np

from billing.accounts.file_rows import read_load_file
from billing.accounts.load import load
from billing.accounts.staging import zone_lookup
from billing.appliers import open_store
from billing.daemon.daemon import Rounds
from billing.daemon.metrics import Board
from billing.follow_up import changing, follow_up
from billing.ledger.top_up import top_up as post
from billing.runs.import_hours import import_closed
from edge.batch.records import EventColumns
from edge.spool.spool import Spool
from edge.terminal import table
from metering.closed import closed_mark, list_closed
from metering.hour import HOUR_MS
from metering.settings import MeteringSettings
from metering.sources.spool import SpoolSource
from metering.worker.worker import Worker

START_MS = 1_701_388_800_000
"""2023-12-01T00:00:00Z."""
SETTINGS = """
[billing]
too_old_days = 10000
[billing.daemon]
invoices = false
"""
BOOK = """
[book]
id = "bench"
currency = "USD"
timezone = "UTC"
[[card]]
id = "https"
item = "https_requests"
effective_from = 2020-01-01
unit = "request"
per = 10000
price = "0.01"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU ms of what was measured: the first time, and the median and worst of the others."""

    what: str
    first_ms: float
    median_ms: float
    worst_ms: float


def fill(home: Path, hours: int) -> int:
    """A spool with an event in each of `hours` hours and in the one after; the time after them."""
    times = np.arange(hours + 1, dtype=np.int64) * HOUR_MS + START_MS
    with Spool.open(home / "spool" / "edge-1", "edge-1", "de", random64=lambda: 7) as spool:
        for part in np.array_split(times, max(1, len(times) // 500)):
            count = len(part)
            columns = EventColumns(
                domains=("www.example.com",),
                domain_index=np.zeros(count, dtype=np.int32),
                time_ms=part,
                carrier=np.ones(count, dtype=np.uint8),
                status=np.full(count, 200, dtype=np.uint16),
                cache=np.zeros(count, dtype=np.uint8),
                bytes_sent=np.full(count, 100, dtype=np.int64),
            )
            spool.append(columns, watermark_ms=int(part[-1]))
    return int(times[-1]) + 180_000


def measured(what: str, action: Callable[[], object], wakes: int) -> Cost:
    """The CPU time of `action`, done once and then `wakes` times."""
    spent = []
    for _ in range(wakes + 1):
        before = time.process_time()
        action()
        spent.append((time.process_time() - before) * 1000)
    rest = sorted(spent[1:])
    return Cost(what=what, first_ms=spent[0], median_ms=rest[len(rest) // 2], worst_ms=rest[-1])


def metering(home: Path, hours: int, wakes: int) -> list[Cost]:
    """The worker's half: close the hours, then wake with nothing to do."""
    clock = [fill(home, hours)]
    source = SpoolSource(home)
    worker = Worker(home, source, MeteringSettings(threads=1), clock=lambda: clock[0])
    worker.start()
    worker.drain()
    closed = len(list_closed(home))
    if closed != hours:
        raise SystemExit(f"{closed} hours are closed, not {hours}")

    def wake() -> None:
        clock[0] += 1_000
        worker.step(0.0)
        worker.close_due()
        worker.publish(force=True)

    worker.reload()
    found = [
        measured("metering: a turn of the worker", wake, wakes),
        measured("metering: is anything closed since", lambda: closed_mark(home), wakes),
        measured("list of every closed file (baseline)", lambda: list_closed(home), 3),
    ]
    worker.stop()
    return found


def billing(home: Path, accounts: int, wakes: int) -> list[Cost]:
    """Billing's half: what its daemon does when nothing is due, a judgement of everybody, and one
    top-up as the command does it, from opening the store to closing it.
    """
    fill_billing(home, accounts)
    now = datetime.fromtimestamp(START_MS // 1000, UTC) + timedelta(days=731)
    clock = [now]
    rounds = Rounds(home, Board(), clock=lambda: clock[0])
    while rounds.is_due():
        rounds.run()
    if rounds.board.failing:
        raise SystemExit(f"the daemon's round fails: {rounds.board.failing}")
    found = [measured("billing: is anything due", rounds.is_due, wakes)]
    found.append(measured("billing: a judgement of everybody", rounds.run, min(wakes, 5)))
    paid = iter(range(1_000_000))

    def pay() -> None:
        account = "a0000007"
        with changing(home, owner="bench", at=clock[0]) as store:
            post(store, account, 10**12, key=f"p{next(paid)}", at=clock[0])
            follow_up(store, at=clock[0], accounts=(account,))

    found.append(measured("billing: a top-up", pay, min(wakes, 5)))
    return found


def fill_billing(home: Path, accounts: int) -> None:
    """A price book and `accounts` accounts, one of which owns the name of the spool's events."""
    (home / "prices").mkdir(exist_ok=True)
    (home / "prices" / "bench.toml").write_text(BOOK, encoding="utf-8")
    (home / "accounts.csv").write_text(
        "id,name,currency,price_book,opened\n"
        + "".join(f"a{n:07},Account {n},USD,bench,2023-12-01T00:00:00Z\n" for n in range(accounts)),
        encoding="utf-8",
    )
    (home / "domains.csv").write_text(
        "domain,account\n"
        + "www.example.com,a0000000\n"
        + "".join(f"www.a{n:07}.example,a{n:07}\n" for n in range(accounts)),
        encoding="utf-8",
    )
    at = datetime.fromtimestamp(START_MS // 1000, UTC) + timedelta(days=730)
    zones = {"bench": "UTC"}
    with open_store(home, owner="bench", now=at) as store:
        for name in ("accounts.csv", "domains.csv"):
            load(store, read_load_file(home / name), at=at, zone_of_book=zone_lookup(zones))
        import_closed(store, at=at + timedelta(days=1), too_old_days=10_000)


def main() -> None:
    """Make the home, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=int, default=2 * 365 * 24)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--wakes", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "edgetoll.toml").write_text(
            "[metering]\n[billing]\ntoo_old_days = 10000\n[billing.daemon]\ninvoices = false\n"
        )
        costs = [
            *metering(home, options.hours, options.wakes),
            *billing(home, options.accounts, options.wakes),
        ]
    print(
        f"{platform.machine()}, Python {platform.python_version()}, duckdb {duckdb.__version__};"
        f" {options.hours:,} closed hours, {options.accounts:,} accounts, {options.wakes} wakes"
    )
    table(
        "A wake with nothing to do, CPU ms",
        ("what", "first", "median", "worst"),
        [
            (one.what, f"{one.first_ms:.1f}", f"{one.median_ms:.1f}", f"{one.worst_ms:.1f}")
            for one in costs
        ],
        right=("first", "median", "worst"),
    )


if __name__ == "__main__":
    main()
