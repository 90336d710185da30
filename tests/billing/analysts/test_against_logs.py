"""Questions of the library answered again by pandas from the raw logs, equal to the unit; and other
tools reading while everything runs.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import edgetoll
from billing.analysts.attach import attach
from tests.billing.homes import START, Use, close_hour, make_home
from tests.billing.runner import rate
from tests.effort import PATIENCE_S

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.usefixtures("process_of_an_analyst")
ACCOUNTS = """
[[accounts]]
id = "northwind"
name = "Northwind"
currency = "USD"
price_book = "alibaba-international"
timezone = "UTC"
[[accounts]]
id = "lumen"
name = "Lumen"
currency = "USD"
price_book = "alibaba-international"
timezone = "UTC"
[[domains]]
account = "northwind"
domain = "www.northwind.example"
[[domains]]
account = "northwind"
domain = "img.northwind.example"
[[domains]]
account = "lumen"
domain = "*.lumen.example"
"""
OWNERS = {
    "www.northwind.example": "northwind", "img.northwind.example": "northwind",
    "a.lumen.example": "lumen", "b.lumen.example": "lumen",
}  # fmt: skip
DOMAINS = [*OWNERS, "nobody.example", "x.y.lumen.example"]
MONTH = {"month": "2026-10"}
LINES = 6000


def raw_lines(seed: int, folder: Path) -> list[Path]:
    """Logs of two edges over four days of two months, with lines that cannot be read."""
    chance = random.Random(seed)
    paths = []
    for edge in ("e1", "e2"):
        lines = []
        for _ in range(LINES):
            moment = 1_793_145_600 + chance.randrange(-2 * 86400, 2 * 86400)  # around 28 October
            line = {
                "time": f"{moment}.{chance.randrange(1000):03}",
                "host": chance.choice(DOMAINS),
                "scheme": chance.choice(["https", "https", "https", "http"]),
                "protocol": chance.choice(["HTTP/1.1", "HTTP/2.0"]),
                "status": str(chance.choice([200, 200, 206, 301, 404, 500, 503])),
                "bytes_sent": str(chance.randrange(10**7)),
                "cache": chance.choice(["HIT", "MISS", ""]),
                "id": f"{edge}-{len(lines)}",
            }
            if line["scheme"] == "https" and chance.random() < 0.2:
                line["protocol"] = "HTTP/3.0"
            lines.append((moment, json.dumps(line)))
        lines.sort()
        texts = [text for _, text in lines]
        texts[50:50] = ["not a line", '{"time":"x"}']
        path = folder / f"{edge}.log"
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory, process_of_an_analyst: None) -> pd.DataFrame:
    """The raw logs as pandas reads them, and the home they were imported into (`attrs`)."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("logs")
    home = folder / "home"
    place = ("--home", str(home))
    run("init", str(home))
    (home / "mine.toml").write_text(ACCOUNTS)
    run("billing", "load", str(home / "mine.toml"), *place, "--as-of", "2026-09-01T00:00:00Z")
    paths = raw_lines(7, folder)
    for path in paths:
        words = ("--format", "nginx", "--edge", path.stem, "--region", "DE")
        run("edge", "import", str(path), *words, "--through", "2026-11-01", *place)
    run("metering", "run", "--drain", *place)
    run("billing", "rate", "--as-of", "2026-11-01T00:00:00Z", *place)
    rows = []
    for path in paths:
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(text))
            except ValueError:
                continue
    frame = pd.DataFrame([row for row in rows if "host" in row])
    frame["time"] = pd.to_datetime(frame["time"].astype(float), unit="s")
    frame["bytes"] = frame["bytes_sent"].astype("int64")
    frame["class"] = frame["scheme"].where(frame["protocol"] != "HTTP/3.0", "quic")
    frame["account"] = frame["host"].map(OWNERS)
    frame.attrs["home"] = str(home)
    return frame


def run(*words: str) -> None:
    assert edgetoll.main(list(words)) == 0, words


def asked(logs: pd.DataFrame, name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of a question."""
    return edgetoll.ask(name, home=logs.attrs["home"], **params).to_dict("records")


def test_top_domains_by_https_requests(logs: pd.DataFrame) -> None:
    of_class = logs[logs["class"] == "https"].groupby("host")["bytes"].agg(["count", "sum"])
    wanted = {host: (int(row["count"]), int(row["sum"])) for host, row in of_class.iterrows()}
    found = asked(logs, "top_domains_by_https_requests", **MONTH)
    assert {row["domain"]: (row["https_requests"], row["bytes_sent"]) for row in found} == wanted
    assert len(wanted) == len(DOMAINS)


def test_https_migration_by_month(logs: pd.DataFrame) -> None:
    wanted = logs.groupby("class").size().to_dict()
    found = asked(logs, "https_migration_by_month")
    assert {row["class"]: row["requests"] for row in found} == wanted


def test_status_by_day(logs: pd.DataFrame) -> None:
    keys = [logs["time"].dt.date, logs["status"].str[0] + "xx"]
    wanted = logs.groupby(keys).size().to_dict()
    found = asked(logs, "status_by_day", **MONTH)
    assert {(row["day"], row["status_class"]): row["requests"] for row in found} == wanted


def test_cache_hits_against_bytes_billed(logs: pd.DataFrame) -> None:
    hits = logs.assign(hit=logs["cache"] == "HIT").groupby(logs["account"].fillna(""))
    wanted = {
        name: (len(rows), int(rows["hit"].sum()), int(rows["bytes"].sum())) for name, rows in hits
    }
    found = asked(logs, "cache_hits_against_bytes_billed", **MONTH)
    assert {
        row["account_id"] if isinstance(row["account_id"], str) else "": (
            row["requests"], row["cache_hits"], row["bytes_sent"],
        )
        for row in found
    } == wanted  # fmt: skip


def test_unattributed_traffic_by_day(logs: pd.DataFrame) -> None:
    nobody = logs[logs["account"].isna()]
    by_day = nobody.groupby(nobody["time"].dt.date)["bytes"].agg(["count", "sum"])
    wanted = {day: (int(row["count"]), int(row["sum"])) for day, row in by_day.iterrows()}
    found = asked(logs, "unattributed_traffic_by_day", **MONTH)
    assert {row["day"]: (row["requests"], row["bytes_sent"]) for row in found} == wanted


def test_bandwidth_peaks(logs: pd.DataFrame) -> None:
    buckets = logs.groupby([logs["account"].fillna(""), logs["time"].dt.floor("5min")])["bytes"]
    peaks = (buckets.sum() * 8 // 300).groupby(level=0).max().to_dict()
    found = asked(logs, "bandwidth_peaks", **MONTH)
    assert {
        row["account_id"] if isinstance(row["account_id"], str) else "": row["peak_bits_per_second"]
        for row in found
    } == peaks


def test_lines_refused_by_edge(logs: pd.DataFrame) -> None:
    found = asked(logs, "lines_refused_by_edge")
    assert sum(row["lines"] for row in found) == 4
    assert {row["edge_id"] for row in found} == {"e1", "e2"}


READER = """
import sys, duckdb
seen, failed = set(), 0
while not __import__("os").path.exists(sys.argv[2]):
    try:
        with duckdb.connect(sys.argv[1], read_only=True) as c:
            seen.add(c.sql("SELECT sum(requests) FROM usage_hourly").fetchone()[0])
            c.sql("SELECT sum(amount) FROM charges").fetchone()
    except duckdb.IOException as error:
        assert "No such file" in str(error) or "No files found" in str(error), error
        failed += 1
print(*sorted(int(one) for one in seen), failed)
"""


def test_readers_hammer_while_runs_go_on_and_block_nothing(tmp_path: Path) -> None:
    home, file, end = make_home(tmp_path), tmp_path / "analytics.duckdb", tmp_path / "end"
    hour = timedelta(hours=1)
    close_hour(home, START, [Use(requests=1)])
    rate(home, at=START + hour)
    attach(home, file)
    plain = subprocess.Popen(
        [sys.executable, "-I", "-c", READER, str(file), str(end)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    ours: set[int] = set()

    def read_through_our_door() -> None:
        while not end.exists():
            table = edgetoll.query_arrow("SELECT sum(requests) FROM usage_hourly", home=home)
            ours.add(int(table.column(0)[0].as_py()))

    reader = threading.Thread(target=read_through_our_door)
    reader.start()
    totals = [1]
    for number in range(1, 4):
        close_hour(home, START + number * hour, [Use(requests=10**number)])
        rate(home, at=START + (number + 1) * hour)
        totals.append(totals[-1] + 10**number)
    end.touch()
    reader.join()
    out, error = plain.communicate(timeout=PATIENCE_S)
    assert error == ""
    *seen, _failed = map(int, out.split())
    assert set(seen) <= set(totals)
    assert len(seen) > 1, "it was read while the lake moved on"
    assert ours <= set(totals)
    assert len(ours) > 1
