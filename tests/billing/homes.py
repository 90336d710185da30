"""Homes for tests: settings, a small price book, accounts, and closed hours written as metering
writes them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from billing.accounts.file_rows import read_load_file
from billing.accounts.load import load
from billing.accounts.reach import BookReach
from billing.accounts.staging import zone_lookup
from billing.appliers import open_store
from billing.prices import load_books
from billing.store import left_note
from billing.store.store import STORE_NAME
from edge.durable import sha256_file
from metering.closed import (
    Certificate,
    EdgeEvidence,
    EpochRange,
    SequenceGap,
    certificate_sha256,
    closed_file,
    hour_text,
    list_closed,
    read_certificate,
)
from tests.effort import THOROUGH

EXAMPLES = 60 if THOROUGH else 6
START = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 10, 20, tzinfo=UTC)

BOOK = """
[book]
id = "plain"
title = "A plain book"
currency = "USD"
timezone = "UTC"
source = "tests"

[regions]
EU = ["DE", "FR"]
NA = ["US"]

[[card]]
id = "https-1"
item = "https_requests"
region = "all"
effective_from = 2020-01-01
model = "per_unit"
unit = "request"
per = 10000
price = "0.01"

[[card]]
id = "data-eu-1"
item = "data_transfer"
region = "EU"
effective_from = 2020-01-01
model = "per_unit"
unit = "GB"
per = 1
price = "0.05"

[[card]]
id = "data-na-1"
item = "data_transfer"
region = "NA"
effective_from = 2020-01-01
model = "per_unit"
unit = "GB"
per = 1
price = "0.04"
"""

SETTINGS = """
[billing]
too_old_days = 60

[invoices.seller]
name = "Tests CDN"
address = ["1 Test Street"]
tax_id = "T-1"
"""

ACCOUNTS = """
[[accounts]]
id = "acme"
name = "Acme"
currency = "USD"
price_book = "plain"

[[accounts]]
id = "beta"
name = "Beta"
currency = "USD"
price_book = "plain"

[[domains]]
domain = "www.acme.example"
account = "acme"

[[domains]]
domain = "*.beta.example"
account = "beta"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One row of a closed hour; `minute` is the start of its 5-minute bucket inside the hour."""

    domain: str | None = "www.acme.example"
    requests: int = 1000
    bytes_sent: int = 10**9
    region: str = "DE"
    class_: str = "https"
    minute: int = 0
    status_2xx: int | None = None
    status_5xx: int | None = None
    cache_hits: int | None = None


templates: Path | None = None
"""Where homes lie that are made once and copied for each test that asks for such a one."""
_made: dict[tuple[str, str | None], Path] = {}


def make_home(folder: Path, *, book: str = BOOK, accounts: str | None = ACCOUNTS) -> Path:
    """A home with settings and a price book; `accounts` are loaded when given."""
    if templates is None or accounts is None:
        return _new_home(folder, book, accounts)
    if (book, accounts) not in _made:
        _made[book, accounts] = _new_home(Path(mkdtemp(dir=templates)), book, accounts)
    return copied(_made[book, accounts], folder / "home")


def copied(home: Path, to: Path) -> Path:
    """`home` once more at `to`, as billing left it: the note says so of the copy too. Without that
    the first command compares the store with its journal, as it does with a copy by a person.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", home, to], check=True)  # hard links stay hard links
    store, journal = STORE_NAME, "journal/journal.jsonl"
    note, state = left_note.read(home / store), left_note.state_of(to / store)
    if note is not None and state is not None:
        assert note.store == left_note.state_of(home / store)
        assert note.journal == left_note.state_of(home / journal)
        as_left = replace(note, store=state, journal=left_note.state_of(to / journal))
        left_note.write(to / store, as_left)
    return to


def _new_home(folder: Path, book: str, accounts: str | None) -> Path:
    home = folder / "home"
    (home / "prices").mkdir(parents=True)
    (home / "edgetoll.toml").write_text(SETTINGS, encoding="utf-8")
    (home / "prices" / "plain.toml").write_text(book, encoding="utf-8")
    if accounts is not None:
        load_text(home, accounts)
    return home


def load_text(home: Path, text: str, *, at: datetime = START, name: str = "rows.toml") -> Any:
    """Load TOML (or CSV, by name) text into the home's store."""
    path = home / name
    path.write_text(text, encoding="utf-8")
    books = load_books(home / "prices")
    with open_store(home, owner="test", now=at) as store:
        return load(
            store,
            read_load_file(path),
            at=at,
            zone_of_book=zone_lookup({book.book_id: book.timezone for book in books}),
            books={
                book.book_id: BookReach(
                    regions=book.scopes, sold={(card.item, card.scope) for card in book.cards}
                )
                for book in books
            },
        )


def close_hour(
    home: Path,
    hour: datetime,
    uses: Sequence[Use],
    *,
    partition: str = "spool",
    complete_through: datetime | None = None,
    state: Literal["closed", "incomplete"] = "closed",
    empty_since: datetime | None = None,
    missing: tuple[str, ...] = (),
    gaps: tuple[SequenceGap, ...] = (),
) -> None:
    """Close `hour` with `uses`; a second call for the same hour writes the next revision.

    With `empty_since` it stands for the run of empty hours from there on. `missing`: edges that
    promised nothing; `gaps`: batches of the one that did which never came.
    """
    before = [file for file in list_closed(home) if file.partition == partition]
    revision = sum(1 for file in before if file.hour == hour)
    file = closed_file(home, hour, partition, revision)
    file.data_path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(_rows(hour, uses), file.data_path)
    numbers = {read_certificate(one.certificate_path).number: one for one in before}
    last = numbers[max(numbers)] if numbers else None
    known = [one.hour + timedelta(hours=1) for one in before] + [hour + timedelta(hours=1)]
    certificate = Certificate(
        hour=hour_text(hour),
        partition=partition,
        revision=revision,
        state=state,
        closed_at=(hour + timedelta(hours=1, minutes=1)).isoformat(),
        data_file=file.data_path.name,
        data_sha256=sha256_file(file.data_path),
        previous_certificate_sha256=certificate_sha256(last.certificate_path) if last else None,
        number=len(before) + 1,
        rows=len(uses),
        requests=sum(use.requests for use in uses),
        bytes_sent=sum(use.bytes_sent for use in uses),
        duplicates=0,
        quarantined=0,
        edges=(_edge(uses, gaps),),
        missing_edges=missing,
        waivers=(),
        unproven_sources=(),
        generation=1,
        checkpoint=1,
        complete_through=hour_text(complete_through or max(known)),
        empty_since=None if empty_since is None else hour_text(empty_since),
    )
    file.certificate_path.write_bytes(certificate.to_bytes())


def close_hours(home: Path, start: datetime, count: int, uses: Sequence[Use]) -> None:
    """Close `count` hours from `start`, each with the same `uses`."""
    for number in range(count):
        close_hour(home, start + timedelta(hours=number), uses)


def _edge(uses: Sequence[Use], gaps: tuple[SequenceGap, ...]) -> EdgeEvidence:
    epochs = (EpochRange(epoch=1, first_sequence=0, last_sequence=3, batches=4,
                         events=sum(use.requests for use in uses)),)  # fmt: skip
    return EdgeEvidence(edge_id="edge-1", region="DE", watermark=None, epochs=epochs, gaps=gaps)


def _rows(hour: datetime, uses: Iterable[Use]) -> pa.Table:
    naive = hour.replace(tzinfo=None)
    rows = [
        {
            "bucket": naive + timedelta(minutes=use.minute),
            "domain": use.domain,
            "region": use.region,
            "class": use.class_,
            "requests": use.requests,
            "bytes_sent": use.bytes_sent,
            "status_2xx": use.status_2xx,
            "status_5xx": use.status_5xx,
            "cache_hits": use.cache_hits,
        }
        for use in uses
    ]
    schema = pa.schema(
        [
            ("bucket", pa.timestamp("us")),
            ("domain", pa.string()),
            ("region", pa.string()),
            ("class", pa.string()),
            ("requests", pa.int64()),
            ("bytes_sent", pa.int64()),
            ("status_2xx", pa.int64()),
            ("status_5xx", pa.int64()),
            ("cache_hits", pa.int64()),
        ]
    )
    return pa.Table.from_pylist(rows, schema)
