"""What the hours still open will cost: whose they are, for all accounts and for a few alike."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sql
from billing.appliers import open_store
from billing.balance import figures
from tests.billing.homes import NOW, START, Use, close_hours, load_text, make_home
from tests.billing.runner import rate

MORE = """
[[domains]]
domain = "own.beta.example"
account = "acme"
"""
LIVE = [
    ("www.acme.example", 4000),
    ("own.beta.example", 300),
    ("a.beta.example", 20000),
    ("a.b.beta.example", 7),
    ("nobody.example", 9),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two closed hours, and a live one: exact names, a wildcard with an exception, nobody's."""
    made = make_home(tmp_path)
    load_text(made, MORE, name="more.toml")
    close_hours(made, START, 2, [Use(), Use(domain="x.beta.example")])
    rate(made, at=START + timedelta(hours=3))
    (made / "live").mkdir()
    bucket = (START + timedelta(hours=2, minutes=5)).replace(tzinfo=None)
    rows = [
        {"bucket": bucket, "domain": name, "region": "DE", "class": "https",
         "requests": requests, "bytes_sent": 0}
        for name, requests in LIVE
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), made / "live" / "partition=spool.parquet")
    return made


def open_values(home: Path, accounts: list[str] | None) -> list[Any]:
    """Account, usage of its open hours by name, and what they will cost."""
    at = START + timedelta(hours=2, minutes=30)
    with open_store(home, owner="test", now=NOW) as store:
        figures.compute(
            store.connection, home, now=at, usage_through=START + timedelta(hours=2),
            accounts=accounts,
        )  # fmt: skip
        values = store.connection.execute(
            "SELECT account_id, amount FROM open_value ORDER BY ALL"
        ).fetchall()
        names = store.connection.execute(
            "SELECT account_id, domain, requests FROM open_names ORDER BY ALL"
        ).fetchall()
    return [values, names]


def test_an_exact_name_goes_before_a_wildcard_and_a_wildcard_one_level_deep(home: Path) -> None:
    _values, names = open_values(home, None)
    assert names == [
        ("acme", "own.beta.example", 300),
        ("acme", "www.acme.example", 4000),
        ("beta", "a.beta.example", 20000),
    ]


@pytest.mark.parametrize("few", [["acme"], ["beta"], ["acme", "beta"]])
def test_open_hours_of_a_few_accounts_cost_what_they_cost_among_all(
    home: Path, few: list[str]
) -> None:
    everyone, some = open_values(home, None), open_values(home, few)
    assert some == [[row for row in part if row[0] in few] for part in everyone]
    assert len(everyone[0]) == 2
    assert all(amount > 0 for _account, amount in everyone[0])


def test_live_usage_is_joined_by_name_not_by_trying_each_row_with_each(home: Path) -> None:
    with open_store(home, owner="test", now=NOW) as store:
        live = store.connection.read_parquet(f"{home}/live/*.parquet", filename=True)
        store.connection.register("live_files", live)
        plan = store.connection.execute(
            "EXPLAIN " + sql.text("statements/balance/open_hours/add_live_usage"),
            {"accounts": None, "places": ["a"], "names": ["partition=000.parquet"]},
        ).fetchall()[0][1]
    assert "HASH_JOIN" in plan
    assert "NL_JOIN" not in plan
    assert "NESTED_LOOP" not in plan


HEAVY = {"pyarrow", "pandas", "numpy", "polars", "httpx", "cryptography", "jinja2", "rich",
         "prometheus_client", "apscheduler"}  # fmt: skip


@pytest.mark.parametrize("words", ["accounts", "top-up acme 5 --id p1", "ledger acme"])
def test_the_usual_commands_load_nothing_heavy_though_an_hour_is_open(
    home: Path, root: Path, words: str
) -> None:
    script = (
        "import sys, edgetoll; edgetoll.settle(); code = edgetoll.main(sys.argv[1:]);"
        "print(code, *sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, "billing", *words.split(), "--home", str(home)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    code, *loaded = answer.stdout.splitlines()[-1].split()
    assert (code, HEAVY & set(loaded)) == ("0", set())
