"""Bench: every page of the console over a month of many accounts, and a hundred pages left open.

    python -m bench.console [--accounts 100000] [--days 31] [--keep DIR]
    python -m bench.console --home demo-home --account northwind

The month is that of bench.analysts: one account in twenty is served in each hour, the others in one
hour a day. `edgetoll console` is started on it, and each page asked for as a browser does: the
first time, when nothing of it was read yet, and then the better of two. Then a hundred streams are
open while live/ moves each second.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import httpx

from bench.analysts import made
from billing.lake import version

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "/",
    "/?month={month}",
    "/accounts",
    "/accounts?search={account}",
    "/accounts?state=at_risk",
    "/accounts/{account}?month={month}",
    "/accounts/{account}/charges/https_requests?month={month}",
    "/invoices",
    "/usage?from_day={month}-01&to_day={month}-31",
    "/usage?from_day={month}-10&to_day={month}-10&step=hour",
    "/usage?from_day={month}-10&to_day={month}-10&step=5min&account={account}",
    "/usage/periods?from_day={month}-15&to_day={month}-20&other_from_day={month}-01"
    "&other_to_day={month}-06",
    "/completeness?month={month}",
    "/day?day={month}-10",
    "/hour?hour={month}-10T08",
    "/refused",
    "/prices?month={month}",
    "/runs",
    "/ask/charges_of_month?month={month}",
    "/ask/charges_of_month?month={month}&from=100000",
)
WAIT = 600
BUSY = 20
COUNTED = ("usage_5min", "usage_daily", "charges", "charges_daily", "invoices")
WATCHED = 20
"""Seconds that open pages are watched."""


@contextmanager
def served(home: Path) -> Iterator[tuple[httpx.Client, int]]:
    """A console of `home`: a client that came in by its link, and its process."""
    words = [sys.executable, str(ROOT / "edgetoll.py"), "console", "--home", str(home)]
    console = subprocess.Popen(
        [*words, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert console.stderr is not None
        link = next(filter(None, (re.search(r"http\S+", line) for line in console.stderr)))[0]
        base = link.split("/enter")[0]
        with httpx.Client(base_url=base, timeout=WAIT) as client:
            assert client.get(link).status_code == 303
            yield client, console.pid
    finally:
        console.terminate()
        console.wait()


def seconds_of(client: httpx.Client, process: int, address: str) -> tuple[float, float]:
    """How long a page takes by the clock, and in CPU seconds of the console's process."""
    began, used = time.perf_counter(), cpu_of(process)
    answer = client.get(address)
    took = time.perf_counter() - began, cpu_of(process) - used
    if answer.status_code != 200:
        print(f"{address}: {answer.status_code} {answer.text[-1500:]}")
    return took


def cpu_of(process: int) -> float:
    """CPU seconds that a process has used."""
    parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def share_of_a_core(home: Path, client: httpx.Client, process: int, pages: list[str]) -> float:
    """Per cent of a core that open pages cost while live/ moves each second."""
    live = home / "live"
    live.mkdir(exist_ok=True)
    host, _, port = client.base_url.netloc.decode().partition(":")
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    opened = []
    for page in pages:
        one = socket.create_connection((host, int(port)))
        ask = f"GET /live{page} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n"
        one.sendall(ask.encode())
        one.settimeout(WAIT)
        assert one.recv(100).startswith(b"HTTP/1.1 200")
        one.setblocking(False)
        opened.append(one)
    for second in range(WATCHED + 5):
        if second == 5:
            before, began = cpu_of(process), time.perf_counter()
        os.utime(live)
        time.sleep(1)
        for one in opened:
            try:
                while one.recv(1 << 16):
                    pass
            except BlockingIOError:
                continue
    share = 100 * (cpu_of(process) - before) / (time.perf_counter() - began)
    for one in opened:
        one.close()
    return share


def main() -> None:
    """Make the month or take a home, ask for every page, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--keep", type=Path, help="where to leave the home")
    parser.add_argument("--home", type=Path, help="a home that is there")
    parser.add_argument("--account", default="account-77")
    parser.add_argument("--month", default="2026-10")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgetoll-bench-") as folder:
        home = options.home or (options.keep or Path(folder)) / "home"
        versions = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
        print(f"{platform.machine()}, {versions}")
        if options.home is None:
            made(home, options.accounts, options.days, buckets=1, busy=BUSY)
            lake = version.current(home)
            assert lake is not None
            rows = {name: sum(one.rows for one in lake.of(name)) for name in COUNTED}
            print(f"{options.accounts} accounts, {options.days} days, {rows}")
        with served(home) as (client, process):
            for page in PAGES:
                address = page.format(month=options.month, account=options.account)
                first, cpu = seconds_of(client, process, address)
                again, less = min(seconds_of(client, process, address) for _ in range(2))
                print(
                    f"{address:80} {first:6.2f} s {cpu:6.2f} CPU s, again {again:6.2f} s"
                    f" {less:6.2f} CPU s",
                    flush=True,
                )
            one, many = ["/"] * 100, [f"/accounts/account-{n}" for n in range(1, 51)]
            many = many if options.home is None else [f"/accounts/{options.account}"] * 50
            for name, pages in (("Today", one), ("Today and 50 accounts", one[:50] + many)):
                share = share_of_a_core(home, client, process, pages)
                print(f"100 open pages, {name}: {share:.1f} % of a core", flush=True)


if __name__ == "__main__":
    main()
