"""Bench: one top-up at 10 k to 1 M accounts, from opening the store to closing it, by step.

    python -m bench.top_up [--accounts 100000] [--hours 6] [--payments 100000]
    python -m bench.top_up --home demo-home

A home is made as bench/rating.py makes it, some hours are rated, and then one account pays, at
first without and then with live hours. What follows a payment is measured as `billing top-up` does
it: the record, invoices settled, the account judged, stop list, lake. Then a file of `--payments`
is loaded, each of another account where there are as many. CPU seconds of
this process, all threads; the baseline is opening and closing the store. With `--home` it is what
the usual commands cost in a home that is there, as processes, from Python's start to its end, and
which packages their imports cost (`python -X importtime`); the baseline is Python alone. In that
home one account is paid 0.01 a run.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
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

TIMES = 5
PACKAGES = 12
"""How many packages are named, the dearest first."""


def main() -> int:
    """Make the homes, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100_000])
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--home", type=Path, help="measure the usual commands in this home")
    parser.add_argument("--account", default="northwind", help="who is paid there")
    parser.add_argument("--payments", type=int, default=100_000)
    chosen = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    if chosen.home is not None:
        usual_commands(chosen.home, chosen.account)
        return 0
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


def usual_commands(home: Path, account: str) -> None:
    """What they cost as processes, the least of some, and what their imports cost by package."""
    alone = min(process(["-c", "pass"], home)[0] for _ in range(TIMES))
    print(f"  {'Python alone':24}{alone:8.3f} CPU s")
    for name, words in (
        ("sql", ["select 1"]),
        ("billing", ["accounts"]),
        ("billing", ["top-up", account, "0.01", "--id"]),
    ):
        command = ["edgetoll.py", name, *words]
        least = min(process(command, home)[0] for _ in range(TIMES))
        ms = imports(process(["-X", "importtime", *command], home)[1])
        said = f"{name} {words[0]}"
        print(f"  {said:24}{least:8.3f} CPU s{least / alone:8.1f} x Python alone")
        named = ", ".join(f"{name} {cost:.0f}" for name, cost in ms.most_common(PACKAGES))
        print(f"    imports, ms of {ms.total():.0f}: {named}")


def process(words: Sequence[str], home: Path) -> tuple[float, str]:
    """Run Python with `words`, of which a last `--id` gets a new one; its CPU seconds, and what it
    wrote to standard error.
    """
    key = [uuid.uuid4().hex] if words[-1] == "--id" else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words, *key],
        env={**os.environ, "EDGETOLL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stderr


def imports(said: str) -> Counter[str]:
    """Milliseconds of importing by package, without what it imports of others."""
    found: Counter[str] = Counter()
    for line in said.splitlines():
        if line.startswith("import time:") and line.count("|") == 2:
            own, _all, name = line.removeprefix("import time:").split("|")
            if own.strip().isdigit():
                found[name.strip().partition(".")[0]] += int(own) / 1000
    return found


if __name__ == "__main__":
    sys.exit(main())
