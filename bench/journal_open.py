"""What it costs to open the billing store over a long journal of small records, and why.

    python bench/journal_open.py [--records 300000]

A home with that many payments is made (the records as a payment writes them; the tables are told
that they have them). Then the store is opened after an orderly end, after a lost note (the whole
chain is verified), and the file is only read, as the baseline. CPU seconds, best of five.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from billing.appliers import open_store
from billing.ledger.records import as_effect
from billing.ledger.top_up import top_up_transfer
from billing.store.journal import Anchor, Journal

AT = datetime(2026, 10, 1, tzinfo=UTC)
TIMES = 5


def main() -> None:
    """Make the home, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=300_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="journal-open-") as folder:
        home = Path(folder)
        size = make_home(home, records)
        path = home / "journal" / "journal.jsonl"
        reading = best(path.read_bytes)
        ways = [
            ("read the file, nothing else", reading),
            ("open and close after an orderly end", best(lambda: open_and_close(home))),
            ("verify the whole chain", best(lambda: Journal(home / "journal").verify())),
        ]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" DuckDB {duckdb.__version__}"
    )
    print(f"{records} records, {size >> 10} KiB; CPU seconds, best of {TIMES}\n")
    print("| what | CPU s | × reading |\n|---|---|---|")
    for name, seconds in ways:
        print(f"| {name} | {seconds:.3f} | {seconds / reading:.2f} |")


def make_home(home: Path, records: int) -> int:
    """A home whose journal has so many payments; the size of the journal in bytes."""
    with open_store(home, owner="bench", now=AT) as store:
        journal = store.journal
        lines = []
        for number in range(records):
            key = f"payment-{number:08d}"
            transfer = top_up_transfer("cash", "acme", 10**11, currency="USD", key=key, at=AT)
            record = journal.next_record(
                "transfers", {"transfers": {"json": [as_effect(transfer)]}}, at=AT
            )
            lines.append(journal.line(record))
            journal.last = Anchor(
                number=record.number, hash=record.hash, end=journal.last.end + len(lines[-1])
            )
        journal.folder.mkdir()
        journal.path.write_bytes(b"".join(lines))
        store.connection.execute(
            "UPDATE journal_state SET last_no = $no, last_hash = $hash",
            {"no": journal.last_no, "hash": journal.last_hash},
        )
        return journal.path.stat().st_size


def open_and_close(home: Path) -> None:
    """What every command does around its own work."""
    open_store(home, owner="bench", now=AT).close()


def best(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of some runs."""
    found = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


if __name__ == "__main__":
    main()
