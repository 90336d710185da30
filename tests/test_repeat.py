"""The same logs in two homes, each with its own epochs and certificates: the same invoices."""

from __future__ import annotations

import json
from pathlib import Path

import edgetoll

ACCOUNT = """
[[accounts]]
id = "northwind"
name = "Northwind Traders GmbH"
currency = "USD"
price_book = "alibaba-international"
[[domains]]
account = "northwind"
domain = "www.example.com"
"""


SELLER = """
[invoices.seller]
name = "Tests CDN"
address = ["1 Test Street"]
tax_id = "T-1"
"""


def run(*words: str) -> None:
    assert edgetoll.main(list(words)) == 0, words


def invoiced(home: Path, log: Path) -> dict[str, bytes]:
    """The month's documents, from a log file on, by their paths in the home."""
    place, at = ("--home", str(home)), ("--as-of", "2026-11-02T00:00:00Z")
    run("init", str(home))
    with open(home / "edgetoll.toml", "a", encoding="utf-8") as settings:
        settings.write(SELLER)
    (home / "mine.toml").write_text(ACCOUNT)
    run("billing", "load", str(home / "mine.toml"), *place, "--as-of", "2026-09-01T00:00:00Z")
    words = ("--format", "nginx", "--edge", "e1", "--region", "DE", "--through", "2026-11-01")
    run("edge", "import", str(log), *words, *place)
    run("metering", "run", "--drain", *place)
    run("billing", "rate", *place, *at)
    run("billing", "invoice", "--month", "2026-10", *place, *at)
    folder = home / "invoices"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_logs_in_two_homes_give_the_same_invoices_byte_for_byte(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = {"host": "www.example.com", "scheme": "https", "protocol": "HTTP/2.0", "status": "200"}
    start = 1_791_000_000
    with open(log, "w", encoding="utf-8") as file:
        for number in range(50_000):
            made = {"time": f"{start + number}.250", **line, "bytes_sent": str(number)}
            file.write(json.dumps(made | {"cache": "HIT", "id": f"{number:032x}"}) + "\n")
    first, second = (invoiced(tmp_path / name, log) for name in ("a", "b"))
    assert {Path(name).suffix for name in first} >= {".json", ".csv", ".html", ".pdf"}
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] == []
