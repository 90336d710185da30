"""Bench: one top-up at 10 k to 1 M accounts, from opening the store to closing it, by step.

    python -m bench.top_up [--accounts 100000] [--hours 6] [--payments 100000]

A home is made as bench/rating.py makes it, some hours are rated, and then one account pays, at
first without and then with live hours. What follows a payment is measured as `billing top-up` does
it: the record, invoices settled, the account judged, stop list, lake. Then a file of `--payments`
is loaded, each of another account where there are as many. CPU seconds of
this process, all threads; the baseline is opening and closing the store.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from bench.baselines.hour_loop import START
from bench.rating import USAGE, close_hour, make_home, run
from billing.appliers import open_store
from billing.balance import states
from billing.balance.figures import APART_MAX
from billing.follow_up import follow_up
from billing.invoices import payments
from billing.lake import publish
from billing.ledger.payments_file import load_payments
from billing.ledger.top_up import top_up
from billing.money import SCALE
from billing.outbox import stop_list


def main() -> int:
    """Make the homes, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100_000])
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--payments", type=int, default=100_000)
    chosen = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    for accounts in chosen.accounts:
        with tempfile.TemporaryDirectory(prefix="edgetoll-bench-") as folder:
            measure(Path(folder), accounts, chosen.hours, chosen.payments)
    return 0


def measure(home: Path, accounts: int, hours: int, payments_in_file: int) -> None:
    """Rate some hours of one home and show what top-ups and a file of payments cost in it."""
    make_home(home, accounts)
    before = None
    for number in range(hours):
        before = close_hour(home, number, accounts, before)
        run(home, START + timedelta(hours=number + 1, minutes=2))
    at = START + timedelta(hours=hours, minutes=3)
    show(f"{accounts:,} accounts, {hours} h", [pay(home, at, f"a{n}") for n in range(3)])
    write_live(home, accounts, hours)
    later = at + timedelta(minutes=1)
    show(f"{accounts:,} accounts, a live hour", [pay(home, later, f"b{n}") for n in range(3)])
    load_file(home, later + timedelta(minutes=1), accounts, payments_in_file)


def load_file(home: Path, at: datetime, accounts: int, count: int) -> None:
    """Load a file of payments as `billing load` does, and show what that took."""
    path = home / "payments.csv"
    rows = (f"bank-{n},account-{n % accounts},{n % 500 + 1}.{n % 100:02}" for n in range(count))
    path.write_text("\n".join(["id,account,amount", *rows, ""]), encoding="utf-8")
    began = time.process_time(), time.perf_counter()
    with open_store(home, owner="bench", now=at) as store:
        done = load_payments(store, path, at=at)
        few = done.accounts if len(done.accounts) <= APART_MAX else None
        follow_up(store, at=at, accounts=few, record=done.journal_no)
    cpu, seconds = time.process_time() - began[0], time.perf_counter() - began[1]
    print(f"{done.new:,} payments in a file: {cpu:.2f} CPU s, {seconds:.2f} s")


def write_live(home: Path, accounts: int, hours: int) -> None:
    """The hour still open, as metering shows it."""
    (home / "live").mkdir()
    hour = (START + timedelta(hours=hours)).replace(tzinfo=None)
    path = home / "live" / "partition=spool.parquet"
    duckdb.connect().execute(USAGE.format(hour=hour, h=hours, n=accounts, path=path))


def pay(home: Path, at: object, key: str) -> dict[str, float]:
    """CPU seconds of one top-up by step."""
    clock = [("", time.process_time())]

    def lap(name: str) -> None:
        clock.append((name, time.process_time()))

    store = open_store(home, owner="bench", now=at)  # type: ignore[arg-type]
    lap("open")
    account = "account-7"
    top_up(store, account, 5 * SCALE, key=key, at=at)  # type: ignore[arg-type]
    lap("record")
    payments.settle(store, at=at, accounts=[account])  # type: ignore[arg-type]
    lap("settle")
    states.refresh(store, now=at, accounts=[account])  # type: ignore[arg-type]
    lap("judge")
    stop_list.publish(store, now=at)  # type: ignore[arg-type]
    lap("stop list")
    publish.publish(store)
    lap("lake")
    store.close()
    lap("close")
    steps = {name: at - clock[n][1] for n, (name, at) in enumerate(clock[1:])}
    return {**steps, "all": sum(steps.values())}


def show(title: str, runs: list[dict[str, float]]) -> None:
    """The least of the runs, by step."""
    least = {name: min(one[name] for one in runs) for name in runs[0]}
    base = least["open"] + least["close"]
    print(title)
    for name, seconds in least.items():
        print(f"  {name:12}{seconds:8.3f} CPU s{seconds / base:8.1f} x open and close")


if __name__ == "__main__":
    sys.exit(main())
